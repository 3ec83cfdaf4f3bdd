"""The equations of multi-head attention for any number of axes, and the arguments that its projections share."""

from __future__ import annotations

from string import ascii_lowercase as letters
from typing import Any


def projection_equation(kept: int, summed: int, made: int) -> tuple[str, str]:
    """The einsum of a projection that keeps the first axes, sums the next and makes new ones, and its bias axes."""
    stay, gone = letters[:kept], letters[kept : kept + summed]
    new = letters[kept + summed : kept + summed + made]
    return f"{stay}{gone},{gone}{new}->{stay}{new}", new


def attention_equations(rank: int, axes: tuple[int, ...]) -> tuple[str, str]:
    """The einsums of scores (from key, query) and of results (from weights, value).

    Queries are (batch .., attended axes .., heads, size); scores are (batch .., heads, attended axes of the query,
    attended axes of the key).
    """
    target = letters[:rank]
    batch = [i for i in range(rank - 1) if i not in axes]
    fresh = iter(letters[rank:])
    source = "".join(c if i in batch or i == rank - 1 else next(fresh) for i, c in enumerate(target))
    scores = "".join([target[i] for i in batch] + [target[i] for i in axes] + [source[i] for i in axes])
    return f"{source},{target}->{scores}", f"{scores},{source}->{target}"


def projection_arguments(layer: Any) -> dict[str, Any]:
    """What an attention layer hands on to its projections; each gets initializers, and so seeds, of its own."""

    def again(initializer: Any) -> Any:
        return type(initializer).from_config(initializer.get_config())

    return {
        "kernel_initializer": again(layer._kernel_initializer),
        "bias_initializer": again(layer._bias_initializer),
        "kernel_regularizer": layer._kernel_regularizer,
        "bias_regularizer": layer._bias_regularizer,
        "activity_regularizer": layer._activity_regularizer,
        "dtype": layer.dtype_policy,
    }
