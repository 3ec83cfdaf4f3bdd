// RUN: kcompile opt %s -p 'align-operands,fuse-attention-gradient,fuse-attention'
// VALIDATE
// One of the products is of half precision: a kernel of one element type cannot make them all.

// CHECK-NOT: kernel.root = "attention"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x4x2x3xf32, #graph.dims<["b", 4, 2, 3]>>, tensor<?x5x2x3xf32, #graph.dims<["b", 5, 2, 3]>>, tensor<?x5x2x6xf32, #graph.dims<["b", 5, 2, 6]>>, tensor<?x4x2x6xf32, #graph.dims<["b", 4, 2, 6]>>, tensor<?x1x4x5xi1, #graph.dims<["b", 1, 4, 5]>>) -> (tensor<?x4x2x6xf32, #graph.dims<["b", 4, 2, 6]>>, tensor<?x4x2x3xf32, #graph.dims<["b", 4, 2, 3]>>, tensor<?x5x2x3xf32, #graph.dims<["b", 5, 2, 3]>>, tensor<?x5x2x6xf16, #graph.dims<["b", 5, 2, 6]>>)}> ({
  ^bb0(%arg0: tensor<?x4x2x3xf32, #graph.dims<["b", 4, 2, 3]>>, %arg1: tensor<?x5x2x3xf32, #graph.dims<["b", 5, 2, 3]>>, %arg2: tensor<?x5x2x6xf32, #graph.dims<["b", 5, 2, 6]>>, %arg3: tensor<?x4x2x6xf32, #graph.dims<["b", 4, 2, 6]>>, %arg4: tensor<?x1x4x5xi1, #graph.dims<["b", 1, 4, 5]>>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64: 0, 2>, lhs_contract = array<i64: 3>, rhs_batch = array<i64: 0, 2>, rhs_contract = array<i64: 3>} : (tensor<?x4x2x3xf32, #graph.dims<["b", 4, 2, 3]>>, tensor<?x5x2x3xf32, #graph.dims<["b", 5, 2, 3]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %1 = "graph.constant"() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
    %2 = "graph.broadcast_in_dim"(%1) {dims = array<i64>, shape = #graph.dims<["b", 2, 4, 5]>} : (tensor<f32>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %3 = "graph.mul"(%0, %2) : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>, tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %4 = "graph.broadcast_in_dim"(%arg4) {dims = array<i64: 0, 1, 2, 3>, shape = #graph.dims<["b", 2, 4, 5]>} : (tensor<?x1x4x5xi1, #graph.dims<["b", 1, 4, 5]>>) -> tensor<?x2x4x5xi1, #graph.dims<["b", 2, 4, 5]>>
    %5 = "graph.constant"() {value = dense<-1.0e+09> : tensor<f32>} : () -> tensor<f32>
    %6 = "graph.broadcast_in_dim"(%5) {dims = array<i64>, shape = #graph.dims<["b", 2, 4, 5]>} : (tensor<f32>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %7 = "graph.select"(%4, %3, %6) : (tensor<?x2x4x5xi1, #graph.dims<["b", 2, 4, 5]>>, tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>, tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %8 = "graph.reduce"(%7) {axes = array<i64: 3>, kind = "max"} : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4xf32, #graph.dims<["b", 2, 4]>>
    %9 = "graph.broadcast_in_dim"(%8) {dims = array<i64: 0, 1, 2>, shape = #graph.dims<["b", 2, 4, 5]>} : (tensor<?x2x4xf32, #graph.dims<["b", 2, 4]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %10 = "graph.sub"(%7, %9) : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>, tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %11 = "graph.exp"(%10) : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %12 = "graph.reduce"(%11) {axes = array<i64: 3>, kind = "add"} : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4xf32, #graph.dims<["b", 2, 4]>>
    %13 = "graph.broadcast_in_dim"(%12) {dims = array<i64: 0, 1, 2>, shape = #graph.dims<["b", 2, 4, 5]>} : (tensor<?x2x4xf32, #graph.dims<["b", 2, 4]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %14 = "graph.div"(%11, %13) : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>, tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %15 = "graph.dot_general"(%14, %arg2) {lhs_batch = array<i64: 0, 1>, lhs_contract = array<i64: 3>, rhs_batch = array<i64: 0, 2>, rhs_contract = array<i64: 1>} : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>, tensor<?x5x2x6xf32, #graph.dims<["b", 5, 2, 6]>>) -> tensor<?x2x4x6xf32, #graph.dims<["b", 2, 4, 6]>>
    %16 = "graph.transpose"(%15) {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x2x4x6xf32, #graph.dims<["b", 2, 4, 6]>>) -> tensor<?x4x2x6xf32, #graph.dims<["b", 4, 2, 6]>>
    %17 = "graph.convert"(%14) {dtype = f16} : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4x5xf16, #graph.dims<["b", 2, 4, 5]>>
    %18 = "graph.convert"(%arg3) {dtype = f16} : (tensor<?x4x2x6xf32, #graph.dims<["b", 4, 2, 6]>>) -> tensor<?x4x2x6xf16, #graph.dims<["b", 4, 2, 6]>>
    %19 = "graph.dot_general"(%17, %18) {lhs_batch = array<i64: 0, 1>, lhs_contract = array<i64: 2>, rhs_batch = array<i64: 0, 2>, rhs_contract = array<i64: 1>} : (tensor<?x2x4x5xf16, #graph.dims<["b", 2, 4, 5]>>, tensor<?x4x2x6xf16, #graph.dims<["b", 4, 2, 6]>>) -> tensor<?x2x5x6xf16, #graph.dims<["b", 2, 5, 6]>>
    %20 = "graph.transpose"(%19) {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x2x5x6xf16, #graph.dims<["b", 2, 5, 6]>>) -> tensor<?x5x2x6xf16, #graph.dims<["b", 5, 2, 6]>>
    %21 = "graph.dot_general"(%arg3, %arg2) {lhs_batch = array<i64: 0, 2>, lhs_contract = array<i64: 3>, rhs_batch = array<i64: 0, 2>, rhs_contract = array<i64: 3>} : (tensor<?x4x2x6xf32, #graph.dims<["b", 4, 2, 6]>>, tensor<?x5x2x6xf32, #graph.dims<["b", 5, 2, 6]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %22 = "graph.div"(%21, %13) : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>, tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %23 = "graph.mul"(%22, %14) : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>, tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %24 = "graph.neg"(%23) : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %25 = "graph.reduce"(%24) {axes = array<i64: 3>, kind = "add"} : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4xf32, #graph.dims<["b", 2, 4]>>
    %26 = "graph.broadcast_in_dim"(%25) {dims = array<i64: 0, 1, 2>, shape = #graph.dims<["b", 2, 4, 5]>} : (tensor<?x2x4xf32, #graph.dims<["b", 2, 4]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %27 = "graph.add"(%22, %26) : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>, tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %28 = "graph.mul"(%27, %11) : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>, tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %29 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %30 = "graph.broadcast_in_dim"(%29) {dims = array<i64>, shape = #graph.dims<["b", 2, 4, 5]>} : (tensor<f32>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %31 = "graph.select"(%4, %28, %30) : (tensor<?x2x4x5xi1, #graph.dims<["b", 2, 4, 5]>>, tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>, tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %32 = "graph.mul"(%31, %2) : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>, tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %33 = "graph.dot_general"(%32, %arg1) {lhs_batch = array<i64: 0, 1>, lhs_contract = array<i64: 3>, rhs_batch = array<i64: 0, 2>, rhs_contract = array<i64: 1>} : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>, tensor<?x5x2x3xf32, #graph.dims<["b", 5, 2, 3]>>) -> tensor<?x2x4x3xf32, #graph.dims<["b", 2, 4, 3]>>
    %34 = "graph.transpose"(%33) {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x2x4x3xf32, #graph.dims<["b", 2, 4, 3]>>) -> tensor<?x4x2x3xf32, #graph.dims<["b", 4, 2, 3]>>
    %35 = "graph.dot_general"(%arg0, %32) {lhs_batch = array<i64: 0, 2>, lhs_contract = array<i64: 1>, rhs_batch = array<i64: 0, 1>, rhs_contract = array<i64: 2>} : (tensor<?x4x2x3xf32, #graph.dims<["b", 4, 2, 3]>>, tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x3x5xf32, #graph.dims<["b", 2, 3, 5]>>
    %36 = "graph.transpose"(%35) {permutation = array<i64: 0, 3, 1, 2>} : (tensor<?x2x3x5xf32, #graph.dims<["b", 2, 3, 5]>>) -> tensor<?x5x2x3xf32, #graph.dims<["b", 5, 2, 3]>>
    "func.return"(%16, %34, %36, %20) : (tensor<?x4x2x6xf32, #graph.dims<["b", 4, 2, 6]>>, tensor<?x4x2x3xf32, #graph.dims<["b", 4, 2, 3]>>, tensor<?x5x2x3xf32, #graph.dims<["b", 5, 2, 3]>>, tensor<?x5x2x6xf16, #graph.dims<["b", 5, 2, 6]>>) -> ()
  }) : () -> ()
}) : () -> ()
