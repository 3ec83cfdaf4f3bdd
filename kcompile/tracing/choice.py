"""choose: one of two functions by a condition that is known only when the model runs.

In a trace both are traced and their results are selected between, element by element; so are the variables that they
assign. Both sides are computed: operations have no effects but their results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcompile.errors import IRError, ShapeError

from .bind import bind, broadcast_to, convert
from .structure import flatten, map_structure
from .tensor import Tensor
from .trace import Tracer, current_trace


def choose(condition: Any, if_true: Callable[[], Any], if_false: Callable[[], Any]) -> Any:
    """`if_true()` or `if_false()`; both give the same structure of tensors, of the same shapes and dtypes.

    Raises IRError for results of different structures, ShapeError for other shapes, dtypes, or a condition of a shape
    other than ().

    Example: `choose(x[0] > 0, lambda: x, lambda: -x)`
    """
    condition = convert(condition, "bool")
    if condition.dims != ():
        raise ShapeError(f"a condition is one truth value. Received: a tensor of shape {condition.shape}")
    trace = current_trace()
    if not isinstance(condition, Tracer) or trace is None:
        return if_true() if bool(condition) else if_false()  # type: ignore[call-overload]
    before = trace.variables()
    yes = if_true()
    after_true = trace.variables()
    trace.restore(before)
    no = if_false()
    after_false = trace.variables()
    trace.restore(before)
    for key in dict.fromkeys([*after_true, *after_false]):
        variable = (after_true.get(key) or after_false[key])[0]
        old = trace.read(variable)
        new = [side[key][1] if key in side else old for side in (after_true, after_false)]
        if new[0] is not old or new[1] is not old:
            trace.write(variable, select(condition, *new))
    if len(flatten(yes)) != len(flatten(no)):
        raise IRError(
            "both sides of a choice give the same structure. "
            f"Received: {len(flatten(yes))} tensors and {len(flatten(no))}"
        )
    others = iter(flatten(no))
    return map_structure(lambda x: _select_leaf(condition, x, next(others)), yes)


def _select_leaf(condition: Tensor, x: Any, y: Any) -> Any:
    if x is None and y is None:
        return None
    if x is None or y is None:
        raise IRError("both sides of a choice give the same structure. Received: a tensor and None")
    return select(condition, convert(x), convert(y))


def select(condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """x where the condition, one truth value, holds, else y."""
    if x.type is not y.type:
        raise ShapeError(
            f"both sides of a choice have one shape and dtype. Received: {x.shape} of {x.dtype}, {y.shape} of {y.dtype}"
        )
    made: Tensor = bind("select", broadcast_to(condition, x.dims), x, y)
    return made
