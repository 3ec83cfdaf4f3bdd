// RUN: kcompile opt %s -p 'plan-memory'
// A pointwise kernel writes over an operand that nobody needs afterwards: three steps, one buffer.

// CHECK: %[[H:[0-9]+]] = "plan.arena"() {bytes = #graph.dims<["64*b"]>, offset = #graph.dims<[0]>}
// CHECK: "plan.call"(%{{.*}}, %{{.*}}, %[[H]]) {callee = @add, outputs = 1 : i64}
// CHECK: "plan.call"(%[[H]], %{{.*}}, %[[H]]) {callee = @add, outputs = 1 : i64}
// CHECK: "plan.call"(%[[H]], %{{.*}}, %{{.*}}) {callee = @add, outputs = 1 : i64}
// CHECK: plan.arena = #graph.dims<["64*b"]>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<8xf32>) -> (tensor<?x8xf32, #graph.dims<["b", 8]>>), arg_attrs = [{kernel.name = "x", kernel.role = "input"}, {kernel.name = "w", kernel.role = "weight"}], res_attrs = [{kernel.name = "y"}]}> ({
  ^bb0(%x: tensor<?x8xf32, #graph.dims<["b", 8]>>, %w: tensor<8xf32>):
    %h = "kernel.call"(%x, %w) {callee = @add} : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<8xf32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %k = "kernel.call"(%h, %w) {callee = @add, kernel.in_place = [array<i64: 0>]} : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<8xf32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %y = "kernel.call"(%k, %w) {callee = @add} : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<8xf32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    "func.return"(%y) : (tensor<?x8xf32, #graph.dims<["b", 8]>>) -> ()
  }) : () -> ()
  "func.func"() <{sym_name = "add", function_type = (memref<?x8xf32>, memref<8xf32>, memref<?x8xf32>, index, index, index) -> ()}> ({
  ^bb0(%p: memref<?x8xf32>, %q: memref<8xf32>, %r: memref<?x8xf32>, %b: index, %tid: index, %team: index):
    "func.return"() : () -> ()
  }) {kernel.symbols = ["b"], kernel.outputs = 1 : i64} : () -> ()
}) : () -> ()
