// RUN: kcompile opt %s -p 'align-operands,narrow-dots,canonicalize'
// VALIDATE
// A classifier of two classes: its sum runs along rows of both operands, and the gradient of its weights is made transposed.

// CHECK: [[W:%.*]] = "graph.transpose"(%arg1)
// CHECK: "graph.dot_general"(%arg0, [[W]])
// CHECK-SAME: rhs_contract = array<i64: 1>
// CHECK: [[G:%.*]] = "graph.dot_general"(%arg2, %arg0)
// CHECK-SAME: -> tensor<2x32xf32>
// CHECK: "graph.transpose"([[G]])

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x32xf32, #graph.dims<["b", 32]>>, tensor<32x2xf32>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<32x2xf32>)}> ({
  ^bb0(%arg0: tensor<?x32xf32, #graph.dims<["b", 32]>>, %arg1: tensor<32x2xf32>, %arg2: tensor<?x2xf32, #graph.dims<["b", 2]>>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x32xf32, #graph.dims<["b", 32]>>, tensor<32x2xf32>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %1 = "graph.dot_general"(%arg0, %arg2) {lhs_batch = array<i64>, lhs_contract = array<i64: 0>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x32xf32, #graph.dims<["b", 32]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<32x2xf32>
    "func.return"(%0, %1) : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<32x2xf32>) -> ()
  }) : () -> ()
}) : () -> ()
