"""pack-weights: the weights of a product are laid out in panels of as many columns as a kernel takes at a time.

Reads graph, writes graph; runs right before hoist-weights, which moves the packing into @prepare. A tile of columns
then reads one stream from front to back. Out of a row-major matrix it would read short pieces a row apart, which lie in
few sets of a cache where rows are a multiple of 2 KiB long.

    dot_general(x[b, k], w[k, n])   =>   reshape(dot_general(x, transpose(reshape(w))[n / 32, k, 32])) to [b, n]

Where the features are cut into parts (gates), panels end where parts do. Large weights that stay between calls get a
few columns of zeros where the last panel would not be full, and the product is cut to its own columns. In a scan the
weights are packed before it, also where they are not frozen: all steps read them. Other weights that change are packed
in every call for products of many rows, where the second-level cache would not hold a tile's columns side by side; a
transpose of them is part of it. Options: `least`, the bytes from which on weights are packed; `frozen`, whether weights
stay between calls; `aliased`, see ALIASED; `filled`, see FILLED.
"""

from __future__ import annotations

from math import gcd

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.control import ScanView, code_blocks, times_run
from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Value, module_functions
from kcompile.ir.dims import nominal
from kcompile.ir.passes import pass_
from kcompile.transforms.graph.roles import WeightOnly
from kcompile.transforms.kernel.kinds import tensor_type

WIDTHS = (32, 16)  # columns of a panel: whole vectors on every target, and what most tiles take
PART_WIDTH = 16  # where the features are read in parts: a tile takes a vector of each
# bytes from which on the last panel is filled up with zeros, which the product is cut to lose: beyond the second level.
# 1280 x 1000 for 8 rows took 337 us as a matrix whose rows end inside a line, 187 in panels; 1024 x 300 in 19 panels of
# 16, a tile each, took 1.2 times as long as a matrix
FILLED = 1 << 20
FEW = 32  # columns for which there is one of zeros at most
OFTEN = 8  # steps: packing is a load and a store of what each of them loads
LEAST = 1 << 15  # bytes: smaller weights stay in the first-level cache in any order
MANY_ROWS = 256  # of a product: packing takes as long as 10 of them or so
WAY = 1 << 16  # bytes from one line to the next in the same set of the second-level cache: 64 KiB to 128 KiB
# bytes that a column of lines takes in the cache, with the lines of the same sets that it keeps out: half of the ways
# or more. 4096 rows on one core, plain and packed: 1024x256 226 and 260 GF/s, 2048x512 224 and 271, 512x256 267, 267
ALIASED = 1 << 20
Reads = list[tuple[Operation, int]]  # readers of a value, and which operand of them it is


@pass_("pack-weights", reads="graph", writes="graph")
def pack_weights(
    module: Operation, least: int = LEAST, frozen: bool = True, aliased: int = ALIASED, filled: int = FILLED
) -> bool:
    changed = False
    for function in module_functions(module):
        weight_only = WeightOnly(function)
        for block in code_blocks(function):
            for value in [*block.arguments, *(r for op in block.ops for r in op.results)]:
                outer = outside(value)
                if outer is None:
                    continue
                kept = (frozen and outer in weight_only) or is_read_often(value, outer)
                reads = list(value.uses) if kept else aliased_reads(value, outer, aliased)
                fill = filled if frozen and value is outer and value in weight_only else None
                width = panel_width(value, reads, least, fill)
                if width and not (frozen and all(op.result in weight_only for op in value.users)):  # @prepare's own
                    _pack(value, outer, width, [op for op, _ in reads])
                    changed = True
    return changed


def is_read_often(value: Value, outer: Value) -> bool:
    """Whether so many steps of a scan read the value that packing it in every call costs little beside them."""
    user = value.users[0] if value is not outer and value.uses else None
    return user is not None and nominal(times_run(user)) >= OFTEN


def outside(value: Value) -> Value | None:
    """The value outside of all scans that `value` is; None for one that is made anew in every step."""
    while isinstance(value.owner, Block) and (scan := value.owner.parent_op) is not None:
        if scan.name != "graph.scan":
            break
        view = ScanView(scan)
        if value not in view.inner:
            return None
        value = view.consts[view.inner.index(value)]
    block = value.owner if isinstance(value.owner, Block) else value.owner.parent
    inside = block is not None and block.parent_op is not None and block.parent_op.name == "graph.scan"
    return None if inside else value


