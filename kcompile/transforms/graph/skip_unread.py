"""skip-unread: what strided readers skip is not computed.

Reads graph, writes graph; runs before an algorithm is chosen for each convolution. A 1x1 convolution with strides of 2
reads one position in four. Where all readers of a value read the same positions, the elementwise work and the
convolutions that make it need not make more; a 1x1 convolution among them is a strided reader in its turn.

    conv(relu(conv(x, w) + y), u) {1x1, strides 2}   =>   conv(relu(conv(x, w) {strides 2} + y[::2, ::2]), u)

The last block of each stage of a ResNet does a quarter of its work so. In training the statistics of the batch norms
read everything, and nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir.core import Block, Operation, Value, module_functions
from kcompile.ir.dims import Dim, SymbolicDim
from kcompile.ir.passes import pass_
from kcompile.ir.types import TensorType
from kcompile.transforms.kernel.kinds import tensor_type

Steps = tuple[int, ...]  # per axis of a value: it is read at every so manyth position


@pass_("skip-unread", reads="graph", writes="graph")
def skip_unread(module: Operation) -> bool:
    return any([_skip(function.body) for function in module_functions(module)])


def _skip(block: Block) -> bool:
    """Last first: a convolution that is narrowed may be a strided reader in its turn."""
    changed = False
    op = block.last
    while op is not None:
        steps = steps_of(op) if op.name == "graph.convolution" else None
        before = op.prev
        if steps is not None and _narrow(block, op.operands[0], steps):
            changed = True
            before = block.last
        op = before
    return changed


def steps_of(op: Operation) -> Steps | None:
    """At which positions a 1x1 convolution reads its input; None for other convolutions and for all positions."""
    x, w = (tensor_type(v) for v in op.operands)
    window = [w.shape[axis] for axis in op["rhs_spec"][2:]]
    edges = (*op["padding_low"], *op["padding_high"])
    if any(n != 1 for n in (*window, *op["lhs_dilation"])) or any(n != 0 for n in edges):
        return None
    if op.get("batch_groups", 1) != 1 or any(isinstance(x.shape[axis], SymbolicDim) for axis in op["lhs_spec"][2:]):
        return None
    steps = [1] * x.rank
    for axis, stride in zip(op["lhs_spec"][2:], op["strides"], strict=True):
        steps[axis] = stride
    return tuple(steps) if any(s != 1 for s in steps) else None


def _narrow(block: Block, value: Value, steps: Steps) -> bool:
    """Let `value` be made at every so manyth position only, if that is all that is read of it."""
    readers = value.users
    if any(r.parent is not block or r.name != "graph.convolution" for r in readers):
        return False
    if any(steps_of(r) != steps or r.operands[1] is value for r in readers):
        return False
    makers = makers_of(value, steps, readers)
    if not any(op.name == "graph.convolution" for op in makers):
        return False
    made: dict[Value, Value] = {}
    for op in makers:
        _remake(op, made, steps)
    ones = (1,) * len(readers[0]["strides"])
    for reader in readers:
        b: GraphBuilder = GraphBuilder.before_op(reader)
        attributes = {name: reader[name] for name in reader.attributes} | {"strides": ones}
        reader.replace_by([b.convolution(made[value], reader.operands[1], **attributes)])
    for op in reversed(makers):
        op.erase()
    return True


def makers_of(value: Value, steps: Steps, readers: Sequence[Operation]) -> list[Operation]:
    """The ops from which `value` is computed and whose results nobody else reads, first to last.

    They end at convolutions, whose operands are read at other places, and at values that others read too.
    """
    shape = tensor_type(value).shape
    found: dict[Operation, None] = {}
    op = value.defining_op
    while op is not None:
        alone = all(
            u in readers if r is value else u in found and u.name != "graph.convolution"
            for r in op.results
            for u in r.users
        )
        if alone and is_narrow(op, shape, steps):
            found[op] = None
        op = op.prev
    return list(reversed(found))


def is_narrow(op: Operation, shape: Sequence[Dim], steps: Steps) -> bool:
    """Whether an op can make its only result, of this shape, at the steps alone; and somebody reads it."""
    if len(op.results) != 1 or not op.result.uses or tensor_type(op.result).shape != shape:
        return False
    if op.name == "graph.convolution":
        batch, features, *space = op["out_spec"]
        return steps[batch] == steps[features] == 1 and not any(isinstance(shape[axis], SymbolicDim) for axis in space)
    if op.name == "graph.broadcast_in_dim":
        sizes = tensor_type(op.operands[0]).shape
        return all(n == 1 or steps[axis] == 1 for n, axis in zip(sizes, op["dims"], strict=True))
    return op.has_trait("elementwise") and not op.regions


def _remake(op: Operation, made: dict[Value, Value], steps: Steps) -> None:
    """The op at the steps alone, before the op itself; `made` maps values to what they are at the steps."""
    b: GraphBuilder = GraphBuilder.before_op(op)
    if op.name == "graph.convolution":
        strides = tuple(s * steps[axis] for s, axis in zip(op["strides"], op["out_spec"][2:], strict=True))
        attributes = {name: op[name] for name in op.attributes} | {"strides": strides}
        made[op.result] = b.convolution(*op.operands, **attributes)
        return
    shape = tuple(-(-n // s) if s != 1 else n for n, s in zip(tensor_type(op.result).shape, steps, strict=True))
    if op.name == "graph.broadcast_in_dim":
        made[op.result] = b.broadcast_in_dim(op.operands[0], shape=shape, dims=op["dims"])
        return
    for v in op.operands:
        if v not in made and tensor_type(v).shape == tensor_type(op.result).shape:
            size = tensor_type(v).shape
            made[v] = b.slice(v, start=(0,) * len(size), limit=size, strides=steps)
    narrow = op.clone({v: made.get(v, v) for v in op.operands})
    narrow.result.type = TensorType(shape, tensor_type(op.result).element)
    b.insert(narrow)
    made[op.result] = narrow.result
