// RUN: kcompile opt %s -p 'form-kernels,fuse-cheap-producers,fuse-elementwise,fuse-epilogues,shed-results'
// VALIDATE exact
// The product stores the gradient g alone. What the sum along a row reads, g * gamma * centered, is made by it, and
// g * gamma again where the sum is added.

// CHECK: kernel.dispatch
// CHECK: graph.dot_general
// CHECK-NEXT: graph.add
// CHECK-NEXT: "kernel.yield"(%{{[0-9]+}}) :
// CHECK: kernel.dispatch
// CHECK: graph.mul
// CHECK: graph.mul
// CHECK: graph.reduce
// CHECK: kernel.dispatch
// CHECK: graph.mul
// CHECK: graph.add
// CHECK: kernel.root = "elementwise"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x12x8xf32, #graph.dims<["b", 12, 8]>>, tensor<8x16xf32>, tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>, tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>, tensor<16xf32>) -> (tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>)}> ({
  ^bb0(%arg0: tensor<?x12x8xf32, #graph.dims<["b", 12, 8]>>, %arg1: tensor<8x16xf32>, %arg2: tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>, %arg3: tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>, %arg4: tensor<16xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 2>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x12x8xf32, #graph.dims<["b", 12, 8]>>, tensor<8x16xf32>) -> tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>
    %1 = "graph.add"(%arg2, %0) : (tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>, tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>) -> tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>
    %2 = "graph.broadcast_in_dim"(%arg4) {dims = array<i64: 2>, shape = #graph.dims<["b", 12, 16]>} : (tensor<16xf32>) -> tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>
    %3 = "graph.mul"(%1, %2) : (tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>, tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>) -> tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>
    %4 = "graph.mul"(%3, %arg3) : (tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>, tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>) -> tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>
    %5 = "graph.reduce"(%4) {axes = array<i64: 2>, kind = "add"} : (tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>) -> tensor<?x12xf32, #graph.dims<["b", 12]>>
    %6 = "graph.broadcast_in_dim"(%5) {dims = array<i64: 0, 1>, shape = #graph.dims<["b", 12, 16]>} : (tensor<?x12xf32, #graph.dims<["b", 12]>>) -> tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>
    %7 = "graph.add"(%3, %6) : (tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>, tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>) -> tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>
    %8 = "graph.reduce"(%1) {axes = array<i64: 1>, kind = "add"} : (tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
    "func.return"(%7, %8) : (tensor<?x12x16xf32, #graph.dims<["b", 12, 16]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>) -> ()
  }) : () -> ()
}) : () -> ()
