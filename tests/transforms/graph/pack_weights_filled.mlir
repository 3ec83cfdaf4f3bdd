// RUN: kcompile opt %s -p 'pack-weights{filled=1 least=1}'
// VALIDATE
// A column of zeros makes two full panels of weights that stay; not twelve, and not where weights are arguments.

// CHECK: [[FULL:%.*]] = "graph.pad"(%arg1, {{.*}}) {high = array<i64: 0, 1>
// CHECK: [[SPLIT:%.*]] = "graph.reshape"([[FULL]]) {shape = array<i64: 3, 2, 32>}
// CHECK: [[PACKED:%.*]] = "graph.transpose"([[SPLIT]]) {permutation = array<i64: 1, 0, 2>}
// CHECK: [[DOT:%.*]] = "graph.dot_general"(%arg0, [[PACKED]])
// CHECK: [[WHOLE:%.*]] = "graph.reshape"([[DOT]]) {shape = #graph.dims<["b", 64]>}
// CHECK: "graph.slice"([[WHOLE]]) {limit = #graph.dims<["b", 63]>
// CHECK: "graph.dot_general"(%arg0, %arg2)
// CHECK: "graph.dot_general"(%arg0, %arg3)

"builtin.module"() ({
  "func.func"() <{sym_name = "main", arg_attrs = [{kernel.role = "input"}, {kernel.role = "weight"}, {kernel.role = "weight"}, {kernel.role = "input"}], function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x63xf32>, tensor<3x52xf32>, tensor<3x63xf32>) -> (tensor<?x63xf32, #graph.dims<["b", 63]>>, tensor<?x52xf32, #graph.dims<["b", 52]>>, tensor<?x63xf32, #graph.dims<["b", 63]>>)}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<3x63xf32>, %arg2: tensor<3x52xf32>, %arg3: tensor<3x63xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x63xf32>) -> tensor<?x63xf32, #graph.dims<["b", 63]>>
    %1 = "graph.dot_general"(%arg0, %arg2) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x52xf32>) -> tensor<?x52xf32, #graph.dims<["b", 52]>>
    %2 = "graph.dot_general"(%arg0, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x63xf32>) -> tensor<?x63xf32, #graph.dims<["b", 63]>>
    "func.return"(%0, %1, %2) : (tensor<?x63xf32, #graph.dims<["b", 63]>>, tensor<?x52xf32, #graph.dims<["b", 52]>>, tensor<?x63xf32, #graph.dims<["b", 63]>>) -> ()
  }) : () -> ()
}) : () -> ()
