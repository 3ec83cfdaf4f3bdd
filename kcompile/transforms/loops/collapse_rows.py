"""collapse-rows: the rows of a product of matrices are one axis, whatever axes they come from.

    y[n, h, w, o] = relu(sum_c x[n, h, w, c] * k[c, o] + bias[o])     =>     y[r, o] = relu(sum_c x[r, c] * ..)
    dk[c, o] = sum_{n, h, w} x[n, h, w, c] * dy[n, h, w, o]           =>     sum_r x[r, c] * dy[r, o]

Result dims before the last, and summed dims, that every operand of every operation has side by side, or lacks, become
one; the callers reshape, which is free on dense row-major buffers. Tiles of rows then come out even on small images,
and sums have long innermost loops. Reads and writes linalg; exact: the order of every sum stays.
"""

from __future__ import annotations

from kcompile.ir import types as t
from kcompile.ir.affine import AffineMap, dims_map
from kcompile.ir.attributes import AffineMapAttr, ArrayAttr
from kcompile.ir.core import Operation, Value, module_functions
from kcompile.ir.dims import Dim, product
from kcompile.ir.passes import pass_
from kcompile.ir.types import FunctionType, TensorType
from kcompile.strategies.structured import Generic, generic
from kcompile.transforms.loops.collapse_dimensions import Groups, reshape_call, together

_SHAPELESS = ("linalg.fill", "tensor.empty", "tensor.dim", "kernel.size", "func.return", "linalg.generic")


@pass_("collapse-rows", reads="linalg", writes="linalg", exact=True)
def collapse_rows(module: Operation) -> bool:
    calls: dict[str, list[Operation]] = {}
    for op in module.walk():
        if op.name == "kernel.call":
            calls.setdefault(op["callee"], []).append(op)
    changed = False
    for function in module_functions(module):
        views = rooted_kernel(function)
        shapes = collapsed_shapes(views) if views else None
        if views is None or not shapes:
            continue
        _apply(function, views, shapes)
        for call in calls.get(function["sym_name"], []):
            reshape_call(call, function)
        changed = True
    return changed


def rooted_kernel(function: Operation) -> list[Generic] | None:
    """The generics of a kernel that has one reduction with one result first and pointwise work after it."""
    if "kernel.root" not in function.attributes:
        return None
    for op in function.body.ops:
        if op.name not in _SHAPELESS and not op.name.startswith("arith."):
            return None
        if any(v in function.body.arguments for v in op.operands) and op.name == "func.return":
            return None
    views = [generic(op) for op in function.body.ops if op.name == "linalg.generic"]
    if not views or not views[0].reductions or any(v.reductions for v in views[1:]):
        return None
    if len(views[0].op.results) != 1:
        return None
    for view in views:
        if any(e.dim is None for m in view.maps for e in m.results):
            return None
        if any(op.name in ("linalg.index", "tensor.extract") for op in view.body.ops):
            return None
        if view.reductions:
            if [e.dim for e in view.output_maps[0].results] != list(view.parallel):
                return None
        elif not all(m.is_identity for m in view.output_maps) or view.dims != len(views[0].parallel):
            return None
    return views


def groups_of(views: list[Generic]) -> tuple[Groups, Groups]:
    """Which result dims become one, and which summed dims."""
    root = views[0]
    rank = len(root.parallel)
    results: Groups = [[d] for d in range(min(rank, 1))]
    for d in range(1, rank):
        # the last dim carries the lanes
        if d < rank - 1 and all(together(m, d - 1, d) for view in views for m in view.maps):
            results[-1].append(d)
        else:
            results.append([d])
    summed: Groups = [[d] for d in root.reductions[:1]]
    for before, d in zip(root.reductions, root.reductions[1:], strict=False):
        if d == before + 1 and all(together(m, before, d) for m in root.maps):
            summed[-1].append(d)
        else:
            summed.append([d])
    return results, summed


def collapsed_shapes(views: list[Generic]) -> dict[Value, TensorType] | None:
    """The new types of all tensors; None where nothing changes or two readers want different ones."""
    results, summed = groups_of(views)
    if len(results) == len(views[0].parallel) and len(summed) == len(views[0].reductions):
        return None
    wanted: dict[Value, TensorType] = {}
    for view in views:
        groups = [*results, *summed] if view.reductions else results
        made = zip((*view.op.results, *view.inputs, *view.inits), (*view.output_maps, *view.maps), strict=True)
        for value, map_ in made:
            assert isinstance(value.type, TensorType)
            shape = collapsed(value.type.shape, map_, groups)[0]
            new = t.with_shape(value.type, shape)
            if wanted.setdefault(value, new) is not new:
                return None
    return wanted


def collapsed(shape: tuple[Dim, ...], map_: AffineMap, groups: Groups) -> tuple[tuple[Dim, ...], list[int]]:
    """The shape of an operand over the groups, and which groups its axes are."""
    number = {d: i for i, group in enumerate(groups) for d in group}
    sizes: dict[int, list[Dim]] = {}
    for size, expression in zip(shape, map_.results, strict=True):
        sizes.setdefault(number[expression.dim], []).append(size)  # type: ignore[index]
    return tuple(product(parts) for parts in sizes.values()), list(sizes)


def _apply(function: Operation, views: list[Generic], wanted: dict[Value, TensorType]) -> None:
    results, summed = groups_of(views)
    for view in views:
        groups = [*results, *summed] if view.reductions else results
        maps = []
        for value, map_ in zip((*view.inputs, *view.inits), view.maps, strict=True):
            assert isinstance(value.type, TensorType)
            maps.append(AffineMapAttr(dims_map(len(groups), collapsed(value.type.shape, map_, groups)[1])))
        kinds = view.op.attributes["iterator_types"].elements  # type: ignore[attr-defined]
        view.op["indexing_maps"] = ArrayAttr(tuple(maps))
        view.op["iterator_types"] = ArrayAttr(tuple(kinds[group[0]] for group in groups))
    for value, new in wanted.items():
        value.type = new
        maker = value.defining_op
        if maker is not None and maker.name == "linalg.fill":  # into an empty tensor of the same shape
            maker.operands[1].type = new
    function["function_type"] = FunctionType(
        tuple(a.type for a in function.body.arguments), tuple(v.type for v in function.body.terminator.operands)
    )
