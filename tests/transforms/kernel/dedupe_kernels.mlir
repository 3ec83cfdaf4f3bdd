// RUN: kcompile opt %s -p 'form-kernels,outline-kernels,dedupe-kernels'
// VALIDATE exact
// Kernels with one text are one function; another shape is another kernel.

// CHECK: "kernel.call"(%arg0) {callee = @dispatch_0}
// CHECK: "kernel.call"(%arg1) {callee = @dispatch_0}
// CHECK: "kernel.call"(%arg2) {callee = @dispatch_2}
// CHECK: sym_name = "dispatch_0"
// CHECK-NOT: sym_name = "dispatch_1"
// CHECK: sym_name = "dispatch_2"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>)}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg2: tensor<?x4xf32, #graph.dims<["b", 4]>>):
    %0 = "graph.exp"(%arg0) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %1 = "graph.exp"(%arg1) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %2 = "graph.exp"(%arg2) : (tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    "func.return"(%0, %1, %2) : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> ()
  }) : () -> ()
}) : () -> ()
