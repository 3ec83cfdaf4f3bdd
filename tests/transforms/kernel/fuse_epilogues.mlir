// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues'
// VALIDATE exact
// Bias and activation are done where the dot stores; the mask that training needs is a second result.

// CHECK: {{%.*}}:2 = "kernel.dispatch"(%arg0, %arg1, %arg2)
// CHECK: graph.dot_general
// CHECK: graph.add
// CHECK: graph.select
// CHECK: kernel.root = "graph.dot_general"
// CHECK-NOT: kernel.dispatch

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x4xf32>, tensor<4xf32>) -> (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xi1, #graph.dims<["b", 4]>>)}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<3x4xf32>, %arg2: tensor<4xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x4xf32>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %1 = "graph.broadcast_in_dim"(%arg2) {dims = array<i64: 1>, shape = #graph.dims<["b", 4]>} : (tensor<4xf32>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %2 = "graph.add"(%0, %1) : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %3 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %4 = "graph.broadcast_in_dim"(%3) {dims = array<i64>, shape = #graph.dims<["b", 4]>} : (tensor<f32>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %5 = "graph.compare"(%2, %4) {direction = "gt"} : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x4xi1, #graph.dims<["b", 4]>>
    %6 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %7 = "graph.broadcast_in_dim"(%6) {dims = array<i64>, shape = #graph.dims<["b", 4]>} : (tensor<f32>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %8 = "graph.select"(%5, %2, %7) : (tensor<?x4xi1, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %9 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %10 = "graph.broadcast_in_dim"(%9) {dims = array<i64>, shape = #graph.dims<["b", 4]>} : (tensor<f32>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %11 = "graph.compare"(%2, %10) {direction = "gt"} : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x4xi1, #graph.dims<["b", 4]>>
    "func.return"(%8, %11) : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xi1, #graph.dims<["b", 4]>>) -> ()
  }) : () -> ()
}) : () -> ()
