// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-pads,fuse-depthwise'
// VALIDATE exact
// The product, its activation and its border become part of the depthwise convolution; not where the border is not of
// zeros, and not where the image is read by others too.

// CHECK: "kernel.dispatch"
// CHECK: graph.dot_general
// CHECK: graph.pad
// CHECK: graph.convolution
// CHECK: kernel.root = "expanded_depthwise"
// CHECK: kernel.root = "graph.dot_general"
// CHECK: kernel.root = "graph.convolution"
// CHECK: kernel.root = "graph.dot_general"
// CHECK: kernel.root = "graph.convolution"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x4x5x2xf32, #graph.dims<["b", 4, 5, 2]>>, tensor<2x16xf32>, tensor<3x3x1x16xf32>) -> (tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>, tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>, tensor<?x2x3x16xf32, #graph.dims<["b", 2, 3, 16]>>, tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>)}> ({
  ^bb0(%arg0: tensor<?x4x5x2xf32, #graph.dims<["b", 4, 5, 2]>>, %arg1: tensor<2x16xf32>, %arg2: tensor<3x3x1x16xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x4x5x2xf32, #graph.dims<["b", 4, 5, 2]>>, tensor<2x16xf32>) -> tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>
    %1 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %2 = "graph.broadcast_in_dim"(%1) {dims = array<i64>, shape = #graph.dims<["b", 4, 5, 16]>} : (tensor<f32>) -> tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>
    %3 = "graph.max"(%0, %2) : (tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>, tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>) -> tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>
    %4 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %5 = "graph.pad"(%3, %4) {high = array<i64: 0, 1, 1, 0>, interior = array<i64: 0, 0, 0, 0>, low = array<i64: 0, 1, 1, 0>} : (tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>, tensor<f32>) -> tensor<?x6x7x16xf32, #graph.dims<["b", 6, 7, 16]>>
    %6 = "graph.convolution"(%5, %arg2) {feature_groups = 16 : i64, lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x6x7x16xf32, #graph.dims<["b", 6, 7, 16]>>, tensor<3x3x1x16xf32>) -> tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>
    %7 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x4x5x2xf32, #graph.dims<["b", 4, 5, 2]>>, tensor<2x16xf32>) -> tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>
    %8 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %9 = "graph.broadcast_in_dim"(%8) {dims = array<i64>, shape = #graph.dims<["b", 4, 5, 16]>} : (tensor<f32>) -> tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>
    %10 = "graph.max"(%7, %9) : (tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>, tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>) -> tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>
    %11 = "graph.constant"() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
    %12 = "graph.pad"(%10, %11) {high = array<i64: 0, 1, 1, 0>, interior = array<i64: 0, 0, 0, 0>, low = array<i64: 0, 1, 1, 0>} : (tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>, tensor<f32>) -> tensor<?x6x7x16xf32, #graph.dims<["b", 6, 7, 16]>>
    %13 = "graph.convolution"(%12, %arg2) {feature_groups = 16 : i64, lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x6x7x16xf32, #graph.dims<["b", 6, 7, 16]>>, tensor<3x3x1x16xf32>) -> tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>
    %14 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x4x5x2xf32, #graph.dims<["b", 4, 5, 2]>>, tensor<2x16xf32>) -> tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>
    %15 = "graph.constant"() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
    %16 = "graph.broadcast_in_dim"(%15) {dims = array<i64>, shape = #graph.dims<["b", 4, 5, 16]>} : (tensor<f32>) -> tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>
    %17 = "graph.max"(%14, %16) : (tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>, tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>) -> tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>
    %18 = "graph.convolution"(%17, %arg2) {feature_groups = 16 : i64, lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>, tensor<3x3x1x16xf32>) -> tensor<?x2x3x16xf32, #graph.dims<["b", 2, 3, 16]>>
    "func.return"(%6, %13, %18, %17) : (tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>, tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>, tensor<?x2x3x16xf32, #graph.dims<["b", 2, 3, 16]>>, tensor<?x4x5x16xf32, #graph.dims<["b", 4, 5, 16]>>) -> ()
  }) : () -> ()
}) : () -> ()
