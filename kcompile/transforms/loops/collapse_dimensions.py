"""collapse-dimensions: an elementwise kernel sweeps as few axes as its operands allow.

    @k(x: tensor<?x24x24x32>, bias: tensor<32>)          =>   @k(x: tensor<?x32>, bias: tensor<32>)    `576*b` rows
    @k(w: tensor<4608x64>, g: tensor<4608x64>, ..)       =>   @k(w: tensor<294912>, g: ..)

    @k(x: tensor<?x224x224x3>) pad 3 rows and columns    =>   @k(x: tensor<?x224x672>) pad 3 rows and 9 elements

Adjacent dims become one where every operand has both side by side or neither; in a copy with a border, those behind
the last padded dim go into it. The callers reshape, which is free on dense row-major buffers. Long sweeps then fill
whole vectors and share out evenly. Reads and writes linalg; exact.
"""

from __future__ import annotations

from collections.abc import Mapping

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.upstream import tensor
from kcompile.ir import types as t
from kcompile.ir.affine import AffineMap, dims_map
from kcompile.ir.attributes import AffineMapAttr, ArrayAttr
from kcompile.ir.builder import Builder
from kcompile.ir.core import Operation, Value, module_functions
from kcompile.ir.dims import Dim, product
from kcompile.ir.passes import pass_
from kcompile.ir.types import FunctionType, TensorType
from kcompile.strategies.parts.structured import Generic, generic

Groups = list[list[int]]


@pass_("collapse-dimensions", reads="linalg", writes="linalg", exact=True)
def collapse_dimensions(module: Operation) -> bool:
    changed = {}
    for function in module_functions(module):
        view = elementwise_kernel(function)
        groups = dim_groups(view) if view is not None else []
        pad = bordered_copy(function)
        if view is not None and len(groups) < view.dims:
            collapse_function(function, view, groups)
        elif pad is not None:
            collapse_border(function, pad)
        else:
            continue
        changed[function["sym_name"]] = function
    return reshape_calls(module, changed)


def elementwise_kernel(function: Operation) -> Generic | None:
    """The only operation of a kernel, if it is one all-parallel generic from arguments to results, in plain maps."""
    if "kernel.root" not in function.attributes:
        return None
    generics = [op for op in function.body.ops if op.name == "linalg.generic"]
    others = {op.name for op in function.body.ops} - {"linalg.generic", "tensor.empty", "tensor.dim", "func.return"}
    if len(generics) != 1 or any(not name.startswith("arith.") for name in others):
        return None
    view = generic(generics[0])
    plain = all(e.dim is not None for m in view.maps for e in m.results) and all(
        m.is_identity for m in view.output_maps
    )
    own = all(v in function.body.arguments for v in view.inputs) and all(i.defining_op is not None for i in view.inits)
    indexed = any(op.name in ("linalg.index", "tensor.extract") for op in view.body.ops)
    returned = tuple(function.body.terminator.operands) == tuple(view.op.results)
    return view if not view.reductions and plain and own and not indexed and returned else None


def dim_groups(view: Generic) -> Groups:
    """Runs of dims that every operand has side by side, or lacks."""
    groups: Groups = [[d] for d in range(min(1, view.dims))]
    for d in range(1, view.dims):
        if all(together(m, d - 1, d) for m in view.maps):
            groups[-1].append(d)
        else:
            groups.append([d])
    return groups


def together(map_: AffineMap, first: int, second: int) -> bool:
    dims = [e.dim for e in map_.results]
    if first not in dims and second not in dims:
        return True
    return (
        first in dims
        and second in dims
        and dims.count(first) == dims.count(second) == 1
        and dims.index(second) == dims.index(first) + 1
    )


def collapsed_shape(shape: tuple[Dim, ...], map_: AffineMap, groups: Groups) -> tuple[tuple[Dim, ...], list[int]]:
    """The shape of an operand over the groups, and which groups its axes are."""
    number = {d: i for i, group in enumerate(groups) for d in group}
    merged: list[tuple[int, list[Dim]]] = []
    for size, expression in zip(shape, map_.results, strict=True):
        group = number[expression.dim]  # type: ignore[index]
        if merged and merged[-1][0] == group:
            merged[-1][1].append(size)
        else:
            merged.append((group, [size]))
    return tuple(product(sizes) for _, sizes in merged), [group for group, _ in merged]


