// RUN: kcompile opt %s -p 'form-kernels,fuse-cheap-producers,fuse-elementwise,fuse-producers,fuse-sums'
// VALIDATE
// Two sums over the pixels of what is stored: one sweep. A sum over the last axis is another matter.

// CHECK: "kernel.dispatch"(%arg
// CHECK: "graph.exp"
// CHECK: "graph.reduce"
// CHECK: "graph.reduce"
// CHECK: kernel.root = "column_sums"
// CHECK: "kernel.dispatch"
// CHECK: kernel.root = "graph.reduce"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x16x16xf32, #graph.dims<["b", 16, 16]>>)}> ({
  ^bb0(%arg0: tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, %arg1: tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>):
    %0 = "graph.add"(%arg0, %arg1) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %1 = "graph.exp"(%0) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %2 = "graph.reduce"(%1) {axes = array<i64: 1, 2>, kind = "add"} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %3 = "graph.mul"(%1, %arg0) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %4 = "graph.reduce"(%3) {axes = array<i64: 1, 2>, kind = "add"} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %5 = "graph.mul"(%arg1, %arg1) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>
    %6 = "graph.reduce"(%5) {axes = array<i64: 3>, kind = "add"} : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>) -> tensor<?x16x16xf32, #graph.dims<["b", 16, 16]>>
    "func.return"(%1, %2, %4, %6) : (tensor<?x16x16x8xf32, #graph.dims<["b", 16, 16, 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x16x16xf32, #graph.dims<["b", 16, 16]>>) -> ()
  }) : () -> ()
}) : () -> ()