def aliased_reads(value: Value, outer: Value, aliased: int) -> Reads:
    """The products of many rows with `value`, if its columns are spread over few sets of a cache."""
    type_ = value.type
    if value is not outer or not isinstance(type_, t.TensorType) or type_.rank != 2:
        return []
    rows, columns = type_.shape
    if not isinstance(rows, int) or not isinstance(columns, int):
        return []
    if rows * gcd(columns * t.bitwidth(type_) // 8, WAY) < aliased:
        return []
    return [
        (op, i)
        for op, i in value.uses
        if is_product(op, i) and reads_rows(op) and nominal(tensor_type(op.result).size) >= MANY_ROWS * columns
    ]


def reads_rows(dot: Operation) -> bool:
    """Whether the left operand lies along the sum; else this is the gradient of weights, which is summed in blocks."""
    return bool(dot["lhs_contract"] == (tensor_type(dot.operands[0]).rank - 1,))


def is_product(op: Operation, index: int) -> bool:
    """Whether an operand is the plain right matrix of a product."""
    return op.name == "graph.dot_general" and index == 1 and op["rhs_contract"] == (0,) and not op["rhs_batch"]


def panel_width(value: Value, reads: Reads, least: int, filled: int | None = None) -> int:
    """The columns of a panel, if all these readers multiply `value` from the right as a large matrix.

    filled: bytes of weights from which on the last panel may be filled up with zeros; None: it may not.
    """
    type_ = value.type
    if not isinstance(type_, t.TensorType) or type_.rank != 2 or not reads:
        return 0
    rows, columns = type_.shape
    if not isinstance(rows, int) or not isinstance(columns, int):
        return 0
    size, step = rows * columns * t.bitwidth(type_) // 8, 0
    if size < least:
        return 0
    for op, index in reads:
        if not is_product(op, index):
            return 0
        step = gcd(step, part_size(op.result))
    widths = (PART_WIDTH,) if 0 < step < columns else WIDTHS
    whole = next((w for w in widths if gcd(step, columns) % w == 0 and columns > w), 0)
    if whole or step or filled is None or size < filled:
        return whole
    return WIDTHS[0] if -columns % WIDTHS[0] * FEW <= columns else 0


def part_size(result: Value) -> int:
    """The greatest size of which all slices of the last axis of `result` are multiples, through elementwise readers."""
    step = 0
    pending, seen = [result], {result}
    last = tensor_type(result).rank - 1
    while pending:
        for op in pending.pop().users:
            if op.name == "graph.slice":
                begin, end = op["start"][last], op["limit"][last]
                step = gcd(step, begin if isinstance(begin, int) else 1, end if isinstance(end, int) else 1)
            elif op.has_trait("elementwise") and op.result not in seen:
                seen.add(op.result)
                pending.append(op.result)
    return step


def _pack(value: Value, outer: Value, width: int, readers: list[Operation]) -> None:
    """Give the dots that read `value` packed weights, and scans on the way to it an argument of that type."""
    rows, columns = tensor_type(value).shape
    assert isinstance(columns, int)
    first = outer.owner.first if isinstance(outer.owner, Block) else outer.owner.next
    assert first is not None  # a reader at least
    b: GraphBuilder = GraphBuilder.before_op(first)
    maker = outer.defining_op
    if columns % width:
        zeros = -columns % width
        zero = b.constant(0.0 if t.is_float(outer.type) else 0, t.element_of(outer.type))
        full = b.pad(outer, zero, low=(0, 0), high=(0, zeros), interior=(0, 0))
        split = b.reshape(full, shape=(rows, (columns + zeros) // width, width))
        packed = b.transpose(split, permutation=(1, 0, 2))
    elif maker is not None and maker.name == "graph.transpose":  # of a matrix: packed in the same sweep
        split = b.reshape(maker.operands[0], shape=(columns // width, width, rows))
        packed = b.transpose(split, permutation=(0, 2, 1))
    else:
        split = b.reshape(outer, shape=(rows, columns // width, width))
        packed = b.transpose(split, permutation=(1, 0, 2))
    inner = _carried_in(value, outer, packed)
    for op in readers:
        shape = tensor_type(op.result).shape
        with_panels: GraphBuilder = GraphBuilder.before_op(op)
        axes = {name: op[name] for name in ("lhs_batch", "rhs_batch", "lhs_contract")}
        made = with_panels.dot_general(op.operands[0], inner, **axes, rhs_contract=(1,))
        whole = (*shape[:-1], -(-columns // width) * width)
        product = with_panels.reshape(made, shape=whole)
        if whole != shape:
            rank = len(shape)
            product = with_panels.slice(product, start=(0,) * rank, limit=shape, strides=(1,) * rank)
        op.replace_by([product])
    _drop_unused(value, outer)
    if maker is not None and not outer.uses:
        maker.erase()


def _carried_in(value: Value, outer: Value, packed: Value) -> Value:
    """`packed` as the block sees it that sees `outer` as `value`."""
    if value is outer:
        return packed
    block = value.owner
    assert isinstance(block, Block) and block.parent_op is not None
    scan = block.parent_op
    source = ScanView(scan).consts[ScanView(scan).inner.index(value)]
    given = _carried_in(source, outer, packed)
    scan.set_operands([*scan.operands, given])
    return block.add_argument(given.type)


def _drop_unused(value: Value, outer: Value) -> None:
    """Scans no longer take the weights that are packed."""
    while value is not outer and not value.uses:
        block = value.owner
        assert isinstance(block, Block) and block.parent_op is not None
        scan, place = block.parent_op, block.arguments.index(value)
        source = scan.operands[place]
        scan.set_operands([*scan.operands[:place], *scan.operands[place + 1 :]])
        block.arguments = [a for a in block.arguments if a is not value]
        for i, argument in enumerate(block.arguments):
            argument.index = i
        value = source
