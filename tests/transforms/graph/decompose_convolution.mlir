// RUN: kcompile opt %s -p 'decompose-convolution'
// VALIDATE
// Padding is a pad of the input before it is dilated; what is left of it lies over the zeros of the dilation. Seventeen
// phases are too many: then the zeros are in the pad.

// CHECK: [[PAD:%.*]] = "graph.pad"(%arg0, {{%.*}}) {high = array<i64: 0, 1, 0>, interior = array<i64: 0, 0, 0>, low = array<i64: 0, 0, 0>}
// CHECK: "graph.convolution"([[PAD]], %arg1)
// CHECK-SAME: lhs_dilation = array<i64: 2>
// CHECK-SAME: padding_high = array<i64: 0>
// CHECK-SAME: padding_low = array<i64: 1>
// CHECK: [[WIDE:%.*]] = "graph.pad"(%arg0, {{%.*}}) {high = array<i64: 0, 0, 0>, interior = array<i64: 0, 16, 0>, low = array<i64: 0, 1, 0>}
// CHECK: "graph.convolution"([[WIDE]], %arg1)
// CHECK-SAME: lhs_dilation = array<i64: 1>
// CHECK-SAME: padding_low = array<i64: 0>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x5x2xf32, #graph.dims<["b", 5, 2]>>, tensor<3x2x4xf32>) -> (tensor<?x10x4xf32, #graph.dims<["b", 10, 4]>>, tensor<?x68x4xf32, #graph.dims<["b", 68, 4]>>)}> ({
  ^bb0(%arg0: tensor<?x5x2xf32, #graph.dims<["b", 5, 2]>>, %arg1: tensor<3x2x4xf32>):
    %0 = "graph.convolution"(%arg0, %arg1) {lhs_dilation = array<i64: 2>, lhs_spec = array<i64: 0, 2, 1>, out_spec = array<i64: 0, 2, 1>, padding_high = array<i64: 2>, padding_low = array<i64: 1>, rhs_dilation = array<i64: 1>, rhs_spec = array<i64: 2, 1, 0>, strides = array<i64: 1>} : (tensor<?x5x2xf32, #graph.dims<["b", 5, 2]>>, tensor<3x2x4xf32>) -> tensor<?x10x4xf32, #graph.dims<["b", 10, 4]>>
    %1 = "graph.convolution"(%arg0, %arg1) {lhs_dilation = array<i64: 17>, lhs_spec = array<i64: 0, 2, 1>, out_spec = array<i64: 0, 2, 1>, padding_high = array<i64: 0>, padding_low = array<i64: 1>, rhs_dilation = array<i64: 1>, rhs_spec = array<i64: 2, 1, 0>, strides = array<i64: 1>} : (tensor<?x5x2xf32, #graph.dims<["b", 5, 2]>>, tensor<3x2x4xf32>) -> tensor<?x68x4xf32, #graph.dims<["b", 68, 4]>>
    "func.return"(%0, %1) : (tensor<?x10x4xf32, #graph.dims<["b", 10, 4]>>, tensor<?x68x4xf32, #graph.dims<["b", 68, 4]>>) -> ()
  }) : () -> ()
}) : () -> ()
