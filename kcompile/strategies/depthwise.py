"""depthwise: every channel convolved by a kernel of its own, channels last; tiles of `rows` x `columns` pixels.

    y[n, oh, ow, c] = epilogue(sum_{kh, kw} x[n, oh * s + kh * d, ow * s + kw * d, c] * w[kh, kw, c])

    for tile in this worker's share of (images, row tiles, column tiles):
        for vector of channels:
            sums[rows][columns] = init
            load w                                      # a large kernel row by row, all below for each row
            for row of the input: for place in it:      # unrolled
                load x once; add into the sums of the pixels in whose windows it is
            epilogue(sums) -> store

Traffic: the input about (rows + 2) * (columns + 2) / (rows * columns) times from the second-level cache, where a loop
over single pixels reads it nine times; the result once. A load feeds up to kw multiply-adds, so that their units are
the limit. The sum of an element goes over kh, then kw, whatever the tile.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.affine import AffineExpr
from kcompile.ir.attributes import UnitAttr
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType
from kcompile.strategies.contraction import is_multiply_add
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Generic, Kernel, generic

MOST_TAPS = 64  # kernel elements; a tile is straight code of about 16 times as many operations
HELD_TAPS = 9  # with 16 sums and an input, 26 of 32 registers; every input is loaded once then
LINE = 0.75  # cycles that one vector between second-level cache and register costs


@dataclass(frozen=True, slots=True)
class Pixels(Parameters):
    """rows, columns: pixels of a tile. lanes: channels of a vector."""

    rows: int
    columns: int
    lanes: int


@dataclass(frozen=True, slots=True)
class Window:
    """One spatial axis: dims of the iteration space, how far windows and taps are apart, their numbers."""

    place: int
    tap: int
    stride: int
    dilation: int
    places: int
    taps: int

    def reads(self, place: int, tap: int) -> int:
        """Which input is under a tap of a window, both counted from 0."""
        return place * self.stride + tap * self.dilation

    def reach(self, count: int) -> int:
        """Inputs that `count` windows side by side lie over."""
        return (count - 1) * self.stride + (self.taps - 1) * self.dilation + 1


@dataclass(frozen=True, slots=True)
class Form:
    """A depthwise convolution, taken apart: its operands, the channels' dim, and its one or two spatial axes."""

    view: Generic
    image: int
    filter: int
    channel: int
    rows: Window
    columns: Window


ONE = Window(-1, -1, 1, 1, 1, 1)  # the rows of an image that has none


def form(kernel: Kernel) -> Form | None:
    """The kernel as a depthwise convolution, or None."""
    return form_of(kernel.roots[0]) if len(kernel.roots) == 1 else None


def form_of(root: Operation) -> Form | None:
    """The root as a depthwise convolution, or None."""
    if root.name != "linalg.generic":
        return None
    view = generic(root)
    if not is_multiply_add(view) or len(view.inputs) != 2 or len(view.output_maps) != 1:
        return None
    out = [e.dim for e in view.output_maps[0].results]
    if not out or sorted(d for d in out if d is not None) != list(view.parallel):
        return None
    channel = out[-1]
    extents = view.extents()
    assert channel is not None
    for image, filter_ in ((0, 1), (1, 0)):
        x, w = view.input_maps[image], view.input_maps[filter_]
        places = [e for e in x.results if len(e.terms) == 2]
        windows = [window(e, view) for e in places]
        plain = [e.dim for e in x.results if len(e.terms) != 2]
        taps = {v.tap for v in windows if v is not None}
        if None in windows or not 1 <= len(windows) <= 2 or taps != set(view.reductions):
            continue
        if x.results[-1].dim != channel or w.results[-1].dim != channel or None in plain:
            continue
        if w.used_dims() != {*taps, channel} or any(len(e.terms) > 1 for e in w.results):
            continue
        if not isinstance(extents[channel], int) or extents[channel] == 0:
            continue
        rows, columns = (ONE, *windows)[-2:]
        assert rows is not None and columns is not None
        if 0 in (rows.places, columns.places) or rows.taps * columns.taps > MOST_TAPS:
            continue
        return Form(view, image, filter_, channel, rows, columns)
    return None


