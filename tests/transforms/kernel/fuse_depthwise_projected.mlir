// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-pads,fuse-depthwise'
// VALIDATE exact
// An inverted residual block is one kernel, and a depthwise convolution with the product of its channels; not where the
// rows that two workers make both, or the weights that each band loads again, cost more than the result between, and
// not where that is read by others too.

// CHECK: "kernel.dispatch"
// CHECK: graph.dot_general
// CHECK: graph.convolution
// CHECK: graph.dot_general
// CHECK: kernel.root = "separable"
// CHECK: graph.convolution
// CHECK: graph.dot_general
// CHECK: kernel.root = "separable"
// CHECK: kernel.root = "expanded_depthwise"
// CHECK: kernel.root = "graph.dot_general"
// CHECK: kernel.root = "graph.convolution"
// CHECK: kernel.root = "graph.dot_general"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x16x16x16xf32, #graph.dims<["b", 16, 16, 16]>>, tensor<16x48xf32>, tensor<3x3x1x48xf32>, tensor<48x16xf32>, tensor<?x18x18x32xf32, #graph.dims<["b", 18, 18, 32]>>, tensor<3x3x1x32xf32>, tensor<32x24xf32>, tensor<?x4x4x128xf32, #graph.dims<["b", 4, 4, 128]>>, tensor<128x512xf32>, tensor<3x3x1x512xf32>, tensor<512x128xf32>) -> (tensor<?x16x16x16xf32, #graph.dims<["b", 16, 16, 16]>>, tensor<?x16x16x24xf32, #graph.dims<["b", 16, 16, 24]>>, tensor<?x4x4x128xf32, #graph.dims<["b", 4, 4, 128]>>, tensor<?x16x16x24xf32, #graph.dims<["b", 16, 16, 24]>>, tensor<?x16x16x32xf32, #graph.dims<["b", 16, 16, 32]>>)}> ({
  ^bb0(%arg0: tensor<?x16x16x16xf32, #graph.dims<["b", 16, 16, 16]>>, %arg1: tensor<16x48xf32>, %arg2: tensor<3x3x1x48xf32>, %arg3: tensor<48x16xf32>, %arg4: tensor<?x18x18x32xf32, #graph.dims<["b", 18, 18, 32]>>, %arg5: tensor<3x3x1x32xf32>, %arg6: tensor<32x24xf32>, %arg7: tensor<?x4x4x128xf32, #graph.dims<["b", 4, 4, 128]>>, %arg8: tensor<128x512xf32>, %arg9: tensor<3x3x1x512xf32>, %arg10: tensor<512x128xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x16x16x16xf32, #graph.dims<["b", 16, 16, 16]>>, tensor<16x48xf32>) -> tensor<?x16x16x48xf32, #graph.dims<["b", 16, 16, 48]>>
    %1 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %2 = "graph.broadcast_in_dim"(%1) {dims = array<i64>, shape = #graph.dims<["b", 16, 16, 48]>} : (tensor<f32>) -> tensor<?x16x16x48xf32, #graph.dims<["b", 16, 16, 48]>>
    %3 = "graph.max"(%0, %2) : (tensor<?x16x16x48xf32, #graph.dims<["b", 16, 16, 48]>>, tensor<?x16x16x48xf32, #graph.dims<["b", 16, 16, 48]>>) -> tensor<?x16x16x48xf32, #graph.dims<["b", 16, 16, 48]>>
    %4 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %5 = "graph.pad"(%3, %4) {high = array<i64: 0, 1, 1, 0>, interior = array<i64: 0, 0, 0, 0>, low = array<i64: 0, 1, 1, 0>} : (tensor<?x16x16x48xf32, #graph.dims<["b", 16, 16, 48]>>, tensor<f32>) -> tensor<?x18x18x48xf32, #graph.dims<["b", 18, 18, 48]>>
    %6 = "graph.convolution"(%5, %arg2) {batch_groups = 1 : i64, feature_groups = 48 : i64, lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x18x18x48xf32, #graph.dims<["b", 18, 18, 48]>>, tensor<3x3x1x48xf32>) -> tensor<?x16x16x48xf32, #graph.dims<["b", 16, 16, 48]>>
    %7 = "graph.constant"() {value = dense<6.0> : tensor<f32>} : () -> tensor<f32>
    %8 = "graph.broadcast_in_dim"(%7) {dims = array<i64>, shape = #graph.dims<["b", 16, 16, 48]>} : (tensor<f32>) -> tensor<?x16x16x48xf32, #graph.dims<["b", 16, 16, 48]>>
    %9 = "graph.min"(%6, %8) : (tensor<?x16x16x48xf32, #graph.dims<["b", 16, 16, 48]>>, tensor<?x16x16x48xf32, #graph.dims<["b", 16, 16, 48]>>) -> tensor<?x16x16x48xf32, #graph.dims<["b", 16, 16, 48]>>
    %10 = "graph.dot_general"(%9, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x16x16x48xf32, #graph.dims<["b", 16, 16, 48]>>, tensor<48x16xf32>) -> tensor<?x16x16x16xf32, #graph.dims<["b", 16, 16, 16]>>
    %11 = "graph.add"(%10, %arg0) : (tensor<?x16x16x16xf32, #graph.dims<["b", 16, 16, 16]>>, tensor<?x16x16x16xf32, #graph.dims<["b", 16, 16, 16]>>) -> tensor<?x16x16x16xf32, #graph.dims<["b", 16, 16, 16]>>
    %12 = "graph.convolution"(%arg4, %arg5) {batch_groups = 1 : i64, feature_groups = 32 : i64, lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x18x18x32xf32, #graph.dims<["b", 18, 18, 32]>>, tensor<3x3x1x32xf32>) -> tensor<?x16x16x32xf32, #graph.dims<["b", 16, 16, 32]>>
    %13 = "graph.dot_general"(%12, %arg6) {lhs_batch = array<i64>, lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x16x16x32xf32, #graph.dims<["b", 16, 16, 32]>>, tensor<32x24xf32>) -> tensor<?x16x16x24xf32, #graph.dims<["b", 16, 16, 24]>>
    %14 = "graph.dot_general"(%arg7, %arg8) {lhs_batch = array<i64>, lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x4x4x128xf32, #graph.dims<["b", 4, 4, 128]>>, tensor<128x512xf32>) -> tensor<?x4x4x512xf32, #graph.dims<["b", 4, 4, 512]>>
    %15 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %16 = "graph.broadcast_in_dim"(%15) {dims = array<i64>, shape = #graph.dims<["b", 4, 4, 512]>} : (tensor<f32>) -> tensor<?x4x4x512xf32, #graph.dims<["b", 4, 4, 512]>>
    %17 = "graph.max"(%14, %16) : (tensor<?x4x4x512xf32, #graph.dims<["b", 4, 4, 512]>>, tensor<?x4x4x512xf32, #graph.dims<["b", 4, 4, 512]>>) -> tensor<?x4x4x512xf32, #graph.dims<["b", 4, 4, 512]>>
    %18 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %19 = "graph.pad"(%17, %18) {high = array<i64: 0, 1, 1, 0>, interior = array<i64: 0, 0, 0, 0>, low = array<i64: 0, 1, 1, 0>} : (tensor<?x4x4x512xf32, #graph.dims<["b", 4, 4, 512]>>, tensor<f32>) -> tensor<?x6x6x512xf32, #graph.dims<["b", 6, 6, 512]>>
    %20 = "graph.convolution"(%19, %arg9) {batch_groups = 1 : i64, feature_groups = 512 : i64, lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x6x6x512xf32, #graph.dims<["b", 6, 6, 512]>>, tensor<3x3x1x512xf32>) -> tensor<?x4x4x512xf32, #graph.dims<["b", 4, 4, 512]>>
    %21 = "graph.constant"() {value = dense<6.0> : tensor<f32>} : () -> tensor<f32>
    %22 = "graph.broadcast_in_dim"(%21) {dims = array<i64>, shape = #graph.dims<["b", 4, 4, 512]>} : (tensor<f32>) -> tensor<?x4x4x512xf32, #graph.dims<["b", 4, 4, 512]>>
    %23 = "graph.min"(%20, %22) : (tensor<?x4x4x512xf32, #graph.dims<["b", 4, 4, 512]>>, tensor<?x4x4x512xf32, #graph.dims<["b", 4, 4, 512]>>) -> tensor<?x4x4x512xf32, #graph.dims<["b", 4, 4, 512]>>
    %24 = "graph.dot_general"(%23, %arg10) {lhs_batch = array<i64>, lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x4x4x512xf32, #graph.dims<["b", 4, 4, 512]>>, tensor<512x128xf32>) -> tensor<?x4x4x128xf32, #graph.dims<["b", 4, 4, 128]>>
    %25 = "graph.add"(%24, %arg7) : (tensor<?x4x4x128xf32, #graph.dims<["b", 4, 4, 128]>>, tensor<?x4x4x128xf32, #graph.dims<["b", 4, 4, 128]>>) -> tensor<?x4x4x128xf32, #graph.dims<["b", 4, 4, 128]>>
    %26 = "graph.convolution"(%arg4, %arg5) {batch_groups = 1 : i64, feature_groups = 32 : i64, lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x18x18x32xf32, #graph.dims<["b", 18, 18, 32]>>, tensor<3x3x1x32xf32>) -> tensor<?x16x16x32xf32, #graph.dims<["b", 16, 16, 32]>>
    %27 = "graph.dot_general"(%26, %arg6) {lhs_batch = array<i64>, lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x16x16x32xf32, #graph.dims<["b", 16, 16, 32]>>, tensor<32x24xf32>) -> tensor<?x16x16x24xf32, #graph.dims<["b", 16, 16, 24]>>
    "func.return"(%11, %13, %25, %27, %26) : (tensor<?x16x16x16xf32, #graph.dims<["b", 16, 16, 16]>>, tensor<?x16x16x24xf32, #graph.dims<["b", 16, 16, 24]>>, tensor<?x4x4x128xf32, #graph.dims<["b", 4, 4, 128]>>, tensor<?x16x16x24xf32, #graph.dims<["b", 16, 16, 24]>>, tensor<?x16x16x32xf32, #graph.dims<["b", 16, 16, 32]>>) -> ()
  }) : () -> ()
}) : () -> ()
