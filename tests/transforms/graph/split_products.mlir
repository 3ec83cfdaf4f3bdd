// RUN: kcompile opt %s -p 'split-products{least=4096}'
// VALIDATE
// The gradient of a narrow layer's weights is summed up in eight pieces; one over short pieces is left alone.

// CHECK: [[X:%.*]] = "graph.reshape"(%arg0) {shape = #graph.dims<["b", 8, 2, 48, 3]>}
// CHECK: [[Y:%.*]] = "graph.reshape"(%arg1)
// CHECK: [[G:%.*]] = "graph.dot_general"([[X]], [[Y]]) {lhs_batch = array<i64: 1>, lhs_contract = array<i64: 0, 2, 3>
// CHECK-SAME: -> tensor<8x3x2xf32>
// CHECK: "graph.reduce"([[G]]) {axes = array<i64: 0>
// CHECK: "graph.dot_general"(%arg2, %arg2)

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x16x48x3xf32, #graph.dims<["b", 16, 48, 3]>>, tensor<?x16x48x2xf32, #graph.dims<["b", 16, 48, 2]>>, tensor<?x16x24x2xf32, #graph.dims<["b", 16, 24, 2]>>) -> (tensor<3x2xf32>, tensor<2x2xf32>)}> ({
  ^bb0(%arg0: tensor<?x16x48x3xf32, #graph.dims<["b", 16, 48, 3]>>, %arg1: tensor<?x16x48x2xf32, #graph.dims<["b", 16, 48, 2]>>, %arg2: tensor<?x16x24x2xf32, #graph.dims<["b", 16, 24, 2]>>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 0, 1, 2>, rhs_batch = array<i64>, rhs_contract = array<i64: 0, 1, 2>} : (tensor<?x16x48x3xf32, #graph.dims<["b", 16, 48, 3]>>, tensor<?x16x48x2xf32, #graph.dims<["b", 16, 48, 2]>>) -> tensor<3x2xf32>
    %1 = "graph.dot_general"(%arg2, %arg2) {lhs_batch = array<i64>, lhs_contract = array<i64: 0, 1, 2>, rhs_batch = array<i64>, rhs_contract = array<i64: 0, 1, 2>} : (tensor<?x16x24x2xf32, #graph.dims<["b", 16, 24, 2]>>, tensor<?x16x24x2xf32, #graph.dims<["b", 16, 24, 2]>>) -> tensor<2x2xf32>
    "func.return"(%0, %1) : (tensor<3x2xf32>, tensor<2x2xf32>) -> ()
  }) : () -> ()
}) : () -> ()
