"""Making dispatches and merging them: the mechanics that all fusion passes share.

A pass asks `legality` whether two dispatches may be merged and `cost_model` whether it pays; `Dispatches` then does
it and keeps the block in an order in which every value is made before it is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kcompile.ir.attributes import StringAttr
from kcompile.ir.core import Block, Operation, Region, Value
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
    """How an elementwise dispatch reads its arguments (and a rooted one its arguments and root results after the
    root).
    """
    return reads(yielded(dispatch), dispatch.body)


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
        limit = self.position[consumer]
        pending = [u for r in producer.results for u in r.users if u is not consumer]
        seen: set[Operation] = set()
        while pending:
            op = pending.pop()
            if op in seen or self.position[op] >= limit:
                continue
            seen.add(op)
            for result in op.results:
                for user in result.users:
                    if user is consumer:
                        return True
                    pending.append(user)
        return False

    def merge(self, producer: Operation, consumer: Operation, root: str, *, copy: bool = False) -> Operation:
        """One dispatch that does the work of both, at the place of `consumer`.

        With `copy` the producer stays for its other users and only the results that the consumer reads are computed
        again. Without, results of the producer that others use are results of the merged dispatch.
        """
        body = Block()
        operands: list[Value] = []
        inner: dict[Value, Value] = {}

        def argument(value: Value) -> Value:
            if value not in inner:
                inner[value] = body.add_argument(value.type)
                operands.append(value)
            return inner[value]

        made_inside: dict[Value, Value]
        if copy:
            mapping = {a: argument(v) for a, v in zip(producer.body.arguments, producer.operands, strict=True)}
            for op in producer.body.ops:
                if op is not producer.body.last:
                    body.append(op.clone(mapping))
            made_inside = {r: mapping[y] for r, y in zip(producer.results, yielded(producer), strict=True)}
        else:
            for formal, value in zip(producer.body.arguments, producer.operands, strict=True):
                formal.replace_by(argument(value))
            made_inside = dict(zip(producer.results, yielded(producer), strict=True))
            _move_ops(producer.body, body)
        for formal, value in zip(consumer.body.arguments, consumer.operands, strict=True):
            formal.replace_by(made_inside[value] if value in made_inside else argument(value))
        consumer_yield = yielded(consumer)
        _move_ops(consumer.body, body)

        outside: list[tuple[Value, Value]] = []  # (old result, value inside)
        if not copy:
            outside = [(r, made_inside[r]) for r in producer.results if any(u is not consumer for u in r.users)]
        outside += [(r, y) for r, y in zip(consumer.results, consumer_yield, strict=True) if r.uses]
        results = list(dict.fromkeys(y for _, y in outside))
        body.append(Operation("kernel.yield", results))
        kept = [v for v in operands if inner[v].uses]
        for i in reversed(range(len(operands))):
            if not body.arguments[i].uses:
                body.erase_argument(i)
        merged = _dispatch(kept, [y.type for y in results], root, body, _location(producer, consumer))
        at = {y: r for y, r in zip(results, merged.results, strict=True)}
        for old, value in outside:
            at[value].hint = at[value].hint or old.hint
            old.replace_by_if(at[value], lambda user: user is not consumer)
        self._replace(producer, consumer, merged, copy)
        return merged

    def merge_siblings(self, first: Operation, second: Operation, root: str) -> Operation:
        """`merge` for two dispatches of which neither needs the other."""
        return self.merge(first, second, root)

    def _replace(self, producer: Operation, consumer: Operation, merged: Operation, copy: bool) -> None:
        """Put `merged` at the place of the consumer, and what needs the producer's results and stood before it,
        behind it.
        """
        self.position[merged] = self.position[consumer]
        self.block.insert_before(consumer, merged)
        consumer.set_operands(())
        if not copy:
            late: set[Operation] = {merged}
            segment: list[Operation] = []
            op = producer.next
            while op is not None and op is not merged:
                segment.append(op)
                op = op.next
            moved = []
            for op in segment:
                if any(v.defining_op in late for v in op.operands):
                    late.add(op)
                    moved.append(op)
            if moved:
                slots = sorted(self.position[op] for op in [*segment, merged])
                stay = [op for op in segment if op not in late]
                for op, slot in zip([*stay, merged, *moved], slots, strict=True):
                    self.position[op] = slot
                after = merged
                for op in moved:
                    op.move_after(after)
                    after = op
            del self.position[producer]
            producer.erase()
        del self.position[consumer]
        consumer.erase()


def _move_ops(source: Block, target: Block) -> None:
    """Move all operations but the terminator, which is dropped."""
    assert source.last is not None
    source.last.erase()
    for op in source.ops:
        op.detach()
        target.append(op)


def _location(*ops: Operation) -> Location:
    fused = fuse(*(op.location for op in ops))
    return Location(parts=fused.parts[:MAX_LOCATIONS]) if len(fused.parts) > MAX_LOCATIONS else fused
