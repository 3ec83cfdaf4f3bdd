// RUN: kcompile opt %s -p 'share-moments,dce'
// VALIDATE
// The mean and the variance about it: both sums are over distances from one element, and neither waits for the other.

// CHECK: graph.slice
// CHECK: [[AWAY:%[0-9]+]] = "graph.sub"(%arg0
// CHECK: "graph.reduce"([[AWAY]])
// CHECK: [[SQUARE:%[0-9]+]] = "graph.mul"([[AWAY]], [[AWAY]])
// CHECK: "graph.reduce"([[SQUARE]])
// CHECK-NOT: "graph.sub"(%arg0

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<8x64x64x8xf32>) -> (tensor<8xf32>, tensor<8xf32>)}> ({
  ^bb0(%arg0: tensor<8x64x64x8xf32>):
    %0 = "graph.reduce"(%arg0) {axes = array<i64: 1, 2>, kind = "add"} : (tensor<8x64x64x8xf32>) -> tensor<8x8xf32>
    %1 = "graph.reduce"(%0) {axes = array<i64: 0>, kind = "add"} : (tensor<8x8xf32>) -> tensor<8xf32>
    %2 = "graph.constant"() {value = dense<0.00012207031> : tensor<f32>} : () -> tensor<f32>
    %3 = "graph.broadcast_in_dim"(%2) {dims = array<i64>, shape = array<i64: 8>} : (tensor<f32>) -> tensor<8xf32>
    %4 = "graph.mul"(%1, %3) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
    %5 = "graph.broadcast_in_dim"(%4) {dims = array<i64: 3>, shape = array<i64: 8, 64, 64, 8>} : (tensor<8xf32>) -> tensor<8x64x64x8xf32>
    %6 = "graph.sub"(%arg0, %5) : (tensor<8x64x64x8xf32>, tensor<8x64x64x8xf32>) -> tensor<8x64x64x8xf32>
    %7 = "graph.mul"(%6, %6) : (tensor<8x64x64x8xf32>, tensor<8x64x64x8xf32>) -> tensor<8x64x64x8xf32>
    %8 = "graph.reduce"(%7) {axes = array<i64: 1, 2>, kind = "add"} : (tensor<8x64x64x8xf32>) -> tensor<8x8xf32>
    %9 = "graph.reduce"(%8) {axes = array<i64: 0>, kind = "add"} : (tensor<8x8xf32>) -> tensor<8xf32>
    %10 = "graph.constant"() {value = dense<0.00012207031> : tensor<f32>} : () -> tensor<f32>
    %11 = "graph.broadcast_in_dim"(%10) {dims = array<i64>, shape = array<i64: 8>} : (tensor<f32>) -> tensor<8xf32>
    %12 = "graph.mul"(%9, %11) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
    "func.return"(%4, %12) : (tensor<8xf32>, tensor<8xf32>) -> ()
  }) : () -> ()
}) : () -> ()
