// RUN: kcompile opt %s -p pointwise-to-dot
// VALIDATE
// A window of one position, and the gradient of its weights, whose window is the whole image.

// CHECK-NOT: graph.convolution
// CHECK: "graph.dot_general"({{.*}}lhs_contract = array<i64: 3>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>
// CHECK: "graph.dot_general"({{.*}}lhs_contract = array<i64: 0, 1, 2>, rhs_batch = array<i64>, rhs_contract = array<i64: 0, 1, 2>
// CHECK-NOT: graph.convolution

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x7x7x3xf32, #graph.dims<["b", 7, 7, 3]>>, tensor<1x1x3x4xf32>, tensor<4xf32>, tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>) -> (tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>, tensor<1x1x3x4xf32>)}> ({
  ^bb0(%arg0: tensor<?x7x7x3xf32, #graph.dims<["b", 7, 7, 3]>>, %arg1: tensor<1x1x3x4xf32>, %arg2: tensor<4xf32>, %arg3: tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>):
    %0 = "graph.convolution"(%arg0, %arg1) {batch_groups = 1 : i3, feature_groups = 1 : i3, lhs_dilation = array<i3: 1, 1>, lhs_spec = array<i3: 0, 3, 1, 2>, out_spec = array<i3: 0, 3, 1, 2>, padding_high = array<i3: 0, 0>, padding_low = array<i3: 0, 0>, rhs_dilation = array<i3: 1, 1>, rhs_spec = array<i3: 3, 2, 0, 1>, strides = array<i3: 1, 1>} : (tensor<?x7x7x3xf32, #graph.dims<["b", 7, 7, 3]>>, tensor<1x1x3x4xf32>) -> tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>
    %1 = "graph.broadcast_in_dim"(%arg2) {dims = array<i3: 3>, shape = #graph.dims<["b", 7, 7, 4]>} : (tensor<4xf32>) -> tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>
    %2 = "graph.add"(%0, %1) : (tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>, tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>) -> tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>
    %3 = "graph.add"(%2, %arg3) : (tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>, tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>) -> tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>
    %4 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %5 = "graph.broadcast_in_dim"(%4) {dims = array<i3>, shape = #graph.dims<["b", 7, 7, 4]>} : (tensor<f32>) -> tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>
    %6 = "graph.max"(%3, %5) : (tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>, tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>) -> tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>
    %7 = "graph.convolution"(%arg0, %arg3) {batch_groups = 1 : i3, feature_groups = 1 : i3, lhs_dilation = array<i3: 1, 1>, lhs_spec = array<i3: 3, 0, 1, 2>, out_spec = array<i3: 2, 3, 0, 1>, padding_high = array<i3: 0, 0>, padding_low = array<i3: 0, 0>, rhs_dilation = array<i3: 1, 1>, rhs_spec = array<i3: 3, 0, 1, 2>, strides = array<i3: 1, 1>} : (tensor<?x7x7x3xf32, #graph.dims<["b", 7, 7, 3]>>, tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>) -> tensor<1x1x3x4xf32>
    "func.return"(%6, %7) : (tensor<?x7x7x4xf32, #graph.dims<["b", 7, 7, 4]>>, tensor<1x1x3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()