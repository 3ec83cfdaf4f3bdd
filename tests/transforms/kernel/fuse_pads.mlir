// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-pads'
// VALIDATE exact
// The convolution stores its result with the border, and once more without it for the other reader. A pad that spreads
// the elements is no border: it stays a kernel.

// CHECK: "kernel.dispatch"
// CHECK: graph.convolution
// CHECK: graph.pad
// CHECK: kernel.root = "graph.convolution"
// CHECK: "kernel.dispatch"
// CHECK: graph.pad
// CHECK-SAME: interior = array<i64: 0, 1, 0, 0>
// CHECK: kernel.root = "graph.pad"
// CHECK-NOT: kernel.dispatch

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x4x5x2xf32, #graph.dims<["b", 4, 5, 2]>>, tensor<1x1x2x3xf32>) -> (tensor<?x6x7x3xf32, #graph.dims<["b", 6, 7, 3]>>, tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>, tensor<?x8x5x3xf32, #graph.dims<["b", 8, 5, 3]>>)}> ({
  ^bb0(%arg0: tensor<?x4x5x2xf32, #graph.dims<["b", 4, 5, 2]>>, %arg1: tensor<1x1x2x3xf32>):
    %0 = "graph.convolution"(%arg0, %arg1) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x4x5x2xf32, #graph.dims<["b", 4, 5, 2]>>, tensor<1x1x2x3xf32>) -> tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>
    %1 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %2 = "graph.pad"(%0, %1) {high = array<i64: 0, 1, 1, 0>, interior = array<i64: 0, 0, 0, 0>, low = array<i64: 0, 1, 1, 0>} : (tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>, tensor<f32>) -> tensor<?x6x7x3xf32, #graph.dims<["b", 6, 7, 3]>>
    %3 = "graph.pad"(%0, %1) {high = array<i64: 0, 0, 0, 0>, interior = array<i64: 0, 1, 0, 0>, low = array<i64: 0, 1, 0, 0>} : (tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>, tensor<f32>) -> tensor<?x8x5x3xf32, #graph.dims<["b", 8, 5, 3]>>
    %4 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %5 = "graph.broadcast_in_dim"(%4) {dims = array<i64>, shape = #graph.dims<["b", 4, 5, 3]>} : (tensor<f32>) -> tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>
    %6 = "graph.max"(%0, %5) : (tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>, tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>) -> tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>
    "func.return"(%2, %6, %3) : (tensor<?x6x7x3xf32, #graph.dims<["b", 6, 7, 3]>>, tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>, tensor<?x8x5x3xf32, #graph.dims<["b", 8, 5, 3]>>) -> ()
  }) : () -> ()
}) : () -> ()
