// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-pads'
// VALIDATE exact
// An elementwise kernel stores its result twice, with the border and without.

// CHECK: {{%.*}}:2 = "kernel.dispatch"(%arg0)
// CHECK: graph.exp
// CHECK: graph.pad
// CHECK: kernel.root = "graph.pad"
// CHECK-NOT: kernel.dispatch

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>) -> (tensor<?x6x7x3xf32, #graph.dims<["b", 6, 7, 3]>>, tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>)}> ({
  ^bb0(%arg0: tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>):
    %0 = "graph.exp"(%arg0) : (tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>) -> tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>
    %1 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %2 = "graph.pad"(%0, %1) {high = array<i64: 0, 1, 1, 0>, interior = array<i64: 0, 0, 0, 0>, low = array<i64: 0, 1, 1, 0>} : (tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>, tensor<f32>) -> tensor<?x6x7x3xf32, #graph.dims<["b", 6, 7, 3]>>
    "func.return"(%2, %0) : (tensor<?x6x7x3xf32, #graph.dims<["b", 6, 7, 3]>>, tensor<?x4x5x3xf32, #graph.dims<["b", 4, 5, 3]>>) -> ()
  }) : () -> ()
}) : () -> ()
