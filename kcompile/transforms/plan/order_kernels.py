"""order-kernels: the order of the kernel calls of @main that needs least memory at its worst moment.

Greedy: of the calls whose operands are ready, the one that frees most; equal ones keep their order. The new order is
taken only if its peak is lower than that of the order given, so this pass never makes things worse. In a train step it
moves each optimizer update right behind its gradient.
"""

from __future__ import annotations

from kcompile.ir.core import Operation, Value, find_function
from kcompile.ir.dims import nominal
from kcompile.ir.passes import pass_
from kcompile.ir.types import TensorType
from kcompile.transforms.plan.annotate_calls import tensor_bytes
from kcompile.transforms.plan.loop_places import source_of

CALLS = ("kernel.call", "graph.scan")  # a scan counts as one call; the order in its body stays


@pass_("order-kernels", reads="linalg", writes="linalg", exact=True)
def order_kernels(module: Operation) -> bool:
    """Reorder the kernel calls of @main."""
    function = find_function(module, "main")
    graph = _Graph(function)
    given = list(range(len(graph.calls)))
    better = graph.greedy()
    if better == given or graph.peak(better) >= graph.peak(given):
        return False
    end = function.body.terminator
    done: set[Operation] = set()
    for i in better:
        _move_with_producers(graph.calls[i], end, done)
    for op in list(function.body.ops):
        if op is not end and op not in done:
            op.move_before(end)
    return True


def _move_with_producers(op: Operation, end: Operation, done: set[Operation]) -> None:
    if op in done:
        return
    for value in op.operands:
        producer = value.defining_op
        if producer is not None and producer.name not in CALLS:
            _move_with_producers(producer, end, done)
    op.move_before(end)
    done.add(op)


class _Graph:
    """The calls, their dependences, and the bytes of what they make; reshapes are seen through."""

    def __init__(self, function: Operation):
        self.calls = [op for op in function.body.ops if op.name in CALLS]
        self.number = {op: i for i, op in enumerate(self.calls)}
        returned = {source_of(v) for v in function.body.terminator.operands}
        self.bytes: dict[Value, int] = {}
        self.needs: list[set[Value]] = []
        self.users: dict[Value, set[int]] = {}
        for i, call in enumerate(self.calls):
            sources = {source_of(v) for v in call.operands}
            self.needs.append({v for v in sources if v.defining_op in self.number})
            for value in self.needs[-1]:
                self.users[value].add(i)
            for result in call.results:
                assert isinstance(result.type, TensorType)
                # What is returned does not live in the arena, and is never freed.
                self.bytes[result] = 0 if result in returned else nominal(tensor_bytes(result.type))
                self.users[result] = set()

    def greedy(self) -> list[int]:
        waiting = {i: {self._maker(v) for v in needs} for i, needs in enumerate(self.needs)}
        left = {v: set(users) for v, users in self.users.items()}
        order: list[int] = []
        while waiting:
            ready = [i for i, needs in waiting.items() if not needs]
            best = min(ready, key=lambda i: (self._grows(i, left), i))
            order.append(best)
            del waiting[best]
            for needs in waiting.values():
                needs.discard(best)
            for value in self.needs[best]:
                left[value].discard(best)
        return order

    def peak(self, order: list[int]) -> int:
        """The bytes alive at the worst step."""
        left = {v: set(users) for v, users in self.users.items()}
        alive = worst = 0
        for i in order:
            alive += sum(self.bytes[r] for r in self.calls[i].results)
            worst = max(worst, alive)
            for value in self.needs[i]:
                left[value].discard(i)
                if not left[value]:
                    alive -= self.bytes[value]
            alive -= sum(self.bytes[r] for r in self.calls[i].results if not self.users[r])
        return worst

    def _maker(self, value: Value) -> int:
        assert value.defining_op is not None
        return self.number[value.defining_op]

    def _grows(self, i: int, left: dict[Value, set[int]]) -> int:
        made = sum(self.bytes[r] for r in self.calls[i].results)
        freed = sum(self.bytes[v] for v in self.needs[i] if left[v] == {i})
        return made - freed
