// RUN: kcompile opt %s -p 'pack-filters'
// VALIDATE
// Panels of 32 features, made from the weight argument alone. 24 features are no whole panels.

// CHECK: [[CUT:%.*]] = "graph.reshape"(%arg1) {shape = array<i64: 3, 3, 16, 3, 32>}
// CHECK: [[PACKED:%.*]] = "graph.transpose"([[CUT]]) {permutation = array<i64: 3, 0, 1, 2, 4>}
// CHECK: [[Y:%.*]] = "graph.convolution"(%arg0, [[PACKED]])
// CHECK: "graph.convolution"([[Y]], %arg2)

"builtin.module"() ({
  "func.func"() <{sym_name = "main", arg_attrs = [{kernel.role = "input"}, {kernel.role = "weight"}, {kernel.role = "weight"}], function_type = (tensor<?x9x9x16xf32, #graph.dims<["b", 9, 9, 16]>>, tensor<3x3x16x96xf32>, tensor<1x1x96x24xf32>) -> tensor<?x4x7x24xf32, #graph.dims<["b", 4, 7, 24]>>}> ({
  ^bb0(%arg0: tensor<?x9x9x16xf32, #graph.dims<["b", 9, 9, 16]>>, %arg1: tensor<3x3x16x96xf32>, %arg2: tensor<1x1x96x24xf32>):
    %0 = "graph.convolution"(%arg0, %arg1) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 2, 1>} : (tensor<?x9x9x16xf32, #graph.dims<["b", 9, 9, 16]>>, tensor<3x3x16x96xf32>) -> tensor<?x4x7x96xf32, #graph.dims<["b", 4, 7, 96]>>
    %1 = "graph.convolution"(%0, %arg2) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x4x7x96xf32, #graph.dims<["b", 4, 7, 96]>>, tensor<1x1x96x24xf32>) -> tensor<?x4x7x24xf32, #graph.dims<["b", 4, 7, 24]>>
    "func.return"(%1) : (tensor<?x4x7x24xf32, #graph.dims<["b", 4, 7, 24]>>) -> ()
  }) : () -> ()
}) : () -> ()
