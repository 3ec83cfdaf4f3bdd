// RUN: kcompile opt %s -p 'form-kernels,fuse-cheap-producers,fuse-elementwise,recompute-producers,fuse-epilogues,fuse-producers,fuse-sums'
// VALIDATE
// The masked gradient is neither stored nor an epilogue: its sums and what comes behind them read the product itself.

// CHECK: graph.dot_general
// CHECK-NEXT: kernel.yield
// CHECK: graph.select
// CHECK: graph.reduce
// CHECK: graph.reduce
// CHECK: "kernel.yield"(%{{[0-9]+}}, %{{[0-9]+}}) :
// CHECK: kernel.root = "column_sums"
// CHECK: graph.select
// CHECK: kernel.root = "elementwise"
// CHECK-NOT: kernel.dispatch

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<8x8xf32>) -> (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>)}> ({
  ^bb0(%arg0: tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, %arg1: tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, %arg2: tensor<8x8xf32>):
    %0 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64>, shape = #graph.dims<["b", 16, 16, 8]>} : (tensor<f32>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %11 = "graph.dot_general"(%arg1, %arg2) {lhs_batch = array<i64>, lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<8x8xf32>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %2 = "graph.compare"(%arg0, %1) {direction = "le"} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xi1, #graph.dims<["b", 16, 16, 8]>>
    %3 = "graph.select"(%2, %1, %11) : (tensor<?x16x16x8xi1, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %4 = "graph.reduce"(%3) {axes = array<i64: 1, 2>, kind = "add"} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %5 = "graph.mul"(%3, %arg0) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %6 = "graph.reduce"(%5) {axes = array<i64: 1, 2>, kind = "add"} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %7 = "graph.broadcast_in_dim"(%6) {dims = array<i64: 0, 3>, shape = #graph.dims<["b", 16, 16, 8]>} : (tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %8 = "graph.broadcast_in_dim"(%4) {dims = array<i64: 0, 3>, shape = #graph.dims<["b", 16, 16, 8]>} : (tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %9 = "graph.mul"(%8, %arg0) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %10 = "graph.add"(%3, %9) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %12 = "graph.mul"(%10, %7) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    "func.return"(%12) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> ()
  }) : () -> ()
}) : () -> ()
