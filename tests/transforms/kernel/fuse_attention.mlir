// RUN: kcompile opt %s -p 'align-operands,fuse-attention,form-kernels'
// VALIDATE
// Scores, mask, softmax and the product with the values are one kernel; the keys are not turned
// before it, and what softmax divides by divides the result.

// CHECK-NOT: graph.transpose
// CHECK: kernel.dispatch
// CHECK: graph.dot_general
// CHECK: graph.select
// CHECK: graph.reduce
// CHECK: graph.exp
// CHECK: graph.dot_general
// CHECK: graph.div
// CHECK: graph.transpose
// CHECK: kernel.root = "attention"
// CHECK-NOT: kernel.dispatch

"builtin.module"() ({
  "func.func"() <{sym_name = "main", arg_attrs = [{kernel.name = "input_0", kernel.role = "input"}, {kernel.name = "input_1", kernel.role = "input"}, {kernel.name = "input_2", kernel.role = "input"}, {kernel.name = "input_3", kernel.role = "input"}], function_type = (tensor<?x4x2x4xf32, #graph.dims<["b", 4, 2, 4]>>, tensor<?x5x2x4xf32, #graph.dims<["b", 5, 2, 4]>>, tensor<?x5x2x6xf32, #graph.dims<["b", 5, 2, 6]>>, tensor<?x1x4x5xi1, #graph.dims<["b", 1, 4, 5]>>) -> tensor<?x4x2x6xf32, #graph.dims<["b", 4, 2, 6]>>, res_attrs = [{kernel.name = "output_0"}]}> ({
  ^bb0(%input_0: tensor<?x4x2x4xf32, #graph.dims<["b", 4, 2, 4]>>, %input_1: tensor<?x5x2x4xf32, #graph.dims<["b", 5, 2, 4]>>, %input_2: tensor<?x5x2x6xf32, #graph.dims<["b", 5, 2, 6]>>, %input_3: tensor<?x1x4x5xi1, #graph.dims<["b", 1, 4, 5]>>):
    %0 = "graph.dot_general"(%input_0, %input_1) {lhs_batch = array<i64: 0, 2>, lhs_contract = array<i64: 3>, rhs_batch = array<i64: 0, 2>, rhs_contract = array<i64: 3>} : (tensor<?x4x2x4xf32, #graph.dims<["b", 4, 2, 4]>>, tensor<?x5x2x4xf32, #graph.dims<["b", 5, 2, 4]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %1 = "graph.constant"() {value = dense<0.5> : tensor<f32>} : () -> tensor<f32>
    %2 = "graph.broadcast_in_dim"(%1) {dims = array<i64>, shape = #graph.dims<["b", 2, 4, 5]>} : (tensor<f32>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %3 = "graph.mul"(%0, %2) : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>, tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>) -> tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>
    %4 = "graph.broadcast_in_dim"(%input_3) {dims = array<i64: 0, 1, 2, 3>, shape = #graph.dims<["b", 2, 4, 5]>} : (tensor<?x1x4x5xi1, #graph.dims<["b", 1, 4, 5]>>) -> tensor<?x2x4x5xi1, #graph.dims<["b", 2, 4, 5]>>
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
    %15 = "graph.dot_general"(%14, %input_2) {lhs_batch = array<i64: 0, 1>, lhs_contract = array<i64: 3>, rhs_batch = array<i64: 0, 2>, rhs_contract = array<i64: 1>} : (tensor<?x2x4x5xf32, #graph.dims<["b", 2, 4, 5]>>, tensor<?x5x2x6xf32, #graph.dims<["b", 5, 2, 6]>>) -> tensor<?x2x4x6xf32, #graph.dims<["b", 2, 4, 6]>>
    %16 = "graph.transpose"(%15) {permutation = array<i64: 0, 2, 1, 3>} : (tensor<?x2x4x6xf32, #graph.dims<["b", 2, 4, 6]>>) -> tensor<?x4x2x6xf32, #graph.dims<["b", 4, 2, 6]>>
    "func.return"(%16) : (tensor<?x4x2x6xf32, #graph.dims<["b", 4, 2, 6]>>) -> ()
  }) : () -> ()
}) : () -> ()
