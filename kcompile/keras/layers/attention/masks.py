"""Which keys a query may see, from the masks that an attention layer is given."""

from __future__ import annotations

from typing import Any

from kcompile.ir import types as t
from kcompile.tracing.bind import bind

from ... import ops


def joined_mask(
    query: Any, value: Any, query_mask: Any, value_mask: Any, key_mask: Any, attention_mask: Any, causal: bool,
    window: int | None,
) -> Any:  # fmt: skip
    """One mask (batch, t, s), or None: where all hold. Masks of queries are (batch, t), of keys and values (batch, s);
    `causal` hides keys after the query, `window` those `window` or more places away."""
    masks = [] if attention_mask is None else [attention_mask]
    masks += [] if query_mask is None else [ops.expand_dims(ops.cast(query_mask, "bool"), -1)]
    masks += [ops.expand_dims(ops.cast(m, "bool"), -2) for m in (value_mask, key_mask) if m is not None]
    if causal:
        masks.append(places(query, value, lambda row, column: bind("compare", row, column, direction="ge")))
    if window is not None:
        masks.append(places(query, value, lambda row, column: ops.less(ops.abs(ops.subtract(row, column)), window)))
    total = None
    for mask in masks:
        mask = ops.cast(mask, "bool")
        total = mask if total is None else ops.logical_and(total, mask)
    return total


def places(query: Any, value: Any, rule: Any) -> Any:
    """`rule` of the places of queries and of keys, (1, t, s)."""
    dims = (1, query.dims[1], value.dims[1])
    return rule(bind("iota", shape=dims, axis=1, dtype=t.i32), bind("iota", shape=dims, axis=2, dtype=t.i32))


def for_heads(mask: Any, rank: int, attention_axes: int) -> Any:
    """`mask` with axes of size 1 for what it does not have of scores of this rank, such as the heads."""
    while mask is not None and mask.ndim < rank:
        mask = ops.expand_dims(mask, -2 * attention_axes - 1)
    return mask
