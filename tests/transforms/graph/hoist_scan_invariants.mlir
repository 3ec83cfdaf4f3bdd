// RUN: kcompile opt %s -p 'hoist-scan-invariants,dce'
// VALIDATE
// The transpose, and the product of each step with its bias, are done once; the product with the carry stays.

// CHECK: [[T:%.*]] = "graph.transpose"(%arg2)
// CHECK: [[D:%.*]] = "graph.dot_general"(%arg1, %arg3)
// CHECK-SAME: lhs_contract = array<i64: 2>
// CHECK-SAME: -> tensor<4x2x3xf32>
// CHECK: [[B:%.*]] = "graph.broadcast_in_dim"(%arg4) {dims = array<i64: 2>, shape = array<i64: 4, 2, 3>}
// CHECK: [[X:%.*]] = "graph.add"([[D]], [[B]])
// CHECK: "graph.scan"(%arg0, %arg1, [[X]], %arg2, %arg3, %arg4, [[T]])
// CHECK: "graph.dot_general"
// CHECK-NOT: "graph.dot_general"
// CHECK: "graph.yield"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<2x3xf32>, tensor<4x2x5xf32>, tensor<3x3xf32>, tensor<5x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>}> ({
  ^bb0(%arg0: tensor<2x3xf32>, %arg1: tensor<4x2x5xf32>, %arg2: tensor<3x3xf32>, %arg3: tensor<5x3xf32>, %arg4: tensor<3xf32>):
    %0 = "graph.scan"(%arg0, %arg1, %arg2, %arg3, %arg4) ({
    ^bb0(%h: tensor<2x3xf32>, %x: tensor<2x5xf32>, %w: tensor<3x3xf32>, %k: tensor<5x3xf32>, %b: tensor<3xf32>):
      %1 = "graph.transpose"(%w) {permutation = array<i64: 1, 0>} : (tensor<3x3xf32>) -> tensor<3x3xf32>
      %2 = "graph.dot_general"(%h, %1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32>
      %3 = "graph.dot_general"(%x, %k) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<2x5xf32>, tensor<5x3xf32>) -> tensor<2x3xf32>
      %4 = "graph.broadcast_in_dim"(%b) {dims = array<i64: 1>, shape = array<i64: 2, 3>} : (tensor<3xf32>) -> tensor<2x3xf32>
      %5 = "graph.add"(%3, %4) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
      %6 = "graph.add"(%2, %5) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
      %7 = "graph.tanh"(%6) : (tensor<2x3xf32>) -> tensor<2x3xf32>
      "graph.yield"(%7) : (tensor<2x3xf32>) -> ()
    }) {carries = 1 : i64, length = #graph.dims<[4]>, reverse = false, xs = 1 : i64} : (tensor<2x3xf32>, tensor<4x2x5xf32>, tensor<3x3xf32>, tensor<5x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
    "func.return"(%0) : (tensor<2x3xf32>) -> ()
  }) : () -> ()
}) : () -> ()
