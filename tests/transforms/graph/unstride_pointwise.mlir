// RUN: kcompile opt %s -p 'unstride-pointwise,decompose-convolution,pointwise-to-dot,dce'
// VALIDATE
// 1x1 convolutions with strides and both gradients of each: slices, products, and one pad that puts the zeros between.

// CHECK-NOT: graph.convolution
// CHECK: "graph.slice"(%arg0)
// CHECK-NOT: graph.convolution
// CHECK: interior = array<i64: 0, 1, 1, 0>
// CHECK-NOT: interior
// CHECK-NOT: graph.convolution

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, tensor<1x1x2x3xf32>, tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>, tensor<1x1x2x3xf32>) -> (tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>, tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, tensor<1x1x2x3xf32>)}> ({
  ^bb0(%arg0: tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, %arg1: tensor<1x1x2x3xf32>, %arg2: tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>, %arg3: tensor<1x1x2x3xf32>):
    %0 = "graph.convolution"(%arg0, %arg1) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 2, 2>} : (tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, tensor<1x1x2x3xf32>) -> tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>
    %1 = "graph.convolution"(%arg0, %arg3) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 2, 2>} : (tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, tensor<1x1x2x3xf32>) -> tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>
    %2 = "graph.mul"(%0, %1) : (tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>, tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>) -> tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>
    %3 = "graph.mul"(%2, %arg2) : (tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>, tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>) -> tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>
    %4 = "graph.reduce"(%3) {axes = array<i64: 0, 1, 2, 3>, kind = "add"} : (tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>) -> tensor<f32>
    %5 = "graph.constant"() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
    %6 = "graph.broadcast_in_dim"(%5) {dims = array<i64>, shape = #graph.dims<["b", 3, 3, 3]>} : (tensor<f32>) -> tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>
    %7 = "graph.mul"(%6, %arg2) : (tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>, tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>) -> tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>
    %8 = "graph.mul"(%7, %1) : (tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>, tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>) -> tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>
    %9 = "graph.mul"(%7, %0) : (tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>, tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>) -> tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>
    %10 = "graph.reverse"(%arg3) {axes = array<i64: 0, 1>} : (tensor<1x1x2x3xf32>) -> tensor<1x1x2x3xf32>
    %11 = "graph.convolution"(%9, %10) {batch_groups = 1 : i64, feature_groups = 1 : i64, lhs_dilation = array<i64: 2, 2>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 1>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 2, 3, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>, tensor<1x1x2x3xf32>) -> tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>
    %12 = "graph.reverse"(%arg1) {axes = array<i64: 0, 1>} : (tensor<1x1x2x3xf32>) -> tensor<1x1x2x3xf32>
    %13 = "graph.convolution"(%8, %12) {batch_groups = 1 : i64, feature_groups = 1 : i64, lhs_dilation = array<i64: 2, 2>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 1>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 2, 3, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>, tensor<1x1x2x3xf32>) -> tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>
    %14 = "graph.convolution"(%arg0, %8) {batch_groups = 1 : i64, feature_groups = 1 : i64, lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 3, 0, 1, 2>, out_spec = array<i64: 2, 3, 0, 1>, padding_high = array<i64: 0, -1>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 2, 2>, rhs_spec = array<i64: 3, 0, 1, 2>, strides = array<i64: 1, 1>} : (tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>) -> tensor<1x1x2x3xf32>
    %15 = "graph.add"(%11, %13) : (tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>) -> tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>
    "func.return"(%2, %15, %14) : (tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>, tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, tensor<1x1x2x3xf32>) -> ()
  }) : () -> ()
}) : () -> ()