def collapse_function(function: Operation, view: Generic, groups: Groups) -> None:
    """Give the arguments, the generic and the results their collapsed types."""
    maps = []
    for value, map_ in zip((*view.inputs, *view.inits), view.maps, strict=True):
        assert isinstance(value.type, TensorType)
        shape, axes = collapsed_shape(value.type.shape, map_, groups)
        maps.append(AffineMapAttr(dims_map(len(groups), axes)))
        value.type = (
            TensorType(shape, value.type.element) if value in view.inits or value.type.shape != shape else value.type
        )
    for result, init in zip(view.op.results, view.inits, strict=True):
        result.type = init.type
    view.op["indexing_maps"] = ArrayAttr(tuple(maps))
    view.op["iterator_types"] = ArrayAttr(view.op.attributes["iterator_types"].elements[: len(groups)])  # type: ignore[attr-defined]
    function["function_type"] = FunctionType(
        tuple(a.type for a in function.body.arguments), tuple(v.type for v in view.op.results)
    )


def bordered_copy(function: Operation) -> Operation | None:
    """The only operation of a kernel, if it is a pad of its argument that leaves the last axes of fixed sizes alone."""
    if "kernel.root" not in function.attributes or len(function.body.arguments) != 1:
        return None
    found = [op for op in function.body.ops if op.name not in ("arith.constant", "func.return")]
    if len(found) != 1 or found[0].name != "tensor.pad" or found[0].operands[0] not in function.body.arguments:
        return None
    (pad,) = found
    shape, last = t.shape_of(pad.operands[0].type), last_padded(pad)
    behind = shape[last + 1 :]
    return pad if behind and all(isinstance(n, int) for n in shape[last:]) else None


def last_padded(pad: Operation) -> int:
    low, high = pad["static_low"], pad["static_high"]
    return max((i for i in range(len(low)) if low[i] or high[i]), default=0)


def collapse_border(function: Operation, pad: Operation) -> None:
    """Make one axis of the last padded one and those behind it."""
    (argument,) = function.body.arguments
    shape, last, element = t.shape_of(argument.type), last_padded(pad), t.element_of(argument.type)
    behind = product(shape[last + 1 :])
    assert isinstance(behind, int)
    argument.type = TensorType((*shape[:last], product(shape[last:])), element)
    low, high = ((*pad[name][:last], pad[name][last] * behind) for name in ("static_low", "static_high"))
    made = tensor.pad(Builder(function.body, pad, pad.location), argument, tensor.pad_value(pad), low, high)
    pad.replace_by([made])
    function["function_type"] = FunctionType((argument.type,), (made.type,))


def reshape_calls(module: Operation, changed: Mapping[str, Operation]) -> bool:
    """Reshape around the calls of kernels that have new types, by name; gives whether there are any."""
    for op in module.walk() if changed else ():
        if op.name == "kernel.call" and op["callee"] in changed:
            _reshape_call(op, changed[op["callee"]])
    return bool(changed)


def _reshape_call(call: Operation, function: Operation) -> None:
    kind = function["function_type"]
    before = GraphBuilder.before_op(call)
    operands = [_reshaped(before, v, x.shape) for v, x in zip(call.operands, kind.inputs, strict=True)]
    builder = Builder(before.block, call, call.location)
    results = [TensorType(x.shape, old.type.element) for x, old in zip(kind.results, call.results, strict=True)]  # type: ignore[attr-defined]
    new = builder.create("kernel.call", operands, call.attributes, results)
    after = GraphBuilder.before_op(call)
    call.replace_by([_reshaped(after, v, old.type.shape) for v, old in zip(new.results, call.results, strict=True)])  # type: ignore[attr-defined]


def _reshaped(b: GraphBuilder, value: Value, shape: tuple[Dim, ...]) -> Value:
    return value if value.type.shape == shape else b.reshape(value, shape=shape)  # type: ignore[attr-defined]
