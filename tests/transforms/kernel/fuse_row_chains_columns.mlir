// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-producers,fuse-row-chains'
// VALIDATE exact
// Reductions over the first axis have no rows to work on: they stay apart.

// CHECK: kernel.root = "graph.reduce"
// CHECK: kernel.root = "graph.reduce"
// CHECK-NOT: row_chain

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x7xf32, #graph.dims<["b", 7]>>) -> tensor<7xf32>}> ({
  ^bb0(%arg0: tensor<?x7xf32, #graph.dims<["b", 7]>>):
    %0 = "graph.reduce"(%arg0) {axes = array<i64: 0>, kind = "max"} : (tensor<?x7xf32, #graph.dims<["b", 7]>>) -> tensor<7xf32>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64: 1>, shape = #graph.dims<["b", 7]>} : (tensor<7xf32>) -> tensor<?x7xf32, #graph.dims<["b", 7]>>
    %2 = "graph.sub"(%arg0, %1) : (tensor<?x7xf32, #graph.dims<["b", 7]>>, tensor<?x7xf32, #graph.dims<["b", 7]>>) -> tensor<?x7xf32, #graph.dims<["b", 7]>>
    %3 = "graph.exp"(%2) : (tensor<?x7xf32, #graph.dims<["b", 7]>>) -> tensor<?x7xf32, #graph.dims<["b", 7]>>
    %4 = "graph.reduce"(%3) {axes = array<i64: 0>, kind = "add"} : (tensor<?x7xf32, #graph.dims<["b", 7]>>) -> tensor<7xf32>
    "func.return"(%4) : (tensor<7xf32>) -> ()
  }) : () -> ()
}) : () -> ()
