// RUN: kcompile opt %s -p 'simplify-scans,dce'
// VALIDATE exact
// Carry 1 reaches nothing that is used, carry 2 never changes, stack 0 is the sequence, stack 2 is stack 1 again, and the
// constant is known in the body.

// CHECK-LABEL: sym_name = "main"
// CHECK: [[S:%.*]]:2 = "graph.scan"(%arg0, %arg1, %arg0) ({
// CHECK-NEXT: ^bb0(%a: tensor<2xf32>, %x: tensor<2xf32>, %c: tensor<2xf32>):
// CHECK-NEXT: "graph.constant"() {value = dense<2.0>
// CHECK: "graph.yield"(%{{.*}}, %{{.*}}) : (tensor<2xf32>, tensor<2xf32>) -> ()
// CHECK-NEXT: carries = 1 : i64
// CHECK: "func.return"([[S]]#0, %arg0, %arg1, [[S]]#1, [[S]]#1)

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<2xf32>, tensor<3x2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x2xf32>)}> ({
  ^bb0(%arg0: tensor<2xf32>, %arg1: tensor<3x2xf32>):
    %0 = "graph.constant"() {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64>, shape = array<i64: 2>} : (tensor<f32>) -> tensor<2xf32>
    %2:6 = "graph.scan"(%arg0, %arg0, %arg0, %arg1, %1) ({
    ^bb0(%a: tensor<2xf32>, %b: tensor<2xf32>, %c: tensor<2xf32>, %x: tensor<2xf32>, %k: tensor<2xf32>):
      %3 = "graph.mul"(%a, %k) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
      %4 = "graph.add"(%3, %x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
      %5 = "graph.add"(%4, %c) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
      %6 = "graph.exp"(%b) : (tensor<2xf32>) -> tensor<2xf32>
      %7 = "graph.add"(%6, %5) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
      "graph.yield"(%5, %7, %c, %x, %4, %4) : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> ()
    }) {carries = 3 : i64, length = #graph.dims<[3]>, reverse = false, xs = 1 : i64} : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x2xf32>, tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x2xf32>)
    "func.return"(%2#0, %2#2, %2#3, %2#4, %2#5) : (tensor<2xf32>, tensor<2xf32>, tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x2xf32>) -> ()
  }) : () -> ()
}) : () -> ()
