// RUN: kcompile opt %s -p 'pack-weights{least=1,frozen=false,aliased=1024}'
// VALIDATE
// Weights that change from call to call are packed for products of many rows; where such a product reads their
// transpose, it is packed from the weights themselves. What else reads the weights does so as before.

// CHECK: [[ROWS:%.*]] = "graph.reshape"(%arg1) {shape = array<i64: 16, 2, 32>}
// CHECK: [[PACKED:%.*]] = "graph.transpose"([[ROWS]]) {permutation = array<i64: 1, 0, 2>}
// CHECK: [[SPLIT:%.*]] = "graph.reshape"(%arg2) {shape = array<i64: 2, 32, 16>}
// CHECK: [[TURNED:%.*]] = "graph.transpose"([[SPLIT]]) {permutation = array<i64: 0, 2, 1>}
// CHECK: "graph.dot_general"(%arg0, [[PACKED]]) {{{.*}}rhs_contract = array<i64: 1>}
// CHECK: "graph.dot_general"(%arg0, [[TURNED]]) {{{.*}}rhs_contract = array<i64: 1>}
// CHECK: "graph.dot_general"(%arg3, %arg1) {{{.*}}rhs_contract = array<i64: 0>}
// CHECK: "graph.neg"(%arg1)

"builtin.module"() ({
  "func.func"() <{sym_name = "main", arg_attrs = [{kernel.role = "input"}, {kernel.role = "state"}, {kernel.role = "state"}, {kernel.role = "input"}], function_type = (tensor<?x16xf32, #graph.dims<["32*b", 16]>>, tensor<16x64xf32>, tensor<64x16xf32>, tensor<3x16xf32>) -> (tensor<?x64xf32, #graph.dims<["32*b", 64]>>, tensor<?x64xf32, #graph.dims<["32*b", 64]>>, tensor<3x64xf32>, tensor<16x64xf32>)}> ({
  ^bb0(%arg0: tensor<?x16xf32, #graph.dims<["32*b", 16]>>, %arg1: tensor<16x64xf32>, %arg2: tensor<64x16xf32>, %arg3: tensor<3x16xf32>):
    %0 = "graph.transpose"(%arg2) {permutation = array<i64: 1, 0>} : (tensor<64x16xf32>) -> tensor<16x64xf32>
    %1 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x16xf32, #graph.dims<["32*b", 16]>>, tensor<16x64xf32>) -> tensor<?x64xf32, #graph.dims<["32*b", 64]>>
    %2 = "graph.dot_general"(%arg0, %0) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x16xf32, #graph.dims<["32*b", 16]>>, tensor<16x64xf32>) -> tensor<?x64xf32, #graph.dims<["32*b", 64]>>
    %3 = "graph.dot_general"(%arg3, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<3x16xf32>, tensor<16x64xf32>) -> tensor<3x64xf32>
    %4 = "graph.neg"(%arg1) : (tensor<16x64xf32>) -> tensor<16x64xf32>
    "func.return"(%1, %2, %3, %4) : (tensor<?x64xf32, #graph.dims<["32*b", 64]>>, tensor<?x64xf32, #graph.dims<["32*b", 64]>>, tensor<3x64xf32>, tensor<16x64xf32>) -> ()
  }) : () -> ()
}) : () -> ()
