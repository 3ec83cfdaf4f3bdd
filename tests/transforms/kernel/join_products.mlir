// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,join-products'
// VALIDATE
// Products that are added up are one kernel, first in their sum; what is done with it stays behind it.

// CHECK: [[Y:%.*]] = "kernel.dispatch"
// CHECK: [[P:%.*]] = "graph.dot_general"
// CHECK: [[Q:%.*]] = "graph.dot_general"
// CHECK: [[S:%.*]] = "graph.add"([[P]], [[Q]])
// CHECK: [[T:%.*]] = "graph.add"({{%.*}}, [[S]])
// CHECK: "graph.neg"([[T]])
// CHECK: kernel.root = "product_sums"
// CHECK-NOT: "kernel.dispatch"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x8xf32>, tensor<?x5xf32, #graph.dims<["b", 5]>>, tensor<5x8xf32>, tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<3x8xf32>, %arg2: tensor<?x5xf32, #graph.dims<["b", 5]>>, %arg3: tensor<5x8xf32>, %arg4: tensor<?x8xf32, #graph.dims<["b", 8]>>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x8xf32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %1 = "graph.add"(%arg4, %0) : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %2 = "graph.dot_general"(%arg2, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x5xf32, #graph.dims<["b", 5]>>, tensor<5x8xf32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %3 = "graph.add"(%1, %2) : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %4 = "graph.neg"(%3) : (tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    "func.return"(%4) : (tensor<?x8xf32, #graph.dims<["b", 8]>>) -> ()
  }) : () -> ()
}) : () -> ()
