"""Making dispatches and merging them: the mechanics that all fusion passes share.

A pass asks `legality` whether two dispatches may be merged and `cost_model` whether it pays; `Dispatches` then does
it and keeps the block in an order in which every value is made before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kcompile.dialects.graph.control import code_blocks
from kcompile.ir.attributes import StringAttr
from kcompile.ir.core import Block, Operation, Region, Value, find_function
from kcompile.ir.location import Location, fuse
from kcompile.transforms.kernel.access import Reads, reads
from kcompile.transforms.kernel.kinds import is_elementwise, root_of, tensor_type

MAX_LOCATIONS = 8  # origins that a dispatch remembers; a dump line stays readable


def make_dispatch(op: Operation, inline: Sequence[Operation] = ()) -> Operation:
    """Put `op` into a dispatch of its own; the constants in `inline` are copied into it."""
    assert op.parent is not None
    body = Block()
    mapping: dict[Value, Value] = {}
    for constant in inline:
        body.append(constant.clone(mapping))
    operands: list[Value] = []
    for value in op.operands:
        if value not in mapping:
            mapping[value] = body.add_argument(value.type)
            operands.append(value)
    root = "elementwise" if is_elementwise(op) else op.name
    inner = op.clone(mapping)
    body.append(inner)
    body.append(Operation("kernel.yield", inner.results))
    made = _dispatch(operands, [r.type for r in op.results], root, body, op.location)
    op.parent.insert_before(op, made)
    op.replace_by(made.results)
    return made


def _dispatch(
    operands: Sequence[Value], types: Sequence[object], root: str, body: Block, location: Location
) -> Operation:
    attributes = {"kernel.root": StringAttr(root)}
    return Operation("kernel.dispatch", operands, types, attributes, [Region([body])], location)  # type: ignore[arg-type]


def yielded(dispatch: Operation) -> tuple[Value, ...]:
    """The values inside a dispatch that are its results."""
    return dispatch.body.terminator.operands


def argument_of(dispatch: Operation, value: Value) -> Value:
    """The block argument through which the dispatch sees `value`."""
    return dispatch.body.arguments[dispatch.operands.index(value)]


def root_op(dispatch: Operation) -> Operation | None:
    """The (first) op in the region that is not elementwise."""
    name = root_of(dispatch)
    return next((op for op in dispatch.body.ops if op.name == name), None)


def iteration_shape(dispatch: Operation) -> tuple[object, ...]:
    """The shape over which an elementwise dispatch runs: all its results have it."""
    return tensor_type(dispatch.results[0]).shape


def reads_of(dispatch: Operation) -> Reads | None:
    """How a dispatch reads its operands to make its results (after its root, if any); None if not by affine maps."""
    found = reads(yielded(dispatch), dispatch.body)
    if found is None:
        return None
    return {v: found[a] for v, a in zip(dispatch.operands, dispatch.body.arguments, strict=True) if a in found}


def in_each_block(module: Operation, rewrite: Callable[[Block], bool]) -> bool:
    """Rewrite the code of @main and the bodies of its scans, each by itself; whether any of them changed."""
    return any([rewrite(block) for block in code_blocks(find_function(module, "main"))])  # a list: all are rewritten


class Dispatches:
    """The dispatches of one block, with their order."""

    def __init__(self, block: Block):
        self.block = block
        self.position: dict[Operation, int] = {op: i for i, op in enumerate(block.ops)}

    def all(self, *roots: str) -> Iterator[Operation]:
        """The dispatches now in the block, first to last; only those with one of `roots`, if given."""
        return (
            op
            for op in list(self.block.ops)
            if op.name == "kernel.dispatch" and op.parent and (not roots or root_of(op) in roots)
        )

    def is_between(self, producer: Operation, consumer: Operation) -> bool:
        """Whether a value goes from `producer` to `consumer` through a third op, so that the two cannot be one."""
        position = self.position
        limit = position[consumer]
        seen = {u for r in producer.results for u, _ in r.uses if position[u] < limit}
        pending = list(seen)
        while pending:
            for result in pending.pop().results:
                for user, _ in result.uses:
                    if user is consumer:
                        return True
                    if user not in seen and position[user] < limit:
                        seen.add(user)
                        pending.append(user)
        return False

    def merge(self, producer: Operation, consumer: Operation, root: str, *, copy: bool = False) -> Operation:
        """Let `consumer` do the work of both; gives it back.

        With `copy` the producer stays for its other users and only the results that the consumer reads are computed
        again. Without, it goes away, and those of its results that others use become results of the consumer.
        """
        body = consumer.body
        argument = dict(zip(consumer.operands, body.arguments, strict=True))
        for value in producer.operands:
            if value not in argument:
                argument[value] = body.add_argument(value.type)
        if copy:
            mapping = {a: argument[v] for a, v in zip(producer.body.arguments, producer.operands, strict=True)}
            ops = [op.clone(mapping) for op in producer.body.ops if op is not producer.body.last]
            inside = {r: mapping[y] for r, y in zip(producer.results, yielded(producer), strict=True)}
        else:
            for formal, value in zip(producer.body.arguments, producer.operands, strict=True):
                formal.replace_by(argument[value])
            ops = [op for op in producer.body.ops if op is not producer.body.last]
            inside = dict(zip(producer.results, yielded(producer), strict=True))
        first = body.first
        assert first is not None
        for op in ops:
            op.detach()
            body.insert_before(first, op)
        for result, value in inside.items():
            if result in argument:
                argument[result].replace_by(value)
        _keep_operands(consumer, {v: argument[v] for v in (*producer.operands, *consumer.operands)})
        exported = False
        if not copy:
            exported = _export(consumer, producer, inside)
        _drop_results(consumer)
        consumer.attributes["kernel.root"] = StringAttr(root)
        consumer.location = _location(producer, consumer)
        if not copy:
            if exported:
                self._move_late(producer, consumer)
            del self.position[producer]
            producer.body.terminator.erase()
            producer.erase()
        return consumer

    def _move_late(self, producer: Operation, merged: Operation) -> None:
        """What needs the producer's results and stands before the merged dispatch goes behind it."""
        position, limit = self.position, self.position[merged]
        late: set[Operation] = set()
        pending = [merged]
        while pending:
            for result in pending.pop().results:
                for user, _ in result.uses:
                    if user not in late and position.get(user, limit) < limit:
                        late.add(user)
                        pending.append(user)
        if not late:
            return
        segment: list[Operation] = []
        op = producer.next
        while op is not None and op is not merged:
            segment.append(op)
            op = op.next
        moved = [op for op in segment if op in late]
        slots = sorted(self.position[op] for op in [*segment, merged])
        stay = [op for op in segment if op not in late]
        for op, slot in zip([*stay, merged, *moved], slots, strict=True):
            self.position[op] = slot
        after = merged
        for op in moved:
            op.move_after(after)
            after = op


