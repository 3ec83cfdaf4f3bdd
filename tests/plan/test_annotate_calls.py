"""annotate-calls: which operands a kernel may overwrite, by the linalg form of small graphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value, find_function
from kcompile.ir.dims import evaluate, symbol
from kcompile.ir.passes import run_pipeline
from kcompile.ir.types import TensorType
from kcompile.transforms.kernel import cost_model
from kcompile.transforms.plan.annotate_calls import has_reduction, overwritable, work

B = symbol("b")
LOWER = "form-kernels,fuse-elementwise,fuse-epilogues,fuse-producers,outline-kernels,dedupe-kernels,lower-to-linalg"


def kernel_of(shapes: Sequence[tuple[object, ...]], build: Callable[..., Value | Sequence[Value]]) -> Operation:
    """The linalg form of the only kernel of a graph."""
    b = GraphBuilder.function("main", [TensorType(s, t.f32) for s in shapes])  # type: ignore[arg-type]
    made = build(b, *b.block.arguments)
    b.ret(*([made] if isinstance(made, Value) else made))
    run_pipeline(b.module, LOWER)
    calls = [op for op in find_function(b.module, "main").body.ops if op.name == "kernel.call"]
    assert len(calls) == 1
    return find_function(b.module, calls[0]["callee"])


def test_a_pointwise_kernel_may_overwrite_what_it_reads_in_place() -> None:
    kernel = kernel_of([(B, 8), (B, 8)], lambda b, x, y: b.add(b.mul(x, y), 1.0))
    assert overwritable(kernel) == [(0, 1)]
    assert not has_reduction(kernel)


def test_not_what_is_broadcast_transposed_or_sliced() -> None:
    def broadcast(b: GraphBuilder, x: Value, y: Value) -> Value:
        return b.add(x, b.broadcast_in_dim(y, shape=(B, 8), dims=(1,)))

    kernel = kernel_of([(B, 8), (8,)], broadcast)
    ((index,),) = overwritable(kernel)
    assert kernel.body.arguments[index].type == TensorType((B, 8), t.f32)
    assert overwritable(kernel_of([(8, 8)], lambda b, x: b.add(x, b.transpose(x, permutation=(1, 0))))) == [()]
    assert overwritable(kernel_of([(8, 8)], lambda b, x: b.exp(b.reverse(x, axes=(1,))))) == [()]


def test_not_what_is_read_at_places_of_its_own() -> None:
    def picked(b: GraphBuilder, x: Value) -> Value:
        return b.add(b.gather(x, b.expand(b.convert(x, dtype=t.i32), (1,), (8, 1)), axes=(0,)), x)

    assert overwritable(kernel_of([(8,)], picked)) == [()]


def by_shape(kernel: Operation, shape: tuple[object, ...]) -> Value:
    """The kernel's only operand of that shape."""
    (found,) = [a for a in kernel.body.arguments if a.type.shape == shape]  # type: ignore[attr-defined]
    return found


def test_every_result_of_an_update_may_replace_every_state() -> None:
    def momentum(b: GraphBuilder, w: Value, v: Value, g: Value) -> list[Value]:
        new = b.add(b.mul(v, 0.9), g)
        return [b.sub(w, b.mul(new, 0.1)), new]

    assert overwritable(kernel_of([(6, 7)] * 3, momentum)) == [(0, 1, 2), (0, 1, 2)]


def test_not_where_elements_differ_in_size() -> None:
    kernel = kernel_of([(8,)], lambda b, x: b.convert(x, dtype=t.f64))
    assert overwritable(kernel) == [()]


def test_an_epilogue_may_overwrite_its_own_operands_but_not_those_of_the_reduction() -> None:
    def update(b: GraphBuilder, x: Value, y: Value, w: Value) -> Value:
        product = b.dot_general(x, y, lhs_batch=(), rhs_batch=(), lhs_contract=(0,), rhs_contract=(0,))
        return b.sub(w, b.mul(product, 0.1))

    kernel = kernel_of([(B, 8), (B, 8), (8, 8)], update)
    assert overwritable(kernel) == [(kernel.body.arguments.index(by_shape(kernel, (8, 8))),)]
    assert has_reduction(kernel)


def test_the_update_of_a_table_may_replace_it_but_not_what_is_put_into_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """All updates are read for every block of rows, through other operations, too."""
    monkeypatch.setattr(cost_model, "LARGE_TABLE", 1)

    def update(b: GraphBuilder, w: Value, values: Value, where: Value) -> Value:
        places = b.expand(b.convert(where, dtype=t.i32), (1,), (8, 1))
        return b.sub(w, b.scatter(b.full(0.0, w.type), places, b.neg(values), kind="add", axes=(0,)))

    kernel = kernel_of([(8, 5), (8, 5), (8,)], update)
    (table,) = (u.operands[0] for u in kernel.body.ops if u.name == "linalg.generic" and len(u.operands) == 3)
    assert overwritable(kernel) == [(kernel.body.arguments.index(table),)]
    assert has_reduction(kernel)


@pytest.mark.parametrize("operand", [0, 1])
def test_not_an_operand_that_the_reduction_reads_as_well(operand: int) -> None:
    def build(b: GraphBuilder, x: Value, y: Value) -> Value:
        product = b.dot_general(x, y, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,))
        return b.add(product, (x, y)[operand])

    assert overwritable(kernel_of([(8, 8), (8, 8)], build)) == [()]


def test_work_grows_with_the_batch_and_with_what_is_computed() -> None:
    plain = work(kernel_of([(B, 8)], lambda b, x: b.add(x, 1.0)))
    costly = work(kernel_of([(B, 8)], lambda b, x: b.exp(x)))
    assert 0 < evaluate(plain, {"b": 1}) < evaluate(plain, {"b": 100})
    assert evaluate(plain, {"b": 100}) < evaluate(costly, {"b": 100})


def test_a_cell_state_may_be_overwritten_where_gates_are_parts_of_a_product() -> None:
    def cell(b: GraphBuilder, xz: Value, h: Value, w: Value, c: Value) -> Value:
        z = b.add(xz, b.dot_general(h, w, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,)))
        keep, new = (b.slice(z, start=(0, i * 8), limit=(B, i * 8 + 8), strides=(1, 1)) for i in range(2))
        return b.add(b.mul(b.logistic(keep), c), b.tanh(new))

    kernel = kernel_of([(B, 16), (B, 8), (8, 16), (B, 8)], cell)
    ((index,),) = overwritable(kernel)
    # h has the same shape, but every element of the result needs all of its row
    assert [i for i, a in enumerate(kernel.body.arguments) if t.shape_of(a.type) == (B, 8)][-1] == index
    assert has_reduction(kernel)


def test_a_residual_may_be_overwritten_where_the_weights_are_packed() -> None:
    def product(b: GraphBuilder, x: Value, w: Value, residual: Value) -> Value:
        made = b.dot_general(x, w, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(1,))
        return b.add(b.reshape(made, shape=(B, 32)), residual)

    kernel = kernel_of([(B, 8), (2, 8, 16), (B, 32)], product)
    ((index,),) = overwritable(kernel)
    assert t.shape_of(kernel.body.arguments[index].type) == (B, 32)
