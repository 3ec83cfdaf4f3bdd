// RUN: kcompile opt %s -p 'plan-memory'
// State: the new value goes over the old one where the kernel allows it and nobody reads the old one later; else it is
// made in the arena and copied at the end.

// CHECK: %[[A:[0-9]+]] = "plan.input"() {index = 1 : i64}
// CHECK: %[[G:[0-9]+]] = "plan.input"() {index = 0 : i64}
// CHECK: "plan.call"(%[[A]], %[[G]], %[[A]]) {callee = @scale, outputs = 1 : i64}
// CHECK: %[[C:[0-9]+]] = "plan.input"() {index = 2 : i64}
// CHECK: %[[NEW:[0-9]+]] = "plan.arena"()
// CHECK: "plan.call"(%[[C]], %[[G]], %[[NEW]])
// CHECK: %[[Y:[0-9]+]] = "plan.output"() {index = 0 : i64}
// CHECK: "plan.call"(%[[C]], %[[G]], %[[Y]])
// CHECK: "plan.copy"(%[[NEW]], %[[C]]) {bytes = #graph.dims<[32]>}
// CHECK-NEXT: "plan.return"
// CHECK: kernel.aliased = array<i64: 0, 2>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>), arg_attrs = [{kernel.name = "g", kernel.role = "input"}, {kernel.name = "a", kernel.role = "state"}, {kernel.name = "c", kernel.role = "state"}], res_attrs = [{kernel.name = "y"}, {kernel.donates = 1 : i64, kernel.name = "a"}, {kernel.donates = 2 : i64, kernel.name = "c"}]}> ({
  ^bb0(%g: tensor<8xf32>, %a: tensor<8xf32>, %c: tensor<8xf32>):
    %n = "kernel.call"(%a, %g) {callee = @scale, kernel.in_place = [array<i64: 0>]} : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
    %m = "kernel.call"(%c, %g) {callee = @scale, kernel.in_place = [array<i64: 0>]} : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
    %y = "kernel.call"(%c, %g) {callee = @scale} : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
    "func.return"(%y, %n, %m) : (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> ()
  }) : () -> ()
  "func.func"() <{sym_name = "scale", function_type = (memref<8xf32>, memref<8xf32>, memref<8xf32>, index, index, index) -> ()}> ({
  ^bb0(%p: memref<8xf32>, %q: memref<8xf32>, %r: memref<8xf32>, %b: index, %tid: index, %team: index):
    "func.return"() : () -> ()
  }) {kernel.symbols = ["b"], kernel.outputs = 1 : i64} : () -> ()
}) : () -> ()
