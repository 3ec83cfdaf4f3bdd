// RUN: kcompile opt %s -p 'form-kernels,read-parts'
// VALIDATE
// Both convolutions on transformed tiles read the parts; nothing stores the whole.

// CHECK: "kernel.dispatch"(%arg0, %arg1, %arg2)
// CHECK: [[C:%.*]] = "graph.concatenate"(
// CHECK: "graph.winograd_convolution"([[C]],
// CHECK: "kernel.dispatch"(%arg0, %arg1, %arg3)
// CHECK: [[D:%.*]] = "graph.concatenate"(
// CHECK: "graph.winograd_filter_gradient"([[D]],
// CHECK-NOT: kernel.root = "graph.concatenate"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>, tensor<?x8x8x32xf32, #graph.dims<["b", 8, 8, 32]>>, tensor<36x1x48x16xf32>, tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>) -> (tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>, tensor<1x36x48x16xf32>)}> ({
  ^bb0(%arg0: tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>, %arg1: tensor<?x8x8x32xf32, #graph.dims<["b", 8, 8, 32]>>, %arg2: tensor<36x1x48x16xf32>, %arg3: tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>):
    %0 = "graph.concatenate"(%arg0, %arg1) {axis = 3 : i64} : (tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>, tensor<?x8x8x32xf32, #graph.dims<["b", 8, 8, 32]>>) -> tensor<?x8x8x48xf32, #graph.dims<["b", 8, 8, 48]>>
    %1 = "graph.winograd_convolution"(%0, %arg2) {features = 16 : i64, padding_high = array<i64: 1, 1>, padding_low = array<i64: 1, 1>, tile = 4 : i64} : (tensor<?x8x8x48xf32, #graph.dims<["b", 8, 8, 48]>>, tensor<36x1x48x16xf32>) -> tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>
    %2 = "graph.winograd_filter_gradient"(%0, %arg3) {padding_high = array<i64: 1, 1>, padding_low = array<i64: 1, 1>, parts = 1 : i64, tile = 4 : i64} : (tensor<?x8x8x48xf32, #graph.dims<["b", 8, 8, 48]>>, tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>) -> tensor<1x36x48x16xf32>
    "func.return"(%1, %2) : (tensor<?x8x8x16xf32, #graph.dims<["b", 8, 8, 16]>>, tensor<1x36x48x16xf32>) -> ()
  }) : () -> ()
}) : () -> ()
