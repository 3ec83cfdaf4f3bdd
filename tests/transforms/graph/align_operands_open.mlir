// RUN: kcompile opt %s -p align-operands,canonicalize
// VALIDATE
// A sum over a symbolic size for a symbolic number of features: the fixed rows become the features, and canonicalize
// leaves it so. A sum of fixed length stays.

// CHECK: "graph.dot_general"(%p, %x) {lhs_batch = array<i64: 0, 1>, lhs_contract = array<i64: 2>
// CHECK-NEXT: "graph.transpose"
// CHECK-SAME: permutation = array<i64: 0, 2, 1, 3>
// CHECK-NEXT: "graph.dot_general"(%x, %x)
// CHECK-NEXT: func.return

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x?x2x3xf32, #graph.dims<["b", "t", 2, 3]>>, tensor<?x2x?x?xf32, #graph.dims<["b", 2, "t", "t"]>>, tensor<?x2x3x?xf32, #graph.dims<["b", 2, 3, "t"]>>) -> (tensor<?x?x2x3xf32, #graph.dims<["b", "t", 2, 3]>>, tensor<?x2x?x?xf32, #graph.dims<["b", 2, "t", "t"]>>)}> ({
  ^bb0(%x: tensor<?x?x2x3xf32, #graph.dims<["b", "t", 2, 3]>>, %p: tensor<?x2x?x?xf32, #graph.dims<["b", 2, "t", "t"]>>, %arg2: tensor<?x2x3x?xf32, #graph.dims<["b", 2, 3, "t"]>>):
    %0 = "graph.dot_general"(%x, %p) {lhs_batch = array<i64: 0, 2>, lhs_contract = array<i64: 1>, rhs_batch = array<i64: 0, 1>, rhs_contract = array<i64: 2>} : (tensor<?x?x2x3xf32, #graph.dims<["b", "t", 2, 3]>>, tensor<?x2x?x?xf32, #graph.dims<["b", 2, "t", "t"]>>) -> tensor<?x2x3x?xf32, #graph.dims<["b", 2, 3, "t"]>>
    %1 = "graph.transpose"(%0) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<?x2x3x?xf32, #graph.dims<["b", 2, 3, "t"]>>) -> tensor<?x?x2x3xf32, #graph.dims<["b", "t", 2, 3]>>
    %2 = "graph.dot_general"(%x, %x) {lhs_batch = array<i64: 0, 2>, lhs_contract = array<i64: 3>, rhs_batch = array<i64: 0, 2>, rhs_contract = array<i64: 3>} : (tensor<?x?x2x3xf32, #graph.dims<["b", "t", 2, 3]>>, tensor<?x?x2x3xf32, #graph.dims<["b", "t", 2, 3]>>) -> tensor<?x2x?x?xf32, #graph.dims<["b", 2, "t", "t"]>>
    "func.return"(%1, %2) : (tensor<?x?x2x3xf32, #graph.dims<["b", "t", 2, 3]>>, tensor<?x2x?x?xf32, #graph.dims<["b", 2, "t", "t"]>>) -> ()
  }) : () -> ()
}) : () -> ()
