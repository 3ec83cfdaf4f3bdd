// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues'
// VALIDATE exact
// The step of an LSTM: the four gates are parts of one product, and the cell is updated where that is stored.

// CHECK: {{%.*}}:2 = "kernel.dispatch"(
// CHECK: graph.dot_general
// CHECK: graph.tanh
// CHECK: kernel.root = "graph.dot_general"
// CHECK-NOT: kernel.dispatch

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<2x8xf32>) -> (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>)}> ({
  ^bb0(%arg0: tensor<?x8xf32, #graph.dims<["b", 8]>>, %arg1: tensor<?x2xf32, #graph.dims<["b", 2]>>, %arg2: tensor<?x2xf32, #graph.dims<["b", 2]>>, %arg3: tensor<2x8xf32>):
    %0 = "graph.dot_general"(%arg1, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<2x8xf32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %1 = "graph.add"(%arg0, %0) : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %2 = "graph.slice"(%1) {limit = #graph.dims<["b", 2]>, start = array<i64: 0, 0>, strides = array<i64: 1, 1>} : (tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %3 = "graph.slice"(%1) {limit = #graph.dims<["b", 4]>, start = array<i64: 0, 2>, strides = array<i64: 1, 1>} : (tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %4 = "graph.slice"(%1) {limit = #graph.dims<["b", 6]>, start = array<i64: 0, 4>, strides = array<i64: 1, 1>} : (tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %5 = "graph.slice"(%1) {limit = #graph.dims<["b", 8]>, start = array<i64: 0, 6>, strides = array<i64: 1, 1>} : (tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %6 = "graph.logistic"(%3) : (tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %7 = "graph.mul"(%6, %arg2) : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %8 = "graph.logistic"(%2) : (tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %9 = "graph.tanh"(%4) : (tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %10 = "graph.mul"(%8, %9) : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %11 = "graph.add"(%7, %10) : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %12 = "graph.logistic"(%5) : (tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %13 = "graph.tanh"(%11) : (tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %14 = "graph.mul"(%12, %13) : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    "func.return"(%14, %11) : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> ()
  }) : () -> ()
}) : () -> ()