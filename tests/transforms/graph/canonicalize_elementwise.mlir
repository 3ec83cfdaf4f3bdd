// RUN: kcompile opt %s -p canonicalize
// VALIDATE exact
// Every elementwise op is done before a broadcast, and before a reshape.

// abs-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.abs"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.abs"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// abs-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.abs"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.abs"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// add-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>, [[V_arg1:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.add"([[V_arg0]], [[V_arg1]]) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>, tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %2 = "graph.add"(%0, %1) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%2) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// add-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.add"([[V_arg0]], [[V_arg1]]) : (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>, %arg1: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %2 = "graph.add"(%0, %1) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%2) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// and-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<i1>, [[V_arg1:%[^ :,()]+]]: tensor<i1>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.and"([[V_arg0]], [[V_arg1]]) : (tensor<i1>, tensor<i1>) -> tensor<i1>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i1>) -> tensor<4xi1>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xi1>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<i1>, tensor<i1>) -> tensor<4xi1>}> ({
  ^bb0(%arg0: tensor<i1>, %arg1: tensor<i1>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i1>) -> tensor<4xi1>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i1>) -> tensor<4xi1>
    %2 = "graph.and"(%0, %1) : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
    "func.return"(%2) : (tensor<4xi1>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// and-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xi1>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xi1>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.and"([[V_arg0]], [[V_arg1]]) : (tensor<3x1xi1>, tensor<3x1xi1>) -> tensor<3x1xi1>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xi1>) -> tensor<3xi1>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xi1>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xi1>, tensor<3x1xi1>) -> tensor<3xi1>}> ({
  ^bb0(%arg0: tensor<3x1xi1>, %arg1: tensor<3x1xi1>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xi1>) -> tensor<3xi1>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xi1>) -> tensor<3xi1>
    %2 = "graph.and"(%0, %1) : (tensor<3xi1>, tensor<3xi1>) -> tensor<3xi1>
    "func.return"(%2) : (tensor<3xi1>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// atan2-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>, [[V_arg1:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.atan2"([[V_arg0]], [[V_arg1]]) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>, tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %2 = "graph.atan2"(%0, %1) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%2) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// atan2-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.atan2"([[V_arg0]], [[V_arg1]]) : (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>, %arg1: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %2 = "graph.atan2"(%0, %1) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%2) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// bitcast-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<i32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.bitcast"([[V_arg0]]) {dtype = f32} : (tensor<i32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<i32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<i32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i32>) -> tensor<4xi32>
    %1 = "graph.bitcast"(%0) {dtype = f32} : (tensor<4xi32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// bitcast-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xi32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.bitcast"([[V_arg0]]) {dtype = f32} : (tensor<3x1xi32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xi32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xi32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xi32>) -> tensor<3xi32>
    %1 = "graph.bitcast"(%0) {dtype = f32} : (tensor<3xi32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// ceil-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.ceil"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.ceil"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// ceil-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.ceil"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.ceil"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// compare-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>, [[V_arg1:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.compare"([[V_arg0]], [[V_arg1]]) {direction = "ne"} : (tensor<f32>, tensor<f32>) -> tensor<i1>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i1>) -> tensor<4xi1>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xi1>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>, tensor<f32>) -> tensor<4xi1>}> ({
  ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %2 = "graph.compare"(%0, %1) {direction = "ne"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
    "func.return"(%2) : (tensor<4xi1>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// compare-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.compare"([[V_arg0]], [[V_arg1]]) {direction = "ne"} : (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3x1xi1>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xi1>) -> tensor<3xi1>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xi1>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3xi1>}> ({
  ^bb0(%arg0: tensor<3x1xf32>, %arg1: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %2 = "graph.compare"(%0, %1) {direction = "ne"} : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xi1>
    "func.return"(%2) : (tensor<3xi1>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// convert-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.convert"([[V_arg0]]) {dtype = i32} : (tensor<f32>) -> tensor<i32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i32>) -> tensor<4xi32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xi32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xi32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.convert"(%0) {dtype = i32} : (tensor<4xf32>) -> tensor<4xi32>
    "func.return"(%1) : (tensor<4xi32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// convert-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.convert"([[V_arg0]]) {dtype = i32} : (tensor<3x1xf32>) -> tensor<3x1xi32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xi32>) -> tensor<3xi32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xi32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xi32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.convert"(%0) {dtype = i32} : (tensor<3xf32>) -> tensor<3xi32>
    "func.return"(%1) : (tensor<3xi32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// cos-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.cos"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.cos"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// cos-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.cos"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.cos"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// div-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>, [[V_arg1:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.div"([[V_arg0]], [[V_arg1]]) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>, tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %2 = "graph.div"(%0, %1) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%2) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// div-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.div"([[V_arg0]], [[V_arg1]]) : (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>, %arg1: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %2 = "graph.div"(%0, %1) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%2) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// erf-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.erf"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.erf"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// erf-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.erf"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.erf"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// gelu-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.gelu"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.gelu"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// gelu-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.gelu"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.gelu"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// exp-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.exp"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.exp"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// exp-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.exp"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.exp"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// expm1-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.expm1"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.expm1"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// expm1-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.expm1"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.expm1"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// floor-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.floor"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.floor"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// floor-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.floor"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.floor"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// is_finite-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.is_finite"([[V_arg0]]) : (tensor<f32>) -> tensor<i1>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i1>) -> tensor<4xi1>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xi1>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xi1>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.is_finite"(%0) : (tensor<4xf32>) -> tensor<4xi1>
    "func.return"(%1) : (tensor<4xi1>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// is_finite-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.is_finite"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xi1>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xi1>) -> tensor<3xi1>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xi1>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xi1>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.is_finite"(%0) : (tensor<3xf32>) -> tensor<3xi1>
    "func.return"(%1) : (tensor<3xi1>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// log-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.log"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.log"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// log-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.log"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.log"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// log1p-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.log1p"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.log1p"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// log1p-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.log1p"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.log1p"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// logistic-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.logistic"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.logistic"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// logistic-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.logistic"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.logistic"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// max-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>, [[V_arg1:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.max"([[V_arg0]], [[V_arg1]]) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>, tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %2 = "graph.max"(%0, %1) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%2) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// max-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.max"([[V_arg0]], [[V_arg1]]) : (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>, %arg1: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %2 = "graph.max"(%0, %1) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%2) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// min-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>, [[V_arg1:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.min"([[V_arg0]], [[V_arg1]]) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>, tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %2 = "graph.min"(%0, %1) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%2) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// min-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.min"([[V_arg0]], [[V_arg1]]) : (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>, %arg1: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %2 = "graph.min"(%0, %1) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%2) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// mul-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>, [[V_arg1:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.mul"([[V_arg0]], [[V_arg1]]) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>, tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %2 = "graph.mul"(%0, %1) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%2) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// mul-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.mul"([[V_arg0]], [[V_arg1]]) : (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>, %arg1: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %2 = "graph.mul"(%0, %1) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%2) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// neg-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.neg"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.neg"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// neg-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.neg"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.neg"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// not-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<i1>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.not"([[V_arg0]]) : (tensor<i1>) -> tensor<i1>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i1>) -> tensor<4xi1>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xi1>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<i1>) -> tensor<4xi1>}> ({
  ^bb0(%arg0: tensor<i1>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i1>) -> tensor<4xi1>
    %1 = "graph.not"(%0) : (tensor<4xi1>) -> tensor<4xi1>
    "func.return"(%1) : (tensor<4xi1>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// not-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xi1>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.not"([[V_arg0]]) : (tensor<3x1xi1>) -> tensor<3x1xi1>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xi1>) -> tensor<3xi1>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xi1>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xi1>) -> tensor<3xi1>}> ({
  ^bb0(%arg0: tensor<3x1xi1>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xi1>) -> tensor<3xi1>
    %1 = "graph.not"(%0) : (tensor<3xi1>) -> tensor<3xi1>
    "func.return"(%1) : (tensor<3xi1>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// or-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<i1>, [[V_arg1:%[^ :,()]+]]: tensor<i1>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.or"([[V_arg0]], [[V_arg1]]) : (tensor<i1>, tensor<i1>) -> tensor<i1>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i1>) -> tensor<4xi1>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xi1>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<i1>, tensor<i1>) -> tensor<4xi1>}> ({
  ^bb0(%arg0: tensor<i1>, %arg1: tensor<i1>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i1>) -> tensor<4xi1>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i1>) -> tensor<4xi1>
    %2 = "graph.or"(%0, %1) : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
    "func.return"(%2) : (tensor<4xi1>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// or-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xi1>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xi1>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.or"([[V_arg0]], [[V_arg1]]) : (tensor<3x1xi1>, tensor<3x1xi1>) -> tensor<3x1xi1>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xi1>) -> tensor<3xi1>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xi1>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xi1>, tensor<3x1xi1>) -> tensor<3xi1>}> ({
  ^bb0(%arg0: tensor<3x1xi1>, %arg1: tensor<3x1xi1>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xi1>) -> tensor<3xi1>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xi1>) -> tensor<3xi1>
    %2 = "graph.or"(%0, %1) : (tensor<3xi1>, tensor<3xi1>) -> tensor<3xi1>
    "func.return"(%2) : (tensor<3xi1>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// pow-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>, [[V_arg1:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.pow"([[V_arg0]], [[V_arg1]]) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>, tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %2 = "graph.pow"(%0, %1) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%2) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// pow-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.pow"([[V_arg0]], [[V_arg1]]) : (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>, %arg1: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %2 = "graph.pow"(%0, %1) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%2) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// rem-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>, [[V_arg1:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.rem"([[V_arg0]], [[V_arg1]]) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>, tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %2 = "graph.rem"(%0, %1) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%2) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// rem-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.rem"([[V_arg0]], [[V_arg1]]) : (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>, %arg1: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %2 = "graph.rem"(%0, %1) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%2) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// round_even-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.round_even"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.round_even"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// round_even-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.round_even"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.round_even"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// rsqrt-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.rsqrt"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.rsqrt"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// rsqrt-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.rsqrt"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.rsqrt"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// select-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<i1>, [[V_arg1:%[^ :,()]+]]: tensor<f32>, [[V_arg2:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.select"([[V_arg0]], [[V_arg1]], [[V_arg2]]) : (tensor<i1>, tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<i1>, tensor<f32>, tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<i1>, %arg1: tensor<f32>, %arg2: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i1>) -> tensor<4xi1>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %2 = "graph.broadcast_in_dim"(%arg2) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %3 = "graph.select"(%0, %1, %2) : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%3) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// select-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xi1>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xf32>, [[V_arg2:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.select"([[V_arg0]], [[V_arg1]], [[V_arg2]]) : (tensor<3x1xi1>, tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xi1>, tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xi1>, %arg1: tensor<3x1xf32>, %arg2: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xi1>) -> tensor<3xi1>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %2 = "graph.reshape"(%arg2) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %3 = "graph.select"(%0, %1, %2) : (tensor<3xi1>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%3) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// shl-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<i8>, [[V_arg1:%[^ :,()]+]]: tensor<i8>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.shl"([[V_arg0]], [[V_arg1]]) : (tensor<i8>, tensor<i8>) -> tensor<i8>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i8>) -> tensor<4xi8>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xi8>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<i8>, tensor<i8>) -> tensor<4xi8>}> ({
  ^bb0(%arg0: tensor<i8>, %arg1: tensor<i8>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i8>) -> tensor<4xi8>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i8>) -> tensor<4xi8>
    %2 = "graph.shl"(%0, %1) : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
    "func.return"(%2) : (tensor<4xi8>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// shl-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xi8>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xi8>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.shl"([[V_arg0]], [[V_arg1]]) : (tensor<3x1xi8>, tensor<3x1xi8>) -> tensor<3x1xi8>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xi8>) -> tensor<3xi8>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xi8>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xi8>, tensor<3x1xi8>) -> tensor<3xi8>}> ({
  ^bb0(%arg0: tensor<3x1xi8>, %arg1: tensor<3x1xi8>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xi8>) -> tensor<3xi8>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xi8>) -> tensor<3xi8>
    %2 = "graph.shl"(%0, %1) : (tensor<3xi8>, tensor<3xi8>) -> tensor<3xi8>
    "func.return"(%2) : (tensor<3xi8>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// shr_arith-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<i8>, [[V_arg1:%[^ :,()]+]]: tensor<i8>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.shr_arith"([[V_arg0]], [[V_arg1]]) : (tensor<i8>, tensor<i8>) -> tensor<i8>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i8>) -> tensor<4xi8>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xi8>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<i8>, tensor<i8>) -> tensor<4xi8>}> ({
  ^bb0(%arg0: tensor<i8>, %arg1: tensor<i8>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i8>) -> tensor<4xi8>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i8>) -> tensor<4xi8>
    %2 = "graph.shr_arith"(%0, %1) : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
    "func.return"(%2) : (tensor<4xi8>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// shr_arith-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xi8>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xi8>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.shr_arith"([[V_arg0]], [[V_arg1]]) : (tensor<3x1xi8>, tensor<3x1xi8>) -> tensor<3x1xi8>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xi8>) -> tensor<3xi8>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xi8>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xi8>, tensor<3x1xi8>) -> tensor<3xi8>}> ({
  ^bb0(%arg0: tensor<3x1xi8>, %arg1: tensor<3x1xi8>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xi8>) -> tensor<3xi8>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xi8>) -> tensor<3xi8>
    %2 = "graph.shr_arith"(%0, %1) : (tensor<3xi8>, tensor<3xi8>) -> tensor<3xi8>
    "func.return"(%2) : (tensor<3xi8>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// shr_logical-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<i8>, [[V_arg1:%[^ :,()]+]]: tensor<i8>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.shr_logical"([[V_arg0]], [[V_arg1]]) : (tensor<i8>, tensor<i8>) -> tensor<i8>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i8>) -> tensor<4xi8>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xi8>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<i8>, tensor<i8>) -> tensor<4xi8>}> ({
  ^bb0(%arg0: tensor<i8>, %arg1: tensor<i8>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i8>) -> tensor<4xi8>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i8>) -> tensor<4xi8>
    %2 = "graph.shr_logical"(%0, %1) : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
    "func.return"(%2) : (tensor<4xi8>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// shr_logical-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xi8>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xi8>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.shr_logical"([[V_arg0]], [[V_arg1]]) : (tensor<3x1xi8>, tensor<3x1xi8>) -> tensor<3x1xi8>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xi8>) -> tensor<3xi8>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xi8>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xi8>, tensor<3x1xi8>) -> tensor<3xi8>}> ({
  ^bb0(%arg0: tensor<3x1xi8>, %arg1: tensor<3x1xi8>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xi8>) -> tensor<3xi8>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xi8>) -> tensor<3xi8>
    %2 = "graph.shr_logical"(%0, %1) : (tensor<3xi8>, tensor<3xi8>) -> tensor<3xi8>
    "func.return"(%2) : (tensor<3xi8>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// sign-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.sign"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.sign"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// sign-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.sign"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.sign"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// sin-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.sin"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.sin"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// sin-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.sin"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.sin"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// sqrt-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.sqrt"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.sqrt"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// sqrt-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.sqrt"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.sqrt"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// sub-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>, [[V_arg1:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.sub"([[V_arg0]], [[V_arg1]]) : (tensor<f32>, tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>, tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>, %arg1: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %2 = "graph.sub"(%0, %1) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%2) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// sub-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.sub"([[V_arg0]], [[V_arg1]]) : (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>, tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>, %arg1: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %2 = "graph.sub"(%0, %1) : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%2) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// tanh-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<f32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.tanh"([[V_arg0]]) : (tensor<f32>) -> tensor<f32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<f32>) -> tensor<4xf32>}> ({
  ^bb0(%arg0: tensor<f32>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<f32>) -> tensor<4xf32>
    %1 = "graph.tanh"(%0) : (tensor<4xf32>) -> tensor<4xf32>
    "func.return"(%1) : (tensor<4xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// tanh-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xf32>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.tanh"([[V_arg0]]) : (tensor<3x1xf32>) -> tensor<3x1xf32>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xf32>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3x1xf32>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xf32>) -> tensor<3xf32>
    %1 = "graph.tanh"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%1) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// xor-before-broadcast
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<i1>, [[V_arg1:%[^ :,()]+]]: tensor<i1>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.xor"([[V_arg0]], [[V_arg1]]) : (tensor<i1>, tensor<i1>) -> tensor<i1>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.broadcast_in_dim"([[V_0]]) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i1>) -> tensor<4xi1>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<4xi1>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<i1>, tensor<i1>) -> tensor<4xi1>}> ({
  ^bb0(%arg0: tensor<i1>, %arg1: tensor<i1>):
    %0 = "graph.broadcast_in_dim"(%arg0) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i1>) -> tensor<4xi1>
    %1 = "graph.broadcast_in_dim"(%arg1) {dims = array<i64>, shape = array<i64: 4>} : (tensor<i1>) -> tensor<4xi1>
    %2 = "graph.xor"(%0, %1) : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
    "func.return"(%2) : (tensor<4xi1>) -> ()
  }) : () -> ()
}) : () -> ()

// -----
// xor-before-reshape
// CHECK-LABEL: sym_name = "main"
// CHECK-NEXT: ^bb0([[V_arg0:%[^ :,()]+]]: tensor<3x1xi1>, [[V_arg1:%[^ :,()]+]]: tensor<3x1xi1>):
// CHECK-NEXT: [[V_0:%[^ :,()]+]] = "graph.xor"([[V_arg0]], [[V_arg1]]) : (tensor<3x1xi1>, tensor<3x1xi1>) -> tensor<3x1xi1>
// CHECK-NEXT: [[V_1:%[^ :,()]+]] = "graph.reshape"([[V_0]]) {shape = array<i64: 3>} : (tensor<3x1xi1>) -> tensor<3xi1>
// CHECK-NEXT: "func.return"([[V_1]]) : (tensor<3xi1>) -> ()
"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3x1xi1>, tensor<3x1xi1>) -> tensor<3xi1>}> ({
  ^bb0(%arg0: tensor<3x1xi1>, %arg1: tensor<3x1xi1>):
    %0 = "graph.reshape"(%arg0) {shape = array<i64: 3>} : (tensor<3x1xi1>) -> tensor<3xi1>
    %1 = "graph.reshape"(%arg1) {shape = array<i64: 3>} : (tensor<3x1xi1>) -> tensor<3xi1>
    %2 = "graph.xor"(%0, %1) : (tensor<3xi1>, tensor<3xi1>) -> tensor<3xi1>
    "func.return"(%2) : (tensor<3xi1>) -> ()
  }) : () -> ()
}) : () -> ()
