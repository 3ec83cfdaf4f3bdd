// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,outline-kernels,lower-to-linalg'
// VALIDATE
// The features of a product that is read in parts have two dims, (part, feature of the part); the readers name a part.

// CHECK: tensor.expand_shape
// CHECK-SAME: tensor<2x3x2xf32>
// CHECK: affine_map<(d0, d1, d2, d3) -> (d3, d1, d2)>
// CHECK: affine_map<(d0, d1) -> (d0, 2, d1)>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x6xf32, #graph.dims<["b", 6]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<2x6xf32>, tensor<6xf32>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>}> ({
  ^bb0(%arg0: tensor<?x6xf32, #graph.dims<["b", 6]>>, %arg1: tensor<?x2xf32, #graph.dims<["b", 2]>>, %arg2: tensor<2x6xf32>, %arg3: tensor<6xf32>):
    %0 = "graph.dot_general"(%arg1, %arg2) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<2x6xf32>) -> tensor<?x6xf32, #graph.dims<["b", 6]>>
    %1 = "graph.broadcast_in_dim"(%arg3) {dims = array<i64: 1>, shape = #graph.dims<["b", 6]>} : (tensor<6xf32>) -> tensor<?x6xf32, #graph.dims<["b", 6]>>
    %2 = "graph.add"(%0, %1) : (tensor<?x6xf32, #graph.dims<["b", 6]>>, tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<?x6xf32, #graph.dims<["b", 6]>>
    %3 = "graph.slice"(%arg0) {limit = #graph.dims<["b", 2]>, start = array<i64: 0, 0>, strides = array<i64: 1, 1>} : (tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %4 = "graph.slice"(%2) {limit = #graph.dims<["b", 2]>, start = array<i64: 0, 0>, strides = array<i64: 1, 1>} : (tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %5 = "graph.add"(%3, %4) : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %6 = "graph.logistic"(%5) : (tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %7 = "graph.slice"(%arg0) {limit = #graph.dims<["b", 4]>, start = array<i64: 0, 2>, strides = array<i64: 1, 1>} : (tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %8 = "graph.slice"(%2) {limit = #graph.dims<["b", 4]>, start = array<i64: 0, 2>, strides = array<i64: 1, 1>} : (tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %9 = "graph.add"(%7, %8) : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %10 = "graph.logistic"(%9) : (tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %11 = "graph.slice"(%arg0) {limit = #graph.dims<["b", 6]>, start = array<i64: 0, 4>, strides = array<i64: 1, 1>} : (tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %12 = "graph.slice"(%2) {limit = #graph.dims<["b", 6]>, start = array<i64: 0, 4>, strides = array<i64: 1, 1>} : (tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %13 = "graph.mul"(%10, %12) : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %14 = "graph.add"(%11, %13) : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %15 = "graph.tanh"(%14) : (tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %16 = "graph.mul"(%6, %arg1) : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %17 = "graph.mul"(%6, %15) : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %18 = "graph.sub"(%15, %17) : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %19 = "graph.add"(%16, %18) : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    "func.return"(%19) : (tensor<?x2xf32, #graph.dims<["b", 2]>>) -> ()
  }) : () -> ()
}) : () -> ()