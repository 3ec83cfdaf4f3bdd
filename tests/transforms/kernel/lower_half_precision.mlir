// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-producers,fuse-row-chains,outline-kernels,lower-to-linalg'
// VALIDATE
// Sums of f16 are made in f32 and rounded once.

// CHECK: "linalg.generic"
// CHECK: arith.extf
// CHECK: arith.mulf
// CHECK: -> tensor<?x4xf32
// CHECK: arith.truncf
// CHECK-NOT: linalg.generic

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x8xf16, #graph.dims<["b", 8]>>, tensor<8x4xf16>) -> tensor<?x4xf16, #graph.dims<["b", 4]>>}> ({
  ^bb0(%arg0: tensor<?x8xf16, #graph.dims<["b", 8]>>, %arg1: tensor<8x4xf16>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x8xf16, #graph.dims<["b", 8]>>, tensor<8x4xf16>) -> tensor<?x4xf16, #graph.dims<["b", 4]>>
    "func.return"(%0) : (tensor<?x4xf16, #graph.dims<["b", 4]>>) -> ()
  }) : () -> ()
}) : () -> ()
