// RUN: kcompile opt %s -p 'narrow-convolutions'
// VALIDATE
// Two output features: the sums run along the 18 inputs, and the gradient of the kernel has these last.

// CHECK: [[W:%.*]] = "graph.transpose"(%arg1) {permutation = array<i64: 2, 0, 1>}
// CHECK: "graph.convolution"(%arg0, [[W]])
// CHECK-SAME: rhs_spec = array<i64: 0, 2, 1>
// CHECK: [[G:%.*]] = "graph.convolution"(%arg0, %arg2)
// CHECK-SAME: out_spec = array<i64: 2, 1, 0>
// CHECK-SAME: -> tensor<3x2x18xf32>
// CHECK: "graph.transpose"([[G]]) {permutation = array<i64: 0, 2, 1>}

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x20x18xf32, #graph.dims<["b", 20, 18]>>, tensor<3x18x2xf32>, tensor<?x18x2xf32, #graph.dims<["b", 18, 2]>>) -> (tensor<?x18x2xf32, #graph.dims<["b", 18, 2]>>, tensor<3x18x2xf32>)}> ({
  ^bb0(%arg0: tensor<?x20x18xf32, #graph.dims<["b", 20, 18]>>, %arg1: tensor<3x18x2xf32>, %arg2: tensor<?x18x2xf32, #graph.dims<["b", 18, 2]>>):
    %0 = "graph.convolution"(%arg0, %arg1) {batch_groups = 1 : i64, feature_groups = 1 : i64, lhs_dilation = array<i64: 1>, lhs_spec = array<i64: 0, 2, 1>, out_spec = array<i64: 0, 2, 1>, padding_high = array<i64: 0>, padding_low = array<i64: 0>, rhs_dilation = array<i64: 1>, rhs_spec = array<i64: 2, 1, 0>, strides = array<i64: 1>} : (tensor<?x20x18xf32, #graph.dims<["b", 20, 18]>>, tensor<3x18x2xf32>) -> tensor<?x18x2xf32, #graph.dims<["b", 18, 2]>>
    %1 = "graph.convolution"(%arg0, %arg2) {batch_groups = 1 : i64, feature_groups = 1 : i64, lhs_dilation = array<i64: 1>, lhs_spec = array<i64: 2, 0, 1>, out_spec = array<i64: 1, 2, 0>, padding_high = array<i64: 0>, padding_low = array<i64: 0>, rhs_dilation = array<i64: 1>, rhs_spec = array<i64: 2, 0, 1>, strides = array<i64: 1>} : (tensor<?x20x18xf32, #graph.dims<["b", 20, 18]>>, tensor<?x18x2xf32, #graph.dims<["b", 18, 2]>>) -> tensor<3x18x2xf32>
    "func.return"(%0, %1) : (tensor<?x18x2xf32, #graph.dims<["b", 18, 2]>>, tensor<3x18x2xf32>) -> ()
  }) : () -> ()
}) : () -> ()
