// RUN: kcompile opt %s -p skip-unread
// Readers of different positions, and an input that no convolution makes: nothing changes.

// CHECK: "graph.convolution"(%arg0, %arg1)
// CHECK-SAME: strides = array<i64: 1, 1>
// CHECK: strides = array<i64: 2, 2>
// CHECK: strides = array<i64: 2, 1>
// CHECK: strides = array<i64: 2, 2>
// CHECK-NOT: graph.slice

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, tensor<1x1x2x3xf32>, tensor<1x1x3x4xf32>, tensor<1x1x3x2xf32>) -> (tensor<?x3x3x4xf32, #graph.dims<["b", 3, 3, 4]>>, tensor<?x3x6x2xf32, #graph.dims<["b", 3, 6, 2]>>, tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>)}> ({
  ^bb0(%arg0: tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, %arg1: tensor<1x1x2x3xf32>, %arg2: tensor<1x1x3x4xf32>, %arg3: tensor<1x1x3x2xf32>):
    %0 = "graph.convolution"(%arg0, %arg1) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, tensor<1x1x2x3xf32>) -> tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>
    %1 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %2 = "graph.broadcast_in_dim"(%1) {dims = array<i64>, shape = #graph.dims<["b", 5, 6, 3]>} : (tensor<f32>) -> tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>
    %3 = "graph.max"(%0, %2) : (tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>, tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>) -> tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>
    %4 = "graph.convolution"(%3, %arg2) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 2, 2>} : (tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>, tensor<1x1x3x4xf32>) -> tensor<?x3x3x4xf32, #graph.dims<["b", 3, 3, 4]>>
    %5 = "graph.convolution"(%3, %arg3) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 2, 1>} : (tensor<?x5x6x3xf32, #graph.dims<["b", 5, 6, 3]>>, tensor<1x1x3x2xf32>) -> tensor<?x3x6x2xf32, #graph.dims<["b", 3, 6, 2]>>
    %6 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %7 = "graph.broadcast_in_dim"(%6) {dims = array<i64>, shape = #graph.dims<["b", 5, 6, 2]>} : (tensor<f32>) -> tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>
    %8 = "graph.max"(%arg0, %7) : (tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>) -> tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>
    %9 = "graph.convolution"(%8, %arg1) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 2, 2>} : (tensor<?x5x6x2xf32, #graph.dims<["b", 5, 6, 2]>>, tensor<1x1x2x3xf32>) -> tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>
    "func.return"(%4, %5, %9) : (tensor<?x3x3x4xf32, #graph.dims<["b", 3, 3, 4]>>, tensor<?x3x6x2xf32, #graph.dims<["b", 3, 6, 2]>>, tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>) -> ()
  }) : () -> ()
}) : () -> ()
