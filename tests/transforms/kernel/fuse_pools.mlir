// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-pools,dce'
// VALIDATE
// Windows of 2 x 2 lie whole in tiles of 4 x 4: one kernel. Those of 3 x 3 do not.

// CHECK: "kernel.dispatch"(%arg0, %arg1)
// CHECK: "graph.winograd_convolution"
// CHECK: "graph.reduce_window"
// CHECK-SAME: window = array<i64: 1, 2, 2, 1>
// CHECK: kernel.root = "graph.winograd_convolution"
// CHECK: "kernel.dispatch"
// CHECK: "graph.reduce_window"
// CHECK-SAME: window = array<i64: 1, 3, 3, 1>
// CHECK: kernel.root = "graph.reduce_window"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x8x8x3xf32, #graph.dims<["b", 8, 8, 3]>>, tensor<36x1x3x16xf32>) -> (tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>, tensor<?x4x4x16xf32, #graph.dims<["b", 4, 4, 16]>>, tensor<?x3x3x16xf32, #graph.dims<["b", 3, 3, 16]>>)}> ({
  ^bb0(%arg0: tensor<?x8x8x3xf32, #graph.dims<["b", 8, 8, 3]>>, %arg1: tensor<36x1x3x16xf32>):
    %0 = "graph.winograd_convolution"(%arg0, %arg1) {features = 16 : i64, padding_high = array<i64: 1, 1>, padding_low = array<i64: 1, 1>, tile = 4 : i64} : (tensor<?x8x8x3xf32, #graph.dims<["b", 8, 8, 3]>>, tensor<36x1x3x16xf32>) -> tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>
    %1 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %2 = "graph.broadcast_in_dim"(%1) {dims = array<i64>, shape = #graph.dims<["b", 8, 8, 16]>} : (tensor<f32>) -> tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>
    %3 = "graph.max"(%0, %2) : (tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>, tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>) -> tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>
    %4 = "graph.reduce_window"(%3) {kind = "max", padding_high = array<i64: 0, 0, 0, 0>, padding_low = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 2, 2, 1>, window = array<i64: 1, 2, 2, 1>} : (tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>) -> tensor<?x4x4x16xf32, #graph.dims<["b", 4, 4, 16]>>
    %5 = "graph.winograd_convolution"(%arg0, %arg1) {features = 16 : i64, padding_high = array<i64: 1, 1>, padding_low = array<i64: 1, 1>, tile = 4 : i64} : (tensor<?x8x8x3xf32, #graph.dims<["b", 8, 8, 3]>>, tensor<36x1x3x16xf32>) -> tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>
    %6 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %7 = "graph.broadcast_in_dim"(%6) {dims = array<i64>, shape = #graph.dims<["b", 8, 8, 16]>} : (tensor<f32>) -> tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>
    %8 = "graph.max"(%5, %7) : (tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>, tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>) -> tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>
    %9 = "graph.exp"(%3) : (tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>) -> tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>
    %10 = "graph.reduce_window"(%9) {kind = "max", padding_high = array<i64: 0, 0, 0, 0>, padding_low = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 2, 2, 1>, window = array<i64: 1, 3, 3, 1>} : (tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>) -> tensor<?x3x3x16xf32, #graph.dims<["b", 3, 3, 16]>>
    "func.return"(%3, %4, %10) : (tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>, tensor<?x4x4x16xf32, #graph.dims<["b", 4, 4, 16]>>, tensor<?x3x3x16xf32, #graph.dims<["b", 3, 3, 16]>>) -> ()
  }) : () -> ()
}) : () -> ()
