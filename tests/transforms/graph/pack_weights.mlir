// RUN: kcompile opt %s -p 'pack-weights{least=1}'
// VALIDATE
// The gates of an LSTM are 16 features each: so are the panels. The packed weights are made from the weight argument.

// CHECK: [[SPLIT:%.*]] = "graph.reshape"(%arg3) {shape = array<i64: 16, 4, 16>}
// CHECK: [[PACKED:%.*]] = "graph.transpose"([[SPLIT]]) {permutation = array<i64: 1, 0, 2>}
// CHECK: [[DOT:%.*]] = "graph.dot_general"(%arg1, [[PACKED]]) {{{.*}}rhs_contract = array<i64: 1>}
// CHECK: "graph.reshape"([[DOT]]) {shape = #graph.dims<["b", 64]>}

"builtin.module"() ({
  "func.func"() <{sym_name = "main", arg_attrs = [{kernel.role = "input"}, {kernel.role = "input"}, {kernel.role = "input"}, {kernel.role = "weight"}], function_type = (tensor<?x64xf32, #graph.dims<["b", 64]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<16x64xf32>) -> (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>)}> ({
  ^bb0(%arg0: tensor<?x64xf32, #graph.dims<["b", 64]>>, %arg1: tensor<?x16xf32, #graph.dims<["b", 16]>>, %arg2: tensor<?x16xf32, #graph.dims<["b", 16]>>, %arg3: tensor<16x64xf32>):
    %0 = "graph.dot_general"(%arg1, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<16x64xf32>) -> tensor<?x64xf32, #graph.dims<["b", 64]>>
    %1 = "graph.add"(%arg0, %0) : (tensor<?x64xf32, #graph.dims<["b", 64]>>, tensor<?x64xf32, #graph.dims<["b", 64]>>) -> tensor<?x64xf32, #graph.dims<["b", 64]>>
    %2 = "graph.slice"(%1) {limit = #graph.dims<["b", 16]>, start = array<i64: 0, 0>, strides = array<i64: 1, 1>} : (tensor<?x64xf32, #graph.dims<["b", 64]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
    %3 = "graph.slice"(%1) {limit = #graph.dims<["b", 32]>, start = array<i64: 0, 16>, strides = array<i64: 1, 1>} : (tensor<?x64xf32, #graph.dims<["b", 64]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
    %4 = "graph.slice"(%1) {limit = #graph.dims<["b", 48]>, start = array<i64: 0, 32>, strides = array<i64: 1, 1>} : (tensor<?x64xf32, #graph.dims<["b", 64]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
    %5 = "graph.slice"(%1) {limit = #graph.dims<["b", 64]>, start = array<i64: 0, 48>, strides = array<i64: 1, 1>} : (tensor<?x64xf32, #graph.dims<["b", 64]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
    %6 = "graph.logistic"(%3) : (tensor<?x16xf32, #graph.dims<["b", 16]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
    %7 = "graph.mul"(%6, %arg2) : (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
    %8 = "graph.logistic"(%2) : (tensor<?x16xf32, #graph.dims<["b", 16]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
    %9 = "graph.tanh"(%4) : (tensor<?x16xf32, #graph.dims<["b", 16]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
    %10 = "graph.mul"(%8, %9) : (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
    %11 = "graph.add"(%7, %10) : (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
    %12 = "graph.logistic"(%5) : (tensor<?x16xf32, #graph.dims<["b", 16]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
    %13 = "graph.tanh"(%11) : (tensor<?x16xf32, #graph.dims<["b", 16]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
    %14 = "graph.mul"(%12, %13) : (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
    "func.return"(%14, %11) : (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>) -> ()
  }) : () -> ()
}) : () -> ()