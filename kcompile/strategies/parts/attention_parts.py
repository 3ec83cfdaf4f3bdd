"""An attention kernel taken apart: products of the scores' shape, work along their rows, sums of what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kcompile.ir import types as t
from kcompile.ir.affine import AffineMap
from kcompile.ir.core import Value
from kcompile.strategies.contraction import has_windows, is_multiply_add
from kcompile.strategies.parts.combiner import combiner
from kcompile.strategies.parts.structured import Generic, Kernel, generic


@dataclass(frozen=True, slots=True)
class Sum:
    """A product with rows of scores on its left, for output number `output` of the kernel.

    of_keys    summed over the queries, a row for each key; else summed over the keys, a row for each query
    place      how the output reads it: a permutation
    """

    view: Generic
    of_keys: bool
    width: int
    output: int
    place: AffineMap


@dataclass(frozen=True, slots=True)
class AttentionParts:
    """`t` queries, `s` keys."""

    products: tuple[Generic, ...]
    rows: tuple[Generic, ...]
    sums: tuple[Sum, ...]
    t: int
    s: int


def parts(kernel: Kernel) -> AttentionParts | None:
    """The kernel taken apart, if it is what `attention` can write."""
    if len(kernel.roots) < 3 or any(op.name != "linalg.generic" for op in kernel.roots):
        return None
    views = [generic(op) for op in kernel.roots]
    dims = views[0].dims
    products = [v for v in views if v.dims == dims and not _follows(v)]
    sums = [v for v in views if v.dims == dims and _follows(v)]
    between = [v for v in views if v.dims != dims]
    if not products or not between or not sums or dims < 3 or len(sums) != len(kernel.outputs):
        return None
    if not all(_is_product(v) for v in (*products, *sums)):
        return None
    full, rows = _shape(products[0].op.results[0]), dims - 2
    if any(not isinstance(n, int) or n < 1 for v in (*products, *sums) for n in v.extents()[rows - 1 :]):
        return None
    elements = {t.element_of(v.type) for view in (*products, *sums) for v in (*view.inputs, *view.op.results)}
    if len(elements) != 1 or not all(t.is_float(e) for e in elements):
        return None
    for view in products:
        last = [m.results[-1].dim for m in view.input_maps]
        if _shape(view.op.results[0]) != full or last[1] not in (rows, rows + 1):
            return None
    if any(combiner(v) is None or v.parallel != tuple(range(rows)) or v.dims != rows + 1 for v in between):
        return None
    found = [_sum_of(kernel, view, full) for view in sums]
    if any(s is None for s in found):
        return None
    queries, keys = full[-2:]
    assert isinstance(queries, int) and isinstance(keys, int)
    return AttentionParts(tuple(products), tuple(between), tuple(s for s in found if s is not None), queries, keys)


def _follows(view: Generic) -> bool:
    """Whether the left operand is made in the kernel."""
    made = view.inputs[0].defining_op
    return made is not None and made.name == "linalg.generic"


def _is_product(view: Generic) -> bool:
    return (
        is_multiply_add(view)
        and not has_windows(view)
        and len(view.inputs) == 2
        and view.reductions == (view.dims - 1,)
        and _is(view.output_maps[0], range(view.dims - 1))
    )


def _sum_of(kernel: Kernel, view: Generic, full: tuple[object, ...]) -> Sum | None:
    last = view.dims - 1
    batch = tuple(range(last - 2))
    over_keys, over_queries = (*batch, last - 2, last), (*batch, last, last - 2)
    left = view.input_maps[0]
    if _shape(view.inputs[0]) != full or not (_is(left, over_keys) or _is(left, over_queries)):
        return None
    if view.input_maps[1].results[-1].dim != last - 1:
        return None
    width = _shape(view.op.results[0])[-1]
    assert isinstance(width, int)
    for number, output in enumerate(kernel.outputs):
        place = _place(output, view.op.results[0])
        if place is not None:
            return Sum(view, _is(left, over_queries), width, number, place)
    return None


def _is(map_: AffineMap, dims: Sequence[int]) -> bool:
    """Whether the results of a map are these dims."""
    return [e.dim for e in map_.results] == list(dims)


def _shape(value: Value) -> tuple[object, ...]:
    return t.shape_of(value.type)


def _place(output: Value, result: Value) -> AffineMap | None:
    """How an output of the kernel reads a product: the permutation of an all-parallel generic, or None."""
    if output is result:
        return generic(result.owner).output_maps[0]  # type: ignore[arg-type]
    made = output.defining_op
    if made is None or made.name != "linalg.generic":
        return None
    view = generic(made)
    maps = [m for v, m in zip(view.inputs, view.input_maps, strict=True) if v is result]
    dims = [e.dim for e in maps[0].results] if len(maps) == 1 else []
    plain = not view.reductions and len(view.output_maps) == 1 and view.output_maps[0].is_identity
    return maps[0] if plain and sorted(d for d in dims if d is not None) == list(range(view.dims)) else None
