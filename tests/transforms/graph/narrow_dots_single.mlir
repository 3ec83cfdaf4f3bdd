// RUN: kcompile opt %s -p 'align-operands,narrow-dots,canonicalize'
// VALIDATE
// With one feature the transposes are reshapes, which cost nothing.

// CHECK-NOT: graph.transpose
// CHECK: [[W:%.*]] = "graph.reshape"(%arg1)
// CHECK: "graph.dot_general"(%arg0, [[W]])
// CHECK: "graph.dot_general"(%arg2, %arg0)
// CHECK-SAME: -> tensor<1x32xf32>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x32xf32, #graph.dims<["b", 32]>>, tensor<32x1xf32>, tensor<?x1xf32, #graph.dims<["b", 1]>>) -> (tensor<?x1xf32, #graph.dims<["b", 1]>>, tensor<32x1xf32>)}> ({
  ^bb0(%arg0: tensor<?x32xf32, #graph.dims<["b", 32]>>, %arg1: tensor<32x1xf32>, %arg2: tensor<?x1xf32, #graph.dims<["b", 1]>>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x32xf32, #graph.dims<["b", 32]>>, tensor<32x1xf32>) -> tensor<?x1xf32, #graph.dims<["b", 1]>>
    %1 = "graph.dot_general"(%arg0, %arg2) {lhs_batch = array<i64>, lhs_contract = array<i64: 0>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x32xf32, #graph.dims<["b", 32]>>, tensor<?x1xf32, #graph.dims<["b", 1]>>) -> tensor<32x1xf32>
    "func.return"(%0, %1) : (tensor<?x1xf32, #graph.dims<["b", 1]>>, tensor<32x1xf32>) -> ()
  }) : () -> ()
}) : () -> ()
