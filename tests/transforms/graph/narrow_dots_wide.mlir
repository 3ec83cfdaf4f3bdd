// RUN: kcompile opt %s -p 'align-operands,narrow-dots'
// VALIDATE
// Ten classes fill a vector well enough, and short sums are not worth it.

// CHECK-NOT: graph.transpose

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x32xf32, #graph.dims<["b", 32]>>, tensor<32x10xf32>, tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<4x2xf32>) -> (tensor<?x10xf32, #graph.dims<["b", 10]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>)}> ({
  ^bb0(%arg0: tensor<?x32xf32, #graph.dims<["b", 32]>>, %arg1: tensor<32x10xf32>, %arg2: tensor<?x4xf32, #graph.dims<["b", 4]>>, %arg3: tensor<4x2xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x32xf32, #graph.dims<["b", 32]>>, tensor<32x10xf32>) -> tensor<?x10xf32, #graph.dims<["b", 10]>>
    %1 = "graph.dot_general"(%arg2, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<4x2xf32>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    "func.return"(%0, %1) : (tensor<?x10xf32, #graph.dims<["b", 10]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> ()
  }) : () -> ()
}) : () -> ()
