"""Rules for ops that only move elements, and for contractions of moved operands: movement that can be free becomes
free.

A reshape costs nothing at all; a transpose before or after a dot_general can be part of its dimension numbers.
"""

from __future__ import annotations

from typing import Any

from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import SymbolicDim
from kcompile.ir.rewriting import Match, Rule, capture, op, rule, single_use
from kcompile.transforms.graph.algebra_rules import the_x
from kcompile.transforms.graph.align_operands import has_open_features
from kcompile.transforms.graph.narrow_dots import has_few_features
from kcompile.transforms.kernel.kinds import tensor_type

x, y = capture("x"), capture("y")
Made = Any  # a Value, or None to leave the op; the methods of a builder are not typed one by one
Axes = tuple[int, ...]


def _same_type(b: Any, m: Match) -> Made:
    return m["x"] if m.op.result.type is m["x"].type else None


def _merge_transposes(b: Any, m: Match) -> Made:
    inner, outer = m["inner"]["permutation"], m.op["permutation"]
    return b.transpose(m["x"], permutation=tuple(inner[i] for i in outer))


def _identity_transpose(b: Any, m: Match) -> Made:
    return m["x"] if m.op["permutation"] == tuple(range(len(m.op["permutation"]))) else None


def _transpose_of_unit_dims(b: Any, m: Match) -> Made:
    """Only dims of size 1 change place: the memory is the same."""
    shape = tensor_type(m["x"]).shape
    moved = [i for i in m.op["permutation"] if shape[i] != 1]
    if moved != sorted(moved):
        return None
    return b.reshape(m["x"], shape=tensor_type(m.op.result).shape)


def _merge_broadcasts(b: Any, m: Match) -> Made:
    inner, outer = m["inner"]["dims"], m.op["dims"]
    return b.broadcast_in_dim(m["x"], shape=tensor_type(m.op.result).shape, dims=tuple(outer[i] for i in inner))


def _identity_broadcast(b: Any, m: Match) -> Made:
    same = m.op["dims"] == tuple(range(len(m.op["dims"]))) and m["x"].type is m.op.result.type
    return m["x"] if same else None


def _broadcast_of_reshape(b: Any, m: Match) -> Made:
    """broadcast(reshape(x)) where the reshape adds and drops dims of size 1 only: broadcast x itself."""
    source, middle = tensor_type(m["x"]).shape, tensor_type(m.op.operands[0]).shape
    kept_source = [i for i, n in enumerate(source) if n != 1]
    kept_middle = [i for i, n in enumerate(middle) if n != 1]
    if [source[i] for i in kept_source] != [middle[i] for i in kept_middle]:
        return None
    shape, dims = tensor_type(m.op.result).shape, m.op["dims"]
    place = dict(zip(kept_source, (dims[i] for i in kept_middle), strict=True))
    free = [d for d in range(len(shape)) if d not in place.values()]
    if len(free) < len(source) - len(kept_source):
        return None
    units = iter(free)  # a dim of size 1 may stand anywhere
    return b.broadcast_in_dim(
        m["x"], shape=shape, dims=tuple(place[i] if i in place else next(units) for i in range(len(source)))
    )


