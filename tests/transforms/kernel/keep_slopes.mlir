// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,keep-slopes'
// VALIDATE
// The slope of a gelu is kept in place of its operand: with the gelu most of it is computed already.

// CHECK: "kernel.dispatch"(%arg0, %arg1)
// CHECK: [[Z:%.*]] = "graph.dot_general"
// CHECK: graph.erf
// CHECK-NOT: graph.erf
// CHECK: graph.exp
// CHECK: [[D:%.*]] = "kernel.dispatch"
// CHECK: graph.dot_general
// CHECK-NEXT: graph.mul
// CHECK-NEXT: "kernel.yield"
// CHECK-NOT: "kernel.dispatch"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x160xf32>, tensor<?x5xf32, #graph.dims<["b", 5]>>, tensor<5x160xf32>) -> (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>)}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<3x160xf32>, %arg2: tensor<?x5xf32, #graph.dims<["b", 5]>>, %arg3: tensor<5x160xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x160xf32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %1 = "graph.gelu"(%0) : (tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %2 = "graph.dot_general"(%arg2, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x5xf32, #graph.dims<["b", 5]>>, tensor<5x160xf32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %3 = "graph.constant"() {value = dense<0.70710677> : tensor<f32>} : () -> tensor<f32>
    %4 = "graph.broadcast_in_dim"(%3) {dims = array<i64>, shape = #graph.dims<["b", 160]>} : (tensor<f32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %5 = "graph.mul"(%0, %4) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %6 = "graph.erf"(%5) : (tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %7 = "graph.constant"() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
    %8 = "graph.broadcast_in_dim"(%7) {dims = array<i64>, shape = #graph.dims<["b", 160]>} : (tensor<f32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %9 = "graph.add"(%6, %8) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %10 = "graph.constant"() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
    %11 = "graph.broadcast_in_dim"(%10) {dims = array<i64>, shape = #graph.dims<["b", 160]>} : (tensor<f32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %12 = "graph.mul"(%9, %11) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %13 = "graph.mul"(%0, %0) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %14 = "graph.constant"() {value = dense<-0.5> : tensor<f32>} : () -> tensor<f32>
    %15 = "graph.broadcast_in_dim"(%14) {dims = array<i64>, shape = #graph.dims<["b", 160]>} : (tensor<f32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %16 = "graph.mul"(%13, %15) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %17 = "graph.exp"(%16) : (tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %18 = "graph.constant"() {value = dense<0.3989423> : tensor<f32>} : () -> tensor<f32>
    %19 = "graph.broadcast_in_dim"(%18) {dims = array<i64>, shape = #graph.dims<["b", 160]>} : (tensor<f32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %20 = "graph.mul"(%17, %19) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %21 = "graph.mul"(%0, %20) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %22 = "graph.add"(%12, %21) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %23 = "graph.mul"(%2, %22) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    "func.return"(%1, %23) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> ()
  }) : () -> ()
}) : () -> ()
