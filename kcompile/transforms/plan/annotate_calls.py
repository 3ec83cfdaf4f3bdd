"""annotate-calls: what the memory plan must know about each kernel, read off its linalg form and kept on its call.

    kernel.in_place = [array<i64: 0, 2>, array<i64>]   result 0 may overwrite operand 0 or 2, result 1 none
    kernel.needs_once                                  .. provided that the loops compute no point twice (`kernel.once`)
    kernel.work = #graph.dims<["120*b"]>               about how long it runs on one thread, in picoseconds

It runs before emit-loops, because loops no longer show which element of a result needs which element of an operand.
"""

from __future__ import annotations

from kcompile.ir import types as t
from kcompile.ir.attributes import ArrayAttr, Attribute, DimsAttr, IntArrayAttr, UnitAttr
from kcompile.ir.core import Operation, Value, find_function
from kcompile.ir.dims import Dim, product
from kcompile.ir.passes import pass_
from kcompile.ir.slices import backward_slice
from kcompile.ir.types import TensorType
from kcompile.strategies.parts.structured import generic
from kcompile.transforms.plan.packing import bound

# Picoseconds of one thread: 10 for a multiply-add (100 of them a ns, measured); polynomials of 10 to 20 operations;
# 40 GB/s from L2. Only good enough to tell 5 us from 50.
PLAIN, TRANSCENDENTAL, BYTE = 5, 150, 25
REDUCING = ("graph.winograd_convolution", "graph.scatter")  # graph ops with epilogues


@pass_("annotate-calls", reads="linalg", writes="linalg", exact=True)
def annotate_calls(module: Operation) -> bool:
    """Set kernel.in_place and kernel.work on every kernel.call of @main."""
    known: dict[str, dict[str, Attribute]] = {}
    changed = False
    for call in find_function(module, "main").walk():
        if call.name != "kernel.call":
            continue
        callee = call["callee"]
        if callee not in known:
            function = find_function(module, callee)
            pairs = tuple(IntArrayAttr(p) for p in overwritable(function))
            known[callee] = {"kernel.in_place": ArrayAttr(pairs), "kernel.work": DimsAttr((work(function),))}
            if has_reduction(function):
                known[callee]["kernel.needs_once"] = UnitAttr()
        call.attributes.update(known[callee])
        changed = True
    return changed


def overwritable(function: Operation) -> list[tuple[int, ...]]:
    """For each result of a kernel, the operands whose memory it may take over while the kernel runs.

    True where every point of the kernel reads only its own element of the operand before it writes its own element of
    the result: the operations are pointwise generics with identity maps, and all results have one shape. Before them
    there may be one reduction that does not read the operand: then tiles must not overlap (`has_reduction`).
    """
    results = function.body.terminator.operands
    none: list[tuple[int, ...]] = [() for _ in results]
    arguments = function.body.arguments
    unsafe: set[Value] = set()
    reduced: set[Value] = set()
    views: set[Value] = set()
    for op in function.body.ops:
        if op.name == "func.return":
            unsafe.update(v for v in op.operands if v in arguments)
        if op.name in ("tensor.empty", "tensor.dim", "arith.constant", "arith.muli", "linalg.fill", "func.return"):
            continue
        if op.name in ("tensor.expand_shape", "tensor.extract_slice") and op.operands[0] in arguments:
            unsafe.add(op.operands[0])  # read elsewhere through the new shape
            views.add(op.result)
            continue
        if op.name == "tensor.collapse_shape" and op.operands[0] in reduced:
            reduced.add(op.result)
            continue
        if op.name in REDUCING:
            unsafe.update(backward_slice(op.operands) & set(arguments))
            continue
        if op.name != "linalg.generic":
            return none
        view = generic(op)
        unsafe.update(o.operands[0] for o in view.body.ops if o.name == "tensor.extract")  # read anywhere
        if view.reductions:
            unsafe.update(v for v in (*view.inputs, *view.inits) if v in arguments)
            reduced.update(op.results)
            continue
        if any(not m.is_identity for m in view.output_maps):
            return none
        for value, map_ in zip((*view.inputs, *view.inits), view.maps, strict=True):
            if value in arguments and (not map_.is_identity or value in view.inits):
                unsafe.add(value)
            elif value in views or value in reduced:
                continue  # neither is computed from an operand that may be overwritten
            elif value not in arguments and not map_.is_identity and t.shape_of(value.type):
                return none  # an operand would be read at another point, through this value
    shape = t.shape_of(results[0].type) if results else ()
    if any(t.shape_of(r.type) != shape or r.defining_op is None for r in results):
        return none
    safe = [
        tuple(
            i
            for i, a in enumerate(arguments)
            if a not in unsafe and t.shape_of(a.type) == shape and item_bytes(a.type) == item_bytes(r.type)
        )
        for r in results
    ]
    return safe


def winograd_work(op: Operation) -> Dim:
    """About the multiplications at the points; the transforms are a part of that."""
    images = op.result if op.name == "graph.winograd_convolution" else op.operands[1]
    inputs, points = t.shape_of(op.operands[0].type)[3], (op["tile"] + 2) ** 2
    multiplied: int = points * inputs * 10 // op["tile"] ** 2
    return product(t.shape_of(images.type)) * multiplied


def has_reduction(function: Operation) -> bool:
    """Whether a kernel has a reducing generic, or a graph op that reduces and has an epilogue."""
    return any(
        op.name in REDUCING or (op.name == "linalg.generic" and bool(generic(op).reductions))
        for op in function.body.ops
    )


def item_bytes(type: object) -> int:
    """Bytes of one element in memory."""
    return -(-t.bitwidth(type) // 8)  # type: ignore[arg-type]


def tensor_bytes(type: object) -> Dim:
    """Bytes of a tensor in memory."""
    assert isinstance(type, TensorType)
    return type.size * item_bytes(type)


def work(function: Operation) -> Dim:
    """About how many picoseconds one thread needs, as a polynomial with coefficients >= 0."""
    total: Dim = 0
    for op in function.body.ops:
        if op.name == "linalg.generic":
            view = generic(op)
            cost = sum(TRANSCENDENTAL if o.dialect == "math" else PLAIN for o in view.body.ops) - PLAIN
            total = total + product(view.extents()) * max(cost, PLAIN)
        elif op.name in ("graph.winograd_convolution", "graph.winograd_filter_gradient"):
            total = total + winograd_work(op)
        elif op.dialect == "graph":
            window = [n for n in op.get("window", ()) if isinstance(n, int)]
            points = product(t.shape_of(op.operands[0].type)) if op.operands else 0
            total = total + points * product(window) * PLAIN * 4
    for value in (*function.body.arguments, *function.body.terminator.operands):
        total = total + tensor_bytes(value.type) * BYTE
    return bound(total, 1)
