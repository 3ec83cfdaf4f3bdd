// RUN: kcompile opt %s -p collapse-rows
// VALIDATE exact
// A convolution of one position with bias and residual, and the gradient of its weights: images and positions are rows.

// CHECK: "graph.reshape"(%arg0) {shape = #graph.dims<["10*b", 3]>}
// CHECK: affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK: affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0, d1)>
// CHECK: affine_map<(d0, d1, d2) -> (d2, d0)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>

"builtin.module"() ({
  "func.func"() <{sym_name = "main", function_type = (tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, tensor<1x1x3x4xf32>, tensor<4xf32>, tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>) -> (tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>, tensor<1x1x3x4xf32>)}> ({
  ^bb0(%arg0: tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, %arg1: tensor<1x1x3x4xf32>, %arg2: tensor<4xf32>, %arg3: tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>):
    %0 = "graph.reshape"(%arg1) {shape = array<i3: 3, 4>} : (tensor<1x1x3x4xf32>) -> tensor<3x4xf32>
    %1 = "kernel.call"(%arg0, %0, %arg2, %arg3) {callee = @dispatch_0} : (tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, tensor<3x4xf32>, tensor<4xf32>, tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>) -> tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>
    %2 = "kernel.call"(%arg0, %arg3) {callee = @dispatch_1} : (tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>) -> tensor<3x4xf32>
    %3 = "graph.reshape"(%2) {shape = array<i3: 1, 1, 3, 4>} : (tensor<3x4xf32>) -> tensor<1x1x3x4xf32>
    "func.return"(%1, %3) : (tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>, tensor<1x1x3x4xf32>) -> ()
  }) : () -> ()
  "func.func"() <{sym_name = "dispatch_0", function_type = (tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, tensor<3x4xf32>, tensor<4xf32>, tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>) -> tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>}> ({
  ^bb0(%arg0: tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, %arg1: tensor<3x4xf32>, %arg2: tensor<4xf32>, %arg3: tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>):
    %0 = "arith.constant"() <{value = 0.0 : f32}> : () -> f32
    %1 = "tensor.empty"() : () -> tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>
    %2 = "linalg.fill"(%0, %1) <{operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg4: f32, %arg5: f32):
      "linalg.yield"(%arg4) : (f32) -> ()
    }) : (f32, tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>) -> tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>
    %3 = "linalg.generic"(%arg0, %arg1, %2) <{indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d4, d3)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<reduction>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg6: f32, %arg7: f32, %arg8: f32):
      %4 = "arith.mulf"(%arg6, %arg7) : (f32, f32) -> f32
      %5 = "arith.addf"(%arg8, %4) : (f32, f32) -> f32
      "linalg.yield"(%5) : (f32) -> ()
    }) : (tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, tensor<3x4xf32>, tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>) -> tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>
    %6 = "tensor.empty"() : () -> tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>
    %7 = "linalg.generic"(%3, %arg2, %arg3, %6) <{indexing_maps = [affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 3, 1>}> ({
    ^bb0(%arg9: f32, %arg10: f32, %arg11: f32, %arg12: f32):
      %8 = "arith.addf"(%arg9, %arg10) : (f32, f32) -> f32
      %9 = "arith.addf"(%8, %arg11) : (f32, f32) -> f32
      %10 = "arith.constant"() <{value = 0.0 : f32}> : () -> f32
      %11 = "arith.maximumf"(%9, %10) : (f32, f32) -> f32
      "linalg.yield"(%11) : (f32) -> ()
    }) : (tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>, tensor<4xf32>, tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>, tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>) -> tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>
    "func.return"(%7) : (tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>) -> ()
  }) {kernel.root = "graph.dot_general"} : () -> ()
  "func.func"() <{sym_name = "dispatch_1", function_type = (tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>) -> tensor<3x4xf32>}> ({
  ^bb0(%arg0: tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, %arg1: tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>):
    %0 = "arith.constant"() <{value = 0.0 : f32}> : () -> f32
    %1 = "tensor.empty"() : () -> tensor<3x4xf32>
    %2 = "linalg.fill"(%0, %1) <{operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg2: f32, %arg3: f32):
      "linalg.yield"(%arg2) : (f32) -> ()
    }) : (f32, tensor<3x4xf32>) -> tensor<3x4xf32>
    %3 = "linalg.generic"(%arg0, %arg1, %2) <{indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d2, d3, d4, d0)>, affine_map<(d0, d1, d2, d3, d4) -> (d2, d3, d4, d1)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<reduction>, #linalg.iterator_type<reduction>, #linalg.iterator_type<reduction>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg4: f32, %arg5: f32, %arg6: f32):
      %4 = "arith.mulf"(%arg4, %arg5) : (f32, f32) -> f32
      %5 = "arith.addf"(%arg6, %4) : (f32, f32) -> f32
      "linalg.yield"(%5) : (f32) -> ()
    }) : (tensor<?x2x5x3xf32, #graph.dims<["b", 2, 5, 3]>>, tensor<?x2x5x4xf32, #graph.dims<["b", 2, 5, 4]>>, tensor<3x4xf32>) -> tensor<3x4xf32>
    "func.return"(%3) : (tensor<3x4xf32>) -> ()
  }) {kernel.root = "graph.dot_general"} : () -> ()
}) : () -> ()