def window(expression: AffineExpr, view: Generic) -> Window | None:
    """place * stride + tap * dilation, of fixed sizes."""
    terms = dict(expression.terms)
    place = [d for d in terms if d in view.parallel]
    if len(place) != 1 or expression.constant or any(c < 1 for c in terms.values()):
        return None
    (tap,) = set(terms) - set(place)
    places, taps = view.extents()[place[0]], view.extents()[tap]
    if not isinstance(places, int) or not isinstance(taps, int):
        return None
    return Window(place[0], tap, terms[place[0]], terms[tap], places, taps)


def match(kernel: Kernel, target: Target) -> Pixels | None:
    found = form(kernel)
    if found is None:
        return None
    result = found.view.op.results[0].type
    assert isinstance(result, TensorType)
    if any(not isinstance(v.type, TensorType) or v.type.shape != result.shape for v in kernel.outputs):
        return None
    return choose(found, target)


def choose(found: Form, target: Target, step: int = 1) -> Pixels:
    """The tile whose whole image takes the fewest cycles: multiply-adds and loads at two a cycle, lines, turns.

    Its columns are a multiple of `step`.
    """
    rows, columns = found.rows, found.columns
    most = target.registers // 2  # 24 sums of 32 registers spill: 85 GF/s, against 170 with 16
    tiles = [
        (r, c) for r in range(1, min(4, rows.places) + 1) for c in range(step, min(16, columns.places) + 1, step)
        if r * c <= most
    ]  # fmt: skip

    def cycles(tile: tuple[int, int]) -> float:
        r, c = tile
        count = -(-rows.places // r) * -(-columns.places // c)
        additions = r * c * rows.taps * columns.taps
        loads = rows.taps * (r * columns.reach(c) + columns.taps)
        lines = rows.reach(r) * columns.reach(c) + r * c
        return count * (max(additions, loads) / 2 + LINE * lines + 4)

    r, c = min(tiles, key=cycles)
    return Pixels(r, c, target.lanes(t.element_of(found.view.op.results[0].type)))


def emit(kernel: Kernel, tile: Pixels, target: Target) -> Operation:
    found = form(kernel)
    assert found is not None
    frame = Frame(kernel)
    b = frame.b
    rows, columns = found.rows, found.columns
    extents = found.view.extents()
    outer = [d for d in found.view.parallel if d not in (rows.place, columns.place, found.channel)]
    counts = [-(-rows.places // tile.rows), -(-columns.places // tile.columns)]
    with frame.parallel([*(extents[d] for d in outer), *counts]) as at:
        first = [
            b.min(b.mul(i, b.index(size)), b.index(window.places - size))  # the last tile is moved back to be whole
            for i, size, window in zip(at[-2:], (tile.rows, tile.columns), (rows, columns), strict=True)
        ]
        here = {d: LaneIndex(i) for d, i in zip(outer, at, strict=False)}
        size = extents[found.channel]
        assert isinstance(size, int)
        full = size // tile.lanes * tile.lanes
        with b.for_(b.index(0), b.index(full), tile.lanes) as loop:
            PixelTile(frame, found, tile, None).run({**here, found.channel: LaneIndex(loop.iv, 1)}, first[0], first[1])
            loop.yield_()
        if full < size:
            mask = b.mask(b.index(size - full), tile.lanes)
            last = {**here, found.channel: LaneIndex(b.index(full), 1)}
            PixelTile(frame, found, tile, mask).run(last, first[0], first[1])
    if rows.places % tile.rows == 0 and columns.places % tile.columns == 0:
        frame.function["kernel.once"] = UnitAttr()
    return frame.finish(f"depthwise{{{tile}}}")


class PixelTile:
    """One tile of pixels at one vector of channels."""

    def __init__(self, frame: Frame, found: Form, tile: Pixels, mask: Value | None):
        self.frame, self.found, self.tile, self.mask = frame, found, tile, mask
        self.b = frame.b

    def points(self, cache: dict[object, Value] | None = None) -> Points:
        return Points(self.frame, self.tile.lanes, self.mask, cache=cache)

    def run(self, here: dict[int, LaneIndex], row: Value, column: Value) -> None:
        b, found, tile = self.b, self.found, self.tile
        rows, columns = found.rows, found.columns
        tops = [b.add(row, b.index(i)) for i in range(tile.rows)]
        lefts = [b.add(column, b.index(j)) for j in range(tile.columns)]
        places = [
            {**here, rows.place: LaneIndex(top), columns.place: LaneIndex(left)} for top in tops for left in lefts
        ]
        sums = self.start(places)
        sources = self.corner(row, column)
        for first in self.tap_rows():
            taps = {(kh, kw): self.weight(here, kh, kw) for kh in first for kw in range(columns.taps)}
            for down in range(rows.reach(tile.rows)):
                over = [(i, kh) for i in range(tile.rows) for kh in first if rows.reads(i, kh) == down]
                for place in range(columns.reach(tile.columns)) if over else ():
                    under = [
                        (j, kw)
                        for j in range(tile.columns)
                        for kw in range(columns.taps)
                        if columns.reads(j, kw) == place
                    ]
                    if not under:
                        continue
                    x = self.input(here, sources, down, place)
                    for i, kh in over:
                        for j, kw in under:
                            k = i * tile.columns + j
                            sums[k] = self.step(x, taps[kh, kw], sums[k])
        self.finish(places, sums)

    def tap_rows(self) -> list[list[int]]:
        """The rows of the kernel that are held in registers together: all of a small one."""
        rows, columns = self.found.rows, self.found.columns
        if rows.taps * columns.taps <= HELD_TAPS:
            return [list(range(rows.taps))]
        return [[kh] for kh in range(rows.taps)]

    def corner(self, row: Value, column: Value) -> list[Value]:
        """Where the input under a tile begins."""
        b, found = self.b, self.found
        return [b.mul(row, b.index(found.rows.stride)), b.mul(column, b.index(found.columns.stride))]

    def start(self, places: list[dict[int, LaneIndex]]) -> list[Value]:
        view = self.found.view
        points = self.points()
        indices = [[at[e.dim] for e in view.output_maps[0].results] for at in places]  # type: ignore[index]
        return [points.vector(points.value(view.inits[0], i)) for i in indices]

    def weight(self, here: dict[int, LaneIndex], kh: int, kw: int) -> Value:
        view, found = self.found.view, self.found
        map_ = view.input_maps[found.filter]
        at = {**here, found.rows.tap: LaneIndex(self.b.index(kh)), found.columns.tap: LaneIndex(self.b.index(kw))}
        points = self.points()
        indices = [at[e.dim] if e.dim is not None else LaneIndex(self.b.index(e.constant)) for e in map_.results]
        return points.vector(points.value(view.inputs[found.filter], indices))

    def input(self, here: dict[int, LaneIndex], sources: list[Value], down: int, right: int) -> Value:
        b, view, found = self.b, self.found.view, self.found
        indices = []
        for e in view.input_maps[found.image].results:
            dims = {d for d, _ in e.terms} if len(e.terms) == 2 else set()
            if found.rows.place in dims:
                indices.append(LaneIndex(b.add(sources[0], b.index(down))))
            elif dims:
                indices.append(LaneIndex(b.add(sources[1], b.index(right))))
            else:
                indices.append(here[e.dim])  # type: ignore[index]
        points = self.points()
        return points.vector(points.value(view.inputs[found.image], indices))

    def step(self, x: Value, w: Value, total: Value) -> Value:
        """The body of the reduction at one tap."""
        found = self.found
        body = found.view.body
        arguments = {body.arguments[found.image]: x, body.arguments[found.filter]: w, body.arguments[2]: total}
        return self.points().inline(body, arguments, contract=True)[0]

    def finish(self, places: list[dict[int, LaneIndex]], sums: list[Value]) -> None:
        """The epilogue, and the store of every result of the kernel."""
        frame, view = self.frame, self.found.view
        cache: dict[object, Value] = {}
        for at, total in zip(places, sums, strict=True):
            indices = [at[e.dim] for e in view.output_maps[0].results]  # type: ignore[index]
            points = Points(frame, self.tile.lanes, self.mask, {view.op.results[0]: total}, cache)
            values = [points.value(result, indices) for result in frame.kernel.outputs]
            for value, memref in zip(values, frame.outputs, strict=True):  # a result may replace an operand
                points.store(points.vector(value), memref, indices)
