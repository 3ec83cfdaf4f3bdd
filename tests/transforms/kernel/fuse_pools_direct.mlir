// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-pads,fuse-pools,dce'
// VALIDATE
// Windows of a direct convolution may overlap, and reach into a border: one kernel. Where others read its result, too,
// every element has to be under a window: 3 x 3 / 3 leave two of 8 columns out.

// CHECK: "kernel.dispatch"(%arg0, %arg1)
// CHECK: "graph.convolution"
// CHECK: "graph.pad"
// CHECK: "graph.reduce_window"
// CHECK-SAME: strides = array<i64: 1, 2, 2, 1>
// CHECK: kernel.root = "graph.convolution"
// CHECK: "kernel.dispatch"(%arg0, %arg1)
// CHECK: "graph.convolution"
// CHECK: kernel.root = "graph.convolution"
// CHECK: "graph.reduce_window"
// CHECK-SAME: strides = array<i64: 1, 3, 3, 1>
// CHECK: kernel.root = "graph.reduce_window"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x12x12x3xf32, #graph.dims<["b", 12, 12, 3]>>, tensor<5x5x3x16xf32>) -> (tensor<?x4x4x16xf32, #graph.dims<["b", 4, 4, 16]>>, tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>, tensor<?x2x2x16xf32, #graph.dims<["b", 2, 2, 16]>>)}> ({
  ^bb0(%arg0: tensor<?x12x12x3xf32, #graph.dims<["b", 12, 12, 3]>>, %arg1: tensor<5x5x3x16xf32>):
    %0 = "graph.convolution"(%arg0, %arg1) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x12x12x3xf32, #graph.dims<["b", 12, 12, 3]>>, tensor<5x5x3x16xf32>) -> tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>
    %1 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %2 = "graph.broadcast_in_dim"(%1) {dims = array<i64>, shape = #graph.dims<["b", 8, 8, 16]>} : (tensor<f32>) -> tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>
    %3 = "graph.max"(%0, %2) : (tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>, tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>) -> tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>
    %4 = "graph.constant"() {value = dense<0xFF800000> : tensor<f32>} : () -> tensor<f32>
    %5 = "graph.pad"(%3, %4) {high = array<i64: 0, 1, 1, 0>, interior = array<i64: 0, 0, 0, 0>, low = array<i64: 0, 0, 0, 0>} : (tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>, tensor<f32>) -> tensor<?x9x9x16xf32, #graph.dims<["b", 9, 9, 16]>>
    %6 = "graph.reduce_window"(%5) {kind = "max", padding_high = array<i64: 0, 0, 0, 0>, padding_low = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 2, 2, 1>, window = array<i64: 1, 3, 3, 1>} : (tensor<?x9x9x16xf32, #graph.dims<["b", 9, 9, 16]>>) -> tensor<?x4x4x16xf32, #graph.dims<["b", 4, 4, 16]>>
    %7 = "graph.convolution"(%arg0, %arg1) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x12x12x3xf32, #graph.dims<["b", 12, 12, 3]>>, tensor<5x5x3x16xf32>) -> tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>
    %8 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %9 = "graph.broadcast_in_dim"(%8) {dims = array<i64>, shape = #graph.dims<["b", 8, 8, 16]>} : (tensor<f32>) -> tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>
    %10 = "graph.max"(%7, %9) : (tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>, tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>) -> tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>
    %11 = "graph.reduce_window"(%10) {kind = "max", padding_high = array<i64: 0, 0, 0, 0>, padding_low = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 3, 3, 1>, window = array<i64: 1, 3, 3, 1>} : (tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>) -> tensor<?x2x2x16xf32, #graph.dims<["b", 2, 2, 16]>>
    "func.return"(%6, %10, %11) : (tensor<?x4x4x16xf32, #graph.dims<["b", 4, 4, 16]>>, tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>, tensor<?x2x2x16xf32, #graph.dims<["b", 2, 2, 16]>>) -> ()
  }) : () -> ()
}) : () -> ()
