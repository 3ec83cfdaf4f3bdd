// RUN: kcompile opt %s -p 'plan-memory,insert-barriers'
// Two kernels that read the same input do not wait for one another; the one that reads both results waits once.

// CHECK: "plan.call"(%{{.*}}) {callee = @add, outputs = 1 : i64}
// CHECK-NOT: plan.barrier
// CHECK: "plan.call"(%{{.*}}) {callee = @add, outputs = 1 : i64}
// CHECK: "plan.barrier"
// CHECK: "plan.call"(%{{.*}}) {callee = @both, outputs = 1 : i64}
// CHECK-NOT: plan.barrier
// CHECK: "plan.return"
// CHECK: plan.barriers = #graph.dims<[1]>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<8xf32>, tensor<8xf32>) -> (tensor<?x8xf32, #graph.dims<["b", 8]>>), arg_attrs = [{kernel.name = "x", kernel.role = "input"}, {kernel.name = "w", kernel.role = "weight"}, {kernel.name = "v", kernel.role = "weight"}], res_attrs = [{kernel.name = "y"}]}> ({
  ^bb0(%x: tensor<?x8xf32, #graph.dims<["b", 8]>>, %w: tensor<8xf32>, %v: tensor<8xf32>):
    %h = "kernel.call"(%x, %w) {callee = @add} : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<8xf32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %k = "kernel.call"(%x, %v) {callee = @add} : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<8xf32>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    %y = "kernel.call"(%h, %k) {callee = @both} : (tensor<?x8xf32, #graph.dims<["b", 8]>>, tensor<?x8xf32, #graph.dims<["b", 8]>>) -> tensor<?x8xf32, #graph.dims<["b", 8]>>
    "func.return"(%y) : (tensor<?x8xf32, #graph.dims<["b", 8]>>) -> ()
  }) : () -> ()
  "func.func"() <{sym_name = "add", function_type = (memref<?x8xf32>, memref<8xf32>, memref<?x8xf32>, index, index, index) -> ()}> ({
  ^bb0(%p: memref<?x8xf32>, %q: memref<8xf32>, %r: memref<?x8xf32>, %b: index, %tid: index, %team: index):
    "func.return"() : () -> ()
  }) {kernel.symbols = ["b"], kernel.outputs = 1 : i64} : () -> ()
  "func.func"() <{sym_name = "both", function_type = (memref<?x8xf32>, memref<?x8xf32>, memref<?x8xf32>, index, index, index) -> ()}> ({
  ^bb0(%p: memref<?x8xf32>, %q: memref<?x8xf32>, %r: memref<?x8xf32>, %b: index, %tid: index, %team: index):
    "func.return"() : () -> ()
  }) {kernel.symbols = ["b"], kernel.outputs = 1 : i64} : () -> ()
}) : () -> ()
