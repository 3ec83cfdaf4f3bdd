// RUN: kcompile opt %s -p 'fold-constants,dce'
// VALIDATE exact
// Ops on constants are done by their references; broadcasts stay ops.

// CHECK: graph.constant
// CHECK-SAME: dense<1.0>
// CHECK-NOT: graph.exp
// CHECK: graph.broadcast_in_dim
// CHECK: graph.add

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<4xf32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<4xf32>):
    %0 = "graph.constant"() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
    %1 = "graph.constant"() {value = dense<-0.5> : tensor<f32>} : () -> tensor<f32>
    %2 = "graph.add"(%0, %1) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %3 = "graph.exp"(%2) : (tensor<f32>) -> tensor<f32>
    %4 = "graph.broadcast_in_dim"(%3) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %5 = "graph.add"(%arg0, %4) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%5) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()
