// RUN: kcompile opt %s -p 'plan-memory,insert-barriers'
// A cell that reads all of its state: the kernel before the loop writes it straight into its place; both states and the
// sequence are parts of buffers. %h is stacked: a buffer of 4 steps for 3. %c is overwritten in place. One barrier a step.

// CHECK: [[H:%.*]] = "plan.arena"() {bytes = #graph.dims<[128]>
// CHECK-SAME: memref<4x8xf32>
// CHECK: [[H0:%.*]] = "plan.part"([[H]]) {offset = #graph.dims<[0]>}
// CHECK: "plan.call"(%{{.*}}, [[H0]]) {callee = @start, outputs = 1 : i64}
// CHECK: "plan.copy"
// CHECK: "plan.barrier"
// CHECK: "plan.loop"() ({
// CHECK: [[NOW:%.*]] = "plan.part"([[H]]) {offset = #graph.dims<[0]>, stride = #graph.dims<[32]>}
// CHECK: [[X:%.*]] = "plan.part"(%{{.*}}) {offset = #graph.dims<[0]>, stride = #graph.dims<[32]>}
// CHECK: [[NEXT:%.*]] = "plan.part"([[H]]) {offset = #graph.dims<[32]>, stride = #graph.dims<[32]>}
// CHECK: "plan.barrier"
// CHECK: "plan.call"([[NOW]], [[C:%.*]], [[X]], [[NEXT]], [[C]]) {callee = @cell, outputs = 2 : i64}
// CHECK-NOT: "plan.barrier"
// CHECK: "plan.next"
// CHECK: length = #graph.dims<[3]>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<8xf32>, tensor<3x8xf32>) -> (tensor<3x8xf32>, tensor<8xf32>)}> ({
  ^bb0(%s: tensor<8xf32>, %x: tensor<3x8xf32>):
    %h = "kernel.call"(%s) {callee = @start} : (tensor<8xf32>) -> tensor<8xf32>
    %0:3 = "graph.scan"(%h, %s, %x) ({
    ^bb0(%now: tensor<8xf32>, %c: tensor<8xf32>, %step: tensor<8xf32>):
      %1:2 = "kernel.call"(%now, %c, %step) {callee = @cell, kernel.in_place = [array<i64>, array<i64: 1>]} : (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>)
      "graph.yield"(%1#0, %1#1, %1#0) : (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> ()
    }) {carries = 2 : i64, length = #graph.dims<[3]>, reverse = false, xs = 1 : i64} : (tensor<8xf32>, tensor<8xf32>, tensor<3x8xf32>) -> (tensor<8xf32>, tensor<8xf32>, tensor<3x8xf32>)
    "func.return"(%0#2, %0#1) : (tensor<3x8xf32>, tensor<8xf32>) -> ()
  }) : () -> ()
  "func.func"() <{sym_name = "start", function_type = (memref<8xf32>, memref<8xf32>, index, index) -> ()}> ({
  ^bb0(%p: memref<8xf32>, %q: memref<8xf32>, %tid: index, %team: index):
    "func.return"() : () -> ()
  }) {kernel.symbols = [], kernel.outputs = 1 : i64} : () -> ()
  "func.func"() <{sym_name = "cell", function_type = (memref<8xf32>, memref<8xf32>, memref<8xf32>, memref<8xf32>, memref<8xf32>, index, index) -> ()}> ({
  ^bb0(%a: memref<8xf32>, %b: memref<8xf32>, %c: memref<8xf32>, %d: memref<8xf32>, %e: memref<8xf32>, %tid: index, %team: index):
    "func.return"() : () -> ()
  }) {kernel.symbols = [], kernel.outputs = 2 : i64} : () -> ()
}) : () -> ()
