// RUN: kcompile opt %s -p 'form-kernels'
// VALIDATE exact
// Each op is a dispatch; reshapes and constants stay between them; numbers go inside.

// CHECK: "kernel.dispatch"(%arg0) ({
// CHECK: graph.exp
// CHECK: {kernel.root = "elementwise"}
// CHECK: kernel.dispatch
// CHECK: graph.constant
// CHECK: graph.broadcast_in_dim
// CHECK: kernel.dispatch
// CHECK: graph.add
// CHECK: "graph.reshape"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>}> ({
  ^bb0(%arg0: tensor<?x6xf32, #graph.dims<["b", 6]>>):
    %0 = "graph.exp"(%arg0) : (tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<?x6xf32, #graph.dims<["b", 6]>>
    %1 = "graph.constant"() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
    %2 = "graph.broadcast_in_dim"(%1) {dims = array<i64>, shape = #graph.dims<["b", 6]>} : (tensor<f32>) -> tensor<?x6xf32, #graph.dims<["b", 6]>>
    %3 = "graph.add"(%0, %2) : (tensor<?x6xf32, #graph.dims<["b", 6]>>, tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<?x6xf32, #graph.dims<["b", 6]>>
    %4 = "graph.reshape"(%3) {shape = #graph.dims<["b", 2, 3]>} : (tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>
    "func.return"(%4) : (tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>) -> ()
  }) : () -> ()
}) : () -> ()
