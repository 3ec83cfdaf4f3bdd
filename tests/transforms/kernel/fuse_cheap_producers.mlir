// RUN: kcompile opt %s -p 'form-kernels,fuse-cheap-producers,fuse-elementwise'
// VALIDATE exact
// Of c = x - mean and the sum of c * c only c is stored.

// CHECK: [[C:%.*]] = "kernel.dispatch"(%arg1, %arg0)
// CHECK: graph.sub
// CHECK-NOT: graph.mul
// CHECK: "kernel.dispatch"([[C]])
// CHECK: graph.mul
// CHECK: graph.reduce
// CHECK: kernel.root = "graph.reduce"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3xf32>) -> (tensor<3xf32>, tensor<3x3xf32>)}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<3xf32>):
    %0 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64: 1>, shape = #graph.dims<["b", 3]>} : (tensor<3xf32>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %1 = "graph.sub"(%arg0, %0) : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %2 = "graph.mul"(%1, %1) : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %3 = "graph.reduce"(%2) {axes = array<i64: 0>, kind = "add"} : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<3xf32>
    %4 = "graph.dot_general"(%1, %1) {lhs_batch = array<i64>, lhs_contract = array<i64: 0>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<3x3xf32>
    "func.return"(%3, %4) : (tensor<3xf32>, tensor<3x3xf32>) -> ()
  }) : () -> ()
}) : () -> ()
