// RUN: kcompile opt %s -p 'split-reductions{least=100}'
// VALIDATE
// A reduction over the batch and more is done in two steps; small ones are left alone.

// CHECK: [[INNER:%.*]] = "graph.reduce"(%arg0) {axes = array<i64: 1, 2>
// CHECK-SAME: -> tensor<?x4xf32
// CHECK: "graph.reduce"([[INNER]]) {axes = array<i64: 0>
// CHECK: "graph.reduce"(%arg1) {axes = array<i64: 0, 1>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x8x8x4xf32, #graph.dims<["b", 8, 8, 4]>>, tensor<2x3xf32>) -> (tensor<4xf32>, tensor<f32>)}> ({
  ^bb0(%arg0: tensor<?x8x8x4xf32, #graph.dims<["b", 8, 8, 4]>>, %arg1: tensor<2x3xf32>):
    %0 = "graph.reduce"(%arg0) {axes = array<i64: 0, 1, 2>, kind = "add"} : (tensor<?x8x8x4xf32, #graph.dims<["b", 8, 8, 4]>>) -> tensor<4xf32>
    %1 = "graph.reduce"(%arg1) {axes = array<i64: 0, 1>, kind = "add"} : (tensor<2x3xf32>) -> tensor<f32>
    "func.return"(%0, %1) : (tensor<4xf32>, tensor<f32>) -> ()
  }) : () -> ()
}) : () -> ()
