// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,reshape-epilogues,fuse-epilogues'
// VALIDATE exact
// A mask behind a reshape becomes the epilogue of the dot.

// CHECK: [[MASK:%.*]] = "graph.reshape"(%arg2)
// CHECK: [[Y:%.*]] = "kernel.dispatch"(%arg0, %arg1, [[MASK]])
// CHECK: graph.dot_general
// CHECK: graph.select
// CHECK: kernel.root = "graph.dot_general"
// CHECK: "graph.reshape"([[Y]])
// CHECK-NOT: kernel.dispatch

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<4x6xf32>, tensor<?x2x3xi1, #graph.dims<["b", 2, 3]>>) -> tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>}> ({
  ^bb0(%arg0: tensor<?x4xf32, #graph.dims<["b", 4]>>, %arg1: tensor<4x6xf32>, %arg2: tensor<?x2x3xi1, #graph.dims<["b", 2, 3]>>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<4x6xf32>) -> tensor<?x6xf32, #graph.dims<["b", 6]>>
    %1 = "graph.reshape"(%0) {shape = #graph.dims<["b", 2, 3]>} : (tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>
    %2 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %3 = "graph.broadcast_in_dim"(%2) {dims = array<i64>, shape = #graph.dims<["b", 2, 3]>} : (tensor<f32>) -> tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>
    %4 = "graph.select"(%arg2, %1, %3) : (tensor<?x2x3xi1, #graph.dims<["b", 2, 3]>>, tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>, tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>) -> tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>
    "func.return"(%4) : (tensor<?x2x3xf32, #graph.dims<["b", 2, 3]>>) -> ()
  }) : () -> ()
}) : () -> ()
