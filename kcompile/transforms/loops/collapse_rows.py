"""collapse-rows: the rows of a product of matrices are one axis, whatever axes they come from.

    y[n, h, w, o] = relu(sum_c x[n, h, w, c] * k[c, o] + bias[o])     =>     y[r, o] = relu(sum_c x[r, c] * ..)
    dk[c, o] = sum_{n, h, w} x[n, h, w, c] * dy[n, h, w, o]           =>     sum_r x[r, c] * dy[r, o]

Result dims before the last, and summed dims, that every operand of every operation has side by side, or lacks, become
one; the callers reshape, which is free on dense row-major buffers. Tiles of rows then come out even on small images,
and sums have long innermost loops. Reads and writes linalg; exact: the order of every sum stays.
"""

from __future__ import annotations

from itertools import takewhile

from kcompile.ir import types as t
from kcompile.ir.affine import AffineExpr, AffineMap, affine_map, dim_expr
from kcompile.ir.attributes import AffineMapAttr, ArrayAttr, IntAttr
from kcompile.ir.core import Operation, Value, module_functions
from kcompile.ir.dims import Dim, product
from kcompile.ir.passes import pass_
from kcompile.ir.types import FunctionType, TensorType
from kcompile.strategies.parts.structured import Generic, generic
from kcompile.transforms.loops.collapse_dimensions import Groups, reshape_calls, together

_KNOWN = ("linalg.fill", "tensor.empty", "tensor.dim", "kernel.size", "func.return", "linalg.generic",
          "tensor.expand_shape", "tensor.collapse_shape")  # fmt: skip


@pass_("collapse-rows", reads="linalg", writes="linalg", exact=True)
def collapse_rows(module: Operation) -> bool:
    changed = {}
    for function in module_functions(module):
        views = rooted_kernel(function)
        shapes = collapsed_shapes(views) if views else None
        if views is None or not shapes:
            continue
        _apply(function, views, shapes)
        changed[function["sym_name"]] = function
    return reshape_calls(module, changed)


def rooted_kernel(function: Operation) -> list[Generic] | None:
    """The generics of a kernel that has one reduction with one result first and pointwise work after it.

    A reduction that goes on from the sums of the one before stands beside it.
    """
    if "kernel.root" not in function.attributes:
        return None
    arguments = function.body.arguments
    for op in function.body.ops:
        if op.name not in _KNOWN and not op.name.startswith("arith."):
            return None
        if op.name == "func.return" and any(v in arguments for v in op.operands):
            return None
        if op.name == "tensor.expand_shape" and op.operands[0] not in arguments:
            return None  # weights that are cut into parts are an argument
    views = [generic(op) for op in function.body.ops if op.name == "linalg.generic"]
    roots = roots_of(views)
    if not roots or any(v.reductions for v in views[len(roots) :]):
        return None
    for before, root in zip([None, *roots], roots, strict=False):
        if len(root.op.results) != 1 or [e.dim for e in root.output_maps[0].results] != list(root.parallel):
            return None
        if before is not None and root.inits[0] is not before.op.results[0]:
            return None
    for view in views:
        if any(e.dim is None and e.terms for m in view.maps for e in m.results):
            return None
        if any(op.name in ("linalg.index", "tensor.extract") for op in view.body.ops):
            return None
        if view not in roots and not all(m.is_identity for m in view.output_maps):
            return None
    return views if joined_dims(function, roots) is not None else None


def roots_of(views: list[Generic]) -> list[Generic]:
    """The reductions that stand first."""
    return list(takewhile(lambda view: view.reductions, views))


def joined_dims(function: Operation, roots: list[Generic]) -> int | None:
    """How many leading dims of the roots are dims of every reader, too: those before columns, panels and parts."""
    collapses = [op for op in function.body.ops if op.name == "tensor.collapse_shape"]
    made = [root.op for root in roots]
    readers = [generic(op) for op in function.body.ops if op.name == "linalg.generic" and op not in made]
    root = roots[-1]
    count = len(root.parallel) - 1
    if collapses:
        if len(collapses) > 1 or collapses[0].operands[0] is not root.op.results[0]:
            return None
        groups = collapses[0]["reassociation"]
        if any(len(group) != 1 for group in groups[:-1]):
            return None
        count = len(groups) - 1
    return min([count, *(view.dims - 1 for view in readers)])


