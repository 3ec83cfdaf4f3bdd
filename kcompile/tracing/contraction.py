"""matmul, tensordot and einsum as graph.dot_general with transposes and reshapes around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kcompile.errors import ShapeError
from kcompile.ir import types as t

from .bind import bind, broadcast_to, cast, promote
from .tensor import Tensor, broadcast_dims


def matmul(x: Any, y: Any) -> Tensor:
    """NumPy's matmul: the last axis of x with the second last of y; the axes before broadcast."""
    x, y = promote(x, y)
    if x.element is t.i1:
        x, y = cast(x, t.i32), cast(y, t.i32)
    if not x.ndim or not y.ndim:
        raise ShapeError(f"matmul needs tensors of rank 1 or more. Received: shapes {x.shape} and {y.shape}")
    inner = y.ndim - 2 if y.ndim > 1 else 0
    if x.dims[-1] != y.dims[inner]:
        raise ShapeError(
            f"matmul needs the last axis of the first as long as axis {inner} of the second. "
            f"Received: shapes {x.shape} and {y.shape}"
        )
    if y.ndim <= 2:
        return bind("dot_general", x, y, lhs_batch=(), rhs_batch=(), lhs_contract=(x.ndim - 1,), rhs_contract=(inner,))
    if x.ndim == 1:
        return squeeze_axis(matmul(bind("reshape", x, shape=(1, *x.dims)), y), -2)
    batch = broadcast_dims(x.dims[:-2], y.dims[:-2])
    x, y = broadcast_to(x, (*batch, *x.dims[-2:])), broadcast_to(y, (*batch, *y.dims[-2:]))
    axes = tuple(range(len(batch)))
    return bind(
        "dot_general", x, y, lhs_batch=axes, rhs_batch=axes, lhs_contract=(x.ndim - 1,), rhs_contract=(y.ndim - 2,)
    )


def squeeze_axis(x: Tensor, axis: int) -> Tensor:
    axis %= x.ndim
    return bind("reshape", x, shape=x.dims[:axis] + x.dims[axis + 1 :])


def tensordot(x: Any, y: Any, axes: Any = 2) -> Tensor:
    """NumPy's tensordot: `axes` is a count of touching axes, or a pair of axis lists."""
    x, y = promote(x, y)
    if isinstance(axes, int):
        left: Sequence[int] = range(x.ndim - axes, x.ndim)
        right: Sequence[int] = range(axes)
    else:
        left, right = [[a] if isinstance(a, int) else list(a) for a in axes]
    lhs = tuple(a % x.ndim for a in left)
    rhs = tuple(a % y.ndim for a in right)
    if len(lhs) != len(rhs) or [x.dims[a] for a in lhs] != [y.dims[a] for a in rhs]:
        raise ShapeError(
            f"tensordot needs equal sizes along the summed axes. Received: {x.shape}, {y.shape}, axes={axes}"
        )
    return bind("dot_general", x, y, lhs_batch=(), rhs_batch=(), lhs_contract=lhs, rhs_contract=rhs)


def einsum(subscripts: str, *operands: Any) -> Tensor:
    """Einstein summation over any number of operands, two at a time from the left; "..." allowed; no repeated letter
    within one operand."""
    tensors = promote(*operands)
    inputs, output = _parse(subscripts, [x.ndim for x in tensors])
    terms, current = inputs[0], tensors[0]
    _check(subscripts, terms, current)
    for i in range(1, len(tensors)):
        later = set(output).union(*inputs[i + 1 :]) if i + 1 < len(inputs) else set(output)
        _check(subscripts, inputs[i], tensors[i])
        pair = [(terms, current), (inputs[i], tensors[i])]
        if i + 1 == len(tensors) and _comes_first(inputs[i], terms, output):
            pair.reverse()  # the result then has the axes in the order that is asked for
        terms, current = _contract(*pair[0], *pair[1], later, subscripts)
    lost = [a for a, letter in enumerate(terms) if letter not in output]
    if lost:
        current = bind("reduce", current, axes=tuple(lost), kind="add")
        terms = "".join(letter for letter in terms if letter in output)
    order = tuple(terms.index(letter) for letter in output)
    return current if order == tuple(range(len(order))) else bind("transpose", current, permutation=order)


def _parse(subscripts: str, ranks: list[int]) -> tuple[list[str], str]:
    left, arrow, output = subscripts.replace(" ", "").partition("->")
    inputs = left.split(",")
    if len(inputs) != len(ranks):
        raise ShapeError(f"einsum '{subscripts}' names {len(inputs)} operands. Received: {len(ranks)}")
    dots = ""
    spare = [chr(c) for c in range(ord("A"), ord("Z") + 1) if chr(c) not in subscripts]
    for term, rank in zip(inputs, ranks):
        if "..." in term:
            letters = spare[: rank - len(term) + 3]
            dots = "".join(letters) if len(letters) > len(dots) else dots
    for i, (term, rank) in enumerate(zip(inputs, ranks)):
        if "..." in term:
            inputs[i] = term.replace("...", dots[len(dots) - (rank - len(term) + 3) :])
    if not arrow:
        joined = "".join(inputs)
        output = dots + "".join(sorted(c for c in set(joined) if joined.count(c) == 1 and c not in dots))
    return inputs, output.replace("...", dots)


def _check(subscripts: str, term: str, x: Tensor) -> None:
    if len(term) != x.ndim or len(set(term)) != len(term):
        raise ShapeError(
            f"einsum '{subscripts}' has '{term}' for an operand: one different letter per axis is needed. "
            f"Received: shape {x.shape}"
        )


def _comes_first(right: str, left: str, output: str) -> bool:
    """Whether the result has all axes of its own of the right operand before those of the left."""
    own, other = ([output.index(c) for c in a if c not in b and c in output] for a, b in ((right, left), (left, right)))
    return bool(own) and bool(other) and max(own) < min(other)


def _contract(left: str, x: Tensor, right: str, y: Tensor, later: set[str], subscripts: str) -> tuple[str, Tensor]:
    """One dot_general: letters in both and needed later are batch, in both and not needed are summed."""
    left, x = _sum_out(left, x, set(right) | later)
    right, y = _sum_out(right, y, set(left) | later)
    both = [c for c in left if c in right]
    for c in both:
        if x.dims[left.index(c)] != y.dims[right.index(c)]:
            raise ShapeError(
                f"einsum '{subscripts}': axis '{c}' has two sizes. Received: shapes {x.shape} and {y.shape}"
            )
    batch = [c for c in both if c in later]
    summed = [c for c in both if c not in later]
    result = bind(
        "dot_general", x, y,
        lhs_batch=tuple(left.index(c) for c in batch), rhs_batch=tuple(right.index(c) for c in batch),
        lhs_contract=tuple(left.index(c) for c in summed), rhs_contract=tuple(right.index(c) for c in summed),
    )  # fmt: skip
    rest = "".join(c for c in left if c not in both) + "".join(c for c in right if c not in both)
    return "".join(batch) + rest, result


def _sum_out(term: str, x: Tensor, needed: set[str]) -> tuple[str, Tensor]:
    lost = tuple(i for i, c in enumerate(term) if c not in needed)
    if not lost:
        return term, x
    return "".join(c for c in term if c in needed), bind("reduce", x, axes=lost, kind="add")


__all__ = ["einsum", "matmul", "squeeze_axis", "tensordot"]
