// RUN: kcompile opt %s -p hoist-scalars
// The division and what it is made from leave the loop, and the loop around it; the vectors and the sum stay.

// CHECK: arith.addf
// CHECK: arith.divf
// CHECK: scf.for
// CHECK: scf.for
// CHECK-NOT: arith.divf
// CHECK: vector.broadcast
// CHECK: arith.mulf

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (memref<1xf32>, memref<8x16xf32>) -> ()}> ({
  ^bb0(%arg0: memref<1xf32>, %arg1: memref<8x16xf32>):
    %zero = "arith.constant"() <{value = 0 : index}> : () -> index
    %one = "arith.constant"() <{value = 1 : index}> : () -> index
    %eight = "arith.constant"() <{value = 8 : index}> : () -> index
    %sixteen = "arith.constant"() <{value = 16 : index}> : () -> index
    %v = "memref.load"(%arg0, %zero) : (memref<1xf32>, index) -> f32
    "scf.for"(%zero, %eight, %one) ({
    ^bb1(%row: index):
      "scf.for"(%zero, %sixteen, %eight) ({
      ^bb2(%column: index):
        %c = "arith.constant"() <{value = 1.0 : f32}> : () -> f32
        %s = "arith.addf"(%v, %c) : (f32, f32) -> f32
        %d = "arith.divf"(%c, %s) : (f32, f32) -> f32
        %x = "vector.load"(%arg1, %row, %column) : (memref<8x16xf32>, index, index) -> vector<8xf32>
        %w = "vector.broadcast"(%d) : (f32) -> vector<8xf32>
        %y = "arith.mulf"(%x, %w) : (vector<8xf32>, vector<8xf32>) -> vector<8xf32>
        "vector.store"(%y, %arg1, %row, %column) : (vector<8xf32>, memref<8x16xf32>, index, index) -> ()
        "scf.yield"() : () -> ()
      }) : (index, index, index) -> ()
      "scf.yield"() : () -> ()
    }) : (index, index, index) -> ()
    "func.return"() : () -> ()
  }) : () -> ()
}) : () -> ()
