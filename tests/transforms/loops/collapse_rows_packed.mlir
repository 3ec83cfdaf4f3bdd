// RUN: kcompile opt %s -p collapse-rows
// VALIDATE exact
// Packed weights in panels, and in parts of panels (a gated linear unit): the rows before them are one axis.

// CHECK: tensor<?x4x16xf32, #graph.dims<["10*b", 4, 16]>>
// CHECK: "tensor.collapse_shape"({{.*}}[0 : i64], [1 : i64, 2 : i64]]
// CHECK: tensor<?x2x2x16xf32, #graph.dims<["5*b", 2, 2, 16]>>
// CHECK: "tensor.collapse_shape"({{.*}}[0 : i64], [1 : i64], [2 : i64, 3 : i64]]
// CHECK: affine_map<(d0, d1) -> (d0, 1, d1)>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", arg_attrs = [{kernel.role = "input"}, {kernel.role = "weight"}, {kernel.role = "input"}, {kernel.role = "input"}], function_type = (tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, tensor<3x64xf32>, tensor<64xf32>, tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>) -> tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>}> ({
  ^bb0(%arg0: tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, %arg1: tensor<3x64xf32>, %arg2: tensor<64xf32>, %arg3: tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>):
    %0 = "graph.reshape"(%arg1) {shape = array<i64: 3, 4, 16>} : (tensor<3x64xf32>) -> tensor<3x4x16xf32>
    %1 = "kernel.call"(%0) {callee = @dispatch_0} : (tensor<3x4x16xf32>) -> tensor<4x3x16xf32>
    %2 = "kernel.call"(%arg0, %1, %arg2, %arg3) {callee = @dispatch_1} : (tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, tensor<4x3x16xf32>, tensor<64xf32>, tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>) -> tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>
    "func.return"(%2) : (tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>) -> ()
  }) : () -> ()
  "func.func"() <{sym_name = "dispatch_0", function_type = (tensor<3x4x16xf32>) -> tensor<4x3x16xf32>}> ({
  ^bb0(%arg0: tensor<3x4x16xf32>):
    %0 = "tensor.empty"() : () -> tensor<4x3x16xf32>
    %1 = "linalg.generic"(%arg0, %0) <{indexing_maps = [affine_map<(d0, d1, d2) -> (d1, d0, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg1: f32, %arg2: f32):
      "linalg.yield"(%arg1) : (f32) -> ()
    }) : (tensor<3x4x16xf32>, tensor<4x3x16xf32>) -> tensor<4x3x16xf32>
    "func.return"(%1) : (tensor<4x3x16xf32>) -> ()
  }) {kernel.root = "elementwise"} : () -> ()
  "func.func"() <{sym_name = "dispatch_1", function_type = (tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, tensor<4x3x16xf32>, tensor<64xf32>, tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>) -> tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>}> ({
  ^bb0(%arg0: tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, %arg1: tensor<4x3x16xf32>, %arg2: tensor<64xf32>, %arg3: tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>):
    %0 = "arith.constant"() <{value = 0.0 : f32}> : () -> f32
    %1 = "tensor.empty"() : () -> tensor<?x2x5x4x16xf32, #graph.dims<["b", 2, 5, 4, 16]>>
    %2 = "linalg.fill"(%0, %1) <{operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg4: f32, %arg5: f32):
      "linalg.yield"(%arg4) : (f32) -> ()
    }) : (f32, tensor<?x2x5x4x16xf32, #graph.dims<["b", 2, 5, 4, 16]>>) -> tensor<?x2x5x4x16xf32, #graph.dims<["b", 2, 5, 4, 16]>>
    %3 = "linalg.generic"(%arg0, %arg1, %2) <{indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d3, d5, d4)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<reduction>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg6: f32, %arg7: f32, %arg8: f32):
      %4 = "arith.mulf"(%arg6, %arg7) : (f32, f32) -> f32
      %5 = "arith.addf"(%arg8, %4) : (f32, f32) -> f32
      "linalg.yield"(%5) : (f32) -> ()
    }) : (tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, tensor<4x3x16xf32>, tensor<?x2x5x4x16xf32, #graph.dims<["b", 2, 5, 4, 16]>>) -> tensor<?x2x5x4x16xf32, #graph.dims<["b", 2, 5, 4, 16]>>
    %6 = "tensor.collapse_shape"(%3) <{reassociation = [[0 : i64], [1 : i64], [2 : i64], [3 : i64, 4 : i64]]}> : (tensor<?x2x5x4x16xf32, #graph.dims<["b", 2, 5, 4, 16]>>) -> tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>
    %7 = "tensor.empty"() : () -> tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>
    %8 = "linalg.generic"(%6, %arg2, %arg3, %7) <{indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 3, 1>}> ({
    ^bb0(%arg9: f32, %arg10: f32, %arg11: f32, %arg12: f32):
      %9 = "arith.addf"(%arg9, %arg10) : (f32, f32) -> f32
      %10 = "arith.addf"(%9, %arg11) : (f32, f32) -> f32
      %11 = "arith.constant"() <{value = 0.0 : f32}> : () -> f32
      %12 = "arith.maximumf"(%10, %11) : (f32, f32) -> f32
      "linalg.yield"(%12) : (f32) -> ()
    }) : (tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>, tensor<64xf32>, tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>, tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>) -> tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>
    "func.return"(%8) : (tensor<?x2x5x64xf32, #graph.dims<["b", 2, 5, 64]>>) -> ()
  }) {kernel.root = "graph.dot_general"} : () -> ()
}) : () -> ()
// -----
"builtin.module"() ({
  "func.func"() <{sym_name = "main", arg_attrs = [{kernel.role = "input"}, {kernel.role = "weight"}], function_type = (tensor<?x5x3xf32, #graph.dims<["b", 5, 3]>>, tensor<3x64xf32>) -> tensor<?x5x32xf32, #graph.dims<["b", 5, 32]>>}> ({
  ^bb0(%arg0: tensor<?x5x3xf32, #graph.dims<["b", 5, 3]>>, %arg1: tensor<3x64xf32>):
    %0 = "graph.reshape"(%arg1) {shape = array<i64: 3, 4, 16>} : (tensor<3x64xf32>) -> tensor<3x4x16xf32>
    %1 = "kernel.call"(%0) {callee = @dispatch_0} : (tensor<3x4x16xf32>) -> tensor<4x3x16xf32>
    %2 = "kernel.call"(%arg0, %1) {callee = @dispatch_1} : (tensor<?x5x3xf32, #graph.dims<["b", 5, 3]>>, tensor<4x3x16xf32>) -> tensor<?x5x32xf32, #graph.dims<["b", 5, 32]>>
    "func.return"(%2) : (tensor<?x5x32xf32, #graph.dims<["b", 5, 32]>>) -> ()
  }) : () -> ()
  "func.func"() <{sym_name = "dispatch_0", function_type = (tensor<3x4x16xf32>) -> tensor<4x3x16xf32>}> ({
  ^bb0(%arg0: tensor<3x4x16xf32>):
    %0 = "tensor.empty"() : () -> tensor<4x3x16xf32>
    %1 = "linalg.generic"(%arg0, %0) <{indexing_maps = [affine_map<(d0, d1, d2) -> (d1, d0, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg1: f32, %arg2: f32):
      "linalg.yield"(%arg1) : (f32) -> ()
    }) : (tensor<3x4x16xf32>, tensor<4x3x16xf32>) -> tensor<4x3x16xf32>
    "func.return"(%1) : (tensor<4x3x16xf32>) -> ()
  }) {kernel.root = "elementwise"} : () -> ()
  "func.func"() <{sym_name = "dispatch_1", function_type = (tensor<?x5x3xf32, #graph.dims<["b", 5, 3]>>, tensor<4x3x16xf32>) -> tensor<?x5x32xf32, #graph.dims<["b", 5, 32]>>}> ({
  ^bb0(%arg0: tensor<?x5x3xf32, #graph.dims<["b", 5, 3]>>, %arg1: tensor<4x3x16xf32>):
    %0 = "tensor.expand_shape"(%arg1) <{reassociation = [[0 : i64, 1 : i64], [2 : i64], [3 : i64]], static_output_shape = array<i64: 2, 2, 3, 16>}> : (tensor<4x3x16xf32>) -> tensor<2x2x3x16xf32>
    %1 = "arith.constant"() <{value = 0.0 : f32}> : () -> f32
    %2 = "tensor.empty"() : () -> tensor<?x5x2x2x16xf32, #graph.dims<["b", 5, 2, 2, 16]>>
    %3 = "linalg.fill"(%1, %2) <{operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg2: f32, %arg3: f32):
      "linalg.yield"(%arg2) : (f32) -> ()
    }) : (f32, tensor<?x5x2x2x16xf32, #graph.dims<["b", 5, 2, 2, 16]>>) -> tensor<?x5x2x2x16xf32, #graph.dims<["b", 5, 2, 2, 16]>>
    %4 = "linalg.generic"(%arg0, %0, %3) <{indexing_maps = [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d2, d3, d5, d4)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<reduction>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg4: f32, %arg5: f32, %arg6: f32):
      %5 = "arith.mulf"(%arg4, %arg5) : (f32, f32) -> f32
      %6 = "arith.addf"(%arg6, %5) : (f32, f32) -> f32
      "linalg.yield"(%6) : (f32) -> ()
    }) : (tensor<?x5x3xf32, #graph.dims<["b", 5, 3]>>, tensor<2x2x3x16xf32>, tensor<?x5x2x2x16xf32, #graph.dims<["b", 5, 2, 2, 16]>>) -> tensor<?x5x2x2x16xf32, #graph.dims<["b", 5, 2, 2, 16]>>
    %7 = "tensor.collapse_shape"(%4) <{reassociation = [[0 : i64], [1 : i64], [2 : i64], [3 : i64, 4 : i64]]}> : (tensor<?x5x2x2x16xf32, #graph.dims<["b", 5, 2, 2, 16]>>) -> tensor<?x5x2x32xf32, #graph.dims<["b", 5, 2, 32]>>
    %8 = "tensor.empty"() : () -> tensor<?x5x32xf32, #graph.dims<["b", 5, 32]>>
    %9 = "linalg.generic"(%7, %7, %8) <{indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, 0, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, 1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg7: f32, %arg8: f32, %arg9: f32):
      %10 = "arith.negf"(%arg8) : (f32) -> f32
      %11 = "math.exp"(%10) : (f32) -> f32
      %12 = "arith.constant"() <{value = 1.0 : f32}> : () -> f32
      %13 = "arith.addf"(%11, %12) : (f32, f32) -> f32
      %14 = "arith.divf"(%12, %13) : (f32, f32) -> f32
      %15 = "arith.mulf"(%arg7, %14) : (f32, f32) -> f32
      "linalg.yield"(%15) : (f32) -> ()
    }) : (tensor<?x5x2x32xf32, #graph.dims<["b", 5, 2, 32]>>, tensor<?x5x2x32xf32, #graph.dims<["b", 5, 2, 32]>>, tensor<?x5x32xf32, #graph.dims<["b", 5, 32]>>) -> tensor<?x5x32xf32, #graph.dims<["b", 5, 32]>>
    "func.return"(%9) : (tensor<?x5x32xf32, #graph.dims<["b", 5, 32]>>) -> ()
  }) {kernel.root = "graph.dot_general"} : () -> ()
}) : () -> ()
