// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,join-products'
// VALIDATE
// Products out of packed columns are added up before these are joined.

// CHECK: [[Y:%.*]] = "kernel.dispatch"
// CHECK: [[S:%.*]] = "graph.add"({{.*}}tensor<?x2x4xf32
// CHECK: "graph.reshape"([[S]])
// CHECK: kernel.root = "product_sums"
// CHECK-NOT: "kernel.dispatch"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<2x3x4xf32>, tensor<?x5xf32, #graph.dims<["b", 5]>>, tensor<2x5x4xf32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<2x3x4xf32>, %arg2: tensor<?x5xf32, #graph.dims<["b", 5]>>, %arg3: tensor<2x5x4xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 1>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<2x3x4xf32>) -> tensor<?x2x4xf32, #graph.dims<["b", 2, 4]>>
    %1 = "graph.reshape"(%0) {shape = #graph.dims<["b", 8]>} : (tensor<?x2x4xf32, #graph.dims<["b", 2, 4]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %2 = "graph.dot_general"(%arg2, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 1>} : (tensor<?x5xf32, #graph.dims<["b", 5]>>, tensor<2x5x4xf32>) -> tensor<?x2x4xf32, #graph.dims<["b", 2, 4]>>
    %3 = "graph.reshape"(%2) {shape = #graph.dims<["b", 8]>} : (tensor<?x2x4xf32, #graph.dims<["b", 2, 4]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %4 = "graph.add"(%1, %3) : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    "func.return"(%4) : (tensor<?x8xf32, #graph.dims<["b", 8]>>) -> ()
  }) : () -> ()
}) : () -> ()
