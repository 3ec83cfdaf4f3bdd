// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-producers,fuse-row-chains'
// VALIDATE exact
// A softmax over the last axis is one kernel.

// CHECK: kernel.dispatch
// CHECK: graph.reduce
// CHECK: graph.exp
// CHECK: graph.reduce
// CHECK: graph.div
// CHECK: kernel.root = "row_chain"
// CHECK-NOT: kernel.dispatch

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>) -> tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>}> ({
  ^bb0(%arg0: tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>):
    %0 = "graph.reduce"(%arg0) {axes = array<i64: 2>, kind = "max"} : (tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64: 0, 1>, shape = #graph.dims<["b", 4, 7]>} : (tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>
    %2 = "graph.sub"(%arg0, %1) : (tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>, tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>) -> tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>
    %3 = "graph.exp"(%2) : (tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>) -> tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>
    %4 = "graph.reduce"(%3) {axes = array<i64: 2>, kind = "add"} : (tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %5 = "graph.broadcast_in_dim"(%4) {dims = array<i64: 0, 1>, shape = #graph.dims<["b", 4, 7]>} : (tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>
    %6 = "graph.div"(%3, %5) : (tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>, tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>) -> tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>
    "func.return"(%6) : (tensor<?x4x7xf32, #graph.dims<["b", 4, 7]>>) -> ()
  }) : () -> ()
}) : () -> ()
