// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues'
// VALIDATE exact
// A residual whose other side needs this root first cannot be taken in by the first dot: the last one takes it.

// CHECK: kernel.dispatch
// CHECK: graph.dot_general
// CHECK-NOT: graph.add
// CHECK: kernel.root = "graph.dot_general"
// CHECK: kernel.dispatch
// CHECK: graph.dot_general
// CHECK: graph.add
// CHECK: kernel.root = "graph.dot_general"
// CHECK-NOT: kernel.dispatch

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x3xf32>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<3x3xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x3xf32>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %1 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %2 = "graph.broadcast_in_dim"(%1) {dims = array<i64>, shape = #graph.dims<["b", 3]>} : (tensor<f32>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %3 = "graph.compare"(%0, %2) {direction = "gt"} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xi1, #graph.dims<["b", 3]>>
    %4 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %5 = "graph.broadcast_in_dim"(%4) {dims = array<i64>, shape = #graph.dims<["b", 3]>} : (tensor<f32>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %6 = "graph.select"(%3, %0, %5) : (tensor<?x3xi1, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %7 = "graph.dot_general"(%6, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x3xf32>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %8 = "graph.add"(%0, %7) : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    "func.return"(%8) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> ()
  }) : () -> ()
}) : () -> ()
