// RUN: kcompile opt %s -p 'use-winograd{tile=2}'
// VALIDATE
// The gradient by the input takes the weights with the roles of their features exchanged. Weights that are not 3 x 3, and
// strides, keep the direct convolution.

// CHECK: [[TURNED:%.*]] = "graph.transpose"(%arg1) {permutation = array<i64: 0, 1, 3, 2>}
// CHECK: "graph.dot_general"
// CHECK: "graph.winograd_convolution"(%arg0
// CHECK-SAME: features = 16
// CHECK: "graph.convolution"
// CHECK-NOT: "graph.winograd_convolution"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<2x5x6x32xf32>, tensor<3x3x16x32xf32>) -> tensor<2x3x3x32xf32>}> ({
  ^bb0(%arg0: tensor<2x5x6x32xf32>, %arg1: tensor<3x3x16x32xf32>):
    %0 = "graph.convolution"(%arg0, %arg1) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 2, 2>, padding_low = array<i64: 2, 2>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 2, 3, 0, 1>, strides = array<i64: 1, 1>} : (tensor<2x5x6x32xf32>, tensor<3x3x16x32xf32>) -> tensor<2x7x8x16xf32>
    %1 = "graph.convolution"(%0, %arg1) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 2, 2>} : (tensor<2x7x8x16xf32>, tensor<3x3x16x32xf32>) -> tensor<2x3x3x32xf32>
    "func.return"(%1) : (tensor<2x3x3x32xf32>) -> ()
  }) : () -> ()
}) : () -> ()
