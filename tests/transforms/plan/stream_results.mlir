// RUN: kcompile opt %s -p 'stream-results{target=x86-64-v4,least=4096}'
// A result that may outgrow the cache is streamed where the call's is large and begins at a line. Not streamed: the
// stores of less than a register, a result that the kernel reads again, and one that shares memory with an operand.

// CHECK: sym_name = "rows"
// CHECK: arith.cmpi
// CHECK: memref.extract_aligned_pointer_as_index
// CHECK: scf.if
// CHECK: "vector.store"(%{{.*}}) <{nontemporal = true}>
// CHECK-NOT: nontemporal
// CHECK: vector.store
// CHECK: scf.yield
// CHECK: vector.store
// CHECK: vector.store
// CHECK-NOT: memref.extract_aligned_pointer_as_index
// CHECK: sym_name = "again"
// CHECK-NOT: memref.extract_aligned_pointer_as_index
// CHECK: sym_name = "in_place"
// CHECK-NOT: memref.extract_aligned_pointer_as_index
// CHECK: sym_name = "small"
// CHECK-NOT: memref.extract_aligned_pointer_as_index

"builtin.module"() ({
  "func.func"() <{sym_name = "rows", function_type = (memref<?x64xf32>, memref<?x64xf32>, index, index, index) -> ()}> ({
  ^bb0(%x: memref<?x64xf32>, %y: memref<?x64xf32>, %b: index, %tid: index, %team: index):
    %0 = "arith.constant"() <{value = 0 : index}> : () -> index
    %1 = "arith.constant"() <{value = 1 : index}> : () -> index
    %16 = "arith.constant"() <{value = 16 : index}> : () -> index
    "scf.for"(%0, %b, %1) ({
    ^bb1(%row: index):
      %v = "vector.load"(%x, %row, %16) : (memref<?x64xf32>, index, index) -> vector<16xf32>
      "vector.store"(%v, %y, %row, %16) : (vector<16xf32>, memref<?x64xf32>, index, index) -> ()
      %w = "vector.load"(%x, %row, %1) : (memref<?x64xf32>, index, index) -> vector<8xf32>
      "vector.store"(%w, %y, %row, %0) : (vector<8xf32>, memref<?x64xf32>, index, index) -> ()
      "scf.yield"() : () -> ()
    }) : (index, index, index) -> ()
    "func.return"() : () -> ()
  }) {kernel.dims = [#graph.dims<["b", 64]>, #graph.dims<["b", 64]>], kernel.symbols = ["b"], kernel.outputs = 1 : i64, kernel.strategy = "elementwise{lanes=16}"} : () -> ()
  "func.func"() <{sym_name = "again", function_type = (memref<?x64xf32>, memref<?x64xf32>, index, index, index) -> ()}> ({
  ^bb0(%x: memref<?x64xf32>, %y: memref<?x64xf32>, %b: index, %tid: index, %team: index):
    %0 = "arith.constant"() <{value = 0 : index}> : () -> index
    %1 = "arith.constant"() <{value = 1 : index}> : () -> index
    "scf.for"(%0, %b, %1) ({
    ^bb1(%row: index):
      %v = "vector.load"(%y, %row, %0) : (memref<?x64xf32>, index, index) -> vector<16xf32>
      "vector.store"(%v, %y, %row, %0) : (vector<16xf32>, memref<?x64xf32>, index, index) -> ()
      "scf.yield"() : () -> ()
    }) : (index, index, index) -> ()
    "func.return"() : () -> ()
  }) {kernel.dims = [#graph.dims<["b", 64]>, #graph.dims<["b", 64]>], kernel.symbols = ["b"], kernel.outputs = 1 : i64, kernel.strategy = "elementwise{lanes=16}"} : () -> ()
  "func.func"() <{sym_name = "in_place", function_type = (memref<?x64xf32>, memref<?x64xf32>, index, index, index) -> ()}> ({
  ^bb0(%x: memref<?x64xf32>, %y: memref<?x64xf32>, %b: index, %tid: index, %team: index):
    %0 = "arith.constant"() <{value = 0 : index}> : () -> index
    %1 = "arith.constant"() <{value = 1 : index}> : () -> index
    "scf.for"(%0, %b, %1) ({
    ^bb1(%row: index):
      %v = "vector.load"(%x, %row, %0) : (memref<?x64xf32>, index, index) -> vector<16xf32>
      "vector.store"(%v, %y, %row, %0) : (vector<16xf32>, memref<?x64xf32>, index, index) -> ()
      "scf.yield"() : () -> ()
    }) : (index, index, index) -> ()
    "func.return"() : () -> ()
  }) {kernel.aliased = [0 : i64, 1 : i64], kernel.dims = [#graph.dims<["b", 64]>, #graph.dims<["b", 64]>], kernel.symbols = ["b"], kernel.outputs = 1 : i64, kernel.strategy = "elementwise{lanes=16}"} : () -> ()
  "func.func"() <{sym_name = "small", function_type = (memref<8x64xf32>, memref<8x64xf32>, index, index) -> ()}> ({
  ^bb0(%x: memref<8x64xf32>, %y: memref<8x64xf32>, %tid: index, %team: index):
    %0 = "arith.constant"() <{value = 0 : index}> : () -> index
    %1 = "arith.constant"() <{value = 1 : index}> : () -> index
    %8 = "arith.constant"() <{value = 8 : index}> : () -> index
    "scf.for"(%0, %8, %1) ({
    ^bb1(%row: index):
      %v = "vector.load"(%x, %row, %0) : (memref<8x64xf32>, index, index) -> vector<16xf32>
      "vector.store"(%v, %y, %row, %0) : (vector<16xf32>, memref<8x64xf32>, index, index) -> ()
      "scf.yield"() : () -> ()
    }) : (index, index, index) -> ()
    "func.return"() : () -> ()
  }) {kernel.dims = [#graph.dims<[8, 64]>, #graph.dims<[8, 64]>], kernel.symbols = [], kernel.outputs = 1 : i64, kernel.strategy = "elementwise{lanes=16}"} : () -> ()
}) : () -> ()