def result_groups(views: list[Generic]) -> Groups:
    """Which leading result dims become one."""
    function = views[0].op.parent_op
    assert function is not None
    count = joined_dims(function, roots_of(views))
    assert count is not None
    results: Groups = [[d] for d in range(min(count, 1))]
    for d in range(1, count):
        if all(together(m, d - 1, d) for view in views for m in view.maps):
            results[-1].append(d)
        else:
            results.append([d])
    return results


def summed_groups(view: Generic) -> Groups:
    """Which summed dims become one."""
    summed: Groups = [[d] for d in view.reductions[:1]]
    for before, d in zip(view.reductions, view.reductions[1:], strict=False):
        if d == before + 1 and all(together(m, before, d) for m in view.maps):
            summed[-1].append(d)
        else:
            summed.append([d])
    return summed


def all_groups(view: Generic, results: Groups) -> Groups:
    """The groups of all dims of one of the generics."""
    joined = sum(len(group) for group in results)
    return [*results, *([d] for d in view.parallel[joined:]), *summed_groups(view)]


def collapsed_shapes(views: list[Generic]) -> dict[Value, TensorType] | None:
    """The new types of all tensors; None where nothing changes or two readers want different ones."""
    results = result_groups(views)
    if all(len(group) == 1 for view in views for group in all_groups(view, results)):
        return None
    wanted: dict[Value, TensorType] = {}
    for view in views:
        groups = all_groups(view, results)
        made = zip((*view.op.results, *view.inputs, *view.inits), (*view.output_maps, *view.maps), strict=True)
        for value, map_ in made:
            assert isinstance(value.type, TensorType)
            maker = value.defining_op
            new = t.with_shape(value.type, collapsed(value.type.shape, map_, groups)[0])
            cut = maker is not None and maker.name == "tensor.expand_shape" and new is not value.type
            if cut or wanted.setdefault(value, new) is not new:
                return None
    for op in roots_of(views)[-1].op.results[0].users:
        if op.name == "tensor.collapse_shape":
            shape = t.shape_of(op.result.type)
            sizes = [product([shape[d] for d in group]) for group in results]
            assert isinstance(op.result.type, TensorType)
            new = t.with_shape(op.result.type, (*sizes, *shape[sum(len(g) for g in results) :]))
            if wanted.setdefault(op.result, new) is not new:
                return None
    return wanted


def collapsed(shape: tuple[Dim, ...], map_: AffineMap, groups: Groups) -> tuple[tuple[Dim, ...], list[AffineExpr]]:
    """The shape of an operand over the groups, and how they index it."""
    number = {d: i for i, group in enumerate(groups) for d in group}
    sizes: dict[AffineExpr | int, list[Dim]] = {}
    for axis, (size, expression) in enumerate(zip(shape, map_.results, strict=True)):
        # a part is named by its number, which stays
        key = axis if expression.dim is None else dim_expr(number[expression.dim])
        sizes.setdefault(key, []).append(size)
    exprs = [map_.results[key] if isinstance(key, int) else key for key in sizes]
    return tuple(product(parts) for parts in sizes.values()), exprs


def _apply(function: Operation, views: list[Generic], wanted: dict[Value, TensorType]) -> None:
    results = result_groups(views)
    for view in views:
        groups = all_groups(view, results)
        maps = []
        for value, map_ in zip((*view.inputs, *view.inits), view.maps, strict=True):
            assert isinstance(value.type, TensorType)
            maps.append(AffineMapAttr(affine_map(len(groups), collapsed(value.type.shape, map_, groups)[1])))
        kinds = view.op.attributes["iterator_types"].elements  # type: ignore[attr-defined]
        view.op["indexing_maps"] = ArrayAttr(tuple(maps))
        view.op["iterator_types"] = ArrayAttr(tuple(kinds[group[0]] for group in groups))
    for value, new in wanted.items():
        value.type = new
        maker = value.defining_op
        if maker is not None and maker.name == "linalg.fill":  # into an empty tensor of the same shape
            maker.operands[1].type = new
        if maker is not None and maker.name == "tensor.collapse_shape":
            joined = [d for group in results for d in group]
            groups = maker["reassociation"][len(joined) :]
            first = len(results) - len(joined)  # by which the axes behind the rows move
            axes = [*([i] for i in range(len(results))), *([d + first for d in group] for group in groups)]
            maker.attributes["reassociation"] = ArrayAttr(tuple(ArrayAttr(tuple(map(IntAttr, g))) for g in axes))
    function["function_type"] = FunctionType(
        tuple(a.type for a in function.body.arguments), tuple(v.type for v in function.body.terminator.operands)
    )
