// RUN: kcompile opt %s -p 'recompute-masks'
// VALIDATE exact
// The mask of the gradient that meets %arg0 is made again from it; another one, of two tensors, is not.

// CHECK: graph.mul
// CHECK: [[M:%[0-9]+]] = "graph.compare"
// CHECK: "graph.select"([[M]]
// CHECK: graph.dot_general
// CHECK: graph.mul
// CHECK: [[N:%[0-9]+]] = "graph.compare"
// CHECK: "graph.select"([[N]]
// CHECK: graph.reduce
// CHECK: graph.compare
// CHECK-NOT: graph.mul

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<8xf32>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<8x8xf32>) -> (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>)}> ({
  ^bb0(%arg0: tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, %arg1: tensor<8xf32>, %arg2: tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, %arg3: tensor<8x8xf32>):
    %0 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64: 3>, shape = #graph.dims<["b", 16, 16, 8]>} : (tensor<8xf32>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %1 = "graph.mul"(%arg0, %0) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %2 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %3 = "graph.broadcast_in_dim"(%2) {dims = array<i64>, shape = #graph.dims<["b", 16, 16, 8]>} : (tensor<f32>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %4 = "graph.compare"(%1, %3) {direction = "le"} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xi1, #graph.dims<["b", 16, 16, 8]>>
    %5 = "graph.select"(%4, %3, %1) : (tensor<?x16x16x8xi1, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %6 = "graph.exp"(%5) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %7 = "graph.dot_general"(%6, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<8x8xf32>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %8 = "graph.select"(%4, %3, %7) : (tensor<?x16x16x8xi1, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %9 = "graph.mul"(%8, %arg0) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %10 = "graph.reduce"(%9) {axes = array<i64: 1, 2>, kind = "add"} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %11 = "graph.compare"(%1, %arg2) {direction = "le"} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xi1, #graph.dims<["b", 16, 16, 8]>>
    %12 = "graph.select"(%11, %3, %7) : (tensor<?x16x16x8xi1, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    "func.return"(%5, %10, %12) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> ()
  }) : () -> ()
}) : () -> ()
