// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-producers,fuse-row-chains,outline-kernels,lower-to-linalg'
// VALIDATE exact
// Transposes, slices and reversals are maps; a slice that stops early cuts the operand.

// CHECK: affine_map<(d0, d1) -> (d1 * -2 + 3, d0)>
// CHECK: arith.negf
// CHECK-NOT: linalg.generic

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<6x4xf32>) -> tensor<3x2xf32>}> ({
  ^bb0(%arg0: tensor<6x4xf32>):
    %0 = "graph.slice"(%arg0) {limit = array<i64: 5, 3>, start = array<i64: 1, 0>, strides = array<i64: 2, 1>} : (tensor<6x4xf32>) -> tensor<2x3xf32>
    %1 = "graph.reverse"(%0) {axes = array<i64: 0>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
    %2 = "graph.transpose"(%1) {permutation = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
    %3 = "graph.neg"(%2) : (tensor<3x2xf32>) -> tensor<3x2xf32>
    "func.return"(%3) : (tensor<3x2xf32>) -> ()
  }) : () -> ()
}) : () -> ()
