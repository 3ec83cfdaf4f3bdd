"""The tile of a reduction: which dims its rows and lanes run along, and how many registers hold its running results.

    rows x parts x vectors     accumulators            32 registers: 6x4 8x3 14x2      16: 2x4 4x3 6x2

Everything here is a pure function of the kernel and the target. The order of additions of one element is fixed by the
shape alone: `sets` may depend on it, and nothing else that a choice sets touches the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from kcompile.codegen.target import FMA, Target
from kcompile.ir import types as t
from kcompile.ir.affine import AffineMap
from kcompile.ir.core import Value
from kcompile.ir.dims import Dim, SymbolicDim, evaluate, product, symbols_of
from kcompile.ir.types import TensorType
from kcompile.strategies.parts.parameters import Parameters
from kcompile.strategies.parts.placement import whole_of
from kcompile.strategies.parts.structured import Generic, Kernel, generic

MANY_ROWS = 12  # fixed rows from which on nothing needs more than one accumulator an element
ALIASED = 2048  # bytes: rows that are multiples of it apart share few sets of the first-level cache
# tiles that overlap cannot write results over what they replace: with Adam's epilogue, 512x512 sums of 32 products took
# 126 us in 8x2 in place, and 165 us in 13x2 before three results of 1 MiB were copied
OVERLAPS = 1.25
# bytes: two panels read in turns from L3 came at 105 GB/s, and at 121, as one does, when asked for so much earlier
AHEAD = 2048


@dataclass(frozen=True, slots=True)
class Tile(Parameters):
    """How a reduction is cut.

    row_dim, lane_dim   dims of the iteration space (-1: no row dim)
    part_dim            the dim of which a tile holds all: the epilogue reads its elements by number (-1: none)
    panel_dim           the dim outside the lanes that goes on where they end: (panel, lane) is one axis (-1: none)
    rows, vectors       accumulators of a tile, for each part
    single_row          vectors of a tile of one row, for a number of rows that is too small: many sums at once hide the
                        latency of an addition, and the other operand is read in long runs
    lanes               elements of a vector
    unroll              steps of the innermost reduction in one turn
    sets                sums for each element, taken in turn along the innermost reduction and added up at the end
    group               lane tiles that all rows go through before the next ones: their operand stays in the cache
    ahead               steps of the sum after which a tile of one row will need what it asks for (0: it does not ask);
                        twice as many in a tile of several (see early_reads)
    """

    row_dim: int
    lane_dim: int
    part_dim: int
    panel_dim: int
    rows: int
    vectors: int
    single_row: int
    lanes: int
    unroll: int
    sets: int
    group: int
    ahead: int


def single_reduction(kernel: Kernel) -> Generic | None:
    """The kernel's only root, if it is a reduction with one result; else None."""
    if len(kernel.roots) != 1 or kernel.roots[0].name != "linalg.generic":
        return None
    view = generic(kernel.roots[0])
    return view if len(view.op.results) == 1 and view.reductions else None


def part_axis(value: Value) -> int | None:
    """The axis of a root's result that all readers index by number, the others in place: None if there is none."""
    axes: set[int | None] = set()
    for op in value.users:
        if op.name != "linalg.generic":
            return None
        view = generic(op)
        for operand, map_ in zip(view.inputs, view.input_maps, strict=True):
            if operand is value:
                numbers = [i for i, e in enumerate(map_.results) if not e.terms]
                dims = [e.dim for e in map_.results if e.terms]
                axes.add(numbers[0] if len(numbers) == 1 and dims == list(range(map_.dims)) else None)
    return axes.pop() if len(axes) == 1 else None


def results_fit(kernel: Kernel, view: Generic, parts: bool = False) -> bool:
    """Whether every result of the kernel has the shape of the root's (or of one of its parts): an epilogue."""
    whole = whole_of(view.op.results[0])
    assert isinstance(whole.type, TensorType)
    shape = whole.type.shape
    if all(isinstance(v.type, TensorType) and v.type.shape == shape for v in kernel.outputs):
        return True
    axis = part_axis(whole)
    if not parts or axis is None or part_dim(view) < 0:
        return False
    shape = (*shape[:axis], *shape[axis + 1 :])
    return all(isinstance(v.type, TensorType) and v.type.shape == shape for v in kernel.outputs)


def part_dim(view: Generic) -> int:
    """The dim of the iteration space that the epilogue indexes by number, -1 if there is none of a fixed size."""
    whole = whole_of(view.op.results[0])
    axis = part_axis(whole)
    if axis is None:
        return -1
    first = axis
    groups = collapsed_groups(view)
    if groups is not None:
        if len(groups[axis]) != 1:
            return -1
        first = groups[axis][0]
    elif whole is not view.op.results[0]:
        return -1
    dim = view.output_maps[0].results[first].dim
    return dim if dim is not None and isinstance(view.extents()[dim], int) else -1


