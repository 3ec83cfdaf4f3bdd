// RUN: kcompile opt %s -p 'form-kernels,fuse-cheap-producers,fuse-elementwise,fuse-producers,fuse-epilogues,fuse-sums'
// VALIDATE
// Sums and squares of what a product stores are made by it; those that read another large tensor have a sweep.

// CHECK: "kernel.dispatch"(%arg
// CHECK: graph.dot_general
// CHECK: graph.reduce
// CHECK: graph.reduce
// CHECK: kernel.root = "graph.dot_general"
// CHECK: "kernel.dispatch"
// CHECK: graph.dot_general
// CHECK-NOT: graph.reduce
// CHECK: kernel.root = "graph.dot_general"
// CHECK: graph.reduce
// CHECK: kernel.root = "graph.reduce"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<8x64xf32>, tensor<64xf32>, tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>) -> (tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>, tensor<?x64xf32, #graph.dims<["b", 64]>>, tensor<?x64xf32, #graph.dims<["b", 64]>>, tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>, tensor<?x64xf32, #graph.dims<["b", 64]>>)}> ({
  ^bb0(%arg0: tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, %arg1: tensor<8x64xf32>, %arg2: tensor<64xf32>, %arg3: tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<8x64xf32>) -> tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>
    %1 = "graph.broadcast_in_dim"(%arg2) {dims = array<i64: 3>, shape = #graph.dims<["b", 16, 16, 64]>} : (tensor<64xf32>) -> tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>
    %2 = "graph.add"(%0, %1) : (tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>, tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>) -> tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>
    %3 = "graph.reduce"(%2) {axes = array<i64: 1, 2>, kind = "add"} : (tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>) -> tensor<?x64xf32, #graph.dims<["b", 64]>>
    %4 = "graph.mul"(%2, %2) : (tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>, tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>) -> tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>
    %5 = "graph.reduce"(%4) {axes = array<i64: 1, 2>, kind = "add"} : (tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>) -> tensor<?x64xf32, #graph.dims<["b", 64]>>
    %6 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<8x64xf32>) -> tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>
    %7 = "graph.mul"(%6, %arg3) : (tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>, tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>) -> tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>
    %8 = "graph.reduce"(%7) {axes = array<i64: 1, 2>, kind = "add"} : (tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>) -> tensor<?x64xf32, #graph.dims<["b", 64]>>
    "func.return"(%2, %3, %5, %6, %8) : (tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>, tensor<?x64xf32, #graph.dims<["b", 64]>>, tensor<?x64xf32, #graph.dims<["b", 64]>>, tensor<?x16x16x64xf32, #graph.dims<["b", 16, 16, 64]>>, tensor<?x64xf32, #graph.dims<["b", 64]>>) -> ()
  }) : () -> ()
}) : () -> ()
