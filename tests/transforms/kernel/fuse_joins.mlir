// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-siblings,fuse-joins'
// VALIDATE exact
// Three results of one shape, two of which are joined, in two orders: one kernel stores all.

// CHECK: "kernel.dispatch"(%arg0, %arg1) ({
// CHECK: "graph.concatenate"
// CHECK-SAME: axis = 1
// CHECK: "kernel.yield"
// CHECK-SAME: (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>)
// CHECK-NOT: "kernel.dispatch"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>)}> ({
  ^bb0(%arg0: tensor<?x4xf32, #graph.dims<["b", 4]>>, %arg1: tensor<?x4xf32, #graph.dims<["b", 4]>>):
    %0 = "graph.mul"(%arg0, %arg1) : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %1 = "graph.tanh"(%0) : (tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %2 = "graph.add"(%0, %arg1) : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %3 = "graph.neg"(%1) : (tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %4 = "graph.concatenate"(%1, %2) {axis = 1 : i64} : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %5 = "graph.concatenate"(%2, %1) {axis = 1 : i64} : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    "func.return"(%4, %3, %5) : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>) -> ()
  }) : () -> ()
}) : () -> ()