def _merge_slices(b: Any, m: Match) -> Made:
    inner = m["inner"]
    start, strides = [], []
    limit = []
    for s, k, s2, e2, k2 in zip(
        inner["start"], inner["strides"], m.op["start"], m.op["limit"], m.op["strides"], strict=True
    ):
        if any(isinstance(n, SymbolicDim) for n in (s, s2, e2)):
            return None
        start.append(s + s2 * k)
        strides.append(k * k2)
        count = -(-(e2 - s2) // k2)
        limit.append(start[-1] + (count - 1) * strides[-1] + 1 if count else start[-1])
    return b.slice(m["x"], start=tuple(start), limit=tuple(limit), strides=tuple(strides))


def _whole_slice(b: Any, m: Match) -> Made:
    whole = (
        m["x"].type is m.op.result.type and all(n == 1 for n in m.op["strides"]) and all(n == 0 for n in m.op["start"])
    )
    return m["x"] if whole else None


def _pad_of_nothing(b: Any, m: Match) -> Made:
    nothing = all(n == 0 for n in (*m.op["low"], *m.op["high"], *m.op["interior"]))
    return m["x"] if nothing else None


def _crop_as_slice(b: Any, m: Match) -> Made:
    """A pad that only crops."""
    low, high = m.op["low"], m.op["high"]
    if any(isinstance(n, SymbolicDim) or n > 0 for n in (*low, *high)) or any(m.op["interior"]):
        return None
    shape = tensor_type(m["x"]).shape
    limit = tuple(n + after for n, after in zip(shape, high, strict=True))
    return b.slice(m["x"], start=tuple(-n for n in low), limit=limit, strides=(1,) * len(shape))


def _reverse_of_unit_dims(b: Any, m: Match) -> Made:
    shape = tensor_type(m["x"]).shape
    axes = tuple(a for a in m.op["axes"] if shape[a] != 1)
    if not axes:
        return m["x"]
    return b.reverse(m["x"], axes=axes) if len(axes) < len(m.op["axes"]) else None


def _reverse_twice(b: Any, m: Match) -> Made:
    axes = tuple(sorted(set(m["inner"]["axes"]) ^ set(m.op["axes"])))
    return b.reverse(m["x"], axes=axes) if axes else m["x"]


def _reduce_of_nothing(b: Any, m: Match) -> Made:
    """Axes of size 1 go away by a reshape."""
    shape = tensor_type(m["x"]).shape
    axes = tuple(a for a in m.op["axes"] if shape[a] != 1)
    if len(axes) == len(m.op["axes"]):
        return m["x"] if not axes else None
    reduced = b.reduce(m["x"], axes=axes, kind=m.op["kind"]) if axes else m["x"]
    return b.reshape(reduced, shape=tensor_type(m.op.result).shape)


# -- dot_general
_AXES = ("lhs_batch", "rhs_batch", "lhs_contract", "rhs_contract")


def _fold_operand_transpose(b: Any, m: Match) -> Made:
    """dot_general(transpose(x), y): the axes of x itself, if its free axes keep their order.

    A transpose that makes the right operand's features contiguous stays: `align-operands` puts it there. So does the
    one by which `narrow-dots` makes the contracted axis contiguous, where there are few features.
    """
    dot: Operation = m.op
    sides = [(v, v.defining_op) for v in dot.operands]
    axes = {name: dot[name] for name in _AXES}
    operands: list[Value] = []
    changed = False
    for side, (value, maker) in zip(("lhs", "rhs"), sides, strict=True):
        if maker is not None and maker.name == "graph.transpose":
            order = maker["permutation"]
            used = {*axes[f"{side}_batch"], *axes[f"{side}_contract"]}
            free = [order[i] for i in range(len(order)) if i not in used]
            aligns = side == "rhs" and bool(free) and free[-1] != len(order) - 1 and len(order) - 1 not in used
            contract = axes[f"{side}_contract"]
            narrows = side == "rhs" and contract == (len(order) - 1,) and order[-1] != len(order) - 1
            narrows = narrows and not axes["rhs_batch"] and has_few_features(tensor_type(value).shape, contract)
            if free == sorted(free) and not aligns and not narrows:
                for part in ("batch", "contract"):
                    axes[f"{side}_{part}"] = tuple(order[i] for i in axes[f"{side}_{part}"])
                value = maker.operands[0]
                changed = True
        operands.append(value)
    return b.dot_general(*operands, **axes) if changed else None


def _swap_for_transpose(b: Any, m: Match) -> Made:
    """transpose(dot_general(x, y)) that exchanges the free axes of both: dot_general(y, x).

    Not where that dot would have few features, or features of no fixed number: `narrow-dots` and `align-operands`
    exchange just those.
    """
    dot: Operation = m["dot"]
    if not dot["lhs_batch"] and has_few_features(tensor_type(dot.operands[0]).shape, dot["lhs_contract"]):
        return None
    if has_open_features(dot, exchanged=True):
        return None
    batch = len(dot["lhs_batch"])
    left = tensor_type(dot.operands[0]).rank - batch - len(dot["lhs_contract"])
    rank = tensor_type(dot.result).rank
    swapped = (*range(batch), *range(batch + left, rank), *range(batch, batch + left))
    if m.op["permutation"] != swapped:
        return None
    return b.dot_general(
        dot.operands[1], dot.operands[0], lhs_batch=dot["rhs_batch"], rhs_batch=dot["lhs_batch"],
        lhs_contract=dot["rhs_contract"], rhs_contract=dot["lhs_contract"],
    )  # fmt: skip


def _gather_at_transposed(b: Any, m: Match) -> Made:
    """transpose(gather(x, y)) that moves whole slices: the indices are transposed, which are fewer."""
    gather: Operation = m["gather"]
    places = tensor_type(m["y"]).rank - 1
    order = m.op["permutation"]
    if gather.get("batch_axes") or order[places:] != tuple(range(places, len(order))):
        return None
    indices = b.transpose(m["y"], permutation=(*order[:places], places))
    return b.gather(m["x"], indices, axes=gather["axes"], clamp=bool(gather.get("clamp", True)))


RULES: list[Rule] = [
    rule("merge-transposes", op("graph.transpose", op("graph.transpose", x, bind="inner")), _merge_transposes),
    rule("identity-transpose", op("graph.transpose", x), _identity_transpose),
    rule("transpose-of-unit-dims", op("graph.transpose", x), _transpose_of_unit_dims),
    rule("swap-for-transpose", op("graph.transpose", single_use(op("graph.dot_general", x, y, bind="dot"))),
         _swap_for_transpose),
    rule("gather-at-transposed", op("graph.transpose", single_use(op("graph.gather", x, y, bind="gather"))),
         _gather_at_transposed),
    rule("fold-operand-transpose", op("graph.dot_general", x, y), _fold_operand_transpose),
    rule("merge-reshapes", op("graph.reshape", op("graph.reshape", x)),
         lambda b, m: b.reshape(m["x"], shape=tensor_type(m.op.result).shape)),
    rule("identity-reshape", op("graph.reshape", x), _same_type),
    rule("merge-broadcasts", op("graph.broadcast_in_dim", op("graph.broadcast_in_dim", x, bind="inner")),
         _merge_broadcasts),
    rule("identity-broadcast", op("graph.broadcast_in_dim", x), _identity_broadcast),
    rule("broadcast-of-reshape", op("graph.broadcast_in_dim", op("graph.reshape", x)), _broadcast_of_reshape),
    rule("merge-slices", op("graph.slice", op("graph.slice", x, bind="inner")), _merge_slices),
    rule("whole-slice", op("graph.slice", x), _whole_slice),
    rule("pad-of-nothing", op("graph.pad", x, y), _pad_of_nothing),
    rule("crop-as-slice", op("graph.pad", x, y), _crop_as_slice),
    rule("reverse-of-unit-dims", op("graph.reverse", x), _reverse_of_unit_dims),
    rule("reverse-twice", op("graph.reverse", op("graph.reverse", x, bind="inner")), _reverse_twice),
    rule("reduce-of-nothing", op("graph.reduce", x), _reduce_of_nothing),
    rule("concatenate-one", op("graph.concatenate", x), the_x),
    rule("drop-stop-gradient", op("graph.stop_gradient", x), the_x),  # gradients are made before any pass runs
]  # fmt: skip
