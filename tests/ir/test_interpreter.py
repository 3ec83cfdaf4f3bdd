"""What the interpreter itself does: arguments, symbols, calls, checks of results. What ops mean is tested with them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcompile.dialects.graph.builder import GraphBuilder
from kcompile.errors import IRError
from kcompile.ir.core import Operation
from kcompile.ir.definition import Definition
from kcompile.ir.dims import Dim, evaluate, symbol
from kcompile.ir.interpreter import infer_sizes, interpret, round_bf16
from kcompile.ir.location import Location
from kcompile.ir.parser import parse_module
from kcompile.ir.types import TensorType, bf16, f32, i32

b, t = symbol("b"), symbol("t")


def function(*inputs: TensorType) -> GraphBuilder:
    return GraphBuilder.function("main", inputs)


def test_a_function_of_graph_ops() -> None:
    g = function(TensorType((2, 3), f32))
    g.ret(g.mul(g.add(g.argument(0), 1.0), 2.0), g.argument(0))
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    doubled, same = interpret(g.module, "main", [x])
    np.testing.assert_array_equal(doubled, (x + 1) * 2)
    np.testing.assert_array_equal(same, x)


@given(st.integers(0, 5), st.integers(1, 5))
def test_sizes_of_symbols_come_from_the_arguments(n: int, m: int) -> None:
    g = function(TensorType((b, t), f32), TensorType((2 * b + t,), f32))
    flat = g.reshape(g.argument(0), shape=(b * t,))
    g.ret(g.broadcast_in_dim(flat, shape=(t, b * t), dims=(1,)))
    (out,) = interpret(g.module, "main", [np.ones((n, m), np.float32), np.ones(2 * n + m, np.float32)])
    assert out.shape == (m, n * m)


@given(
    st.lists(st.sampled_from([b, t, 2 * b, b + t, 3 * t - 1, b * t, 7]), min_size=1),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_inferred_sizes_are_right_or_missing(shape: list[Dim], n: int, m: int) -> None:
    sizes = {"b": n, "t": m}
    actual = [evaluate(d, sizes) for d in shape]
    found = infer_sizes(
        [TensorType(tuple(shape), f32)], [np.empty(actual, np.int8)] if np.prod(actual) < 1e6 else [1.0]
    )
    assert all(found[name] == sizes[name] for name in found)
    if b in shape and np.prod(actual) < 1e6:
        assert "b" in found


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ([np.ones((2, 3), np.float32)], "@main takes 2 arguments. Received: 1"),
        ([np.ones((2, 3), np.float32), np.ones(3, np.float32)], "argument 1 of @main is tensor<?xf32"),
        ([np.ones((2, 3)), np.ones(2, np.float32)], "argument 0 of @main is tensor<?x3xf32"),
        ([np.ones((2, 4), np.float32), np.ones(2, np.float32)], "argument 0 of @main is tensor<?x3xf32"),
        ([np.ones(3, np.float32), np.ones(2, np.float32)], "argument 0 of @main is tensor<?x3xf32"),
    ],
)
def test_wrong_arguments_are_refused(arrays: list[np.ndarray], message: str) -> None:
    g = function(TensorType((b, 3), f32), TensorType((b,), f32))
    g.ret(g.argument(0))
    with pytest.raises(IRError) as caught:
        interpret(g.module, "main", arrays)
    assert message in caught.value.message


def test_a_size_that_nothing_tells_can_be_given() -> None:
    g = function()
    g.ret(g.broadcast_in_dim(g.constant(1.0), shape=(b, 2), dims=()))
    with pytest.raises(IRError, match="symbolic dim 'b' is not known"):
        interpret(g.module, "main", [])
    (out,) = interpret(g.module, "main", [], {"b": 4})
    assert out.shape == (4, 2)


def test_calls_have_their_own_values_and_sizes() -> None:
    module = parse_module("""
    "func.func"() <{sym_name = "double", function_type = (tensor<?xf32, #graph.dims<["n"]>>)
        -> tensor<?xf32, #graph.dims<["n"]>>}> ({
    ^bb0(%x: tensor<?xf32, #graph.dims<["n"]>>):
      %y = "graph.add"(%x, %x) : (tensor<?xf32, #graph.dims<["n"]>>, tensor<?xf32, #graph.dims<["n"]>>)
        -> tensor<?xf32, #graph.dims<["n"]>>
      "func.return"(%y) : (tensor<?xf32, #graph.dims<["n"]>>) -> ()
    }) : () -> ()
    "func.func"() <{sym_name = "main",
        function_type = (tensor<2xf32>, tensor<3xf32>) -> (tensor<2xf32>, tensor<3xf32>)}> ({
    ^bb0(%x: tensor<2xf32>, %y: tensor<3xf32>):
      %0 = "func.call"(%x) <{callee = @double}> : (tensor<2xf32>) -> tensor<2xf32>
      %1 = "func.call"(%y) <{callee = @double}> : (tensor<3xf32>) -> tensor<3xf32>
      %2 = "func.call"(%0) <{callee = @double}> : (tensor<2xf32>) -> tensor<2xf32>
      "func.return"(%2, %1) : (tensor<2xf32>, tensor<3xf32>) -> ()
    }) : () -> ()""")
    two, three = interpret(module, "main", [np.float32([1, 2]), np.float32([1, 2, 3])])
    assert two.tolist() == [4, 8]
    assert three.tolist() == [2, 4, 6]


LOOP = """
!row = tensor<?xf32, #graph.dims<["b"]>>
"func.func"() <{sym_name = "kernel", function_type = (memref<?xf32>, memref<?xf32>, index, index, index) -> ()}> ({
^bb0(%x: memref<?xf32>, %y: memref<?xf32>, %n: index, %tid: index, %team: index):
  %one = "arith.constant"() <{value = 1 : index}> : () -> index
  "scf.for"(%tid, %n, %team) ({
  ^bb0(%i: index):
    %v = "memref.load"(%x, %i) : (memref<?xf32>, index) -> f32
    %w = "arith.addf"(%v, %v) : (f32, f32) -> f32
    "memref.store"(%w, %y, %i) : (f32, memref<?xf32>, index) -> ()
    "scf.yield"() : () -> ()
  }) : (index, index, index) -> ()
  "func.return"() : () -> ()
}) {kernel.outputs = 1, kernel.symbols = ["b"]} : () -> ()
"func.func"() <{sym_name = "main", function_type = (!row) -> !row}> ({
^bb0(%x: !row):
  %0 = "kernel.call"(%x) {callee = @kernel} : (!row) -> !row
  "func.return"(%0) : (!row) -> ()
}) : () -> ()
"""


def test_memory_is_written_in_place() -> None:
    x, y = np.float32([1, 2, 3]), np.zeros(3, np.float32)
    assert interpret(parse_module(LOOP), "kernel", [x, y, 3, 0, 2]) == []
    assert y.tolist() == [2, 0, 6]


@pytest.mark.parametrize("team", [1, 2, 5])
def test_a_kernel_runs_once_for_each_worker(team: int) -> None:
    x = np.arange(4, dtype=np.float32)
    (y,) = interpret(parse_module(LOOP), "main", [x], team=team)
    assert y.tolist() == [0, 2, 4, 6]


def test_what_a_kernel_does_not_write_shows() -> None:
    module = parse_module(LOOP.replace("(%tid, %n, %team) ({", "(%one, %n, %one) ({"))
    (y,) = interpret(module, "main", [np.arange(4, dtype=np.float32)])
    assert y[1:].tolist() == [2, 4, 6]
    assert not np.isfinite(y[0]) or abs(y[0]) > 1e30


def test_access_outside_a_buffer_is_an_error() -> None:
    with pytest.raises(IRError):
        interpret(parse_module(LOOP), "kernel", [np.ones(3, np.float32), np.zeros(3, np.float32), 4, 0, 1])


def test_an_operation_without_meaning_is_named() -> None:
    module = parse_module("""
    "func.func"() <{sym_name = "main", function_type = () -> f32}> ({
      %0 = "test.magic"() : () -> f32
      "func.return"(%0) : (f32) -> ()
    }) : () -> ()""")
    with pytest.raises(IRError, match=r"test.magic has no reference"):
        interpret(module, "main", [])


def broken(reference: object) -> Operation:
    """A module whose graph.exp has another reference."""
    g = function(TensorType((2,), f32))
    with g.located(Location("model/layer")):
        g.ret(g.exp(g.argument(0)))
    op = next(op for op in g.module.walk() if op.name == "graph.exp")

    op.definition = Definition("graph.exp", "x", "pure", {"reference": reference}, "")
    return g.module


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (lambda x: x.astype(np.float64), r"the reference of graph.exp gave float64\[2\]"),
        (lambda x: x[:1], r"gave float32\[1\]"),
        (lambda x: 1 // 0, "graph.exp failed: ZeroDivisionError"),
    ],
)
def test_a_reference_that_breaks_its_type_is_named_with_its_layer(reference: object, message: str) -> None:
    with pytest.raises(IRError, match=message) as caught:
        interpret(broken(reference), "main", [np.ones(2, np.float32)])
    assert caught.value.where == 'loc("model/layer")'


@given(st.floats(width=32))
def test_bf16_is_rounded_to_the_nearest(value: float) -> None:
    rounded = float(round_bf16(np.float32([value]))[0])
    if np.isnan(value):
        assert np.isnan(rounded)
        return
    bits = int(np.float32(value).view(np.uint32)) & 0xFFFF0000
    # the two neighbours that 16 bits can hold; the one past the largest finite is an infinity
    below, above = (float(np.array(n, np.uint32).view(np.float32)) for n in (bits, min(bits + 0x10000, 0xFFFF0000)))
    assert rounded in (below, above) or value in (below, above)
    if np.isfinite(above) and np.isfinite(value):
        assert abs(rounded - value) <= min(abs(below - value), abs(above - value))


def test_results_of_bf16_ops_are_rounded() -> None:
    g = function(TensorType((1,), bf16))
    g.ret(g.add(g.argument(0), g.argument(0)), g.mul(g.argument(0), g.argument(0)))
    x = round_bf16(np.float32([1.0078125]))
    _, squared = interpret(g.module, "main", [x])
    assert squared[0] == round_bf16(x * x)[0] != (x * x)[0]


def test_integers_wrap() -> None:
    g = function(TensorType((1,), i32))
    g.ret(g.mul(g.argument(0), g.argument(0)))
    assert interpret(g.module, "main", [np.int32([2**20 + 1])])[0].tolist() == [2**21 + 1]
