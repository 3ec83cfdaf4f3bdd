// RUN: kcompile opt %s -p 'order-kernels,plan-memory'
// Each large value is summed before the next is made, so that one buffer does for both.

// CHECK: "plan.call"(%{{.*}}) {callee = @big, outputs = 1 : i64}
// CHECK: "plan.call"(%{{.*}}) {callee = @total, outputs = 1 : i64}
// CHECK: "plan.call"(%{{.*}}) {callee = @big, outputs = 1 : i64}
// CHECK: "plan.call"(%{{.*}}) {callee = @total, outputs = 1 : i64}
// CHECK: "plan.call"(%{{.*}}) {callee = @join, outputs = 1 : i64}
// CHECK: plan.arena = #graph.dims<[16512]>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<8xf32>) -> (tensor<f32>), arg_attrs = [{kernel.name = "x", kernel.role = "input"}], res_attrs = [{kernel.name = "y"}]}> ({
  ^bb0(%x: tensor<8xf32>):
    %a = "kernel.call"(%x) {callee = @big} : (tensor<8xf32>) -> tensor<64x64xf32>
    %c = "kernel.call"(%x) {callee = @big} : (tensor<8xf32>) -> tensor<64x64xf32>
    %d = "kernel.call"(%a) {callee = @total} : (tensor<64x64xf32>) -> tensor<f32>
    %e = "kernel.call"(%c) {callee = @total} : (tensor<64x64xf32>) -> tensor<f32>
    %y = "kernel.call"(%d, %e) {callee = @join} : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "func.return"(%y) : (tensor<f32>) -> ()
  }) : () -> ()
  "func.func"() <{sym_name = "big", function_type = (memref<8xf32>, memref<64x64xf32>, index, index, index) -> ()}> ({
  ^bb0(%p: memref<8xf32>, %q: memref<64x64xf32>, %b: index, %tid: index, %team: index):
    "func.return"() : () -> ()
  }) {kernel.symbols = ["b"], kernel.outputs = 1 : i64} : () -> ()
  "func.func"() <{sym_name = "total", function_type = (memref<64x64xf32>, memref<f32>, index, index, index) -> ()}> ({
  ^bb0(%p: memref<64x64xf32>, %q: memref<f32>, %b: index, %tid: index, %team: index):
    "func.return"() : () -> ()
  }) {kernel.symbols = ["b"], kernel.outputs = 1 : i64} : () -> ()
  "func.func"() <{sym_name = "join", function_type = (memref<f32>, memref<f32>, memref<f32>, index, index, index) -> ()}> ({
  ^bb0(%p: memref<f32>, %q: memref<f32>, %r: memref<f32>, %b: index, %tid: index, %team: index):
    "func.return"() : () -> ()
  }) {kernel.symbols = ["b"], kernel.outputs = 1 : i64} : () -> ()
}) : () -> ()
