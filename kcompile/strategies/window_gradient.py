"""window_gradient: the gradient of max (or min) pooling: each window sends its cotangent to its first extreme element.

    for (leading axes, a few vectors of channels) in this worker's share:
        dx[..] = 0
        for window, vector: (greatest, place) over its elements; dx[place] += dy[window]

A window's elements are compared in order and the first greatest wins, as in Keras on JAX (select-and-scatter). Workers
own whole images of whole channel vectors, so overlapping windows never race.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType, VectorType
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneError, LaneIndex
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Kernel

SIDE_BY_SIDE = 4  # vectors of channels: a run of 256 bytes; more leave less for other workers


@dataclass(frozen=True, slots=True)
class Channels(Parameters):
    """lanes: channels of a vector."""

    lanes: int


def match(kernel: Kernel, target: Target) -> Channels | None:
    if len(kernel.roots) != 1 or kernel.roots[0].name != "graph.reduce_window_grad":
        return None
    op = kernel.roots[0]
    shape = op.operands[0].type.shape  # type: ignore[attr-defined]
    contiguous = op["window"][-1] == op["strides"][-1] == 1 and op["padding_low"][-1] == op["padding_high"][-1] == 0
    if kernel.outputs != (op.result,):
        return None
    return Channels(target.lanes(t.element_of(op.result.type)) if contiguous and isinstance(shape[-1], int) else 1)


def emit(kernel: Kernel, params: Channels, target: Target) -> Operation:
    frame = Frame(kernel)
    try:
        _Emitter(frame, kernel.roots[0], params.lanes).run()
    except LaneError:  # an operand is made of something that does not lie along the channels
        frame, params = Frame(kernel), Channels(1)
        _Emitter(frame, kernel.roots[0], params.lanes).run()
    return frame.finish(f"window_gradient{{{params}}}")


class _Emitter:
    def __init__(self, frame: Frame, op: Operation, lanes: int):
        self.frame, self.b, self.op, self.lanes = frame, frame.b, op, lanes
        self.x, self.ct = op.operands
        self.dx = frame.outputs[0]
        self.window, self.strides, self.low = op["window"], op["strides"], op["padding_low"]
        self.better, self.worst = ("gt", float("-inf")) if op["kind"] == "max" else ("lt", float("inf"))
        assert isinstance(self.x.type, TensorType) and isinstance(self.ct.type, TensorType)
        self.shape, self.windows = self.x.type.shape, self.ct.type.shape
        rank = len(self.shape)
        last = rank - 1 if lanes > 1 else rank
        self.swept = [
            d
            for d in range(last)
            if self.window[d] != 1 or self.strides[d] != 1 or self.windows[d] is not self.shape[d]
        ]
        self.whole = [d for d in range(last) if d not in self.swept]
        element = self.x.type.element
        self.element: t.Type = VectorType((lanes,), element) if lanes > 1 else element

    def run(self) -> None:
        if self.lanes == 1:
            self.channels(1, None, 0)
            return
        channels = self.shape[-1]
        assert isinstance(channels, int)
        full, rest = divmod(channels, self.lanes)
        if full:
            self.channels(full, None, 0)
        if rest:
            self.channels(1, self.b.mask(self.b.index(rest), self.lanes), full * self.lanes)

    def channels(self, count: int, mask: Value | None, start: int) -> None:
        """`count` vectors of channels, some side by side at every place: memory is then read in runs."""
        b = self.b
        together = next(n for n in range(min(count, SIDE_BY_SIDE), 0, -1) if count % n == 0)
        with self.frame.parallel([*[self.shape[d] for d in self.whole], count // together]) as at:
            fixed = {d: LaneIndex(i) for d, i in zip(self.whole, at[:-1], strict=True)}
            group = b.mul(at[-1], b.index(together))

            def vector(number: Value) -> dict[int, LaneIndex]:
                if self.lanes == 1:
                    return fixed
                first = b.add(b.mul(b.add(group, number), b.index(self.lanes)), b.index(start))
                return {**fixed, len(self.shape) - 1: LaneIndex(first, 1)}

            points = Points(self.frame, self.lanes, mask)
            side = (b.index(0), b.index(together))
            with self.frame.nest([*((b.index(0), self.frame.size(self.shape[d])) for d in self.swept), side]) as place:
                points.store(b.constant(0, self.element), self.dx, self.place(vector(place[-1]), place[:-1]))
            sizes = [self.frame.size(self.windows[d]) for d in self.swept]
            with self.frame.nest([*((b.index(0), n) for n in sizes), side]) as window:
                self.one_window(vector(window[-1]), window[:-1], mask)

    def place(self, fixed: dict[int, LaneIndex], swept: list[Value]) -> list[LaneIndex]:
        at = {**fixed, **{d: LaneIndex(i) for d, i in zip(self.swept, swept, strict=True)}}
        return [at[d] for d in range(len(self.shape))]

    def one_window(self, fixed: dict[int, LaneIndex], window: list[Value], mask: Value | None) -> None:
        b = self.b
        points = Points(self.frame, self.lanes, mask)
        ct = points.vector(points.value(self.ct, self.place(fixed, window)))
        numbers: t.Type = VectorType((self.lanes,), t.i32) if self.lanes > 1 else t.i32
        best = b.constant(self.worst, self.element)
        winner = b.constant(0, numbers)
        steps = list(itertools.product(*[range(self.window[d]) for d in self.swept]))
        for number, step in enumerate(steps):
            value = self.read(fixed, window, step, mask, best)
            better = b.cmp(self.better, value, best) if number else b.cmp("eq", winner, winner)
            best = b.select(better, value, best)
            winner = b.select(better, b.constant(number, numbers), winner)
        for number, step in enumerate(steps):
            chosen = b.select(b.cmp("eq", winner, b.constant(number, numbers)), ct, b.constant(0, self.element))
            self.accumulate(fixed, window, step, mask, chosen)

    def corner(self, window: list[Value], step: tuple[int, ...]) -> tuple[list[Value], Value | None]:
        """The element `step` of a window, and whether it is inside (None: always)."""
        b = self.b
        place, inside = [], None
        for d, w, s in zip(self.swept, window, step, strict=True):
            index = b.add(b.mul(w, b.index(self.strides[d])), b.index(s - self.low[d]))
            place.append(index)
            if self.low[d] or self.op["padding_high"][d]:
                for test in (b.cmp("ge", index, b.index(0)), b.cmp("lt", index, self.frame.size(self.shape[d]))):
                    inside = test if inside is None else b.and_(inside, test)
        return place, inside

    def read(
        self, fixed: dict[int, LaneIndex], window: list[Value], step: tuple[int, ...], mask: Value | None, best: Value
    ) -> Value:
        b = self.b
        place, inside = self.corner(window, step)
        if inside is None:
            points = Points(self.frame, self.lanes, mask)
            return points.vector(points.value(self.x, self.place(fixed, place)))
        with b.if_(inside, [self.element]) as branch:
            points = Points(self.frame, self.lanes, mask)
            branch.yield_([points.vector(points.value(self.x, self.place(fixed, place)))])
            with branch.else_():
                branch.yield_([b.constant(self.worst, self.element)])
        return branch.results[0]

    def accumulate(
        self, fixed: dict[int, LaneIndex], window: list[Value], step: tuple[int, ...], mask: Value | None, add: Value
    ) -> None:
        b = self.b
        place, inside = self.corner(window, step)

        def write() -> None:
            at = self.place(fixed, place)
            points = Points(self.frame, self.lanes, mask)
            bases = [i.base for i in at]
            if self.lanes == 1:
                old = b.load(self.dx, bases)
            elif mask is None:
                old = b.vload(self.dx, bases, self.lanes)
            else:
                old = b.masked_load(self.dx, bases, mask, b.constant(0, self.element))
            points.store(b.add(old, add), self.dx, at)

        if inside is None:
            write()
            return
        with b.if_(inside) as branch:
            write()
            branch.yield_([])
