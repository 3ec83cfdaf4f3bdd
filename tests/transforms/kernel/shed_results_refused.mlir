// RUN: kcompile opt %s -p 'form-kernels,fuse-cheap-producers,fuse-elementwise,fuse-epilogues,shed-results'
// VALIDATE exact
// A product reads its operands many times and cannot make them; and an exponential is too dear to be done twice.

// CHECK: kernel.dispatch
// CHECK: graph.dot_general
// CHECK: graph.mul
// CHECK: graph.exp
// CHECK: "kernel.yield"(%{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}}) :

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x12x8xf32, #graph.dims<["b", 12, 8]>>, tensor<8x16xf32>, tensor<16x16xf32>, tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>) -> (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>, tensor<?x12xf32, #graph.dims<["b", 12]>>, tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>)}> ({
  ^bb0(%arg0: tensor<?x12x8xf32, #graph.dims<["b", 12, 8]>>, %arg1: tensor<8x16xf32>, %arg2: tensor<16x16xf32>, %arg3: tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 2>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x12x8xf32, #graph.dims<["b", 12, 8]>>, tensor<8x16xf32>) -> tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>
    %1 = "graph.mul"(%0, %arg3) : (tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>, tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>) -> tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>
    %2 = "graph.exp"(%0) : (tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>) -> tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>
    %3 = "graph.reduce"(%0) {axes = array<i64: 1>, kind = "add"} : (tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
    %4 = "graph.dot_general"(%1, %arg2) {lhs_batch = array<i64>, lhs_contract = array<i64: 2>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>, tensor<16x16xf32>) -> tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>
    %5 = "graph.reduce"(%2) {axes = array<i64: 2>, kind = "add"} : (tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>) -> tensor<?x12xf32, #graph.dims<["b", 12]>>
    %6 = "graph.dot_general"(%2, %arg2) {lhs_batch = array<i64>, lhs_contract = array<i64: 2>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>, tensor<16x16xf32>) -> tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>
    "func.return"(%3, %4, %5, %6) : (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>, tensor<?x12xf32, #graph.dims<["b", 12]>>, tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>) -> ()
  }) : () -> ()
}) : () -> ()
