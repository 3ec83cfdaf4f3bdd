"""reshape-epilogues: elementwise work on the reshaped result of a root is done in the root's own shape.

Reads kernel, writes kernel. A reshape between a root and its epilogue would keep them two kernels; reshapes of the
other operands and of the result are free.

    y = reshape(dot(..)); z = select(mask, y, 0)    =>    z = reshape(select(reshape(mask), dot(..), 0))
"""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.attributes import attribute
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.dims import Dim
from kcompile.ir.passes import pass_
from kcompile.ir.types import TensorType
from kcompile.transforms.kernel.dispatches import Dispatches, in_each_block, iteration_shape
from kcompile.transforms.kernel.kinds import root_of, tensor_type
from kcompile.transforms.kernel.legality import EPILOGUE_ROOTS, is_elementwise_dispatch

Shape = tuple[Dim, ...]


@pass_("reshape-epilogues", reads="kernel", writes="kernel", exact=True)
def reshape_epilogues(module: Operation) -> bool:
    return in_each_block(module, _reshape)


def _reshape(body: Block) -> bool:
    changed = False
    dispatches = Dispatches(body)
    for consumer in list(dispatches.all("elementwise")):
        for value in consumer.operands:
            reshape = value.defining_op
            if reshape is None or reshape.name != "graph.reshape":
                continue
            if tensor_type(value).shape != tensor_type(consumer.results[0]).shape:
                continue  # a scalar that the consumer spreads
            root = reshape.operands[0].defining_op
            if root is None or root.name != "kernel.dispatch" or root_of(root) not in EPILOGUE_ROOTS:
                continue
            if _is_between(dispatches, root, reshape, consumer) or not is_reshapable(consumer):
                continue
            reshape_dispatch(consumer, tensor_type(reshape.operands[0]).shape)
            dispatches = Dispatches(body)  # the ops that were inserted have a place too
            changed = True
            break
    for op in reversed(list(body.ops)):
        if op.name == "graph.reshape" and not op.result.uses:
            op.erase()
            changed = True
    return changed


def _is_between(dispatches: Dispatches, root: Operation, reshape: Operation, consumer: Operation) -> bool:
    """Whether the root reaches the consumer on a way that would part them.

    Reshapes, and elementwise work in the root's own shape, do not: they can all be part of the epilogue.
    """
    if any(v.defining_op is root for v in consumer.operands):
        return True  # read in two shapes
    shape = tensor_type(reshape.operands[0]).shape
    limit = dispatches.position[consumer]
    joins: set[Operation] = {root}
    parts: set[Operation] = set()
    pending = [root]
    while pending:
        op = pending.pop()
        for user in (u for r in op.results for u in r.users):
            if user is consumer:
                if op in parts:
                    return True
                continue
            if dispatches.position[user] >= limit or user in parts:
                continue
            if op not in parts and _joins(user, shape):
                if user not in joins:
                    joins.add(user)
                    pending.append(user)
            else:
                parts.add(user)
                pending.append(user)
    return False


def _joins(op: Operation, shape: Shape) -> bool:
    if op.name == "graph.reshape":
        return tensor_type(op.operands[0]).shape == shape
    return is_elementwise_dispatch(op) and iteration_shape(op) == shape


def is_reshapable(dispatch: Operation) -> bool:
    """Whether the region does the same thing to all elements: no map in it but those of scalars that are spread."""
    shape = tensor_type(dispatch.results[0]).shape
    if not shape:
        return False  # its elements and the scalars that are spread look alike
    if any(tensor_type(result).shape != shape for result in dispatch.results):
        return False
    made = [result for op in dispatch.body.ops for result in op.results]
    if any(tensor_type(value).shape not in ((), shape) for value in (*dispatch.body.arguments, *made)):
        return False
    for op in dispatch.body.ops:
        if op.name == "graph.broadcast_in_dim":
            if tensor_type(op.operands[0]).shape:
                return False
        elif op.name == "graph.constant" and tensor_type(op.result).shape:
            return False
        elif op.name not in ("graph.constant", "kernel.yield") and not op.has_trait("elementwise"):
            return False
    return True


def reshape_dispatch(dispatch: Operation, shape: Shape) -> None:
    """Replace a reshapable dispatch by one over `shape`, with reshapes around it."""
    old = tensor_type(dispatch.results[0]).shape
    b: GraphBuilder = GraphBuilder.before_op(dispatch)
    operands = [_reshaped(b, v, shape) if tensor_type(v).shape == old and old else v for v in dispatch.operands]
    body = Block([v.type for v in operands])
    mapping: dict[Value, Value] = dict(zip(dispatch.body.arguments, body.arguments, strict=True))
    for op in dispatch.body.ops:
        copy = op.clone(mapping)
        if op.name == "graph.broadcast_in_dim":
            copy["shape"] = shape
            copy.attributes["dims"] = attribute(())
        for result in copy.results:
            assert isinstance(result.type, TensorType)
            if result.type.shape == old:
                result.type = t.with_shape(result.type, shape)
        body.append(copy)
    types = [t.with_shape(tensor_type(r), shape) for r in dispatch.results]
    made = Operation("kernel.dispatch", operands, types, dict(dispatch.attributes), [Region([body])], dispatch.location)
    b.insert(made)
    dispatch.replace_by([_reshaped(b, r, old) for r in made.results])


def _reshaped(b: GraphBuilder, value: Value, shape: Shape) -> Value:
    """`value` as `shape`; a reshape of a reshape goes back to the first value."""
    maker = value.defining_op
    while maker is not None and maker.name == "graph.reshape":
        value = maker.operands[0]
        maker = value.defining_op
    if tensor_type(value).shape == shape:
        return value
    made: Value = b.reshape(value, shape=shape)
    return made
