// RUN: kcompile opt %s -p 'form-kernels,outline-kernels,lower-to-linalg,collapse-dimensions'
// VALIDATE exact
// Columns and channels of a copy with a border become one axis; where the channels are padded too they cannot.

// CHECK: "tensor.pad"(%arg0)
// CHECK-SAME: static_high = array<i64: 0, 1, 3>, static_low = array<i64: 0, 1, 6>
// CHECK: "tensor.pad"(%arg0)
// CHECK-SAME: static_high = array<i64: 0, 1, 1, 0>, static_low = array<i64: 0, 1, 2, 1>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>) -> (tensor<?x6x8x3xf32, #graph.dims<["b", 6, 8, 3]>>, tensor<?x6x8x4xf32, #graph.dims<["b", 6, 8, 4]>>)}> ({
  ^bb0(%arg0: tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>):
    %0 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %1 = "graph.pad"(%arg0, %0) {high = array<i64: 0, 1, 1, 0>, interior = array<i64: 0, 0, 0, 0>, low = array<i64: 0, 1, 2, 0>} : (tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>, tensor<f32>) -> tensor<?x6x8x3xf32, #graph.dims<["b", 6, 8, 3]>>
    %2 = "graph.pad"(%arg0, %0) {high = array<i64: 0, 1, 1, 0>, interior = array<i64: 0, 0, 0, 0>, low = array<i64: 0, 1, 2, 1>} : (tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>, tensor<f32>) -> tensor<?x6x8x4xf32, #graph.dims<["b", 6, 8, 4]>>
    "func.return"(%1, %2) : (tensor<?x6x8x3xf32, #graph.dims<["b", 6, 8, 3]>>, tensor<?x6x8x4xf32, #graph.dims<["b", 6, 8, 4]>>) -> ()
  }) : () -> ()
}) : () -> ()
