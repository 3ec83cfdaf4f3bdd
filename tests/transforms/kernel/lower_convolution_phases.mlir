// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,outline-kernels,lower-to-linalg'
// VALIDATE
// Over an input dilated by 2 the even outputs meet the odd taps of the kernel, and the odd ones the even taps.

// CHECK: affine_map<(d0, d1, d2, d3, d4) -> (d0, d1 + d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d3 * 2 + 1, d4, d2)>
// CHECK: affine_map<(d0, d1, d2, d3, d4) -> (d0, d1 + d3, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d3 * 2, d4, d2)>
// CHECK: "tensor.insert_slice"
// CHECK-SAME: static_offsets = array<i64: 0, 0, 0>
// CHECK-SAME: static_strides = array<i64: 1, 2, 1>
// CHECK: "tensor.insert_slice"
// CHECK-SAME: static_offsets = array<i64: 0, 1, 0>
// CHECK-SAME: static_strides = array<i64: 1, 2, 1>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x6x2xf32, #graph.dims<["b", 6, 2]>>, tensor<3x2x4xf32>) -> tensor<?x10x4xf32, #graph.dims<["b", 10, 4]>>}> ({
  ^bb0(%arg0: tensor<?x6x2xf32, #graph.dims<["b", 6, 2]>>, %arg1: tensor<3x2x4xf32>):
    %0 = "graph.convolution"(%arg0, %arg1) {lhs_dilation = array<i64: 2>, lhs_spec = array<i64: 0, 2, 1>, out_spec = array<i64: 0, 2, 1>, padding_high = array<i64: 0>, padding_low = array<i64: 1>, rhs_dilation = array<i64: 1>, rhs_spec = array<i64: 2, 1, 0>, strides = array<i64: 1>} : (tensor<?x6x2xf32, #graph.dims<["b", 6, 2]>>, tensor<3x2x4xf32>) -> tensor<?x10x4xf32, #graph.dims<["b", 10, 4]>>
    "func.return"(%0) : (tensor<?x10x4xf32, #graph.dims<["b", 10, 4]>>) -> ()
  }) : () -> ()
}) : () -> ()
