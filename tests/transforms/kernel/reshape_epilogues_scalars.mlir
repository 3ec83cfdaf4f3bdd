// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,reshape-epilogues'
// VALIDATE exact
// A reshape to a scalar that the consumer spreads does not say the consumer's shape.

// CHECK: kernel.root = "graph.reduce"
// CHECK: "graph.reshape"
// CHECK: kernel.root = "elementwise"
// CHECK-SAME: -> tensor<1x2xf32>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<1x2xf32>) -> tensor<1x2xf32>}> ({
  ^bb0(%arg0: tensor<1x2xf32>):
    %0 = "graph.reduce"(%arg0) {axes = array<i64: 1>, kind = "max"} : (tensor<1x2xf32>) -> tensor<1xf32>
    %1 = "graph.reshape"(%0) {shape = array<i64>} : (tensor<1xf32>) -> tensor<f32>
    %2 = "graph.broadcast_in_dim"(%1) {dims = array<i64>, shape = array<i64: 1, 2>} : (tensor<f32>) -> tensor<1x2xf32>
    %3 = "graph.sub"(%arg0, %2) : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
    "func.return"(%3) : (tensor<1x2xf32>) -> ()
  }) : () -> ()
}) : () -> ()
