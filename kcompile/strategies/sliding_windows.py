"""sliding_windows: a convolution whose features, or those of a group, fill one vector or a part of it.

    for tile in this worker's share of (images, rows, `pixels` side by side, groups):
        sums[pixels] = init
        for tap down, input channel:
            load w for all taps across
            for place under the tile: broadcast x once; add into the sums of all pixels in whose windows it is
        epilogue(sums) -> store

A register tile has a broadcast for each multiply-add there, as many loads as a core does; here one feeds as many as
there are taps across. Groups of fewer features than lanes share a vector: the input channel of each group is spread
over its lanes by one shuffle, where a group by itself would leave lanes idle. The sum of an element goes over taps
down, input channels, then taps across, whatever the tile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.affine import AffineMap
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation, Value
from kcompile.strategies.contraction import is_multiply_add
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.placement import whole_of
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Generic, Kernel
from kcompile.strategies.parts.tile_choice import divides, results_fit, single_reduction

MOST_TAPS = 7  # across: a register each
LATENCY = 4  # cycles of a multiply-add, of which two begin in a cycle
Place = dict[int, LaneIndex]


@dataclass(frozen=True, slots=True)
class Slide(Parameters):
    """pixels: of a tile. lanes: elements of a vector."""

    pixels: int
    lanes: int


@dataclass(frozen=True, slots=True)
class Form:
    """The convolution, taken apart: operands and their maps, and dims of the iteration space.

    row, tap    pixels side by side and taps across; `stride` and `dilation` are theirs
    channel     input channels (of a group)
    group       groups whose features share a vector with others', -1: none
    features    of a group; those of both operands lie side by side then, in `x` and `w`
    """

    view: Generic
    x: Value
    x_map: AffineMap
    w: Value
    w_map: AffineMap
    row: int
    tap: int
    channel: int
    lane: int
    group: int
    stride: int
    dilation: int
    features: int

    def shares(self, lanes: int) -> bool:
        """Whether a group has a part of a vector of so many lanes, beside others."""
        return self.group >= 0 and self.features < lanes

    def size(self, dim: int) -> int:
        size = self.view.extents()[dim]
        assert isinstance(size, int)
        return size


def form(kernel: Kernel) -> Form | None:
    """The kernel as a convolution with several taps across, or None."""
    view = single_reduction(kernel)
    if view is None or not is_multiply_add(view) or not results_fit(kernel, view) or len(view.operands_read) != 2:
        return None
    types = {t.element_of(v.type) for v in (*view.inputs, view.op.result)}
    start = view.inits[0].defining_op
    out = [e.dim for e in view.output_maps[0].results if e.dim is not None]
    if len(types) != 1 or not t.is_float(types.pop()) or start is None or start.name != "linalg.fill" or len(out) < 3:
        return None
    (x, x_map), (w, w_map) = view.operands_read
    extents, lane = view.extents(), out[-1]
    if lane in x_map.used_dims():
        (x, x_map), (w, w_map) = (w, w_map), (x, x_map)
    windows = [e for e in x_map.results if len(e.terms) == 2]
    if not windows or lane in x_map.used_dims() or any(len(e.terms) > 1 for e in w_map.results):
        return None
    terms = dict(windows[-1].terms)
    rows, taps = [d for d in terms if d in view.parallel], [d for d in terms if d in view.reductions]
    channel, fixed = x_map.results[-1].dim, (*view.reductions, *out[1:])
    if len(rows) != 1 or len(taps) != 1 or channel not in view.reductions or channel == taps[0]:
        return None
    if any(not isinstance(extents[d], int) for d in fixed) or rows[0] in w_map.used_dims():
        return None
    if w_map.results[-1].dim != lane or sum(e.coefficient(lane) for e in w_map.results) != 1:
        return None
    assert channel is not None
    shared = [d for d in x_map.used_dims() if d in w_map.used_dims() and d in view.parallel]
    features = extents[lane]
    assert isinstance(features, int)
    found = Form(
        view, x, x_map, w, w_map, rows[0], taps[0], channel, lane, -1, terms[rows[0]], terms[taps[0]], features
    )
    axes = len(t.shape_of(whole_of(view.op.results[0]).type))
    if axes == len(out) - 1 and shared == [out[-2]]:
        return _grouped(found, out)
    return found if axes == len(out) and not shared else None


def _grouped(found: Form, out: Sequence[int]) -> Form | None:
    """With its groups side by side in one axis of both operands and of the result."""
    group = out[-2]
    makers = found.x.defining_op, found.w.defining_op
    if any(op is None or op.name != "tensor.expand_shape" or len(op["reassociation"][-1]) != 2 for op in makers):
        return None
    x, w = (op.operands[0] for op in makers if op is not None)
    sides = [e.dim for e in found.x_map.results[-2:]], [e.dim for e in found.w_map.results[-2:]]
    if sides != ([group, found.channel], [group, found.lane]) or found.size(found.channel) != found.features:
        return None
    return replace(found, x=x, w=w, group=group)


def match(kernel: Kernel, target: Target) -> Slide | None:
    found = form(kernel)
    if found is None:
        return None
    lanes = target.lanes(t.element_of(found.view.op.result.type))
    taps, size = found.size(found.tap), found.size(found.row)
    if lanes < 4 or not 2 <= taps <= MOST_TAPS:
        return None
    shares = found.shares(lanes)
    if shares and (lanes % found.features or found.size(found.group) * found.features % lanes):
        return None
    if not shares and found.features != lanes:
        return None
    # LLVM keeps the inputs that all channels of a group are shuffled out of, two registers a pixel: 14 pixels of groups
    # of 8 reached 184 GF/s, 22 of them 107
    free = target.registers - taps
    most = min(size, free // 2 if shares else free - 4)

    def cost(pixels: int) -> float:
        """Cycles of a step of all tiles."""
        reach = (pixels - 1) * found.stride + (taps - 1) * found.dilation + 1
        return -(-size // pixels) * (max(pixels * taps / 2, LATENCY * taps, (reach + taps) / 2) + 2)

    return Slide(min(range(1, most + 1), key=lambda pixels: (cost(pixels), -pixels)), lanes) if most > 0 else None


def emit(kernel: Kernel, parameters: Slide, target: Target) -> Operation:
    found = form(kernel)
    assert found is not None
    frame = Frame(kernel)
    _Emitter(frame, kernel, found, parameters).run()
    if divides(parameters.pixels, found.size(found.row)):
        frame.function["kernel.once"] = UnitAttr()
    return frame.finish(f"sliding_windows{{{parameters}}}")


class _Emitter:
    def __init__(self, frame: Frame, kernel: Kernel, found: Form, parameters: Slide):
        self.frame, self.kernel, self.form, self.cut = frame, kernel, found, parameters
        self.b = frame.b
        self.shares = found.shares(parameters.lanes)

    def run(self) -> None:
        b, found, cut = self.b, self.form, self.cut
        extents = found.view.extents()
        out = [e.dim for e in found.view.output_maps[0].results if e.dim is not None]
        outer = [d for d in out if d not in (found.row, found.lane, found.group)]
        size = found.size(found.row)
        groups = found.size(found.group) * found.features // cut.lanes if found.group >= 0 else 1
        with self.frame.parallel([*(extents[d] for d in outer), -(-size // cut.pixels), groups]) as at:
            self.first = LaneIndex(b.mul(at[-1], b.index(cut.lanes)), 1)  # feature
            left = b.min(b.mul(at[-2], b.index(cut.pixels)), b.index(size - cut.pixels))
            place: Place = {d: LaneIndex(v) for d, v in zip(outer, at[:-2], strict=True)}
            points = Points(self.frame, cut.lanes)
            start = points.vector(points.value(found.view.inits[0], []))
            others = [d for d in found.view.reductions if d not in (found.tap, found.channel)]
            sums = self.reduce(others, place, left, [start] * cut.pixels)
            cache: dict[object, Value] = {}
            for i, total in enumerate(sums):
                here = {**place, found.row: LaneIndex(b.add(left, b.index(i)))}
                self.finish([self.first if d == out[-1] else here[d] for d in out if d != found.group], total, cache)

    def reduce(self, dims: Sequence[int], place: Place, left: Value, sums: list[Value]) -> list[Value]:
        """Loops over taps down, then over input channels; those of groups that share a vector are straight code."""
        b, found = self.b, self.form
        if not dims and self.shares:
            for i in range(found.features):
                sums = self.step(place, left, i, sums)
            return sums
        dim = dims[0] if dims else found.channel
        with b.for_(b.index(0), b.index(found.size(dim)), 1, sums) as loop:
            inner = {**place, dim: LaneIndex(loop.iv)}
            made = self.reduce(dims[1:], inner, left, list(loop.args)) if dims else self.step(inner, left, 0, loop.args)
            loop.yield_(made)
        return list(loop.results)

    def step(self, place: Place, left: Value, channel: int, sums: Sequence[Value]) -> list[Value]:
        """One input channel of all places under the tile, of one row."""
        b, found, cut = self.b, self.form, self.cut
        points, sums = Points(self.frame, cut.lanes), list(sums)
        taps = [
            self.weights(points, {**place, found.tap: LaneIndex(b.index(i))}, channel)
            for i in range(found.size(found.tap))
        ]
        under: dict[int, list[tuple[int, int]]] = {}  # place -> pixels and taps
        for pixel in range(cut.pixels):
            for tap in range(len(taps)):
                under.setdefault(pixel * found.stride + tap * found.dilation, []).append((pixel, tap))
        origin = b.mul(left, b.index(found.stride))
        for at in sorted(under):
            value = self.input(points, place, b.add(origin, b.index(at)), channel)
            for pixel, tap in under[at]:
                sums[pixel] = b.fma(value, taps[tap], sums[pixel])
        return sums

    def weights(self, points: Points, place: Place, channel: int) -> Value:
        found = self.form
        if found.group < 0:
            dims = {**place, found.lane: self.first}
            return points.vector(points.value(found.w, [dims[e.dim] for e in found.w_map.results]))  # type: ignore[index]
        if self.shares:
            place = {**place, found.channel: LaneIndex(self.b.index(channel))}
        at = [place[e.dim] for e in found.w_map.results[:-2]]  # type: ignore[index]
        return points.vector(points.value(found.w, [*at, self.first]))

    def input(self, points: Points, place: Place, column: Value, channel: int) -> Value:
        """An input channel in all lanes, of each group in those of its features."""
        b, found, lanes = self.b, self.form, self.cut.lanes
        at = []
        for e in found.x_map.results[: -2 if found.group >= 0 else -1]:
            if e.coefficient(found.row):
                at.append(LaneIndex(b.add(column, b.index(e.constant))))
            else:
                at.append(points.expression(e, [place.get(d, self.first) for d in range(found.view.dims)]))
        if self.shares:
            value = points.vector(points.value(found.x, [*at, self.first]))
            return b.shuffle(value, value, [i // found.features * found.features + channel for i in range(lanes)])
        last = place[found.channel].base
        if found.group >= 0:
            last = b.add(self.first.base, last)
        return points.vector(points.value(found.x, [*at, LaneIndex(last)]))

    def finish(self, at: list[LaneIndex], total: Value, cache: dict[object, Value]) -> None:
        """The epilogue at a pixel, and the store of every result of the kernel."""
        points = Points(self.frame, self.cut.lanes, None, {whole_of(self.form.view.op.results[0]): total}, cache)
        values = [points.value(result, at) for result in self.kernel.outputs]
        for value, memref in zip(values, self.frame.outputs, strict=True):  # a result may replace an operand
            points.store(value, memref, at)
