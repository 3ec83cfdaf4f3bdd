// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,keep-slopes'
// VALIDATE exact
// A product stays that is read in another way, too, of whose slope nothing is computed yet, or whose slope is cheap.

// CHECK: graph.dot_general
// CHECK: graph.gelu
// CHECK: graph.exp
// CHECK: [[CHEAP:%.*]] = "graph.dot_general"
// CHECK-NEXT: "graph.mul"([[CHEAP]], [[CHEAP]])
// CHECK-NEXT: "kernel.yield"
// CHECK: graph.add
// CHECK: [[ALONE:%.*]] = "graph.dot_general"
// CHECK-NEXT: "graph.neg"([[ALONE]])
// CHECK-NEXT: "kernel.yield"
// CHECK: graph.exp

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x160xf32>, tensor<?x5xf32, #graph.dims<["b", 5]>>, tensor<5x160xf32>) -> (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>)}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<3x160xf32>, %arg2: tensor<?x5xf32, #graph.dims<["b", 5]>>, %arg3: tensor<5x160xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x160xf32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %1 = "graph.dot_general"(%arg2, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x5xf32, #graph.dims<["b", 5]>>, tensor<5x160xf32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %2 = "graph.gelu"(%0) : (tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
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
    %23 = "graph.mul"(%1, %22) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %24 = "graph.mul"(%23, %0) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %25 = "graph.neg"(%arg0) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %26 = "graph.dot_general"(%25, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x160xf32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %27 = "graph.neg"(%arg2) : (tensor<?x5xf32, #graph.dims<["b", 5]>>) -> tensor<?x5xf32, #graph.dims<["b", 5]>>
    %28 = "graph.dot_general"(%27, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x5xf32, #graph.dims<["b", 5]>>, tensor<5x160xf32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %29 = "graph.constant"() {value = dense<0.70710677> : tensor<f32>} : () -> tensor<f32>
    %30 = "graph.broadcast_in_dim"(%29) {dims = array<i64>, shape = #graph.dims<["b", 160]>} : (tensor<f32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %31 = "graph.mul"(%26, %30) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %32 = "graph.erf"(%31) : (tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %33 = "graph.constant"() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
    %34 = "graph.broadcast_in_dim"(%33) {dims = array<i64>, shape = #graph.dims<["b", 160]>} : (tensor<f32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %35 = "graph.add"(%32, %34) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %36 = "graph.constant"() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
    %37 = "graph.broadcast_in_dim"(%36) {dims = array<i64>, shape = #graph.dims<["b", 160]>} : (tensor<f32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %38 = "graph.mul"(%35, %37) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %39 = "graph.mul"(%26, %26) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %40 = "graph.constant"() {value = dense<-0.5> : tensor<f32>} : () -> tensor<f32>
    %41 = "graph.broadcast_in_dim"(%40) {dims = array<i64>, shape = #graph.dims<["b", 160]>} : (tensor<f32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %42 = "graph.mul"(%39, %41) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %43 = "graph.exp"(%42) : (tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %44 = "graph.constant"() {value = dense<0.3989423> : tensor<f32>} : () -> tensor<f32>
    %45 = "graph.broadcast_in_dim"(%44) {dims = array<i64>, shape = #graph.dims<["b", 160]>} : (tensor<f32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %46 = "graph.mul"(%43, %45) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %47 = "graph.mul"(%26, %46) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %48 = "graph.add"(%38, %47) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %49 = "graph.mul"(%28, %48) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %50 = "graph.abs"(%arg0) : (tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %51 = "graph.dot_general"(%50, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x160xf32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %52 = "graph.mul"(%51, %51) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %53 = "graph.abs"(%arg2) : (tensor<?x5xf32, #graph.dims<["b", 5]>>) -> tensor<?x5xf32, #graph.dims<["b", 5]>>
    %54 = "graph.dot_general"(%53, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x5xf32, #graph.dims<["b", 5]>>, tensor<5x160xf32>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %55 = "graph.add"(%51, %51) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %56 = "graph.mul"(%54, %55) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    %57 = "graph.neg"(%26) : (tensor<?x160xf32, #graph.dims<["b", 160]>>) -> tensor<?x160xf32, #graph.dims<["b", 160]>>
    "func.return"(%2, %24, %57, %49, %52, %56) : (tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>, tensor<?x160xf32, #graph.dims<["b", 160]>>) -> ()
  }) : () -> ()
}) : () -> ()
