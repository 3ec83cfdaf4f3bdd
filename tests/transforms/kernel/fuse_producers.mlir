// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-producers'
// VALIDATE exact
// A reduction computes what it reads; a pad does too.

// CHECK: "kernel.dispatch"(%arg0, %arg1)
// CHECK: graph.mul
// CHECK: graph.exp
// CHECK: graph.reduce
// CHECK: "kernel.dispatch"(%arg0)
// CHECK: graph.neg
// CHECK: graph.pad
// CHECK-NOT: kernel.dispatch

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> (tensor<?xf32, #graph.dims<["b"]>>, tensor<?x5xf32, #graph.dims<["b", 5]>>)}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<?x3xf32, #graph.dims<["b", 3]>>):
    %0 = "graph.mul"(%arg0, %arg1) : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %1 = "graph.exp"(%0) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %2 = "graph.reduce"(%1) {axes = array<i64: 1>, kind = "add"} : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?xf32, #graph.dims<["b"]>>
    %3 = "graph.neg"(%arg0) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %4 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %5 = "graph.pad"(%3, %4) {high = array<i64: 0, 1>, interior = array<i64: 0, 0>, low = array<i64: 0, 1>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<f32>) -> tensor<?x5xf32, #graph.dims<["b", 5]>>
    "func.return"(%2, %5) : (tensor<?xf32, #graph.dims<["b"]>>, tensor<?x5xf32, #graph.dims<["b", 5]>>) -> ()
  }) : () -> ()
}) : () -> ()
