// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-producers,fuse-row-chains,outline-kernels,lower-to-linalg'
// VALIDATE
// A depthwise convolution has no sum over features, and nothing to expand.

// CHECK-NOT: expand_shape
// CHECK: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 + d4, d2 + d5, d3)>
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d4, d5, 0, d3)>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x5x5x4xf32, #graph.dims<["b", 5, 5, 4]>>, tensor<3x3x1x4xf32>) -> tensor<?x3x3x4xf32, #graph.dims<["b", 3, 3, 4]>>}> ({
  ^bb0(%arg0: tensor<?x5x5x4xf32, #graph.dims<["b", 5, 5, 4]>>, %arg1: tensor<3x3x1x4xf32>):
    %0 = "graph.convolution"(%arg0, %arg1) {feature_groups = 4 : i64, lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x5x5x4xf32, #graph.dims<["b", 5, 5, 4]>>, tensor<3x3x1x4xf32>) -> tensor<?x3x3x4xf32, #graph.dims<["b", 3, 3, 4]>>
    "func.return"(%0) : (tensor<?x3x3x4xf32, #graph.dims<["b", 3, 3, 4]>>) -> ()
  }) : () -> ()
}) : () -> ()
