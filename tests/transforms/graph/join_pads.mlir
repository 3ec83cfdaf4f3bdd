// RUN: kcompile opt %s -p 'join-pads,dce'
// VALIDATE
// The first sum has its parts side by side, a gap and an end; in the second they overlap, in the third one is no pad.

// CHECK-NOT: graph.add
// CHECK: [[GAP:%.*]] = "graph.broadcast_in_dim"({{.*}}) {dims = array<i64>, shape = #graph.dims<["b", 1]>}
// CHECK: [[END:%.*]] = "graph.broadcast_in_dim"({{.*}}) {dims = array<i64>, shape = #graph.dims<["b", 2]>}
// CHECK: "graph.concatenate"(%arg0, [[GAP]], %arg2, %arg1, [[END]]) {axis = 1
// CHECK: graph.pad
// CHECK: graph.add
// CHECK: graph.add

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<?x1xf32, #graph.dims<["b", 1]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>) -> (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>)}> ({
  ^bb0(%arg0: tensor<?x2xf32, #graph.dims<["b", 2]>>, %arg1: tensor<?x2xf32, #graph.dims<["b", 2]>>, %arg2: tensor<?x1xf32, #graph.dims<["b", 1]>>, %arg3: tensor<?x8xf32, #graph.dims<["b", 8]>>):
    %z = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %0 = "graph.pad"(%arg0, %z) {low = array<i64: 0, 0>, high = array<i64: 0, 6>, interior = array<i64: 0, 0>} : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<f32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %1 = "graph.pad"(%arg1, %z) {low = array<i64: 0, 4>, high = array<i64: 0, 2>, interior = array<i64: 0, 0>} : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<f32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %2 = "graph.pad"(%arg2, %z) {low = array<i64: 0, 3>, high = array<i64: 0, 4>, interior = array<i64: 0, 0>} : (tensor<?x1xf32, #graph.dims<["b", 1]>>, tensor<f32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %3 = "graph.add"(%0, %1) : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %4 = "graph.add"(%3, %2) : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %5 = "graph.pad"(%arg1, %z) {low = array<i64: 0, 1>, high = array<i64: 0, 5>, interior = array<i64: 0, 0>} : (tensor<?x2xf32, #graph.dims<["b", 2]>>, tensor<f32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %6 = "graph.add"(%0, %5) : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %7 = "graph.add"(%arg3, %1) : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    "func.return"(%4, %6, %7) : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>) -> ()
  }) : () -> ()
}) : () -> ()
