// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-producers,fuse-row-chains,outline-kernels,lower-to-linalg'
// VALIDATE
// Groups are a dim of their own; the operands are cut into groups by expand_shape.

// CHECK: "tensor.expand_shape"(%arg0)
// CHECK: "tensor.expand_shape"(%arg1)
// CHECK: affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1 + d5, d2 + d6, d3, d7)>
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5, d6, d7) -> (d5, d6, d7, d3, d4)>
// CHECK: tensor.collapse_shape

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x5x5x4xf32, #graph.dims<["b", 5, 5, 4]>>, tensor<3x3x2x6xf32>) -> tensor<?x3x3x6xf32, #graph.dims<["b", 3, 3, 6]>>}> ({
  ^bb0(%arg0: tensor<?x5x5x4xf32, #graph.dims<["b", 5, 5, 4]>>, %arg1: tensor<3x3x2x6xf32>):
    %0 = "graph.convolution"(%arg0, %arg1) {feature_groups = 2 : i64, lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x5x5x4xf32, #graph.dims<["b", 5, 5, 4]>>, tensor<3x3x2x6xf32>) -> tensor<?x3x3x6xf32, #graph.dims<["b", 3, 3, 6]>>
    "func.return"(%0) : (tensor<?x3x3x6xf32, #graph.dims<["b", 3, 3, 6]>>) -> ()
  }) : () -> ()
}) : () -> ()
