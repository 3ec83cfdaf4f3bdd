// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,join-products'
// VALIDATE exact
// Apart stay a product that others read, too, two columns, and a long sum where all sizes are known.

// CHECK-NOT: product_sums

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x8xf32>, tensor<?x5xf32, #graph.dims<["b", 5]>>, tensor<5x8xf32>, tensor<3x2xf32>, tensor<5x2xf32>, tensor<4x600xf32>, tensor<600x8xf32>, tensor<4x5xf32>) -> (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<4x8xf32>)}> ({
  ^bb0(%arg0: tensor<?x3xf32, #graph.dims<["b", 3]>>, %arg1: tensor<3x8xf32>, %arg2: tensor<?x5xf32, #graph.dims<["b", 5]>>, %arg3: tensor<5x8xf32>, %arg4: tensor<3x2xf32>, %arg5: tensor<5x2xf32>, %arg6: tensor<4x600xf32>, %arg7: tensor<600x8xf32>, %arg8: tensor<4x5xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x8xf32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %1 = "graph.dot_general"(%arg2, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x5xf32, #graph.dims<["b", 5]>>, tensor<5x8xf32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %2 = "graph.add"(%0, %1) : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %3 = "graph.exp"(%0) : (tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %4 = "graph.dot_general"(%arg0, %arg4) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<3x2xf32>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %5 = "graph.dot_general"(%arg2, %arg5) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x5xf32, #graph.dims<["b", 5]>>, tensor<5x2xf32>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %6 = "graph.add"(%4, %5) : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>) -> tensor<?x2xf32, #graph.dims<["b", 2]>>
    %7 = "graph.dot_general"(%arg8, %arg3) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<4x5xf32>, tensor<5x8xf32>) -> tensor<4x8xf32>
    %8 = "graph.dot_general"(%arg6, %arg7) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<4x600xf32>, tensor<600x8xf32>) -> tensor<4x8xf32>
    %9 = "graph.add"(%7, %8) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
    "func.return"(%2, %3, %6, %9) : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<4x8xf32>) -> ()
  }) : () -> ()
}) : () -> ()
