// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-producers,fuse-row-chains,outline-kernels,lower-to-linalg'
// VALIDATE exact
// A window gets an operand that only says how large it is.

// CHECK: [[SHAPE:%.*]] = "tensor.empty"() : () -> tensor<2x2xf32>
// CHECK: "linalg.generic"(%arg0, [[SHAPE]], {{%[0-9]+}})
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 * 2 + d4, d2 * 2 + d5, d3)>
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d4, d5)>
// CHECK: arith.maximumf

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x6x6x3xf32, #graph.dims<["b", 6, 6, 3]>>) -> tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>}> ({
  ^bb0(%arg0: tensor<?x6x6x3xf32, #graph.dims<["b", 6, 6, 3]>>):
    %0 = "graph.reduce_window"(%arg0) {kind = "max", padding_high = array<i64: 0, 0, 0, 0>, padding_low = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 2, 2, 1>, window = array<i64: 1, 2, 2, 1>} : (tensor<?x6x6x3xf32, #graph.dims<["b", 6, 6, 3]>>) -> tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>
    "func.return"(%0) : (tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>) -> ()
  }) : () -> ()
}) : () -> ()
