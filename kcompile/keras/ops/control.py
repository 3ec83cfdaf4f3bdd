"""keras.ops: loops and choices. In a compiled model a loop is one operation, a choice computes both sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kcompile.errors import ArgumentError, ShapeError, UnsupportedError
from kcompile.tracing import arithmetic as a
from kcompile.tracing.bind import convert
from kcompile.tracing.choice import choose
from kcompile.tracing.loop import scan as scan_steps
from kcompile.tracing.structure import flatten, map_structure, pack_like
from kcompile.tracing.tensor import EagerTensor
from kcompile.tracing.trace import current_trace

from .operation_class import operation
from .shaping import concatenate, flip, reshape, stack

Body = Callable[..., Any]


@operation("core.Scan", "length reverse unroll")
def scan(f: Body, init: Any, xs: Any = None, length: Any = None, reverse: bool = False, unroll: Any = 1) -> Any:
    """`carry, y = f(carry, x)` for each x along axis 0 of `xs`; gives the last carry and all y, stacked.

    `unroll` is accepted. Example: `total, sums = scan(lambda c, x: (c + x, c + x), 0.0, xs)`
    """
    return scan_steps(f, init, xs, length=length, reverse=bool(reverse))


@operation("core.Map")
def map(f: Body, xs: Any) -> Any:
    """f of each step along axis 0 of `xs`, stacked."""
    return scan_steps(lambda _, x: (None, f(x)), None, xs)[1]


@operation("core.VectorizedMap", "function")
def vectorized_map(function: Body, elements: Any) -> Any:
    """`map`; its name in Keras says that backends may run all steps at once."""
    return scan_steps(lambda _, x: (None, function(x)), None, elements)[1]


@operation("core.AssociativeScan", "reverse axis")
def associative_scan(f: Body, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """All partial results of an associative f along `axis`, of a fixed size, by halving: log2(size) calls of f.

    f takes and gives structures like `elems`. Example: `associative_scan(ops.add, x)` is the running sum.
    """
    leaves = [convert(x) for x in flatten(elems)]
    sizes = {x.dims[axis] for x in leaves}
    if len(sizes) != 1 or not isinstance(next(iter(sizes)), int):
        raise ShapeError(f"associative_scan needs one fixed size of axis {axis}. Received: {[x.shape for x in leaves]}")

    def along(x: Any, part: slice) -> Any:
        return x[(slice(None),) * (axis % x.ndim) + (part,)]

    def combine(x: list[Any], y: list[Any]) -> list[Any]:
        return [convert(v) for v in flatten(f(pack_like(elems, x), pack_like(elems, y)))]

    def partial(values: list[Any]) -> list[Any]:
        count = values[0].dims[axis]
        if count < 2:
            return values
        left, right = ([along(v, slice(i, count - 1 + i, 2)) for v in values] for i in (0, 1))
        odd = partial(combine(left, right))
        even = [along(v, slice(0, 1)) for v in values]
        if count > 2:
            before = [along(v, slice(0, (count - 1) // 2)) for v in odd]
            rest = combine(before, [along(v, slice(2, None, 2)) for v in values])
            even = [concatenate([x, y], axis=axis) for x, y in zip(even, rest)]
        return [_interleave(x, y, axis % x.ndim) for x, y in zip(even, odd)]

    turned = [flip(x, axis=axis) for x in leaves] if reverse else leaves
    found = partial(turned)
    return pack_like(elems, [flip(x, axis=axis) for x in found] if reverse else found)


def _interleave(even: Any, odd: Any, axis: int) -> Any:
    """Elements of both in turn along `axis`; `even` may have one more."""
    count = odd.dims[axis]
    start = (slice(None),) * axis
    both = stack([even[(*start, slice(0, count))], odd], axis=axis + 1)
    shape = (*odd.dims[:axis], 2 * count, *odd.dims[axis + 1 :])
    joined = reshape(both, shape)
    return joined if even.dims[axis] == count else concatenate([joined, even[(*start, slice(count, None))]], axis=axis)


@operation("core.ForiLoop", "lower upper body_fun")
def fori_loop(lower: Any, upper: Any, body_fun: Body, init_val: Any) -> Any:
    """`value = body_fun(i, value)` for i from `lower` up to `upper`, which are known numbers."""
    first, last = (_number(n) for n in (lower, upper))

    def step(carry: Any, _: Any) -> Any:
        i, value = carry
        return (a.add(i, 1), body_fun(i, value)), None

    if last <= first:
        return map_structure(convert, init_val)
    start = convert(first, "int32")
    return scan_steps(step, (start, init_val), None, length=last - first)[0][1]


@operation("core.WhileLoop", "cond body maximum_iterations")
def while_loop(cond: Body, body: Body, loop_vars: Any, maximum_iterations: Any = None) -> Any:
    """`loop_vars = body(*loop_vars)` as long as `cond(*loop_vars)` holds, at most `maximum_iterations` times.

    A compiled model needs `maximum_iterations`: it runs so many steps, those after the end change nothing.
    """
    several = isinstance(loop_vars, list | tuple)
    values = tuple(loop_vars) if several else (loop_vars,)

    def after(given: Any) -> Any:
        made = body(*given)
        return tuple(made) if isinstance(made, list | tuple) else (made,)

    values = map_structure(convert, values)
    if current_trace() is None:
        count = 0
        while bool(convert(cond(*values), "bool")) and (maximum_iterations is None or count < maximum_iterations):
            values = map_structure(convert, after(values))
            count += 1
    elif maximum_iterations is None:
        raise UnsupportedError(
            "a while_loop in a model needs maximum_iterations, so that its number of steps is known. Received: None"
        )
    else:
        step = lambda given, _: (choose(cond(*given), lambda: after(given), lambda: given), None)
        values = scan_steps(step, values, None, length=_number(maximum_iterations))[0]
    if not several:
        return values[0]
    return list(values) if isinstance(loop_vars, list) else values


@operation("core.Cond")
def cond(pred: Any, true_fn: Body, false_fn: Body) -> Any:
    """true_fn() where `pred`, one truth value, holds, else false_fn(); both give the same shapes and dtypes."""
    return choose(pred, true_fn, false_fn)


@operation("core.Switch")
def switch(index: Any, branches: Sequence[Body], *operands: Any) -> Any:
    """branches[index](*operands); an index out of range takes the nearest branch."""
    if not branches:
        raise ArgumentError("switch needs at least one branch. Received: none")
    index = convert(index)

    def from_(i: int) -> Any:
        if i == len(branches) - 1:
            return branches[i](*operands)
        return choose(a.less_equal(index, i), lambda: branches[i](*operands), lambda: from_(i + 1))

    return from_(0)


def _number(value: Any) -> int:
    """A number of steps that is known now."""
    if isinstance(value, int):
        return value
    tensor = flatten(convert(value))[0]
    if not isinstance(tensor, EagerTensor):
        raise UnsupportedError(
            "a loop in a model needs a number of steps that is known; use scan over a sequence, or while_loop with "
            f"maximum_iterations. Received: {value!r}"
        )
    return int(tensor)
