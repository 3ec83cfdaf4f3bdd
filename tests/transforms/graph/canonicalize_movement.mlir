// RUN: kcompile opt %s -p canonicalize
// VALIDATE
// Each rule of movement_rules.py on its smallest example.

// merge-transposes
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.transpose"([[V_arg0]]) {permutation = array<i64: 2, 1, 0>} : (tensor<3x1x4xf32>) -> tensor<4x1x3xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<4x1x3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1x4xf32>) -> tensor<4x1x3xf32>}> ({
  ^bb0(%arg0: tensor<3x1x4xf32>):
    %0 = "graph.transpose"(%arg0) {permutation = array<i64: 2, 0, 1>} : (tensor<3x1x4xf32>) -> tensor<4x3x1xf32>
    %1 = "graph.transpose"(%0) {permutation = array<i64: 0, 2, 1>} : (tensor<4x3x1xf32>) -> tensor<4x1x3xf32>
    "func.return"(%1) : (tensor<4x1x3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// identity-transpose
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.transpose"(%arg0) {permutation = array<i64: 0, 1>} : (tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%0) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// transpose-of-unit-dims
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.reshape"([[V_arg0]]) {shape = array<i64: 1, 3, 4>} : (tensor<3x1x4xf32>) -> tensor<1x3x4xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<1x3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1x4xf32>) -> tensor<1x3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x1x4xf32>):
    %0 = "graph.transpose"(%arg0) {permutation = array<i64: 1, 0, 2>} : (tensor<3x1x4xf32>) -> tensor<1x3x4xf32>
    "func.return"(%0) : (tensor<1x3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// swap-for-transpose
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<6x4xf32>, [[V_arg1:%[^ :,()]+]]: tensor<4x5xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.dot_general"([[V_arg1]], [[V_arg0]]) {lhs_batch = array<i64>, lhs_contract = array<i64: 0>, rhs_batch = array<i64>, rhs_contract = array<i64: 1>} : (tensor<4x5xf32>, tensor<6x4xf32>) -> tensor<5x6xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<5x6xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<6x4xf32>, tensor<4x5xf32>) -> tensor<5x6xf32>}> ({
  ^bb0(%arg0: tensor<6x4xf32>, %arg1: tensor<4x5xf32>):
    %0 = "graph.dot_general"(%arg0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<6x4xf32>, tensor<4x5xf32>) -> tensor<6x5xf32>
    %1 = "graph.transpose"(%0) {permutation = array<i64: 1, 0>} : (tensor<6x5xf32>) -> tensor<5x6xf32>
    "func.return"(%1) : (tensor<5x6xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// fold-operand-transpose
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>, [[V_arg1:%[^ :,()]+]]: tensor<3x5xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.dot_general"([[V_arg0]], [[V_arg1]]) {lhs_batch = array<i64>, lhs_contract = array<i64: 0>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<3x4xf32>, tensor<3x5xf32>) -> tensor<4x5xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<4x5xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>, tensor<3x5xf32>) -> tensor<4x5xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>, %arg1: tensor<3x5xf32>):
    %0 = "graph.transpose"(%arg0) {permutation = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
    %1 = "graph.dot_general"(%0, %arg1) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<4x3xf32>, tensor<3x5xf32>) -> tensor<4x5xf32>
    "func.return"(%1) : (tensor<4x5xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// merge-reshapes
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.reshape"([[V_arg0]]) {shape = array<i64: 2, 6>} : (tensor<3x4xf32>) -> tensor<2x6xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<2x6xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<2x6xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 12>} : (tensor<3x4xf32>) -> tensor<12xf32>
    %1 = "graph.reshape"(%0) {shape = array<i64: 2, 6>} : (tensor<12xf32>) -> tensor<2x6xf32>
    "func.return"(%1) : (tensor<2x6xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// identity-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3, 4>} : (tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%0) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// merge-broadcasts
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_arg0]]) {dims = array<i64: 1>, shape = array<i64: 2, 4, 3>} : (tensor<4xf32>) -> tensor<2x4x3xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<2x4x3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<4xf32>) -> tensor<2x4x3xf32>}> ({
  ^bb0(%arg0: tensor<4xf32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64: 0>, shape = array<i64: 4, 2>} : (tensor<4xf32>) -> tensor<4x2xf32>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64: 1, 0>, shape = array<i64: 2, 4, 3>} : (tensor<4x2xf32>) -> tensor<2x4x3xf32>
    "func.return"(%1) : (tensor<2x4x3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// identity-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64: 0, 1>, shape = array<i64: 3, 4>} : (tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%0) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// broadcast-of-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_arg0]]) {dims = array<i64: 0>, shape = array<i64: 3, 4>} : (tensor<3xf32>) -> tensor<3x4xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3, 1>} : (tensor<3xf32>) -> tensor<3x1xf32>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64: 0, 1>, shape = array<i64: 3, 4>} : (tensor<3x1xf32>) -> tensor<3x4xf32>
    "func.return"(%1) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// merge-slices
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.slice"([[V_arg0]]) {limit = array<i64: 3, 3>, start = array<i64: 1, 2>, strides = array<i64: 1, 2>} : (tensor<3x4xf32>) -> tensor<2x1xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<2x1xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<2x1xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.slice"(%arg0) {limit = array<i64: 3, 4>, start = array<i64: 1, 0>, strides = array<i64: 1, 2>} : (tensor<3x4xf32>) -> tensor<2x2xf32>
    %1 = "graph.slice"(%0) {limit = array<i64: 2, 2>, start = array<i64: 0, 1>, strides = array<i64: 1, 1>} : (tensor<2x2xf32>) -> tensor<2x1xf32>
    "func.return"(%1) : (tensor<2x1xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// whole-slice
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.slice"(%arg0) {limit = array<i64: 3, 4>, start = array<i64: 0, 0>, strides = array<i64: 1, 1>} : (tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%0) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// pad-of-nothing
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %1 = "graph.pad"(%arg0, %0) {high = array<i64: 0, 0>, interior = array<i64: 0, 0>, low = array<i64: 0, 0>} : (tensor<3x4xf32>, tensor<f32>) -> tensor<3x4xf32>
    "func.return"(%1) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// crop-as-slice
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.slice"([[V_arg0]]) {limit = array<i64: 3, 2>, start = array<i64: 1, 0>, strides = array<i64: 1, 1>} : (tensor<3x4xf32>) -> tensor<2x2xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<2x2xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<2x2xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %1 = "graph.pad"(%arg0, %0) {high = array<i64: 0, -2>, interior = array<i64: 0, 0>, low = array<i64: -1, 0>} : (tensor<3x4xf32>, tensor<f32>) -> tensor<2x2xf32>
    "func.return"(%1) : (tensor<2x2xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// reverse-of-unit-dims
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.reverse"([[V_arg0]]) {axes = array<i64: 0>} : (tensor<3x1x4xf32>) -> tensor<3x1x4xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<3x1x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1x4xf32>) -> tensor<3x1x4xf32>}> ({
  ^bb0(%arg0: tensor<3x1x4xf32>):
    %0 = "graph.reverse"(%arg0) {axes = array<i64: 0, 1>} : (tensor<3x1x4xf32>) -> tensor<3x1x4xf32>
    "func.return"(%0) : (tensor<3x1x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// reverse-twice
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.reverse"([[V_arg0]]) {axes = array<i64: 0>} : (tensor<3x1x4xf32>) -> tensor<3x1x4xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<3x1x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1x4xf32>) -> tensor<3x1x4xf32>}> ({
  ^bb0(%arg0: tensor<3x1x4xf32>):
    %0 = "graph.reverse"(%arg0) {axes = array<i64: 0, 2>} : (tensor<3x1x4xf32>) -> tensor<3x1x4xf32>
    %1 = "graph.reverse"(%0) {axes = array<i64: 2>} : (tensor<3x1x4xf32>) -> tensor<3x1x4xf32>
    "func.return"(%1) : (tensor<3x1x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// reduce-of-nothing
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.reduce"([[V_arg0]]) {axes = array<i64: 2>, kind = "max"} : (tensor<3x1x4xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1x4xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1x4xf32>):
    %0 = "graph.reduce"(%arg0) {axes = array<i64: 1, 2>, kind = "max"} : (tensor<3x1x4xf32>) -> tensor<3xf32>
    "func.return"(%0) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// concatenate-one
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.concatenate"(%arg0) {axis = 0 : i64} : (tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%0) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// drop-stop-gradient
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.stop_gradient"(%arg0) : (tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%0) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// gather-at-transposed
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<7x4xf32>, [[V_arg1:%[^ :,()]+]]: tensor<2x3x1xi32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.transpose"([[V_arg1]]) {permutation = array<i64: 1, 0, 2>} : (tensor<2x3x1xi32>) -> tensor<3x2x1xi32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.gather"([[V_arg0]], [[V_0]]) {axes = array<i64: 0>, clamp = true} : (tensor<7x4xf32>, tensor<3x2x1xi32>) -> tensor<3x2x4xf32>
// CHECK: "graph.transpose"
// CHECK-SAME: tensor<2x3x4xf32>) -> tensor<2x4x3xf32>
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<7x4xf32>, tensor<2x3x1xi32>) -> (tensor<3x2x4xf32>, tensor<2x4x3xf32>)}> ({
  ^bb0(%arg0: tensor<7x4xf32>, %arg1: tensor<2x3x1xi32>):
    %0 = "graph.gather"(%arg0, %arg1) {axes = array<i64: 0>} : (tensor<7x4xf32>, tensor<2x3x1xi32>) -> tensor<2x3x4xf32>
    %1 = "graph.transpose"(%0) {permutation = array<i64: 1, 0, 2>} : (tensor<2x3x4xf32>) -> tensor<3x2x4xf32>
    %2 = "graph.gather"(%arg0, %arg1) {axes = array<i64: 0>, clamp = false} : (tensor<7x4xf32>, tensor<2x3x1xi32>) -> tensor<2x3x4xf32>
    %3 = "graph.transpose"(%2) {permutation = array<i64: 0, 2, 1>} : (tensor<2x3x4xf32>) -> tensor<2x4x3xf32>
    "func.return"(%1, %3) : (tensor<3x2x4xf32>, tensor<2x4x3xf32>) -> ()
  }) : () -> ()
}) : () -> ()
