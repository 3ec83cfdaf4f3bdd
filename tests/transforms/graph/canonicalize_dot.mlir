// RUN: kcompile opt %s -p 'canonicalize'
// VALIDATE
// Transposes around a dot_general become its dimension numbers.

// CHECK-NOT: graph.transpose
// CHECK: "graph.dot_general"(%arg1, %arg0) {lhs_batch = array<i64>, lhs_contract = array<i64: 0>,
// CHECK-SAME: rhs_contract = array<i64: 0>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x6xf32, #graph.dims<["b", 6]>>, tensor<?x5xf32, #graph.dims<["b", 5]>>) -> tensor<5x6xf32>}> ({
  ^bb0(%arg0: tensor<?x6xf32, #graph.dims<["b", 6]>>, %arg1: tensor<?x5xf32, #graph.dims<["b", 5]>>):
    %0 = "graph.transpose"(%arg0) {permutation = array<i64: 1, 0>} : (tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<6x?xf32, #graph.dims<[6, "b"]>>
    %1 = "graph.dot_general"(%0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<6x?xf32, #graph.dims<[6, "b"]>>, tensor<?x5xf32, #graph.dims<["b", 5]>>) -> tensor<6x5xf32>
    %2 = "graph.transpose"(%1) {permutation = array<i64: 1, 0>} : (tensor<6x5xf32>) -> tensor<5x6xf32>
    "func.return"(%2) : (tensor<5x6xf32>) -> ()
  }) : () -> ()
}) : () -> ()
