// RUN: kcompile opt %s -p 'decompose-windows'
// VALIDATE exact
// A window of one element is a slice; padding is a pad with what changes nothing.

// CHECK: dense<0xFF800000>
// CHECK: [[PAD:%.*]] = "graph.pad"(%arg0
// CHECK: "graph.reduce_window"([[PAD]])
// CHECK-SAME: padding_low = array<i64: 0, 0>
// CHECK: "graph.slice"(%arg0)
// CHECK-SAME: strides = array<i64: 1, 2>
// CHECK-NOT: graph.reduce_window

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x6xf32, #graph.dims<["b", 6]>>) -> (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>)}> ({
  ^bb0(%arg0: tensor<?x6xf32, #graph.dims<["b", 6]>>):
    %0 = "graph.reduce_window"(%arg0) {kind = "max", padding_high = array<i64: 0, 1>, padding_low = array<i64: 0, 1>, strides = array<i64: 1, 2>, window = array<i64: 1, 3>} : (tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    %1 = "graph.reduce_window"(%arg0) {kind = "add", padding_high = array<i64: 0, 0>, padding_low = array<i64: 0, 0>, strides = array<i64: 1, 2>, window = array<i64: 1, 1>} : (tensor<?x6xf32, #graph.dims<["b", 6]>>) -> tensor<?x3xf32, #graph.dims<["b", 3]>>
    "func.return"(%0, %1) : (tensor<?x3xf32, #graph.dims<["b", 3]>>, tensor<?x3xf32, #graph.dims<["b", 3]>>) -> ()
  }) : () -> ()
}) : () -> ()
