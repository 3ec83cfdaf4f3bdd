// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-siblings'
// VALIDATE exact
// Scalars that do not need each other are one kernel; so are kernels that read one tensor of their shape.

// CHECK: {{%.*}}:2 = "kernel.dispatch"(%arg0, %arg1)
// CHECK: {{%.*}}:2 = "kernel.dispatch"(%arg2)
// CHECK: "kernel.dispatch"(%arg3)
// CHECK-NOT: "kernel.dispatch"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>, tensor<f32>, tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> (tensor<f32>, tensor<f32>, tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>)}> ({
  ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>, %arg2: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg3: tensor<?x3xf32, #graph.dims<["b", 3]>>):
    %0 = "graph.exp"(%arg0) : (tensor<f32>) -> tensor<f32>
    %1 = "graph.neg"(%arg1) : (tensor<f32>) -> tensor<f32>
    %2 = "graph.exp"(%arg2) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %3 = "graph.constant"() {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
    %4 = "graph.broadcast_in_dim"(%3) {dims = array<i64>, shape = #graph.dims<["b", 3]>} : (tensor<f32>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %5 = "graph.mul"(%arg2, %4) : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %6 = "graph.abs"(%arg3) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    "func.return"(%0, %1, %2, %5, %6) : (tensor<f32>, tensor<f32>, tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> ()
  }) : () -> ()
}) : () -> ()
