// RUN: kcompile opt %s -p 'align-operands,narrow-dots'
// VALIDATE exact
// A product of scalars, or of a scalar and a row, has no axis to turn.

// CHECK: "graph.dot_general"(%arg0, %arg1)
// CHECK: "graph.dot_general"(%arg0, %arg2)
// CHECK-NOT: graph.transpose

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>, tensor<f32>, tensor<3xf32>) -> (tensor<f32>, tensor<3xf32>)}> ({
  ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<3xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64>, rhs_batch = array<i64>, rhs_contract = array<i64>} : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %1 = "graph.dot_general"(%arg0, %arg2) {lhs_batch = array<i64>, lhs_contract = array<i64>, rhs_batch = array<i64>, rhs_contract = array<i64>} : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%0, %1) : (tensor<f32>, tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()
