// RUN: kcompile opt %s -p canonicalize
// VALIDATE
// Each rule of algebra_rules.py on its smallest example.

// add-negative-zero
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.constant"() {value = dense<-0.0> : tensor<f32>} : () -> tensor<f32>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<f32>) -> tensor<3x4xf32>
    %2 = "graph.add"(%arg0, %1) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%2) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// add-zero-integer
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xi32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xi32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xi32>) -> tensor<3x4xi32>}> ({
  ^bb0(%arg0: tensor<3x4xi32>):
    %0 = "graph.constant"() {value = dense<0> : tensor<i32>} : () -> tensor<i32>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<i32>) -> tensor<3x4xi32>
    %2 = "graph.add"(%arg0, %1) : (tensor<3x4xi32>, tensor<3x4xi32>) -> tensor<3x4xi32>
    "func.return"(%2) : (tensor<3x4xi32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// subtract-zero
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.constant"() {value = dense<0.0> : tensor<f32>} : () -> tensor<f32>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<f32>) -> tensor<3x4xf32>
    %2 = "graph.sub"(%arg0, %1) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%2) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// multiply-by-one
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.constant"() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<f32>) -> tensor<3x4xf32>
    %2 = "graph.mul"(%arg0, %1) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%2) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// multiply-by-zero-integer
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xi32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.constant"() {value = dense<0> : tensor<i32>} : () -> tensor<i32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<i32>) -> tensor<3x4xi32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3x4xi32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xi32>) -> tensor<3x4xi32>}> ({
  ^bb0(%arg0: tensor<3x4xi32>):
    %0 = "graph.constant"() {value = dense<0> : tensor<i32>} : () -> tensor<i32>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<i32>) -> tensor<3x4xi32>
    %2 = "graph.mul"(%arg0, %1) : (tensor<3x4xi32>, tensor<3x4xi32>) -> tensor<3x4xi32>
    "func.return"(%2) : (tensor<3x4xi32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// divide-by-one
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xi32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xi32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xi32>) -> tensor<3x4xi32>}> ({
  ^bb0(%arg0: tensor<3x4xi32>):
    %0 = "graph.constant"() {value = dense<1> : tensor<i32>} : () -> tensor<i32>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<i32>) -> tensor<3x4xi32>
    %2 = "graph.div"(%arg0, %1) : (tensor<3x4xi32>, tensor<3x4xi32>) -> tensor<3x4xi32>
    "func.return"(%2) : (tensor<3x4xi32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// divide-by-power-of-two
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.constant"() {value = dense<0.125> : tensor<f32>} : () -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<f32>) -> tensor<3x4xf32>
// CHECK-NEXT: [[V_2:%[^ :,()]+]] = "graph.mul"([[V_arg0]], [[V_1]]) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT: "func.return"([[V_2]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.constant"() {value = dense<8.0> : tensor<f32>} : () -> tensor<f32>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<f32>) -> tensor<3x4xf32>
    %2 = "graph.div"(%arg0, %1) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%2) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// power-of-one
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.constant"() {value = dense<1.0> : tensor<f32>} : () -> tensor<f32>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<f32>) -> tensor<3x4xf32>
    %2 = "graph.pow"(%arg0, %1) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%2) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// square
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.mul"([[V_arg0]], [[V_arg0]]) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.constant"() {value = dense<2.0> : tensor<f32>} : () -> tensor<f32>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<f32>) -> tensor<3x4xf32>
    %2 = "graph.pow"(%arg0, %1) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%2) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// negate-twice
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.neg"(%arg0) : (tensor<3x4xf32>) -> tensor<3x4xf32>
    %1 = "graph.neg"(%0) : (tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%1) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// add-negated
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>, [[V_arg1:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.sub"([[V_arg0]], [[V_arg1]]) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>, %arg1: tensor<3x4xf32>):
    %0 = "graph.neg"(%arg1) : (tensor<3x4xf32>) -> tensor<3x4xf32>
    %1 = "graph.add"(%arg0, %0) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%1) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// subtract-negated
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>, [[V_arg1:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.add"([[V_arg0]], [[V_arg1]]) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>, %arg1: tensor<3x4xf32>):
    %0 = "graph.neg"(%arg1) : (tensor<3x4xf32>) -> tensor<3x4xf32>
    %1 = "graph.sub"(%arg0, %0) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%1) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// abs-of-abs
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.abs"([[V_arg0]]) : (tensor<3x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.abs"(%arg0) : (tensor<3x4xf32>) -> tensor<3x4xf32>
    %1 = "graph.abs"(%0) : (tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%1) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// abs-of-neg
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.abs"([[V_arg0]]) : (tensor<3x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.neg"(%arg0) : (tensor<3x4xf32>) -> tensor<3x4xf32>
    %1 = "graph.abs"(%0) : (tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%1) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// not-twice
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xi1>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xi1>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xi1>) -> tensor<3x4xi1>}> ({
  ^bb0(%arg0: tensor<3x4xi1>):
    %0 = "graph.not"(%arg0) : (tensor<3x4xi1>) -> tensor<3x4xi1>
    %1 = "graph.not"(%0) : (tensor<3x4xi1>) -> tensor<3x4xi1>
    "func.return"(%1) : (tensor<3x4xi1>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// max-with-itself
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.max"(%arg0, %arg0) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%0) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// min-with-itself
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.min"(%arg0, %arg0) : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%0) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// and-with-itself
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xi1>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xi1>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xi1>) -> tensor<3x4xi1>}> ({
  ^bb0(%arg0: tensor<3x4xi1>):
    %0 = "graph.and"(%arg0, %arg0) : (tensor<3x4xi1>, tensor<3x4xi1>) -> tensor<3x4xi1>
    "func.return"(%0) : (tensor<3x4xi1>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// or-with-itself
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xi1>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xi1>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xi1>) -> tensor<3x4xi1>}> ({
  ^bb0(%arg0: tensor<3x4xi1>):
    %0 = "graph.or"(%arg0, %arg0) : (tensor<3x4xi1>, tensor<3x4xi1>) -> tensor<3x4xi1>
    "func.return"(%0) : (tensor<3x4xi1>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// select-equal
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xi1>, [[V_arg1:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg1]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xi1>, tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xi1>, %arg1: tensor<3x4xf32>):
    %0 = "graph.select"(%arg0, %arg1, %arg1) : (tensor<3x4xi1>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%0) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// select-constant
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>, [[V_arg1:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>, %arg1: tensor<3x4xf32>):
    %0 = "graph.constant"() {value = dense<true> : tensor<i1>} : () -> tensor<i1>
    %1 = "graph.broadcast_in_dim"(%0) {dims = array<i64>, shape = array<i64: 3, 4>} : (tensor<i1>) -> tensor<3x4xi1>
    %2 = "graph.select"(%1, %arg0, %arg1) : (tensor<3x4xi1>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%2) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// select-not
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xi1>, [[V_arg1:%[^ :,()]+]]: tensor<3x4xf32>, [[V_arg2:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.select"([[V_arg0]], [[V_arg2]], [[V_arg1]]) : (tensor<3x4xi1>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xi1>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xi1>, %arg1: tensor<3x4xf32>, %arg2: tensor<3x4xf32>):
    %0 = "graph.not"(%arg0) : (tensor<3x4xi1>) -> tensor<3x4xi1>
    %1 = "graph.select"(%0, %arg1, %arg2) : (tensor<3x4xi1>, tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%1) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// convert-to-own-type
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.convert"(%arg0) {dtype = f32} : (tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%0) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// bitcast-to-own-type
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.bitcast"(%arg0) {dtype = f32} : (tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%0) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// convert-once
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<5xf16>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.convert"([[V_arg0]]) {dtype = f64} : (tensor<5xf16>) -> tensor<5xf64>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<5xf64>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<5xf16>) -> tensor<5xf64>}> ({
  ^bb0(%arg0: tensor<5xf16>):
    %0 = "graph.convert"(%arg0) {dtype = f32} : (tensor<5xf16>) -> tensor<5xf32>
    %1 = "graph.convert"(%0) {dtype = f64} : (tensor<5xf32>) -> tensor<5xf64>
    "func.return"(%1) : (tensor<5xf64>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// bitcast-back
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: "func.return"([[V_arg0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.bitcast"(%arg0) {dtype = i32} : (tensor<3x4xf32>) -> tensor<3x4xi32>
    %1 = "graph.bitcast"(%0) {dtype = f32} : (tensor<3x4xi32>) -> tensor<3x4xf32>
    "func.return"(%1) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// round-a-whole-number
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x4xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.ceil"([[V_arg0]]) : (tensor<3x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT: "func.return"([[V_0]]) : (tensor<3x4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x4xf32>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<3x4xf32>):
    %0 = "graph.ceil"(%arg0) : (tensor<3x4xf32>) -> tensor<3x4xf32>
    %1 = "graph.floor"(%0) : (tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%1) : (tensor<3x4xf32>) -> ()
  }) : () -> ()
}) : () -> ()
