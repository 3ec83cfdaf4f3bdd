// RUN: kcompile opt %s -p name-sizes
// VALIDATE exact
// Sizes of symbolic dims are made once, at the top of the kernel; fixed sizes are left to the type.

// CHECK: sym_name = "main"
// CHECK-NOT: kernel.size
// CHECK: sym_name = "k"
// CHECK: %[[B:.*]] = "kernel.size"() {dims = #graph.dims<["b"]>} : () -> index
// CHECK: "tensor.empty"(%[[B]]) : (index) -> tensor<?x3xf32
// CHECK: "tensor.empty"() : () -> tensor<3xf32>
// CHECK-NOT: kernel.size
// CHECK: "tensor.empty"(%[[B]]) : (index) -> tensor<?xf32
// CHECK: "tensor.extract_slice"(%arg0, %[[B]]) <{operandSegmentSizes = array<i32: 1, 0, 1, 0>
// CHECK: "tensor.insert_slice"(%{{.*}}, %arg0, %[[B]]) <{operandSegmentSizes = array<i32: 1, 1, 0, 1, 0>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>):
    %0 = "kernel.call"(%arg0) {callee = @k} : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    "func.return"(%0) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> ()
  }) : () -> ()
  "func.func"() <{sym_name = "k", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>):
    %0 = "tensor.empty"() : () -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %1 = "tensor.empty"() : () -> tensor<3xf32>
    %2 = "tensor.empty"() : () -> tensor<?xf32, #graph.dims<["b"]>>
    %3 = "tensor.extract_slice"(%arg0) <{operandSegmentSizes = array<i32: 1, 0, 0, 0>, static_offsets = array<i64: 0, 1>, static_sizes = array<i64: -9223372036854775808, 2>, static_strides = array<i64: 1, 1>}> : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %4 = "tensor.insert_slice"(%3, %arg0) <{operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>, static_offsets = array<i64: 0, 0>, static_sizes = array<i64: -9223372036854775808, 2>, static_strides = array<i64: 1, 1>}> : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    "func.return"(%4) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> ()
  }) {kernel.root = "elementwise"} : () -> ()
}) : () -> ()
