// RUN: kcompile opt %s -p align-operands
// VALIDATE
// A weight whose features lie first is turned; an axis of unknown size stays, as lanes cannot run along it.

// CHECK: [[V_turned:%[^ :,()]+]] = "graph.transpose"(%arg1)
// CHECK: "graph.dot_general"(%arg0, [[V_turned]])
// CHECK-NOT: graph.transpose
// CHECK: "graph.dot_general"(%arg0, %arg2)

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<5x3xf32>, tensor<?x3xf32, #graph.dims<["d1", 3]>>) -> (tensor<?x5xf32, #graph.dims<["b", 5]>>, tensor<?x?xf32, #graph.dims<["b", "d1"]>>)}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<5x3xf32>, %arg2: tensor<?x3xf32, #graph.dims<["d1", 3]>>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 1>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<5x3xf32>) -> tensor<?x5xf32, #graph.dims<["b", 5]>>
    %1 = "graph.dot_general"(%arg0, %arg2) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 1>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["d1", 3]>>) -> tensor<?x?xf32, #graph.dims<["b", "d1"]>>
    "func.return"(%0, %1) : (tensor<?x5xf32, #graph.dims<["b", 5]>>, tensor<?x?xf32, #graph.dims<["b", "d1"]>>) -> ()
  }) : () -> ()
}) : () -> ()
