// RUN: kcompile opt %s -p 'canonicalize'
// VALIDATE exact
// What is the same for all elements is computed once, before it is spread.

// CHECK: [[SUM:%.*]] = "graph.add"(%arg1, {{%.*}}) : (tensor<f32>, tensor<f32>)
// CHECK: "graph.broadcast_in_dim"([[SUM]])
// CHECK: "graph.mul"
// CHECK-NOT: "graph.add"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<f32>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = #graph.dims<["b", 3]>} : (tensor<f32>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %1 = "graph.constant"() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
    %2 = "graph.broadcast_in_dim"(%1) {dims = array<i64>, shape = #graph.dims<["b", 3]>} : (tensor<f32>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %3 = "graph.add"(%0, %2) : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %4 = "graph.mul"(%arg0, %3) : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    "func.return"(%4) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> ()
  }) : () -> ()
}) : () -> ()
