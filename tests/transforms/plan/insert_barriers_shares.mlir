// RUN: kcompile opt %s -p 'plan-memory,insert-barriers'
// Each worker has the rows that it made itself: no barrier before @rows again. @pairs cuts pairs of rows: where the team
// divides their number, those are the same rows. @first wants one that another worker may have.

// CHECK: "plan.call"(%{{.*}}) {callee = @rows, outputs = 1 : i64}
// CHECK-NOT: plan.barrier
// CHECK: "plan.call"(%{{.*}}) {callee = @rows, outputs = 1 : i64}
// CHECK: "plan.barrier"() {over = array<i64: 1>, unless = #graph.dims<["2*b"]>}
// CHECK: "plan.call"(%{{.*}}) {callee = @pairs, outputs = 1 : i64}
// CHECK: "plan.barrier"() : () -> ()
// CHECK: "plan.call"(%{{.*}}) {callee = @first, outputs = 1 : i64}
// CHECK: "plan.return"
// CHECK: plan.barriers = #graph.dims<[1]>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x8xf32, #graph.dims<["4*b", 8]>>) -> (tensor<8xf32>), arg_attrs = [{kernel.name = "x", kernel.role = "input"}], res_attrs = [{kernel.name = "y"}]}> ({
  ^bb0(%x: tensor<?x8xf32, #graph.dims<["4*b", 8]>>):
    %h = "kernel.call"(%x) {callee = @rows} : (tensor<?x8xf32, #graph.dims<["4*b", 8]>>) -> tensor<?x8xf32, #graph.dims<["4*b", 8]>>
    %k = "kernel.call"(%h) {callee = @rows} : (tensor<?x8xf32, #graph.dims<["4*b", 8]>>) -> tensor<?x8xf32, #graph.dims<["4*b", 8]>>
    %l = "kernel.call"(%k) {callee = @pairs} : (tensor<?x8xf32, #graph.dims<["4*b", 8]>>) -> tensor<?x8xf32, #graph.dims<["4*b", 8]>>
    %y = "kernel.call"(%l) {callee = @first} : (tensor<?x8xf32, #graph.dims<["4*b", 8]>>) -> tensor<8xf32>
    "func.return"(%y) : (tensor<8xf32>) -> ()
  }) : () -> ()
  "func.func"() <{sym_name = "rows", function_type = (memref<?x8xf32>, memref<?x8xf32>, index, index, index) -> ()}> ({
  ^bb0(%p: memref<?x8xf32>, %r: memref<?x8xf32>, %b: index, %tid: index, %team: index):
    %c0 = "arith.constant"() <{value = 0 : index}> : () -> index
    %c1 = "arith.constant"() <{value = 1 : index}> : () -> index
    %c4 = "arith.constant"() <{value = 4 : index}> : () -> index
    %n = "arith.muli"(%b, %c4) : (index, index) -> index
    %chunk = "arith.ceildivsi"(%n, %team) : (index, index) -> index
    %from = "arith.muli"(%tid, %chunk) : (index, index) -> index
    %lo = "arith.minsi"(%from, %n) : (index, index) -> index
    %to = "arith.addi"(%from, %chunk) : (index, index) -> index
    %hi = "arith.minsi"(%to, %n) : (index, index) -> index
    "scf.for"(%lo, %hi, %c1) ({
    ^bb0(%i: index):
      %v = "vector.load"(%p, %i, %c0) : (memref<?x8xf32>, index, index) -> vector<8xf32>
      "vector.store"(%v, %r, %i, %c0) : (vector<8xf32>, memref<?x8xf32>, index, index) -> ()
      "scf.yield"() : () -> ()
    }) : (index, index, index) -> ()
    "func.return"() : () -> ()
  }) {kernel.dims = [#graph.dims<["4*b", 8]>, #graph.dims<["4*b", 8]>], kernel.symbols = ["b"], kernel.outputs = 1 : i64} : () -> ()
  "func.func"() <{sym_name = "pairs", function_type = (memref<?x8xf32>, memref<?x8xf32>, index, index, index) -> ()}> ({
  ^bb0(%p: memref<?x8xf32>, %r: memref<?x8xf32>, %b: index, %tid: index, %team: index):
    %c0 = "arith.constant"() <{value = 0 : index}> : () -> index
    %c1 = "arith.constant"() <{value = 1 : index}> : () -> index
    %c2 = "arith.constant"() <{value = 2 : index}> : () -> index
    %n = "arith.muli"(%b, %c2) : (index, index) -> index
    %chunk = "arith.ceildivsi"(%n, %team) : (index, index) -> index
    %from = "arith.muli"(%tid, %chunk) : (index, index) -> index
    %lo = "arith.minsi"(%from, %n) : (index, index) -> index
    %to = "arith.addi"(%from, %chunk) : (index, index) -> index
    %hi = "arith.minsi"(%to, %n) : (index, index) -> index
    "scf.for"(%lo, %hi, %c1) ({
    ^bb0(%i: index):
      %i2 = "arith.muli"(%i, %c2) : (index, index) -> index
      "scf.for"(%c0, %c2, %c1) ({
      ^bb0(%j: index):
        %at = "arith.addi"(%i2, %j) : (index, index) -> index
        %v = "vector.load"(%p, %at, %c0) : (memref<?x8xf32>, index, index) -> vector<8xf32>
        "vector.store"(%v, %r, %at, %c0) : (vector<8xf32>, memref<?x8xf32>, index, index) -> ()
        "scf.yield"() : () -> ()
      }) : (index, index, index) -> ()
      "scf.yield"() : () -> ()
    }) : (index, index, index) -> ()
    "func.return"() : () -> ()
  }) {kernel.dims = [#graph.dims<["4*b", 8]>, #graph.dims<["4*b", 8]>], kernel.symbols = ["b"], kernel.outputs = 1 : i64} : () -> ()
  "func.func"() <{sym_name = "first", function_type = (memref<?x8xf32>, memref<8xf32>, index, index, index) -> ()}> ({
  ^bb0(%p: memref<?x8xf32>, %r: memref<8xf32>, %b: index, %tid: index, %team: index):
    %c0 = "arith.constant"() <{value = 0 : index}> : () -> index
    %c1 = "arith.constant"() <{value = 1 : index}> : () -> index
    %c8 = "arith.constant"() <{value = 8 : index}> : () -> index
    %chunk = "arith.ceildivsi"(%c8, %team) : (index, index) -> index
    %from = "arith.muli"(%tid, %chunk) : (index, index) -> index
    %lo = "arith.minsi"(%from, %c8) : (index, index) -> index
    %to = "arith.addi"(%from, %chunk) : (index, index) -> index
    %hi = "arith.minsi"(%to, %c8) : (index, index) -> index
    "scf.for"(%lo, %hi, %c1) ({
    ^bb0(%i: index):
      %v = "memref.load"(%p, %b, %i) : (memref<?x8xf32>, index, index) -> f32
      "memref.store"(%v, %r, %i) : (f32, memref<8xf32>, index) -> ()
      "scf.yield"() : () -> ()
    }) : (index, index, index) -> ()
    "func.return"() : () -> ()
  }) {kernel.dims = [#graph.dims<["4*b", 8]>, #graph.dims<[8]>], kernel.symbols = ["b"], kernel.outputs = 1 : i64} : () -> ()
}) : () -> ()
