// RUN: kcompile opt %s -p form-kernels
// VALIDATE exact
// A reshape that joins the two axes of the weights is part of the kernel; one that joins rows with columns stays.

// CHECK: [[Y:%.*]] = "kernel.dispatch"(%arg0, %arg1)
// CHECK: graph.dot_general
// CHECK: graph.reshape
// CHECK: "kernel.yield"
// CHECK: [[Z:%.*]] = "kernel.dispatch"(%arg0, %arg2)
// CHECK: graph.dot_general
// CHECK-NEXT: "kernel.yield"
// CHECK: [[R:%.*]] = "graph.reshape"([[Z]])
// CHECK: "func.return"([[Y]], [[R]])

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<5x3xf32>, tensor<2x3x4xf32>, tensor<3x4xf32>) -> (tensor<5x8xf32>, tensor<20xf32>)}> ({
  ^bb0(%arg0: tensor<5x3xf32>, %arg1: tensor<2x3x4xf32>, %arg2: tensor<3x4xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 1>} : (tensor<5x3xf32>, tensor<2x3x4xf32>) -> tensor<5x2x4xf32>
    %1 = "graph.reshape"(%0) {shape = array<i64: 5, 8>} : (tensor<5x2x4xf32>) -> tensor<5x8xf32>
    %2 = "graph.dot_general"(%arg0, %arg2) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<5x3xf32>, tensor<3x4xf32>) -> tensor<5x4xf32>
    %3 = "graph.reshape"(%2) {shape = array<i64: 20>} : (tensor<5x4xf32>) -> tensor<20xf32>
    "func.return"(%1, %3) : (tensor<5x8xf32>, tensor<20xf32>) -> ()
  }) : () -> ()
}) : () -> ()
