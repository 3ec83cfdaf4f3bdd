// RUN: kcompile opt %s -p 'recompute-masks'
// VALIDATE exact
// The mask is made from the sum that its gradient meets, not from the product before it, which would have to be kept.

// CHECK: graph.dot_general
// CHECK: graph.add
// CHECK: graph.compare
// CHECK: graph.dot_general
// CHECK-NOT: graph.add
// CHECK: graph.mul
// CHECK: graph.compare
// CHECK-NOT: graph.add
// CHECK: graph.reduce

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<8xf32>, tensor<8xf32>, tensor<8x8xf32>) -> (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>)}> ({
  ^bb0(%arg0: tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, %arg1: tensor<8xf32>, %arg2: tensor<8xf32>, %arg3: tensor<8x8xf32>):
    %0 = "graph.dot_general"(%arg0, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<8x8xf32>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64: 3>, shape = #graph.dims<["b", 16, 16, 8]>} : (tensor<8xf32>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %2 = "graph.add"(%0, %1) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %3 = "graph.broadcast_in_dim"(%arg2) {dims = array<i64: 3>, shape = #graph.dims<["b", 16, 16, 8]>} : (tensor<8xf32>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %4 = "graph.mul"(%2, %3) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %5 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %6 = "graph.broadcast_in_dim"(%5) {dims = array<i64>, shape = #graph.dims<["b", 16, 16, 8]>} : (tensor<f32>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %7 = "graph.compare"(%4, %6) {direction = "le"} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xi1, #graph.dims<["b", 16, 16, 8]>>
    %8 = "graph.select"(%7, %6, %4) : (tensor<?x16x16x8xi1, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %9 = "graph.dot_general"(%8, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<8x8xf32>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %10 = "graph.select"(%7, %6, %9) : (tensor<?x16x16x8xi1, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %11 = "graph.mul"(%10, %2) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %12 = "graph.reduce"(%11) {axes = array<i64: 1, 2>, kind = "add"} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    "func.return"(%8, %12) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>) -> ()
  }) : () -> ()
}) : () -> ()
