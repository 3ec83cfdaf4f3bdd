"""recompute-masks: the mask of an activation is computed again in the backward pass, where it is not dearer to load.

Reads graph, writes graph; last, as `cse` would undo it. The gradient behind a batch norm reads the tensor x that was
normalized; a mask made from x by a few operations is then had without a load, and need not be kept since the forward
pass.

    m = x * f + s <= 0; y = select(m, 0, ..)  ..  d = select(m, 0, dy); sum(d * x)
    =>                                        ..  d = select(x * f + s <= 0, 0, dy); sum(d * x)
"""

from __future__ import annotations

from kcompile.dialects.graph.control import code_blocks
from kcompile.ir.core import Block, Operation, Value, find_function
from kcompile.ir.passes import pass_
from kcompile.ir.slices import backward_slice
from kcompile.transforms.kernel import cost_model
from kcompile.transforms.kernel.kinds import is_movement, is_splat, tensor_type

LEAST = 1 << 12  # elements; less stays in the first-level cache
NEAR = 8  # steps from the masked gradient to where it meets the tensor
SMALL = 8  # a tensor this many times smaller is read from the cache


@pass_("recompute-masks", reads="graph", writes="graph", exact=True)
def recompute_masks(module: Operation) -> bool:
    return any([_rewrite(block) for block in code_blocks(find_function(module, "main"))])


def _rewrite(block: Block) -> bool:
    """In order, so that what is computed for one select is there for the next one of the same gradient."""
    copies: dict[Value, dict[Value, Value]] = {}  # by masked gradient
    for op in list(block.ops):
        if op.name != "graph.select" or cost_model.nominal_size(op.result) < LEAST:
            continue
        mask, *choices = op.operands
        large, work = _origin(mask)
        if len(large) != 1 or work > cost_model.RECOMPUTE_LIMIT or not _is_computed(mask):
            continue
        (source,) = large
        inner = [v for v in choices if _origin(v)[0] - {source}]  # none: the select is a part of the activation itself
        met = _met(op.result, source)
        if tensor_type(source).shape != tensor_type(mask).shape or not inner or met is None:
            continue
        known = next((copies[v] for v in inner if v in copies), {})
        # such as source + bias: the source itself need not be kept then
        known |= {v: v for v in backward_slice([met], lambda op: op.has_trait("elementwise"))}
        op.set_operand(0, _copy(mask, op, known))
        copies[op.result] = known
    return bool(copies)


def _is_computed(value: Value) -> bool:
    return value.defining_op is not None and value.defining_op.has_trait("elementwise")


def _origin(value: Value) -> tuple[set[Value], float]:
    """The large tensors from which elementwise operations make a value, each element in its place, and their work."""
    least = cost_model.nominal_size(value) // SMALL
    large: set[Value] = set()
    work, seen, pending = 0.0, set(), [value]
    while pending:
        at = pending.pop()
        if at in seen:
            continue
        seen.add(at)
        op = at.defining_op
        if op is not None and op.has_trait("elementwise"):
            work += cost_model.work(op)
            pending += op.operands
        elif not is_splat(at) and cost_model.nominal_size(op.operands[0] if op and is_movement(op) else at) > least:
            large.add(at)
    return large, work


def _met(masked: Value, source: Value) -> Value | None:
    """What the masked gradient is combined with, made from the source alone: both are read together."""
    pending, seen = [(masked, 0)], {masked}
    while pending:
        value, steps = pending.pop()
        for user in value.users:
            if steps == NEAR or not user.has_trait("elementwise"):
                continue
            others = [
                v for v in user.operands if v not in seen and tensor_type(v).element == tensor_type(source).element
            ]
            found = next((v for v in others if _origin(v)[0] == {source}), None)
            if found is not None:
                return found
            for result in user.results:
                if result not in seen:
                    seen.add(result)
                    pending.append((result, steps + 1))
    return None


def _copy(value: Value, place: Operation, known: dict[Value, Value]) -> Value:
    """The value computed again before `place`."""
    op = value.defining_op
    if value not in known and op is not None and op.has_trait("elementwise"):
        for operand in op.operands:
            _copy(operand, place, known)
        made = op.clone(known)
        assert place.parent is not None
        place.parent.insert_before(place, made)
    return known.get(value, value)