def collapsed_groups(view: Generic) -> list[list[int]] | None:
    """Which axes of the root are one axis after it, if they are collapsed right after it and nothing else is done."""
    root = view.op.results[0]
    users = root.users
    if len(users) != 1 or users[0].name != "tensor.collapse_shape" or whole_of(root) is not users[0].result:
        return None
    return [list(group) for group in users[0]["reassociation"]]


def panel_dim(view: Generic) -> int:
    """The parallel dim that is collapsed with the lanes' right after the root and strides whole panels, else -1."""
    groups = collapsed_groups(view)
    if groups is None or len(groups[-1]) != 2:
        return -1
    dim = view.output_maps[0].results[groups[-1][0]].dim
    if dim is None or not isinstance(view.extents()[dim], int):
        return -1
    lane = view.output_maps[0].results[-1].dim
    # where both operands depend on it, as in a grouped convolution, or not the one along which the lanes run, panels
    # have nothing in common with one another
    with_lanes = [dim in m.used_dims() for _, m in view.operands_read if lane in m.used_dims()]
    without = [dim in m.used_dims() for _, m in view.operands_read if lane not in m.used_dims()]
    return dim if all(with_lanes) and not any(without) else -1


def reduction_order(view: Generic) -> list[int]:
    """The reduction dims, outermost first: symbolic ones (the batch of a filter gradient) stride furthest in memory."""
    extents = view.extents()
    return sorted(view.reductions, key=lambda d: isinstance(extents[d], int))


def lane_dim(view: Generic) -> int | None:
    """The dim along which results and operands are contiguous or constant: the last of the result's; None if none."""
    out = view.output_maps[0]
    if len(view.output_maps) != 1 or not out.results or any(e.dim is None for e in out.results):
        return None
    dim = out.results[-1].dim
    assert dim is not None
    if not isinstance(view.extents()[dim], int):
        return None
    for _, map_ in view.operands_read:
        strides = [e.coefficient(dim) for e in map_.results]
        if any(strides[:-1]) or (strides and strides[-1] not in (0, 1)):
            return None
    return dim


def row_dim(view: Generic, apart: set[int]) -> int:
    """The parallel dim that some operand does not depend on: the innermost of at least 4, else the largest, else -1."""
    extents = view.extents()
    reused = [d for d in view.parallel if d not in apart and any(d not in m.used_dims() for _, m in view.operands_read)]
    fixed = [d for d in reused if isinstance(extents[d], int) and extents[d] != 1]
    for d in reversed(fixed):
        if extents[d] >= 4:  # type: ignore[operator]
            return d
    symbolic = [d for d in reused if isinstance(extents[d], SymbolicDim)]
    # a symbolic row dim is worth its two variants only where no fixed one gives enough rows
    if symbolic:
        return symbolic[-1]
    return max(fixed, key=lambda d: (extents[d], d)) if fixed else -1


def least(extent: Dim) -> int:
    """The size of a dim where every symbol is 1."""
    return evaluate(extent, dict.fromkeys(symbols_of(extent), 1)) if isinstance(extent, SymbolicDim) else extent


