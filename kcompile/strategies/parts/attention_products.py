"""The products of an attention kernel: operands packed for one batch index, and sums in register tiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kcompile.dialects.upstream.builder import constant_value
from kcompile.ir.core import Value
from kcompile.ir.types import VectorType
from kcompile.strategies.parts.frame import Frame
from kcompile.strategies.parts.lanes import LaneIndex
from kcompile.strategies.parts.points import Points
from kcompile.strategies.parts.structured import Generic
from kcompile.strategies.transpose import turn

UNROLLED = 16  # steps of a product without a loop
At = dict[int, LaneIndex]  # where the dims of a batch are
Left = Callable[[Value, Value], Value]  # (row, step) -> a number
Right = Callable[[Value, Value, int], Value]  # (step, first column, width) -> a vector
Finish = Callable[[Value, Value, Value, int], None]  # (row, first column, sum, width)


def tile(rows: int, vectors: int, registers: int, overlap: bool = True) -> tuple[int, int]:
    """Rows and vectors of a tile over a panel of `vectors` vectors: least multiply-adds, then least loads.

    overlap: the last rows are a whole tile, moved back; else a smaller one.
    """

    def strip(r: int, v: int) -> tuple[float, int]:
        """A row tile over the whole panel, a step: cycles and loads."""
        full, rest = divmod(vectors, v)
        pieces = [v] * full + ([rest] if rest else [])
        # two multiply-adds or two loads a cycle, and 4 cycles until a sum can be added to again
        return sum(max(r * n / 2, (r + n) / 2, 4) for n in pieces), sum(r + n for n in pieces)

    def cost(choice: tuple[int, int]) -> tuple[float, float, int]:
        r, v = choice
        turns, rest = divmod(rows, r)
        last = strip(r if overlap else rest, v) if rest else (0.0, 0)
        cycles, loads = (turns * whole + end for whole, end in zip(strip(r, v), last, strict=True))
        return cycles, loads, -r * v

    fitting = [
        (r, v) for v in (1, 2, 3, 4) for r in range(1, rows + 1) if v <= vectors and r * v + v + 1 <= registers - 1
    ]
    return min(fitting, key=cost)


class Products:
    """Emits products of matrices of one element type with vectors of `lanes`."""

    def __init__(self, frame: Frame, lanes: int, vector: VectorType):
        self.frame, self.b, self.lanes, self.vector = frame, frame.b, lanes, vector

    def padded(self, count: int) -> int:
        return -(-count // self.lanes) * self.lanes

    def sweep(self, count: int, body: Callable[[Value, int], None]) -> None:
        """`body(first, width)` for every vector of `count` elements; `width` is less than a vector's for the rest."""
        b, lanes = self.b, self.lanes
        full, rest = divmod(count, lanes)
        if full == 1:
            body(b.index(0), lanes)
        elif full:
            with b.for_(b.index(0), b.index(full * lanes), lanes) as loop:
                body(loop.iv, lanes)
                loop.yield_()
        if rest:
            body(b.index(full * lanes), rest)

    def mask(self, width: int) -> Value | None:
        return self.b.mask(self.b.index(width), self.lanes) if width < self.lanes else None

    def read(self, view: Generic, operand: int, dims: At, width: int) -> Value:
        """`width` elements of an operand of a product as a vector; zeros behind them."""
        points = Points(self.frame, self.lanes, self.mask(width))
        return points.vector(self._value(points, view, operand, dims))

    def scalar(self, view: Generic, operand: int, dims: At) -> Value:
        """One element of an operand of a product."""
        return self._value(Points(self.frame, 1), view, operand, dims)

    def _value(self, points: Points, view: Generic, operand: int, dims: At) -> Value:
        missing = LaneIndex(self.b.index(0))
        at = points.map(view.input_maps[operand], [dims.get(d, missing) for d in range(view.dims)])
        return points.value(view.inputs[operand], at)

    # -- packing
    def pack_keys(
        self,
        view: Generic,
        at: At,
        steps: int,
        keys: int,
        panel: Value,
        place_of: Callable[[Value], Value] = lambda key: key,
    ) -> None:
        """panel[step][key]: squares turned in registers where the summed dim lies last, else rows copied.

        place_of: which row of the operand is a key of the panel, in the first of these cases.
        """
        b, lanes = self.b, self.lanes
        summed, key = view.dims - 1, view.dims - 2
        if view.input_maps[1].results[-1].dim == key:
            self._copy_rows(view, at, (summed, key), (steps, keys), panel)
            return
        zero = b.constant(0.0, self.vector)

        def column(first_key: Value, key_count: int) -> None:
            def square(first: Value, width: int) -> None:
                places = [LaneIndex(place_of(b.add(first_key, b.index(i)))) for i in range(key_count)]
                rows = [self.read(view, 1, {**at, summed: LaneIndex(first, 1), key: place}, width) for place in places]
                turned = turn(self.frame, rows + [zero] * (lanes - key_count), lanes)
                for i in range(width):
                    b.vstore(turned[i], panel, [b.add(first, b.index(i)), first_key])

            self.sweep(steps, square)

        self.sweep(keys, column)

    def pack_values(self, view: Generic, at: At, steps: int, width: int, panel: Value) -> None:
        """panel[step][column], rows padded to whole vectors."""
        self._copy_rows(view, at, (view.dims - 1, view.dims - 2), (steps, width), panel)

    def _copy_rows(self, view: Generic, at: At, dims: tuple[int, int], sizes: tuple[int, int], panel: Value) -> None:
        b = self.b
        with self.frame.nest([(b.index(0), b.index(sizes[0]))]) as (row,):

            def copy(first: Value, width: int) -> None:
                place = {**at, dims[0]: LaneIndex(row), dims[1]: LaneIndex(first, 1)}
                b.vstore(self.read(view, 1, place, width), panel, [row, first])

            self.sweep(sizes[1], copy)

    def clear(self, panel: Value, rows: int, width: int) -> None:
        b = self.b
        zero = b.constant(0.0, self.vector)
        with self.frame.nest([(b.index(0), b.index(rows))]) as (row,):
            self.sweep(self.padded(width), lambda first, _: b.vstore(zero, panel, [row, first]))

    # -- register tiles
    def product(
        self, left: Left, panel: Value, rows: int, steps: int, width: int, tile: tuple[int, int], finish: Finish
    ) -> None:
        """left[rows][steps] x panel[steps][width]; `finish` takes each vector of sums, some of them twice."""
        b, (height, vectors) = self.b, tile

        def right(step: Value, column: Value, width: int) -> Value:
            return b.vload(panel, [step, column], self.lanes)

        def columns(first: Value, vectors: int, last_width: int) -> None:
            with self.frame.nest([(b.index(0), b.index(-(-rows // height)))]) as (number,):
                # the last row tile is moved back so that it is whole
                row = b.min(b.mul(number, b.index(height)), b.index(rows - height))
                at, widths = self._places(row, height), self._columns(first, vectors, last_width)
                sums = [b.constant(0.0, self.vector)] * (height * vectors)
                sums = self.accumulate(left, right, (b.index(0), steps), at, widths, sums)
                self._finish(finish, at, widths, sums)

        self._in_columns(width, vectors, columns)

    def add_product(
        self,
        left: Left,
        right: Right,
        sums: Value,
        rows: int,
        steps: tuple[Value, int],
        width: int,
        tile: tuple[int, int],
    ) -> None:
        """sums[rows][width] += left[rows][from .. to] x right[from .. to][width], step by step."""
        b, (height, vectors) = self.b, tile

        def finish(row: Value, first: Value, total: Value, width: int) -> None:
            b.vstore(total, sums, [row, first])

        def columns(first: Value, vectors: int, last_width: int) -> None:
            def strip(row: Value, height: int) -> None:
                at, widths = self._places(row, height), self._columns(first, vectors, last_width)
                before = [b.vload(sums, [r, c], self.lanes) for r in at for c, _ in widths]
                self._finish(finish, at, widths, self.accumulate(left, right, steps, at, widths, before))

            full, rest = divmod(rows, height)
            if full:
                with self.frame.nest([(b.index(0), b.index(full))]) as (number,):
                    strip(b.mul(number, b.index(height)), height)
            if rest:
                strip(b.index(full * height), rest)

        self._in_columns(width, vectors, columns)

    def _in_columns(self, width: int, vectors: int, columns: Callable[[Value, int, int], None]) -> None:
        """`columns(first, vectors, width of the last vector)` for tiles of columns."""
        b, lanes = self.b, self.lanes
        needed = -(-width // lanes)
        whole = width // lanes // vectors  # tiles without a rest
        if whole:
            with self.frame.nest([(b.index(0), b.index(whole))]) as (number,):
                columns(b.mul(number, b.index(vectors * lanes)), vectors, lanes)
        if needed > whole * vectors:
            columns(b.index(whole * vectors * lanes), needed - whole * vectors, width - (needed - 1) * lanes)

    def _places(self, row: Value, height: int) -> list[Value]:
        return [self.b.add(row, self.b.index(i)) for i in range(height)]

    def _columns(self, first: Value, vectors: int, last_width: int) -> list[tuple[Value, int]]:
        widths = [self.lanes] * (vectors - 1) + [last_width]
        return [(self.b.add(first, self.b.index(j * self.lanes)), width) for j, width in enumerate(widths)]

    def _finish(
        self, finish: Finish, rows: Sequence[Value], columns: Sequence[tuple[Value, int]], sums: Sequence[Value]
    ) -> None:
        for i, row in enumerate(rows):
            for j, (first, width) in enumerate(columns):
                finish(row, first, sums[i * len(columns) + j], width)

    def accumulate(
        self,
        left: Left,
        right: Right,
        steps: tuple[Value, int],
        rows: Sequence[Value],
        columns: Sequence[tuple[Value, int]],
        sums: Sequence[Value],
    ) -> list[Value]:
        """The sums of one tile after the steps from steps[0] to steps[1]."""
        b, lanes = self.b, self.lanes

        def step(at: Value, sums: Sequence[Value]) -> list[Value]:
            panel = [right(at, c, width) for c, width in columns]
            made = []
            for i, row in enumerate(rows):
                spread = b.broadcast(left(row, at), lanes)
                made += [b.fma(spread, r, sums[i * len(columns) + j]) for j, r in enumerate(panel)]
            return made

        start, end = steps
        first = constant_value(start)
        if first == 0 and end <= UNROLLED:
            sums = list(sums)
            for i in range(end):
                sums = step(b.index(i), sums)
            return sums
        unroll = 2 if first == 0 and end % 2 == 0 else 1
        with b.for_(start, b.index(end), unroll, sums) as loop:
            inner = list(loop.args)
            for u in range(unroll):
                inner = step(b.add(loop.iv, b.index(u)), inner)
            loop.yield_(inner)
        return list(loop.results)
