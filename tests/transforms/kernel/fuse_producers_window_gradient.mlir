// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-producers,outline-kernels,lower-to-linalg'
// VALIDATE exact
// The cotangent of a max pooling is computed where the gradient reads it; the pooled tensor, read several times, is not.

// CHECK: sym_name = "dispatch_0"
// CHECK: math.absf
// CHECK: sym_name = "dispatch_1"
// CHECK: [[CT:%.*]] = "linalg.generic"(%arg0, %arg1
// CHECK: arith.addf
// CHECK: "graph.reduce_window_grad"(%arg2, [[CT]])
// CHECK-NOT: linalg.generic

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x4x4x3xf32, #graph.dims<["b", 4, 4, 3]>>, tensor<?x2x2x3xf32, #graph.dims<["b", 2, 2, 3]>>, tensor<?x2x2x3xf32, #graph.dims<["b", 2, 2, 3]>>) -> tensor<?x4x4x3xf32, #graph.dims<["b", 4, 4, 3]>>}> ({
  ^bb0(%arg0: tensor<?x4x4x3xf32, #graph.dims<["b", 4, 4, 3]>>, %arg1: tensor<?x2x2x3xf32, #graph.dims<["b", 2, 2, 3]>>, %arg2: tensor<?x2x2x3xf32, #graph.dims<["b", 2, 2, 3]>>):
    %0 = "graph.abs"(%arg0) : (tensor<?x4x4x3xf32, #graph.dims<["b", 4, 4, 3]>>) -> tensor<?x4x4x3xf32, #graph.dims<["b", 4, 4, 3]>>
    %1 = "graph.add"(%arg1, %arg2) : (tensor<?x2x2x3xf32, #graph.dims<["b", 2, 2, 3]>>, tensor<?x2x2x3xf32, #graph.dims<["b", 2, 2, 3]>>) -> tensor<?x2x2x3xf32, #graph.dims<["b", 2, 2, 3]>>
    %2 = "graph.reduce_window_grad"(%0, %1) {kind = "max", padding_high = array<i64: 0, 0, 0, 0>, padding_low = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 2, 2, 1>, window = array<i64: 1, 2, 2, 1>} : (tensor<?x4x4x3xf32, #graph.dims<["b", 4, 4, 3]>>, tensor<?x2x2x3xf32, #graph.dims<["b", 2, 2, 3]>>) -> tensor<?x4x4x3xf32, #graph.dims<["b", 4, 4, 3]>>
    "func.return"(%2) : (tensor<?x4x4x3xf32, #graph.dims<["b", 4, 4, 3]>>) -> ()
  }) : () -> ()
}) : () -> ()
