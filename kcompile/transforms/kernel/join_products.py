"""join-products: products of matrices that are only added up are one kernel, in whose registers the sum stays.

Reads kernel, writes kernel; after the epilogues, so that the last product's dispatch is where the others are added.
The gradient of what several dense layers read (queries, keys and values) is the sum of theirs: no part of it is stored
and read again. Of sums that others are added to, as well, the products come first.

    %p = dispatch {dot(a, u)}; %y = dispatch(%p, r) {root dot(b, v): (r + %p) + dot(b, v)}
        =>    %y = dispatch {root product_sums: r + (dot(a, u) + dot(b, v))}

A product for which other kernels are made is left alone: a long sum with all sizes known, few or open columns.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.contraction import free_axes
from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.dims import SymbolicDim
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.dispatches import Dispatches, argument_of, in_each_block, root_op, yielded
from kcompile.transforms.kernel.kinds import root_of, tensor_type

ROOT = "product_sums"
MOST = 8  # products in a kernel: each is a loop nest of its own for every size of a tile
NARROW = 4  # columns; fewer are dot products, whose lanes run along the sum
LONG = 512  # steps of a sum that is cut into blocks where all sizes are known (long_sums)


@pass_("join-products", reads="kernel", writes="kernel")
def join_products(module: Operation) -> bool:
    return in_each_block(module, _join)


def _join(block: Block) -> bool:
    dispatches = Dispatches(block)
    changed = False
    for consumer in dispatches.all("graph.dot_general"):
        found = sum_of(consumer)
        if found is None:
            continue
        # the last one first: a merge puts the other's code in front
        joined = sorted(parts_of(dispatches, consumer, found), key=dispatches.position.__getitem__, reverse=True)
        for producer in joined[: MOST - 1]:
            if not dispatches.is_between(producer, consumer):
                products = argument_of(consumer, producer.results[0])
                inside = yielded(producer)[0]
                dispatches.merge(producer, consumer, ROOT)
                found.terms[found.terms.index(products)] = inside
                found.products.insert(0, inside)
        if len(found.products) > 1:
            _add_in_order(found)
            changed = True
    return changed


@dataclass(slots=True)
class Sum:
    """A sum inside a dispatch: its value, what is added up, and which of these are products."""

    total: Value
    terms: list[Value]
    products: list[Value]


def sum_of(dispatch: Operation) -> Sum | None:
    """The sum that the product of a dispatch is a term of."""
    root = root_op(dispatch)
    if root is None or not is_plain_product(root):
        return None
    product = whole(root)
    total = product
    while (above := _only_user(total)) is not None and above.name == "graph.add" and _is_of_one_shape(above):
        total = above.result
    if total is product:
        return None
    terms: list[Value] = []
    pending = [total]
    while pending:
        value = pending.pop()
        op = value.defining_op
        inner = op is not None and op.name == "graph.add" and _is_of_one_shape(op)
        if op is not None and inner and (value is total or value.has_one_use):
            pending += reversed(op.operands)
        else:
            terms.append(value)
    return Sum(total, terms, [product]) if terms.count(product) == 1 else None


def parts_of(dispatches: Dispatches, consumer: Operation, found: Sum) -> list[Operation]:
    """The dispatches that make terms of the sum: products of the same shape, of which nothing else is made."""
    made = []
    for value, argument in zip(consumer.operands, consumer.body.arguments, strict=True):
        producer = value.defining_op
        if argument not in found.terms or not argument.has_one_use or not value.has_one_use or producer is None:
            continue
        if producer.parent is not consumer.parent or producer not in dispatches.position:
            continue
        if producer.name != "kernel.dispatch" or root_of(producer) != "graph.dot_general":
            continue
        (root, *rest) = producer.body.ops
        if root.name != "graph.dot_general" or not is_plain_product(root) or yielded(producer) != (whole(root),):
            continue
        same = tensor_type(root.result) is tensor_type(root_op(consumer).result)  # type: ignore[union-attr]
        if same and len(rest) == (1 if whole(root) is root.result else 2):
            made.append(producer)
    return made


def is_plain_product(dot: Operation) -> bool:
    """Whether a register tile makes a product best: lanes along columns that are a fixed number, side by side."""
    left, right = (tensor_type(v) for v in dot.operands)
    result = tensor_type(dot.result)
    columns = free_axes(right.rank, dot["rhs_batch"], dot["rhs_contract"])
    steps = [left.shape[a] for a in dot["lhs_contract"]]
    if not columns or columns[-1] != right.rank - 1 or len(columns) > 2 or len(steps) != 1 or dot["lhs_batch"]:
        return False
    width = result.shape[-1]
    if not isinstance(width, int) or width < NARROW or not isinstance(steps[0], int):
        return False
    known = not any(isinstance(n, SymbolicDim) for n in result.shape)
    summed_as_stored = not t.is_float(result.element) or t.bitwidth(result.element) >= 32
    return summed_as_stored and not (known and steps[0] >= LONG)


def whole(dot: Operation) -> Value:
    """The product, out of packed columns with these joined."""
    user = _only_user(dot.result)
    return user.result if user is not None and user.name == "graph.reshape" else dot.result


def _only_user(value: Value) -> Operation | None:
    return value.users[0] if value.has_one_use else None


def _is_of_one_shape(add: Operation) -> bool:
    return all(v.type is add.result.type for v in add.operands)


def _add_in_order(found: Sum) -> None:
    """Write the sum anew: the products in order, in their own shape, and then the other terms."""
    old = found.total.defining_op
    assert old is not None
    b = GraphBuilder.before_op(old)
    made = None
    for product in found.products:
        op = product.defining_op
        assert op is not None
        plain = op.operands[0] if op.name == "graph.reshape" else product
        made = plain if made is None else b.add(made, plain)
    assert made is not None
    if made.type is not found.total.type:
        made = b.reshape(made, shape=tensor_type(found.total).shape)
    others = None
    for term in found.terms:
        if term not in found.products:
            others = term if others is None else b.add(others, term)
    found.total.replace_by(made if others is None else b.add(others, made))
    assert old.parent is not None
    for op in reversed(list(old.parent.ops)):
        if op.name in ("graph.add", "graph.reshape") and not op.result.uses:
            op.erase()
