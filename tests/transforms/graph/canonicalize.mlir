// RUN: kcompile opt %s -p 'canonicalize'
// VALIDATE exact
// Nothing is left of ops that do nothing; moved operands become dimension numbers.

// CHECK-NOT: graph.transpose
// CHECK-NOT: graph.neg
// CHECK-NOT: graph.mul
// CHECK-NOT: graph.select
// CHECK: "func.return"(%arg0)

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xi1, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<?x3xi1, #graph.dims<["b", 3]>>):
    %0 = "graph.transpose"(%arg0) {permutation = array<i64: 1, 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<3x?xf32, #graph.dims<[3, "b"]>>
    %1 = "graph.transpose"(%0) {permutation = array<i64: 1, 0>} : (tensor<3x?xf32, #graph.dims<[3, "b"]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %2 = "graph.not"(%arg1) : (tensor<?x3xi1, #graph.dims<["b", 3]>>) -> tensor<?x3xi1, #graph.dims<["b", 3]>>
    %3 = "graph.constant"() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
    %4 = "graph.broadcast_in_dim"(%3) {dims = array<i64>, shape = #graph.dims<["b", 3]>} : (tensor<f32>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %5 = "graph.mul"(%1, %4) : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %6 = "graph.neg"(%5) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %7 = "graph.neg"(%6) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %8 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %9 = "graph.broadcast_in_dim"(%8) {dims = array<i64>, shape = #graph.dims<["b", 3]>} : (tensor<f32>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %10 = "graph.sub"(%arg0, %9) : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %11 = "graph.select"(%2, %7, %10) : (tensor<?x3xi1, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    "func.return"(%11) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> ()
  }) : () -> ()
}) : () -> ()
