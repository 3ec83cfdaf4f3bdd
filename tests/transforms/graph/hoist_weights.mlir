// RUN: kcompile opt %s -p 'hoist-weights'
// VALIDATE exact
// What is made from weights alone moves to @prepare; broadcasts of them stay.

// CHECK: sym_name = "prepare"
// CHECK: [[W:%.*]] = "graph.mul"(%arg0, %arg0)
// CHECK: "func.return"(%arg1, [[W]])
// CHECK: sym_name = "main"
// CHECK-SAME: kernel.prepared = 0
// CHECK-SAME: kernel.prepared = 1
// CHECK-NOT: graph.mul
// CHECK: "graph.dot_general"(%arg2, %arg1)
// CHECK: "graph.broadcast_in_dim"(%arg0)

"builtin.module"() ({
  "func.func"() <{sym_name = "main", arg_attrs = [{kernel.name = "weight_0", kernel.role = "weight"}, {kernel.name = "weight_1", kernel.role = "weight"}, {kernel.name = "input_2", kernel.role = "input"}], function_type = (tensor<3x4xf32>, tensor<4xf32>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>}> ({
  ^bb0(%arg0: tensor<3x4xf32>, %arg1: tensor<4xf32>, %arg2: tensor<?x3xf32, #graph.dims<["b", 3]>>):
    %0 = "graph.mul"(%arg0, %arg0) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    %1 = "graph.dot_general"(%arg2, %0) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x4xf32>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %2 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64: 1>, shape = #graph.dims<["b", 4]>} : (tensor<4xf32>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    %3 = "graph.add"(%1, %2) : (tensor<?x4xf32, #graph.dims<["b", 4]>>, tensor<?x4xf32, #graph.dims<["b", 4]>>) -> tensor<?x4xf32, #graph.dims<["b", 4]>>
    "func.return"(%3) : (tensor<?x4xf32, #graph.dims<["b", 4]>>) -> ()
  }) : () -> ()
}) : () -> ()
