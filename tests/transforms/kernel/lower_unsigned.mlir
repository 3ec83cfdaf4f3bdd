// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-producers,fuse-row-chains,outline-kernels,lower-to-linalg'
// Kernels are signless: unsigned comparison and division say so by their names.

// CHECK: tensor<4xi32>
// CHECK: arith.divui
// CHECK: arith.cmpi

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<4xui32>, tensor<4xui32>) -> (tensor<4xui32>, tensor<4xi1>)}> ({
  ^bb0(%arg0: tensor<4xui32>, %arg1: tensor<4xui32>):
    %0 = "graph.div"(%arg0, %arg1) : (tensor<4xui32>, tensor<4xui32>) -> tensor<4xui32>
    %1 = "graph.compare"(%arg0, %arg1) {direction = "lt"} : (tensor<4xui32>, tensor<4xui32>) -> tensor<4xi1>
    "func.return"(%0, %1) : (tensor<4xui32>, tensor<4xi1>) -> ()
  }) : () -> ()
}) : () -> ()
