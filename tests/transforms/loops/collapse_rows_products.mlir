// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,join-products,outline-kernels,lower-to-linalg,collapse-rows'
// VALIDATE
// A product that is added to another goes on from its sums; the rows of both are one axis.

// CHECK: sym_name = "dispatch_0"
// CHECK: [[Z:%.*]] = "linalg.fill"
// CHECK: [[P:%.*]] = "linalg.generic"({{%.*}}, {{%.*}}, [[Z]])
// CHECK: "linalg.generic"({{%.*}}, {{%.*}}, [[P]])
// CHECK: math.exp
// CHECK: -> tensor<?x8xf32, #graph.dims<["4*b", 8]>>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x4x3xf32, #graph.dims<["b", 4, 3]>>, tensor<3x8xf32>, tensor<?x4x5xf32, #graph.dims<["b", 4, 5]>>, tensor<5x8xf32>) -> tensor<?x4x8xf32, #graph.dims<["b", 4, 8]>>}> ({
  ^bb0(%arg0: tensor<?x4x3xf32, #graph.dims<["b", 4, 3]>>, %arg1: tensor<3x8xf32>, %arg2: tensor<?x4x5xf32, #graph.dims<["b", 4, 5]>>, %arg3: tensor<5x8xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 2>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x4x3xf32, #graph.dims<["b", 4, 3]>>, tensor<3x8xf32>) -> tensor<?x4x8xf32, #graph.dims<["b", 4, 8]>>
    %1 = "graph.dot_general"(%arg2, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 2>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x4x5xf32, #graph.dims<["b", 4, 5]>>, tensor<5x8xf32>) -> tensor<?x4x8xf32, #graph.dims<["b", 4, 8]>>
    %2 = "graph.add"(%0, %1) : (tensor<?x4x8xf32, #graph.dims<["b", 4, 8]>>, tensor<?x4x8xf32, #graph.dims<["b", 4, 8]>>) -> tensor<?x4x8xf32, #graph.dims<["b", 4, 8]>>
    %3 = "graph.exp"(%2) : (tensor<?x4x8xf32, #graph.dims<["b", 4, 8]>>) -> tensor<?x4x8xf32, #graph.dims<["b", 4, 8]>>
    "func.return"(%3) : (tensor<?x4x8xf32, #graph.dims<["b", 4, 8]>>) -> ()
  }) : () -> ()
}) : () -> ()
