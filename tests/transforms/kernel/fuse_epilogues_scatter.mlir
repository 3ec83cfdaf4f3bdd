// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues'
// VALIDATE exact
// The update of a large embedding is done a block of rows at a time; its gradient is never a tensor.

// CHECK: graph.scatter
// CHECK: graph.sub
// CHECK: kernel.root = "graph.scatter"
// CHECK-NOT: kernel.dispatch

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<131072x16xf32>, tensor<?x1xi32, #graph.dims<["b", 1]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>) -> tensor<131072x16xf32>}> ({
  ^bb0(%arg0: tensor<131072x16xf32>, %arg1: tensor<?x1xi32, #graph.dims<["b", 1]>>, %arg2: tensor<?x16xf32, #graph.dims<["b", 16]>>):
    %0 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64>, shape = array<i64: 131072, 16>} : (tensor<f32>) -> tensor<131072x16xf32>
    %2 = "graph.scatter"(%1, %arg1, %arg2) {axes = array<i64: 0>, kind = "add"} : (tensor<131072x16xf32>, tensor<?x1xi32, #graph.dims<["b", 1]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>) -> tensor<131072x16xf32>
    %3 = "graph.constant"() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
    %4 = "graph.broadcast_in_dim"(%3) {dims = array<i64>, shape = array<i64: 131072, 16>} : (tensor<f32>) -> tensor<131072x16xf32>
    %5 = "graph.mul"(%2, %4) : (tensor<131072x16xf32>, tensor<131072x16xf32>) -> tensor<131072x16xf32>
    %6 = "graph.sub"(%arg0, %5) : (tensor<131072x16xf32>, tensor<131072x16xf32>) -> tensor<131072x16xf32>
    "func.return"(%6) : (tensor<131072x16xf32>) -> ()
  }) : () -> ()
}) : () -> ()
