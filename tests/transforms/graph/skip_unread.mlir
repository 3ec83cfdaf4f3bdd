// RUN: kcompile opt %s -p 'skip-unread,canonicalize,cse'
// VALIDATE
// Both readers take one position in four: the two convolutions before them make no more, and the residual is read so.

// CHECK: "graph.convolution"(%arg0, %arg1)
// CHECK-SAME: strides = array<i64: 2, 2>
// CHECK-SAME: tensor<?x3x3x3xf32
// CHECK: "graph.convolution"({{%.*}}, %arg3)
// CHECK-SAME: strides = array<i64: 1, 1>
// CHECK: "graph.slice"(%arg4)
// CHECK-SAME: strides = array<i64: 1, 2, 2, 1>
// CHECK: "graph.convolution"({{%.*}}, %arg5)
// CHECK-SAME: strides = array<i64: 1, 1>
// CHECK: "graph.convolution"({{%.*}}, %arg6)
// CHECK-SAME: strides = array<i64: 1, 1>
// CHECK-NOT: graph.slice

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, tensor<3x3x2x3xf32>, tensor<3xf32>, tensor<1x1x3x4xf32>, tensor<?x5x6x4xf32, #graph.dims<["b", 5, 6, 4]>>, tensor<1x1x4x2xf32>, tensor<1x1x4x3xf32>) -> (tensor<?x3x3x2xf32, #graph.dims<["b", 3, 3, 2]>>, tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>)}> ({
  ^bb0(%arg0: tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, %arg1: tensor<3x3x2x3xf32>, %arg2: tensor<3xf32>, %arg3: tensor<1x1x3x4xf32>, %arg4: tensor<?x5x6x4xf32, #graph.dims<["b", 5, 6, 4]>>, %arg5: tensor<1x1x4x2xf32>, %arg6: tensor<1x1x4x3xf32>):
    %0 = "graph.convolution"(%arg0, %arg1) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 1, 1>, padding_low = array<i64: 1, 1>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, tensor<3x3x2x3xf32>) -> tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>
    %1 = "graph.broadcast_in_dim"(%arg2) {dims = array<i64: 3>, shape = #graph.dims<["b", 5, 6, 3]>} : (tensor<3xf32>) -> tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>
    %2 = "graph.add"(%0, %1) : (tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>, tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>) -> tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>
    %3 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %4 = "graph.broadcast_in_dim"(%3) {dims = array<i64>, shape = #graph.dims<["b", 5, 6, 3]>} : (tensor<f32>) -> tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>
    %5 = "graph.max"(%2, %4) : (tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>, tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>) -> tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>
    %6 = "graph.convolution"(%5, %arg3) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>, tensor<1x1x3x4xf32>) -> tensor<?x5x6x4xf32, #graph.dims<["b", 5, 6, 4]>>
    %7 = "graph.add"(%6, %arg4) : (tensor<?x5x6x4xf32, #graph.dims<["b", 5, 6, 4]>>, tensor<?x5x6x4xf32, #graph.dims<["b", 5, 6, 4]>>) -> tensor<?x5x6x4xf32, #graph.dims<["b", 5, 6, 4]>>
    %8 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %9 = "graph.broadcast_in_dim"(%8) {dims = array<i64>, shape = #graph.dims<["b", 5, 6, 4]>} : (tensor<f32>) -> tensor<?x5x6x4xf32, #graph.dims<["b", 5, 6, 4]>>
    %10 = "graph.max"(%7, %9) : (tensor<?x5x6x4xf32, #graph.dims<["b", 5, 6, 4]>>, tensor<?x5x6x4xf32, #graph.dims<["b", 5, 6, 4]>>) -> tensor<?x5x6x4xf32, #graph.dims<["b", 5, 6, 4]>>
    %11 = "graph.convolution"(%10, %arg5) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 2, 2>} : (tensor<?x5x6x4xf32, #graph.dims<["b", 5, 6, 4]>>, tensor<1x1x4x2xf32>) -> tensor<?x3x3x2xf32, #graph.dims<["b", 3, 3, 2]>>
    %12 = "graph.convolution"(%10, %arg6) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 2, 2>} : (tensor<?x5x6x4xf32, #graph.dims<["b", 5, 6, 4]>>, tensor<1x1x4x3xf32>) -> tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>
    "func.return"(%11, %12) : (tensor<?x3x3x2xf32, #graph.dims<["b", 3, 3, 2]>>, tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>) -> ()
  }) : () -> ()
}) : () -> ()
