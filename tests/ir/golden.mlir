// RUN: kcompile opt %s -p dce
// VALIDATE exact
// CHECK-LABEL: sym_name = "f"
// CHECK-NEXT: ^bb0([[X:%.*]]: tensor<2xf32>)
// CHECK-NEXT: [[A:%.*]] = "graph.add"([[X]], [[X]])
// CHECK-NOT: graph.sub
// CHECK: "func.return"([[A]])
"func.func"() <{sym_name = "f", function_type = (tensor<2xf32>) -> tensor<2xf32>}> ({
^bb0(%x: tensor<2xf32>):
  %y = "graph.add"(%x, %x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %z = "graph.sub"(%x, %x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  "func.return"(%y) : (tensor<2xf32>) -> ()
}) : () -> ()
