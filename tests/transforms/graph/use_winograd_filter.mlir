// RUN: kcompile opt %s -p 'use-winograd{tile=4}'
// VALIDATE
// The gradient by the weights: sums at the points in four parts, as there are few channels, and one dot back.

// CHECK: [[SUMS:%.*]] = "graph.winograd_filter_gradient"(%arg0, %arg1)
// CHECK-SAME: padding_high = array<i64: 1, 1>, padding_low = array<i64: 0, 1>, parts = 4 : i64, tile = 4 : i64
// CHECK: [[FLAT:%.*]] = "graph.reshape"([[SUMS]]) {shape = array<i64: 144, 15>}
// CHECK: "graph.dot_general"({{%.*}}, [[FLAT]])
// CHECK-SAME: (tensor<9x144xf32>, tensor<144x15xf32>) -> tensor<9x15xf32>
// CHECK: "graph.transpose"({{.*}}) {permutation = array<i64: 3, 2, 0, 1>}

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<2x6x5x3xf32>, tensor<2x5x5x5xf32>) -> tensor<5x3x3x3xf32>}> ({
  ^bb0(%arg0: tensor<2x6x5x3xf32>, %arg1: tensor<2x5x5x5xf32>):
    %0 = "graph.convolution"(%arg0, %arg1) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 3, 0, 1, 2>, out_spec = array<i64: 1, 0, 2, 3>, padding_high = array<i64: 1, 1>, padding_low = array<i64: 0, 1>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 0, 1, 2>, strides = array<i64: 1, 1>} : (tensor<2x6x5x3xf32>, tensor<2x5x5x5xf32>) -> tensor<5x3x3x3xf32>
    "func.return"(%0) : (tensor<5x3x3x3xf32>) -> ()
  }) : () -> ()
}) : () -> ()
