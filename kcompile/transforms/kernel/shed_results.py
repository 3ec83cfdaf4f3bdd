"""shed-results: what readers can make of another result of a product, with no more loads, is not a result of it.

Reads kernel, writes kernel; right after fuse-epilogues. A product that stores one tensor stores it while it computes;
with three or four of them it waits for the memory. The gradient behind a layer norm is stored; the sums and the input
gradient of the layer norm make of it what they need.

    %g, %a = dispatch(%dy, %w, %c) {dot_general; a = g * c}; reduce(%a)
        =>    %g = dispatch(%dy, %w) {dot_general}; dispatch(%g, %c) {reduce of g * c}
"""

from __future__ import annotations

from kcompile.ir.attributes import Attribute, StringAttr
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel import cost_model
from kcompile.transforms.kernel.dispatches import Dispatches, drop_unused, in_each_block, yielded
from kcompile.transforms.kernel.kinds import is_elementwise, root_of, tensor_type
from kcompile.transforms.kernel.legality import is_elementwise_dispatch, is_prologue, is_same_space

ROOTS = ("graph.dot_general", "graph.convolution", "graph.winograd_convolution")


@pass_("shed-results", reads="kernel", writes="kernel", exact=True)
def shed_results(module: Operation) -> bool:
    return in_each_block(module, _shed)


def _shed(block: Block) -> bool:
    changed = False
    for dispatch in list(Dispatches(block).all(*ROOTS)):
        for result in reversed(dispatch.results[1:] + dispatch.results[:1]):
            bases = [r for r in dispatch.results if r is not result]
            changed |= result in dispatch.results and any(_leave_to_readers(dispatch, result, base) for base in bases)
    return changed


def _leave_to_readers(dispatch: Operation, result: Value, base: Value) -> bool:
    """Let the readers of a result make it from the result `base`, if they can and it pays."""
    readers = list(dict.fromkeys(result.users))
    if tensor_type(result).shape != tensor_type(base).shape or not readers:
        return False
    if cost_model.nominal_size(result) < cost_model.LEAST_STORED:
        return False
    made = dict(zip(dispatch.results, yielded(dispatch), strict=True))
    work = _work_between(made[result], made[base])
    if work is None or sum(cost_model.work(op) for op in work) > cost_model.RECOMPUTE_LIMIT:
        return False
    producer = _producer(dispatch, work, made, result, base)
    assert dispatch.parent is not None
    dispatch.parent.insert_before(dispatch, producer)
    producer.move_after(dispatch)
    result.replace_by(producer.result)
    if not all(_computes(reader, producer) for reader in readers) or not _pays(dispatch, work, producer, readers):
        producer.result.replace_by(result)
        producer.erase()
        return False
    dispatches = Dispatches(dispatch.parent)
    for reader in readers:
        dispatches.merge(producer, reader, root_of(reader), copy=True)
    producer.erase()
    drop_unused(dispatch)
    return True


def _work_between(value: Value, base: Value) -> list[Operation] | None:
    """The elementwise ops that make a value from `base` and arguments, in order; None if others are needed."""
    found: dict[Operation, None] = {}
    reached = False

    def visit(v: Value) -> bool:
        nonlocal reached
        op = v.defining_op
        if v is base:
            reached = True
        if v is base or op is None or op in found:
            return True
        if not (is_elementwise(op) or op.name == "graph.constant") or not all([visit(x) for x in op.operands]):
            return False
        found[op] = None
        return True

    return list(found) if value is not base and visit(value) and reached else None


def _producer(
    dispatch: Operation, work: list[Operation], made: dict[Value, Value], result: Value, base: Value
) -> Operation:
    """A dispatch of its own for that work."""
    body = Block()
    outside = dict(zip(dispatch.body.arguments, dispatch.operands, strict=True)) | {made[base]: base}
    mapping: dict[Value, Value] = {}
    operands: list[Value] = []
    for value in (v for op in work for v in op.operands):
        if value in outside and value not in mapping:
            mapping[value] = body.add_argument(value.type)
            operands.append(outside[value])
    for op in work:
        body.append(op.clone(mapping))
    body.append(Operation("kernel.yield", [mapping[made[result]]]))
    attributes: dict[str, Attribute] = {"kernel.root": StringAttr("elementwise")}
    return Operation("kernel.dispatch", operands, [result.type], attributes, [Region([body])], dispatch.location)


def _computes(reader: Operation, producer: Operation) -> bool:
    """Whether a reader can make the producer's result wherever it reads it."""
    if reader.name != "kernel.dispatch" or reader.parent is not producer.parent:
        return False
    return is_same_space(producer, reader) if is_elementwise_dispatch(reader) else is_prologue(producer, reader)


def _pays(dispatch: Operation, work: list[Operation], producer: Operation, readers: list[Operation]) -> bool:
    """Whether the readers load fewer tensors more than the product has to load and store less."""
    large = cost_model.large_operands(producer)
    more = sum(len([v for v in large if v not in reader.operands]) - 1 for reader in readers)
    gone: set[Operation] = set()
    for op in reversed(work):
        users = [u for r in op.results for u in r.users]
        if op is work[-1] or all(u in gone for u in users):
            gone.add(op)
    arguments = zip(dispatch.body.arguments, dispatch.operands, strict=True)
    idle = [v for a, v in arguments if v in large and a.users and all(u in gone for u in a.users)]
    return more < 1 + len(idle)
