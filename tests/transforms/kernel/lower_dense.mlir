// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-producers,fuse-row-chains,outline-kernels,lower-to-linalg'
// VALIDATE
// A dense layer: the contraction, then its epilogue.

// CHECK: sym_name = "dispatch_0"
// CHECK: [[FILL:%.*]] = "linalg.fill"
// CHECK: [[DOT:%.*]] = "linalg.generic"(%arg0, %arg1, [[FILL]])
// CHECK-SAME: affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-SAME: [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<reduction>]
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK: "linalg.generic"([[DOT]], %arg2, {{%[0-9]+}})
// CHECK-SAME: affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>
// CHECK: arith.addf
// CHECK: arith.maximumf
// CHECK-NOT: linalg.generic

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x4xf32>, tensor<4xf32>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<3x4xf32>, %arg2: tensor<4xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x4xf32>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %1 = "graph.broadcast_in_dim"(%arg2) {dims = array<i64: 1>, shape = #graph.dims<["b", 4]>} : (tensor<4xf32>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %2 = "graph.add"(%0, %1) : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %3 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %4 = "graph.broadcast_in_dim"(%3) {dims = array<i64>, shape = #graph.dims<["b", 4]>} : (tensor<f32>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %5 = "graph.max"(%2, %4) : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    "func.return"(%5) : (tensor<?x4xf32, #graph.dims<["b", 4]>>) -> ()
  }) : () -> ()
}) : () -> ()
