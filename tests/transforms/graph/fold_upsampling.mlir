// RUN: kcompile opt %s -p 'fold-upsampling,dce'
// VALIDATE
// x repeated twice: the forward convolution, its filter gradient and its input gradient all work on x itself.

// CHECK-NOT: "graph.broadcast_in_dim"
// CHECK: [[BOX:%.*]] = "graph.constant"() {value = dense<{{\[\[}}1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]> : tensor<4x3xf32>}
// CHECK: [[W:%.*]] = "graph.dot_general"([[BOX]], %arg1)
// CHECK: "graph.convolution"({{%[^ ]*}}, {{%[0-9]+}})
// CHECK-SAME: lhs_dilation = array<i64: 2>
// CHECK-SAME: padding_high = array<i64: 2>, padding_low = array<i64: 2>
// CHECK-SAME: tensor<4x2x4xf32>
// CHECK: "graph.convolution"({{%[^ ]*}}, %arg2)
// CHECK-SAME: lhs_dilation = array<i64: 2>
// CHECK-SAME: -> tensor<4x2x4xf32>
// CHECK: "graph.dot_general"({{%[0-9]+, %[0-9]+}}) {{.*}} -> tensor<3x2x4xf32>
// CHECK: "graph.convolution"(%arg2, {{%[0-9]+}})
// CHECK-SAME: padding_high = array<i64: 1>, padding_low = array<i64: 1>
// CHECK-SAME: strides = array<i64: 2>
// CHECK-NOT: "graph.reduce"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3x2xf32, #graph.dims<["b", 3, 2]>>, tensor<3x2x4xf32>, tensor<?x6x4xf32, #graph.dims<["b", 6, 4]>>) -> (tensor<?x6x4xf32, #graph.dims<["b", 6, 4]>>, tensor<3x2x4xf32>, tensor<?x3x2xf32, #graph.dims<["b", 3, 2]>>)}> ({
  ^bb0(%arg0: tensor<?x3x2xf32, #graph.dims<["b", 3, 2]>>, %arg1: tensor<3x2x4xf32>, %arg2: tensor<?x6x4xf32, #graph.dims<["b", 6, 4]>>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64: 0, 1, 3>, shape = #graph.dims<["b", 3, 2, 2]>} : (tensor<?x3x2xf32, #graph.dims<["b", 3, 2]>>) -> tensor<?x3x2x2xf32, #graph.dims<["b", 3, 2, 2]>>
    %1 = "graph.reshape"(%0) {shape = #graph.dims<["b", 6, 2]>} : (tensor<?x3x2x2xf32, #graph.dims<["b", 3, 2, 2]>>) -> tensor<?x6x2xf32, #graph.dims<["b", 6, 2]>>
    %2 = "graph.convolution"(%1, %arg1) {batch_groups = 1 : i64, feature_groups = 1 : i64, lhs_dilation = array<i64: 1>, lhs_spec = array<i64: 0, 2, 1>, out_spec = array<i64: 0, 2, 1>, padding_high = array<i64: 1>, padding_low = array<i64: 1>, rhs_dilation = array<i64: 1>, rhs_spec = array<i64: 2, 1, 0>, strides = array<i64: 1>} : (tensor<?x6x2xf32, #graph.dims<["b", 6, 2]>>, tensor<3x2x4xf32>) -> tensor<?x6x4xf32, #graph.dims<["b", 6, 4]>>
    %3 = "graph.convolution"(%1, %arg2) {batch_groups = 1 : i64, feature_groups = 1 : i64, lhs_dilation = array<i64: 1>, lhs_spec = array<i64: 2, 0, 1>, out_spec = array<i64: 1, 2, 0>, padding_high = array<i64: 1>, padding_low = array<i64: 1>, rhs_dilation = array<i64: 1>, rhs_spec = array<i64: 2, 0, 1>, strides = array<i64: 1>} : (tensor<?x6x2xf32, #graph.dims<["b", 6, 2]>>, tensor<?x6x4xf32, #graph.dims<["b", 6, 4]>>) -> tensor<3x2x4xf32>
    %4 = "graph.convolution"(%arg2, %arg1) {batch_groups = 1 : i64, feature_groups = 1 : i64, lhs_dilation = array<i64: 1>, lhs_spec = array<i64: 0, 2, 1>, out_spec = array<i64: 0, 2, 1>, padding_high = array<i64: 1>, padding_low = array<i64: 1>, rhs_dilation = array<i64: 1>, rhs_spec = array<i64: 1, 2, 0>, strides = array<i64: 1>} : (tensor<?x6x4xf32, #graph.dims<["b", 6, 4]>>, tensor<3x2x4xf32>) -> tensor<?x6x2xf32, #graph.dims<["b", 6, 2]>>
    %5 = "graph.reshape"(%4) {shape = #graph.dims<["b", 3, 2, 2]>} : (tensor<?x6x2xf32, #graph.dims<["b", 6, 2]>>) -> tensor<?x3x2x2xf32, #graph.dims<["b", 3, 2, 2]>>
    %6 = "graph.reduce"(%5) {axes = array<i64: 2>, kind = "add"} : (tensor<?x3x2x2xf32, #graph.dims<["b", 3, 2, 2]>>) -> tensor<?x3x2xf32, #graph.dims<["b", 3, 2]>>
    "func.return"(%2, %3, %6) : (tensor<?x6x4xf32, #graph.dims<["b", 6, 4]>>, tensor<3x2x4xf32>, tensor<?x3x2xf32, #graph.dims<["b", 3, 2]>>) -> ()
  }) : () -> ()
}) : () -> ()
