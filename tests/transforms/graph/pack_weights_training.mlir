// RUN: kcompile opt %s -p 'pack-weights{least=1,frozen=false}'
// VALIDATE
// Weights that change from call to call are packed before a scan of many steps, all of which read them.

// CHECK: [[PACKED:%.*]] = "graph.transpose"
// CHECK: "graph.scan"(%arg1, %arg0, [[PACKED]])
// CHECK: "graph.dot_general"({{.*}}tensor<2x16x16xf32>
// CHECK: "graph.reshape"

"builtin.module"() ({
  "func.func"() <{sym_name = "main", arg_attrs = [{kernel.role = "input"}, {kernel.role = "input"}, {kernel.role = "state"}], function_type = (tensor<12x?x16xf32, #graph.dims<[12, "b", 16]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<16x32xf32>) -> (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<12x?x16xf32, #graph.dims<[12, "b", 16]>>)}> ({
  ^bb0(%arg0: tensor<12x?x16xf32, #graph.dims<[12, "b", 16]>>, %arg1: tensor<?x16xf32, #graph.dims<["b", 16]>>, %arg2: tensor<16x32xf32>):
    %0:2 = "graph.scan"(%arg1, %arg0, %arg2) ({
    ^bb0(%arg0: tensor<?x16xf32, #graph.dims<["b", 16]>>, %arg1: tensor<?x16xf32, #graph.dims<["b", 16]>>, %arg2: tensor<16x32xf32>):
      %0 = "graph.add"(%arg0, %arg1) : (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
      %1 = "graph.dot_general"(%0, %arg2) {lhs_batch = array<i64>, lhs_contract = array<i64: 1>, rhs_batch = array<i64>, rhs_contract = array<i64: 0>} : (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<16x32xf32>) -> tensor<?x32xf32, #graph.dims<["b", 32]>>
      %2 = "graph.slice"(%1) {limit = #graph.dims<["b", 16]>, start = array<i64: 0, 0>, strides = array<i64: 1, 1>} : (tensor<?x32xf32, #graph.dims<["b", 32]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
      %3 = "graph.slice"(%1) {limit = #graph.dims<["b", 32]>, start = array<i64: 0, 16>, strides = array<i64: 1, 1>} : (tensor<?x32xf32, #graph.dims<["b", 32]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
      %4 = "graph.tanh"(%3) : (tensor<?x16xf32, #graph.dims<["b", 16]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
      %5 = "graph.mul"(%2, %4) : (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>) -> tensor<?x16xf32, #graph.dims<["b", 16]>>
      "graph.yield"(%5, %5) : (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<?x16xf32, #graph.dims<["b", 16]>>) -> ()
    }) {carries = 1 : i64, length = #graph.dims<[12]>, reverse = false, xs = 1 : i64} : (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<12x?x16xf32, #graph.dims<[12, "b", 16]>>, tensor<16x32xf32>) -> (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<12x?x16xf32, #graph.dims<[12, "b", 16]>>)
    "func.return"(%0#0, %0#1) : (tensor<?x16xf32, #graph.dims<["b", 16]>>, tensor<12x?x16xf32, #graph.dims<[12, "b", 16]>>) -> ()
  }) : () -> ()
}) : () -> ()