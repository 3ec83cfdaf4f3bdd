// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise'
// VALIDATE exact
// The moments of Adam and the new weight are one dispatch with three results.

// CHECK: {{%.*}}:3 = "kernel.dispatch"
// CHECK: graph.sqrt
// CHECK: graph.div
// CHECK-NOT: kernel.dispatch

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<f32>) -> (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>)}> ({
  ^bb0(%arg0: tensor<3x4xf32>, %arg1: tensor<3x4xf32>, %arg2: tensor<3x4xf32>, %arg3: tensor<3x4xf32>, %arg4: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg4) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<f32>) -> tensor<3x4xf32>
    %1 = "graph.sub"(%arg1, %arg2) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    %2 = "graph.constant"() {value = dense<0.1> : tensor<f32>} : () -> tensor<f32>
    %3 = "graph.broadcast_in_dim"(%2) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<f32>) -> tensor<3x4xf32>
    %4 = "graph.mul"(%1, %3) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    %5 = "graph.add"(%arg2, %4) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    %6 = "graph.mul"(%arg1, %arg1) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    %7 = "graph.sub"(%6, %arg3) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    %8 = "graph.constant"() {value = dense<0.001> : tensor<f32>} : () -> tensor<f32>
    %9 = "graph.broadcast_in_dim"(%8) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<f32>) -> tensor<3x4xf32>
    %10 = "graph.mul"(%7, %9) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    %11 = "graph.add"(%arg3, %10) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    %12 = "graph.mul"(%0, %5) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    %13 = "graph.sqrt"(%11) : (tensor<3x4xf32>) -> tensor<3x4xf32>
    %14 = "graph.constant"() {value = dense<1.0e-07> : tensor<f32>} : () -> tensor<f32>
    %15 = "graph.broadcast_in_dim"(%14) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<f32>) -> tensor<3x4xf32>
    %16 = "graph.add"(%13, %15) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    %17 = "graph.div"(%12, %16) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    %18 = "graph.sub"(%arg0, %17) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%18, %5, %11) : (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()
