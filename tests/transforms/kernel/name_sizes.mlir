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
    "func.return"(%arg0) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> ()
  }) {kernel.root = "elementwise"} : () -> ()
}) : () -> ()
