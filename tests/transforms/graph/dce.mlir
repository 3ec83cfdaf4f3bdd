// RUN: kcompile opt %s -p 'dce'
// VALIDATE exact
// A chain that nobody uses goes away as a whole.

// CHECK-NOT: graph.exp
// CHECK-NOT: graph.neg
// CHECK: graph.abs

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<3xf32>) -> tensor<3xf32>}> ({
  ^bb0(%arg0: tensor<3xf32>):
    %0 = "graph.neg"(%arg0) : (tensor<3xf32>) -> tensor<3xf32>
    %1 = "graph.exp"(%0) : (tensor<3xf32>) -> tensor<3xf32>
    %2 = "graph.abs"(%arg0) : (tensor<3xf32>) -> tensor<3xf32>
    "func.return"(%2) : (tensor<3xf32>) -> ()
  }) : () -> ()
}) : () -> ()
