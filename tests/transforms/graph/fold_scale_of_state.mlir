// RUN: kcompile opt %s -p 'fold-scale-into-weights'
// VALIDATE exact
// In training the weights change in every step: nothing is folded.

// CHECK: "graph.convolution"(%arg3, %arg0)

"builtin.module"() ({
  "func.func"() <{sym_name = "main", arg_attrs = [{kernel.name = "state_0", kernel.role = "state"}, {kernel.name = "state_1", kernel.role = "state"}, {kernel.name = "state_2", kernel.role = "state"}, {kernel.name = "input_3", kernel.role = "input"}], function_type = (tensor<2x2x3x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>) -> tensor<?x2x2x4xf32, #graph.dims<["b", 2, 2, 4]>>}> ({
  ^bb0(%arg0: tensor<2x2x3x4xf32>, %arg1: tensor<4xf32>, %arg2: tensor<4xf32>, %arg3: tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>):
    %0 = "graph.convolution"(%arg3, %arg0) {feature_groups = 1 : i64, lhs_dilation = array<i64: 1, 1>, lhs_spec = array<i64: 0, 3, 1, 2>, out_spec = array<i64: 0, 3, 1, 2>, padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, rhs_dilation = array<i64: 1, 1>, rhs_spec = array<i64: 3, 2, 0, 1>, strides = array<i64: 1, 1>} : (tensor<?x3x3x3xf32, #graph.dims<["b", 3, 3, 3]>>, tensor<2x2x3x4xf32>) -> tensor<?x2x2x4xf32, #graph.dims<["b", 2, 2, 4]>>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64: 3>, shape = #graph.dims<["b", 2, 2, 4]>} : (tensor<4xf32>) -> tensor<?x2x2x4xf32, #graph.dims<["b", 2, 2, 4]>>
    %2 = "graph.add"(%0, %1) : (tensor<?x2x2x4xf32, #graph.dims<["b", 2, 2, 4]>>, tensor<?x2x2x4xf32, #graph.dims<["b", 2, 2, 4]>>) -> tensor<?x2x2x4xf32, #graph.dims<["b", 2, 2, 4]>>
    %3 = "graph.broadcast_in_dim"(%arg2) {dims = array<i64: 3>, shape = #graph.dims<["b", 2, 2, 4]>} : (tensor<4xf32>) -> tensor<?x2x2x4xf32, #graph.dims<["b", 2, 2, 4]>>
    %4 = "graph.mul"(%2, %3) : (tensor<?x2x2x4xf32, #graph.dims<["b", 2, 2, 4]>>, tensor<?x2x2x4xf32, #graph.dims<["b", 2, 2, 4]>>) -> tensor<?x2x2x4xf32, #graph.dims<["b", 2, 2, 4]>>
    "func.return"(%4) : (tensor<?x2x2x4xf32, #graph.dims<["b", 2, 2, 4]>>) -> ()
  }) : () -> ()
}) : () -> ()
