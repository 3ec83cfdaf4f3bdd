// RUN: kcompile opt %s -p 'plan-memory{freeze=true}'
// A chain through the arena to a result, which is written in place; frozen weights have places in their block.

// CHECK: %[[X:[0-9]+]] = "plan.input"() {index = 0 : i64}
// CHECK: %[[W:[0-9]+]] = "plan.weight"() {offset = 64 : i64}
// CHECK: %[[H:[0-9]+]] = "plan.arena"() {bytes = #graph.dims<["64*b"]>, offset = #graph.dims<[0]>}
// CHECK: "plan.call"(%[[X]], %[[W]], %[[H]]) {callee = @add, outputs = 1 : i64}
// CHECK: %[[V:[0-9]+]] = "plan.weight"() {offset = 0 : i64}
// CHECK: %[[Y:[0-9]+]] = "plan.output"() {index = 0 : i64}
// CHECK: "plan.call"(%[[H]], %[[V]], %[[Y]]) {callee = @add, outputs = 1 : i64}
// CHECK-NOT: plan.copy
// CHECK: "plan.return"
// CHECK: plan.arena = #graph.dims<["64*b"]>
// CHECK-SAME: plan.weights_bytes = 128 : i64

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<8xf32>, tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<8xf32>) -> (tensor<?x8xf32, #graph.dims<["b", 8]>>), arg_attrs = [{kernel.name = "v", kernel.role = "weight"}, {kernel.name = "x", kernel.role = "input"}, {kernel.name = "w", kernel.role = "weight"}], res_attrs = [{kernel.name = "y"}]}> ({
  ^bb0(%v: tensor<8xf32>, %x: tensor<?x8xf32, #graph.dims<["b", 8]>>, %w: tensor<8xf32>):
    %h = "kernel.call"(%x, %w) {callee = @add} : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<8xf32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %y = "kernel.call"(%h, %v) {callee = @add} : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<8xf32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    "func.return"(%y) : (tensor<?x8xf32, #graph.dims<["b", 8]>>) -> ()
  }) : () -> ()
  "func.func"() <{sym_name = "add", function_type = (memref<?x8xf32>, memref<8xf32>, memref<?x8xf32>, index, index, index) -> ()}> ({
  ^bb0(%p: memref<?x8xf32>, %q: memref<8xf32>, %r: memref<?x8xf32>, %b: index, %tid: index, %team: index):
    "func.return"() : () -> ()
  }) {kernel.symbols = ["b"], kernel.outputs = 1 : i64} : () -> ()
}) : () -> ()
