// RUN: kcompile opt %s -p 'form-kernels,outline-kernels'
// VALIDATE exact
// A dispatch becomes a function and a call.

// CHECK: sym_name = "main"
// CHECK: "kernel.call"(%arg0) {callee = @dispatch_0}
// CHECK-NOT: graph.exp
// CHECK: func.return
// CHECK: sym_name = "dispatch_0"
// CHECK: graph.exp
// CHECK: kernel.root = "elementwise"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>):
    %0 = "graph.exp"(%arg0) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    "func.return"(%0) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> ()
  }) : () -> ()
}) : () -> ()
