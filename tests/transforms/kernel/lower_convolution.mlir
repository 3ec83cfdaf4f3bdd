// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-producers,fuse-row-chains,outline-kernels,lower-to-linalg'
// VALIDATE
// A strided convolution: the window's dims are reductions, the input's map is affine.

// CHECK: affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1 * 2 + d4, d2 * 2 + d5, d6)>
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d4, d5, d6, d3)>
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d3)>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x7x7x3xf32, #graph.dims<["b", 7, 7, 3]>>, tensor<3x3x3x4xf32>) -> tensor<?x3x3x4xf32, #graph.dims<["b", 3, 3, 4]>>}> ({
  ^bb0(%arg0: tensor<?x7x7x3xf32, #graph.dims<["b", 7, 7, 3]>>, %arg1: tensor<3x3x3x4xf32>):
    %0 = "graph.convolution"(%arg0, %arg1) {feature_groups = 1 : i64, lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 2, 2>} : (tensor<?x7x7x3xf32, #graph.dims<["b", 7, 7, 3]>>, tensor<3x3x3x4xf32>) -> tensor<?x3x3x4xf32, #graph.dims<["b", 3, 3, 4]>>
    "func.return"(%0) : (tensor<?x3x3x4xf32, #graph.dims<["b", 3, 3, 4]>>) -> ()
  }) : () -> ()
}) : () -> ()