def _keep_operands(dispatch: Operation, argument: dict[Value, Value]) -> None:
    """Operands and arguments as in `argument`, without those that the region does not read."""
    kept = [(v, a) for v, a in argument.items() if a.uses]
    dispatch.set_operands([v for v, _ in kept])
    dispatch.body.arguments = [a for _, a in kept]
    for i, (_, a) in enumerate(kept):
        a.index = i


def _export(consumer: Operation, producer: Operation, inside: dict[Value, Value]) -> bool:
    """Make results of the consumer from the producer's results that others use."""
    end = consumer.body.terminator
    made = dict(zip(end.operands, consumer.results, strict=True))
    exported = False
    for result, value in inside.items():
        if result.uses:
            if value not in made:
                made[value] = consumer.add_result(value.type)
                made[value].hint = result.hint
                end.set_operands([*end.operands, value])
            result.replace_by(made[value])
            exported = True
    return exported


def _drop_results(dispatch: Operation) -> None:
    """Forget results that nobody uses."""
    end = dispatch.body.terminator
    kept = [(r, y) for r, y in zip(dispatch.results, end.operands, strict=True) if r.uses]
    if len(kept) < len(dispatch.results):
        end.set_operands([y for _, y in kept])
        dispatch.results = [r for r, _ in kept]
        for i, (r, _) in enumerate(kept):
            r.index = i


def drop_unused(dispatch: Operation) -> None:
    """Forget results that nobody uses, what only they needed, and operands that are not read any more."""
    _drop_results(dispatch)
    for op in reversed(list(dispatch.body.ops)):
        if op is not dispatch.body.last and not any(r.uses for r in op.results):
            op.erase()
    _keep_operands(dispatch, dict(zip(dispatch.operands, dispatch.body.arguments, strict=True)))


def _location(*ops: Operation) -> Location:
    fused = fuse(*(op.location for op in ops))
    return Location(parts=fused.parts[:MAX_LOCATIONS]) if len(fused.parts) > MAX_LOCATIONS else fused
