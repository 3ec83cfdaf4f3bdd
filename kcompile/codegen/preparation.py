"""@prepare run on weights: from what the model has to what kernels want.

What it computes is cut into parts that share nothing large, and a part keeps nothing longer than needed: models have
100 MB of weights, and memory that is new costs as much as the arithmetic (0.5 ms a MB to have it zeroed by the system).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kcompile.codegen.interface import stored_bytes
from kcompile.errors import KcompileError
from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.interpreter import round_bf16
from kcompile.ir.types import TensorType

Array = np.ndarray[Any, Any]

_SHARED = 1 << 16  # elements: what is smaller is computed again for each weight that needs it
_LARGE = 4 << 20  # bytes of weights from which on threads pay
_STRIP = 512  # columns of a product in f64: the strip stays in cache, and BLAS starts no threads of its own for it


def prepare(
    function: Operation,
    weights: Sequence[Array],
    places: Mapping[int, Sequence[Any]],
    block: memoryview | bytearray,
    threads: int = 1,
) -> None:
    """Write each result of @prepare to its places in the block (see `store`), on several threads where it is large."""
    parts = parts_of(function)

    def run(part: Part) -> None:
        for i, value in evaluate(part, weights).items():
            store(value, places.get(i, ()), block)

    if threads > 1 and len(parts) > 1 and len(block) >= _LARGE:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(threads) as pool:  # NumPy lets go of the GIL in large operations
            list(pool.map(run, parts))
    else:
        for part in parts:
            run(part)


def store(value: Any, places: Sequence[Any], block: memoryview | bytearray) -> None:
    """Write a prepared weight to its places (offset, bytes, type) in the block."""
    array = np.asarray(value)
    for place in places:
        offset, nbytes = place["offset"], place["bytes"]
        if array.nbytes == nbytes and array.dtype.isnative:
            np.frombuffer(block, array.dtype, array.size, offset).reshape(array.shape)[...] = array
            continue
        data = stored_bytes(array, place["type"].element)
        if len(data) != nbytes:
            raise KcompileError(f"weight {place} got {len(data)} bytes; this is a fault of @prepare")
        block[offset : offset + nbytes] = data


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the results of @prepare, by their numbers, and the operations that they need, in order."""

    results: dict[int, Value]
    ops: list[Operation]


def parts_of(function: Operation) -> list[Part]:
    """@prepare in parts of few results each: those together that share something large to compute."""
    groups: list[tuple[dict[int, Value], dict[Operation, None]]] = []
    for i, value in enumerate(function.body.terminator.operands):
        needed = _slice(value, function.body)
        large = {op for op in needed if any(_size(r) > _SHARED for r in op.results)}
        mine, rest = ({i: value}, needed), []
        for group in groups:
            if large.isdisjoint(group[1]):
                rest.append(group)
            else:
                mine = ({**group[0], **mine[0]}, {**group[1], **mine[1]})
        groups = [*rest, mine]
    order = {op: k for k, op in enumerate(function.body.ops)}
    return [Part(results, sorted(needed, key=order.__getitem__)) for results, needed in groups]


def evaluate(part: Part, weights: Sequence[Array]) -> dict[int, Array]:
    """The results of a part; `weights` are the arguments of @prepare."""
    uses = Counter(v for op in part.ops for v in op.operands)
    uses.update(part.results.values())
    strips = {op: found for op in part.ops if (found := _product_in_strips(op, uses)) is not None}
    within = {op for found in strips.values() for op in found.within}
    values: dict[Value, Array] = {}

    def take(value: Value) -> Array:
        """The value; forgotten with its last use."""
        if isinstance(value.owner, Block):
            return np.asarray(weights[value.index])
        uses[value] -= 1
        return values[value] if uses[value] else values.pop(value)

    for op in part.ops:
        if op in within:
            continue
        product = strips.get(op)
        if product is not None:
            values[op.result] = product.compute(take(product.left), take(product.right))
        else:
            values[op.result] = _computed(op, [take(v) for v in op.operands])
    return {i: take(value) for i, value in part.results.items()}


def _computed(op: Operation, operands: list[Array]) -> Array:
    definition = op.definition
    assert definition is not None and definition.reference is not None
    attributes = {name: a.value for name, a in op.attributes.items() if name in definition.attrs}
    compute: Callable[..., Array] = _VIEWS.get(op.name, definition.reference)
    made = compute(*operands, **attributes)
    return round_bf16(made) if t.element_of(op.result.type) is t.bf16 else made


def _broadcast(x: Array, *, shape: tuple[int, ...], dims: tuple[int, ...]) -> Array:
    placed = [1] * len(shape)
    for size, dim in zip(x.shape, dims, strict=True):
        placed[dim] = size
    return np.broadcast_to(np.transpose(x, np.argsort(dims)).reshape(placed), shape)


# The references give arrays of their own; here nobody writes into a value, and a view is enough.
_VIEWS: dict[str, Callable[..., Array]] = {
    "graph.broadcast_in_dim": _broadcast,
    "graph.transpose": lambda x, permutation: np.transpose(x, permutation),
}


@dataclass(frozen=True, slots=True)
class _Product:
    """A product of matrices in f64 of which only the rounded result is used: right is widened by strips of columns."""

    left: Value
    right: Value
    within: list[Operation]

    def compute(self, left: Array, right: Array) -> Array:
        columns = right.reshape(left.shape[1], -1)
        made = np.empty((len(left), columns.shape[1]), np.float32)
        with np.errstate(all="ignore"):
            for i in range(0, columns.shape[1], _STRIP):
                made[:, i : i + _STRIP] = left @ columns[:, i : i + _STRIP].astype(np.float64)
        return made


def _product_in_strips(op: Operation, uses: Mapping[Value, int]) -> _Product | None:
    if op.name != "graph.convert" or t.element_of(op.result.type) is not t.f32:
        return None
    product = op.operands[0].defining_op
    if product is None or product.name != "graph.dot_general" or t.element_of(product.result.type) is not t.f64:
        return None
    left, right = product.operands
    plain = not product["lhs_batch"] and (product["lhs_contract"], product["rhs_contract"]) == ((1,), (0,))
    if not plain or len(t.shape_of(left.type)) != 2 or len(t.shape_of(right.type)) != 2:
        return None
    within = [product]
    while (maker := right.defining_op) is not None and maker.name in ("graph.reshape", "graph.convert"):
        within.append(maker)
        (right,) = maker.operands
        if maker.name == "graph.convert":
            read_once = all(uses[inner.result] == 1 for inner in within)
            return _Product(left, right, within) if read_once else None
    return None


def _slice(value: Value, body: Block) -> dict[Operation, None]:
    """All operations of `body` that a value needs."""
    found: dict[Operation, None] = {}
    pending = [value]
    while pending:
        op = pending.pop().owner
        if isinstance(op, Operation) and op.parent is body and op not in found:
            found[op] = None
            pending += op.operands
    return found


def _size(value: Value) -> int:
    """Elements of a tensor of known size."""
    assert isinstance(value.type, TensorType) and isinstance(value.type.size, int)
    return value.type.size
