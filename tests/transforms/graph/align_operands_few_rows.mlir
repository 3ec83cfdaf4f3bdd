// RUN: kcompile opt %s -p align-operands
// VALIDATE
// For few rows a matrix that changes from call to call is read as it lies; weights that stay are turned in @prepare, and
// many rows pay for turning it.

// CHECK: "graph.dot_general"(%arg0, %arg1) {{{.*}}rhs_contract = array<i64: 1>}
// CHECK: [[MANY:%[^ :,()]+]] = "graph.transpose"(%arg1)
// CHECK: "graph.dot_general"(%arg2, [[MANY]]) {{{.*}}rhs_contract = array<i64: 0>}
// CHECK: [[STAYS:%[^ :,()]+]] = "graph.transpose"(%arg3)
// CHECK: "graph.dot_general"(%arg0, [[STAYS]]) {{{.*}}rhs_contract = array<i64: 0>}

"builtin.module"() ({
  "func.func"() <{sym_name = "main", arg_attrs = [{kernel.role = "input"}, {kernel.role = "state"}, {kernel.role = "input"}, {kernel.role = "weight"}], function_type = (tensor<?x128xf32, #graph.dims<["b", 128]>>, tensor<128x128xf32>, tensor<?x128xf32, #graph.dims<["9*b", 128]>>, tensor<128x128xf32>) -> (tensor<?x128xf32, #graph.dims<["b", 128]>>, tensor<?x128xf32, #graph.dims<["9*b", 128]>>, tensor<?x128xf32, #graph.dims<["b", 128]>>)}> ({
  ^bb0(%arg0: tensor<?x128xf32, #graph.dims<["b", 128]>>, %arg1: tensor<128x128xf32>, %arg2: tensor<?x128xf32, #graph.dims<["9*b", 128]>>, %arg3: tensor<128x128xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 1>} : (tensor<?x128xf32, #graph.dims<["b", 128]>>, tensor<128x128xf32>) -> tensor<?x128xf32, #graph.dims<["b", 128]>>
    %1 = "graph.dot_general"(%arg2, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 1>} : (tensor<?x128xf32, #graph.dims<["9*b", 128]>>, tensor<128x128xf32>) -> tensor<?x128xf32, #graph.dims<["9*b", 128]>>
    %2 = "graph.dot_general"(%arg0, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 1>} : (tensor<?x128xf32, #graph.dims<["b", 128]>>, tensor<128x128xf32>) -> tensor<?x128xf32, #graph.dims<["b", 128]>>
    "func.return"(%0, %1, %2) : (tensor<?x128xf32, #graph.dims<["b", 128]>>, tensor<?x128xf32, #graph.dims<["9*b", 128]>>, tensor<?x128xf32, #graph.dims<["b", 128]>>) -> ()
  }) : () -> ()
}) : () -> ()
