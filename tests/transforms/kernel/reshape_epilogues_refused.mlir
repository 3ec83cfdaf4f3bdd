// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,reshape-epilogues,fuse-epilogues'
// VALIDATE exact
// A bias along one of the reshaped axes has no place in the dot's shape.

// CHECK: graph.dot_general
// CHECK: kernel.root = "graph.dot_general"
// CHECK: graph.reshape
// CHECK: graph.add
// CHECK: kernel.root = "elementwise"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<4x6xf32>, tensor<3xf32>) -> tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>}> ({
  ^bb0(%arg0: tensor<?x4xf32, #graph.dims<["b", 4]>>, %arg1: tensor<4x6xf32>, %arg2: tensor<3xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<4x6xf32>) -> tensor<?x6xf32, #graph.dims<["b", 6]>>
    %1 = "graph.reshape"(%0) {shape = #graph.dims<["b", 2, 3]>} : (tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>
    %2 = "graph.broadcast_in_dim"(%arg2) {dims = array<i64: 2>, shape = #graph.dims<["b", 2, 3]>} : (tensor<3xf32>) -> tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>
    %3 = "graph.add"(%1, %2) : (tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>, tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>) -> tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>
    "func.return"(%3) : (tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>) -> ()
  }) : () -> ()
}) : () -> ()
