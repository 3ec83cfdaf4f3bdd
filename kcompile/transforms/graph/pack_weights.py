"""pack-weights: the weights of a product are laid out in panels of as many columns as a kernel takes at a time.

Reads graph, writes graph; runs right before hoist-weights, which moves the packing into @prepare. A tile of columns
then reads one stream from front to back. Out of a row-major matrix it would read short pieces a row apart, which lie in
few sets of a cache where rows are a multiple of 2 KiB long.

    dot_general(x[b, k], w[k, n])   =>   reshape(dot_general(x, transpose(reshape(w))[n / 32, k, 32])) to [b, n]

Where the features are cut into parts (gates), panels end where parts do. In a scan the weights are packed before it,
also where they are not frozen: all steps read them.
Options: `least`, the bytes from which on weights are packed; `frozen`, whether weights stay between calls.
"""

from __future__ import annotations

from math import gcd

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.control import ScanView, code_blocks, times_run
from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Value, module_functions
from kcompile.ir.passes import pass_
from kcompile.transforms.graph.roles import WeightOnly
from kcompile.transforms.kernel.cost_model import nominal
from kcompile.transforms.kernel.kinds import tensor_type

WIDTHS = (32, 16)  # columns of a panel: whole vectors on every target, and what most tiles take
PART_WIDTH = 16  # where the features are read in parts: a tile takes a vector of each
OFTEN = 8  # steps: packing is a load and a store of what each of them loads
LEAST = 1 << 15  # bytes: smaller weights stay in the first-level cache in any order


@pass_("pack-weights", reads="graph", writes="graph")
def pack_weights(module: Operation, least: int = LEAST, frozen: bool = True) -> bool:
    changed = False
    for function in module_functions(module):
        weight_only = WeightOnly(function)
        for block in code_blocks(function):
            for value in [*block.arguments, *(r for op in block.ops for r in op.results)]:
                outer = outside(value)
                if outer is None or not ((frozen and outer in weight_only) or is_read_often(value, outer)):
                    continue
                width = panel_width(value, least)
                if width and not (frozen and all(op.result in weight_only for op in value.users)):  # @prepare's own
                    _pack(value, outer, width)
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


def panel_width(value: Value, least: int) -> int:
    """The columns of a panel, if all that is done with `value` is to multiply it from the right as a large matrix."""
    type_ = value.type
    if not isinstance(type_, t.TensorType) or type_.rank != 2 or not value.uses:
        return 0
    rows, columns = type_.shape
    if not isinstance(rows, int) or not isinstance(columns, int) or rows * columns * t.bitwidth(type_) // 8 < least:
        return 0
    step = 0
    for op, index in value.uses:
        if op.name != "graph.dot_general" or index != 1 or op["rhs_contract"] != (0,) or op["rhs_batch"]:
            return 0
        step = gcd(step, part_size(op.result))
    widths = (PART_WIDTH,) if 0 < step < columns else WIDTHS
    return next((w for w in widths if gcd(step, columns) % w == 0 and columns > w), 0)


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


def _pack(value: Value, outer: Value, width: int) -> None:
    """Give the dots that read `value` packed weights, and scans on the way to it an argument of that type."""
    rows, columns = tensor_type(value).shape
    readers = value.users
    first = outer.owner.first if isinstance(outer.owner, Block) else outer.owner.next
    assert first is not None  # a reader at least
    b: GraphBuilder = GraphBuilder.before_op(first)
    split = b.reshape(outer, shape=(rows, columns // width, width))
    packed = b.transpose(split, permutation=(1, 0, 2))
    inner = _carried_in(value, outer, packed)
    for op in readers:
        shape = tensor_type(op.result).shape
        with_panels: GraphBuilder = GraphBuilder.before_op(op)
        axes = {name: op[name] for name in ("lhs_batch", "rhs_batch", "lhs_contract")}
        made = with_panels.dot_general(op.operands[0], inner, **axes, rhs_contract=(1,))
        op.replace_by([with_panels.reshape(made, shape=shape)])
    _drop_unused(value, outer)


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