def rows_limit(columns: int, target: Target) -> int:
    """The most rows of a tile of `columns` vectors that LLVM allocates without spilling in the innermost loop.

    6x4, 8x3 and 14x2 reach 95-97 % of FMA peak with AVX-512. `tests/strategies/test_spills.py` compiles every entry.
    """
    if target.architecture == "aarch64":
        most = {1: 14, 2: 10, 3: 6, 4: 4}  # loads of rows are moved up, past the multiplications
    elif target.registers >= 32:
        most = {1: 14, 2: 14, 3: 8, 4: 6}
    elif target.has(FMA):
        most = {1: 12, 2: 6, 3: 4, 4: 2}
    else:
        most = {1: 10, 2: 5, 3: 3, 4: 2}  # the product needs a register too
    return most.get(columns, max(1, (target.registers - 3 - columns) // columns))


def divides(rows: int, extent: Dim) -> bool:
    """Whether tiles of `rows` rows never overlap, whatever the symbols are."""
    return all(c % rows == 0 for c in ([c for _, c in extent.terms] if isinstance(extent, SymbolicDim) else [extent]))


def may_replace(kernel: Kernel, view: Generic) -> bool:
    """Whether a result has the type of an operand of the epilogue: an optimizer's update, a residual."""
    types = {v.type for v in kernel.inputs if v not in view.inputs}
    return any(v.type in types for v in kernel.outputs)


@dataclass(frozen=True, slots=True)
class Space:
    """What the size of a tile depends on.

    rows       extents of the row dim to be fast at
    most_rows  of a tile
    columns    vectors along the lanes (of one part and panel)
    panels     how often those come
    parts      vectors of a tile for each of them
    sets       sums for each element
    replaced   extent of the row dim where results may replace operands, else 0: tiles should not overlap then
    """

    rows: tuple[int, ...]
    most_rows: int
    columns: int
    panels: int
    parts: int
    sets: int
    target: Target
    replaced: Dim = 0

    def best(self) -> tuple[int, int]:
        """Rows and vectors of the tile that takes the fewest cycles; the larger one of two."""
        found = [
            (self.cost(rows, vectors), -rows * vectors, rows, vectors)
            for vectors in range(1, max(1, 4 // self.parts) + 1)
            for rows in range(1, min(self.most_rows, rows_limit(vectors * self.parts * self.sets, self.target)) + 1)
            if vectors <= self.columns or self.spans(vectors)
        ]
        return min(found)[2:] if self.columns and found else (1, 1)

    def spans(self, vectors: int) -> bool:
        """Whether so many vectors are some whole panels, of which they cut all."""
        return self.columns > 0 and vectors % self.columns == 0 and self.panels % (vectors // self.columns) == 0

    def cost(self, rows: int, vectors: int) -> float:
        """Cycles of all tiles for a step, relative to the least possible: the mean over `rows`."""
        full, rest = divmod(self.columns, vectors) if vectors <= self.columns else (self.columns / vectors, 0)
        # 1.2: code of its own, for which all rows come once more: 4096x256 sums of 256 took 2.81 ms in 8x3, 2.59 in 8x2
        columns = full * self.step(rows, vectors) + (self.step(rows, rest) * 1.2 if rest else 0)
        overlaps = 1.0 if divides(rows, self.replaced) else OVERLAPS
        return overlaps * sum(columns * -(-m // rows) / m for m in self.rows)

    def step(self, rows: int, vectors: int) -> float:
        """Cycles of a tile's step: two multiply-adds and two loads each, additions wait 4; fitted to measurements."""
        vectors *= self.parts
        work, loads = rows * vectors / 2, (rows + vectors) / 2
        # on one core: 8x2 96 % of peak, 4x4 89 %, 6x4 95 %: an operand from L2 and the loop are not quite for free
        return max(work, loads, 4 / self.sets) + 0.2 * vectors + 0.05 * rows + 0.3


def space(
    view: Generic, row: int, columns: int, panels: int, parts: int, sets: int, target: Target, replaces: bool = False
) -> Space:
    """The space of a reduction's tiles."""
    extent = view.extents()[row] if row >= 0 else 1
    rows = least(extent)
    sizes: tuple[int, ...] = (max(1, rows),)
    most = max(1, rows)
    if isinstance(extent, SymbolicDim):
        # a batch: powers of two more often than not, 8 of them should fill a tile; some spatial size times it
        sizes, most = ((8, 16, 32), 8) if rows < MANY_ROWS else ((rows, 8 * rows), rows)
    if any(row in m.used_dims() and row_stride(v, m, row) % ALIASED == 0 for v, m in view.operands_read):
        most = min(most, 8)
    return Space(sizes, most, columns, panels, parts, sets, target, extent if replaces else 0)


def row_stride(value: Value, map_: AffineMap, row: int) -> int:
    """Bytes from a row of an operand to the next; 1 where that is not known."""
    assert isinstance(value.type, TensorType)
    stride, total = 1, 0
    for size, expression in reversed(list(zip(value.type.shape, map_.results, strict=True))):
        total += expression.coefficient(row) * stride
        if not isinstance(size, int):
            break
        stride *= size
    return total * t.bitwidth(value.type) // 8 or 1


def choose_single_row(space: Space, vectors: int) -> int:
    """Vectors of a tile of one row.

    Out of panels four vectors in all: that many additions do not wait for one another, and each panel is a stream (16
    of them took 1.7 times as long as 4); two where four would be all, for a second worker (4608 x 64 from L3: 16 us on
    two workers, then 12). Out of a matrix half of the registers: each row of it is a run to be read on; a divisor of
    all vectors where there is one in the upper half.
    """
    if space.panels > 1:
        wanted = min(-(-4 // space.parts), max(2, space.panels * space.columns // 2))
        return next((v for v in range(wanted, 2 * wanted) if space.columns % v == 0 or space.spans(v)), vectors)
    most = max(vectors, min(space.columns, space.target.registers // space.sets // 2 // space.parts))
    return max((v for v in range(most, max(vectors, most // 2) - 1, -1) if space.columns % v == 0), default=most)


def choose_run(view: Generic, lane: int, columns: int, target: Target) -> int:
    """Vectors of a tile that sums up one operand: each of its rows is a run to be read on, as long as possible (512 x
    512 from L3: 16 vectors 44 us, 4 of them 58), while there are tiles for a few workers."""
    others = product([view.extents()[d] for d in view.parallel if d != lane])
    run = min(columns, target.registers // 2)
    while run > 4 and isinstance(others, int) and others * (columns // run) < 4:
        run //= 2
    return max((v for v in range(run, run // 2, -1) if columns % v == 0), default=run)


def choose_sets(inner: Dim, columns: int, rows: Dim) -> int:
    """Sums for each element: more than one where a tile is so narrow that additions would wait for one another.

    Depends on the shape only: one row and many add in the same order.
    """
    if not isinstance(inner, int) or least(rows) >= MANY_ROWS or columns not in (1, 2):
        return 1
    return next((s for s in (4 // columns, 2) if inner % s == 0 and inner >= 8 * s), 1)


def choose(view: Generic, target: Target, replaces: bool = False, apart: frozenset[int] = frozenset()) -> Tile | None:
    """The tile for a reduction, or None where no dim can carry the lanes; `replaces`: see `may_replace`.

    Rows do not run along the dims in `apart`.
    """
    lane = lane_dim(view)
    if lane is None:
        return None
    extents = view.extents()
    element = t.element_of(view.op.results[0].type)
    widest = max([element, *(t.element_of(v.type) for v, _ in view.operands_read)], key=t.bitwidth)
    lanes = target.lanes(widest)
    part, panel = part_dim(view), panel_dim(view)
    parts, panels, size = (1 if d < 0 else extents[d] for d in (part, panel, lane))
    assert isinstance(size, int) and isinstance(parts, int) and isinstance(panels, int)
    if size % lanes:
        panel, panels = -1, 1  # lanes end in the middle of a vector
    row = row_dim(view, {lane, part, panel, *apart})
    extent = extents[row] if row >= 0 else 1
    inner = extents[reduction_order(view)[-1]]
    plain = len(view.reductions) == 1 and len(view.operands_read) == 2
    narrow = size * panels <= 2 * lanes
    columns = -(-size // lanes)
    sets = choose_sets(inner, parts * columns, extent) if plain and narrow else 1
    tiles = space(view, row, columns, panels, parts, sets, target, replaces)
    rows, vectors = tiles.best()
    if row < 0:
        vectors = max(1, min(columns, 4 // parts))
        if parts == panels == 1 and len(view.operands_read) == 1:
            vectors = max(vectors, choose_run(view, lane, columns, target))
    # two steps a turn where they are short; with 16 registers they would be in one another's way
    even = isinstance(inner, int) and inner % 2 == 0 and target.registers >= 32
    unroll = 2 if even and rows * vectors * parts <= 16 and sets == 1 else 1
    single_row = choose_single_row(tiles, vectors)
    group = choose_group(view, row, parts * vectors * lanes, size * panels, vectors * lanes, target)
    ahead = choose_ahead(view, row, lane, panels, target)
    return Tile(row, lane, part, panel, rows, vectors, single_row, lanes, unroll, sets, group, ahead)


def choose_ahead(view: Generic, row: int, lane: int, panels: int, target: Target) -> int:
    """Steps ahead of a single row's reads of several panels that come from beyond the second-level cache."""
    streamed = [v for v, m in view.operands_read if row not in m.used_dims() and lane in m.used_dims()]
    if panels == 1 or len(streamed) != 1 or not isinstance(streamed[0].type, TensorType):
        return 0
    size, width = streamed[0].type.size, t.bitwidth(streamed[0].type) // 8
    panel = view.extents()[lane]
    if not isinstance(size, int) or not isinstance(panel, int) or size * width < target.l2:
        return 0
    return max(1, AHEAD // (panel * width))


def choose_group(view: Generic, row: int, columns: int, size: int, width: int, target: Target) -> int:
    """Lane tiles whose operand fills half of the second-level cache; all of them where they fit."""
    extents = view.extents()
    inner = [extents[d] for d in view.reductions]
    total = max(1, size // width)
    # the gradient of a weight sums over the batch: both operands are as long
    fixed = [e for e in inner if isinstance(e, int)]
    streamed = [v for v, m in view.operands_read if row not in m.used_dims()]
    if row < 0 or not streamed or len(fixed) < len(inner):
        return total
    tile = prod(fixed) * columns * t.bitwidth(streamed[0].type) // 8
    most = max(1, target.l2 // 2 // max(1, tile))
    groups = -(-total // most)
    return -(-total // groups)  # groups of one size; the last may lack some
