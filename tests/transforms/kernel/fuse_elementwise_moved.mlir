// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise'
// VALIDATE exact
// A part of a value that one kernel reads and the caller gets: the kernel stores it, nothing else loads the whole.

// CHECK: "kernel.dispatch"(%arg0, %arg1) ({
// CHECK: "kernel.yield"
// CHECK-SAME: (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>)
// CHECK-NOT: "kernel.dispatch"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>)}> ({
  ^bb0(%arg0: tensor<?x8xf32, #graph.dims<["b", 8]>>, %arg1: tensor<?x4xf32, #graph.dims<["b", 4]>>):
    %0 = "graph.slice"(%arg0) {start = array<i64: 0, 4>, limit = #graph.dims<["b", 8]>, strides = array<i64: 1, 1>} : (tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %1 = "graph.mul"(%0, %arg1) : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    "func.return"(%1, %0) : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> ()
  }) : () -> ()
}) : () -> ()
