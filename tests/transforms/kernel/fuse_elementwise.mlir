// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise'
// VALIDATE exact
// A chain with a broadcast and a transpose inside is one dispatch; what others read too is a second result.

// CHECK: [[E:%.*]] = "kernel.dispatch"(%arg0)
// CHECK: graph.exp
// CHECK: "kernel.dispatch"([[E]], %arg1)
// CHECK: graph.transpose
// CHECK: graph.add
// CHECK: kernel.root = "elementwise"
// CHECK: "kernel.dispatch"([[E]])
// CHECK: graph.dot_general

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3xf32>) -> (tensor<3x?xf32, #graph.dims<[3, "b"]>>, tensor<3x3xf32>)}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<3xf32>):
    %0 = "graph.exp"(%arg0) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %1 = "graph.transpose"(%0) {permutation = array<i64: 1, 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<3x?xf32, #graph.dims<[3, "b"]>>
    %2 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64: 0>, shape = #graph.dims<[3, "b"]>} : (tensor<3xf32>) -> tensor<3x?xf32, #graph.dims<[3, "b"]>>
    %3 = "graph.add"(%1, %2) : (tensor<3x?xf32, #graph.dims<[3, "b"]>>, tensor<3x?xf32, #graph.dims<[3, "b"]>>) -> tensor<3x?xf32, #graph.dims<[3, "b"]>>
    %4 = "graph.dot_general"(%0, %0) {lhs_batch = array<i64>, lhs_contract = array<i64: 0>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<3x3xf32>
    "func.return"(%3, %4) : (tensor<3x?xf32, #graph.dims<[3, "b"]>>, tensor<3x3xf32>) -> ()
  }) : () -> ()
}) : () -> ()
