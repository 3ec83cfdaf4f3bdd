// RUN: kcompile opt %s -p 'form-kernels,fuse-elementwise,fuse-epilogues,fuse-producers,fuse-row-chains,outline-kernels,lower-to-linalg'
// VALIDATE exact
// The best value and where it was, both carried.

// CHECK: {{%.*}}:2 = "linalg.generic"(%arg0, {{%[0-9]+}}, {{%[0-9]+}})
// CHECK: linalg.index
// CHECK: arith.select

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x5xf32, #graph.dims<["b", 5]>>) -> tensor<?xi32, #graph.dims<["b"]>>}> ({
  ^bb0(%arg0: tensor<?x5xf32, #graph.dims<["b", 5]>>):
    %0 = "graph.arg_reduce"(%arg0) {axis = 1 : i64, dtype = i32, kind = "max"} : (tensor<?x5xf32, #graph.dims<["b", 5]>>) -> tensor<?xi32, #graph.dims<["b"]>>
    "func.return"(%0) : (tensor<?xi32, #graph.dims<["b"]>>) -> ()
  }) : () -> ()
}) : () -> ()
