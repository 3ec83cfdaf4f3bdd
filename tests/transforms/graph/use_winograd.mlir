// RUN: kcompile opt %s -p 'use-winograd{freeze=true}'
// VALIDATE
// The padding stays with the op; 17 features are two panels. Its weights are transformed in f64 by ordinary operations.

// CHECK: "graph.pad"(%arg1, {{.*}}) {high = array<i64: 0, 0, 0, 15>
// CHECK: [[PACKED:%.*]] = "graph.transpose"({{.*}}) {permutation = array<i64: 0, 2, 1, 3>}
// CHECK: [[W:%.*]] = "graph.reshape"([[PACKED]]) {shape = array<i64: 9, 1024>}
// CHECK: [[G:%.*]] = "graph.constant"() {value = {{.*}} : tensor<36x9xf64>}
// CHECK: [[WIDE:%.*]] = "graph.convert"([[W]])
// CHECK: [[U:%.*]] = "graph.dot_general"([[G]], [[WIDE]])
// CHECK: [[NARROW:%.*]] = "graph.convert"([[U]])
// CHECK: [[POINTS:%.*]] = "graph.reshape"([[NARROW]]) {shape = array<i64: 36, 2, 32, 16>}
// CHECK: "graph.winograd_convolution"(%arg0, [[POINTS]])
// CHECK-SAME: features = 17
// CHECK-SAME: kernel.algorithm = "direct {{.*}} us, F(2,3) {{.*}} us, F(4,3) {{.*}} us for 1 image"
// CHECK-SAME: padding_high = array<i64: 1, 2>, padding_low = array<i64: 0, 1>
// CHECK-SAME: tile = 4

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x13x14x32xf32, #graph.dims<["b", 13, 14, 32]>>, tensor<3x3x32x17xf32>) -> tensor<?x12x15x17xf32, #graph.dims<["b", 12, 15, 17]>>, arg_attrs = [{kernel.role = "input"}, {kernel.role = "weight"}]}> ({
  ^bb0(%arg0: tensor<?x13x14x32xf32, #graph.dims<["b", 13, 14, 32]>>, %arg1: tensor<3x3x32x17xf32>):
    %0 = "graph.convolution"(%arg0, %arg1) {lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 1, 2>, padding_low = array<i64: 0, 1>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x13x14x32xf32, #graph.dims<["b", 13, 14, 32]>>, tensor<3x3x32x17xf32>) -> tensor<?x12x15x17xf32, #graph.dims<["b", 12, 15, 17]>>
    "func.return"(%0) : (tensor<?x12x15x17xf32, #graph.dims<["b", 12, 15, 17]>>) -> ()
  }) : () -> ()
}) : () -> ()
