"""keras.ops: attention."""

from __future__ import annotations

import math
from typing import Any

from kcompile.errors import ShapeError
from kcompile.ir import types as t
from kcompile.tracing import arithmetic as a
from kcompile.tracing.bind import bind, cast, promote
from kcompile.tracing.tensor import Tensor

from .activation import softmax
from .comparison import where
from .operation_class import operation


@operation("nn.DotProductAttention", "is_causal flash_attention attn_logits_soft_cap")
def dot_product_attention(
    query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, scale: Any = None, is_causal: bool = False,
    flash_attention: bool | None = None, attn_logits_soft_cap: float | None = None,
) -> Any:  # fmt: skip
    """softmax(query key^T * scale + bias) value, for each head.

    query (batch, t, heads, d), key (batch, s, heads, d), value (batch, s, heads, v) -> (batch, t, heads, v); with fewer
    heads in key and value, each of them serves a group of the query's. `bias` and `mask` broadcast to
    (batch, heads, t, s); `scale` is 1 / sqrt(d) unless given. Where `mask` is false a key has no weight; a query
    without any key weighs all alike. `attn_logits_soft_cap` c takes logits to x / (1 + |x| / c). `flash_attention` says
    how, not what: the compiler decides.
    """
    query, key, value = promote(query, key, value)
    if query.ndim != 4 or key.ndim != 4 or value.ndim != 4:
        raise ShapeError(
            "dot_product_attention takes tensors of shape (batch, time, heads, size). "
            f"Received: query of shape {query.shape}, key of shape {key.shape}, value of shape {value.shape}"
        )
    heads, groups = query.dims[2], key.dims[2]
    if key.dims[:3] != value.dims[:3] or key.dims[3] != query.dims[3] or heads % groups:
        raise ShapeError(
            "dot_product_attention needs keys as long as queries, one value for each key, and heads of the query that "
            f"are a multiple of the keys'. Received: query of shape {query.shape}, key of shape {key.shape}, value of "
            f"shape {value.shape}"
        )
    if heads != groups:
        key, value = repeat_heads(key, heads // groups), repeat_heads(value, heads // groups)
    logits = bind("dot_general", query, key, lhs_batch=(0, 2), rhs_batch=(0, 2), lhs_contract=(3,), rhs_contract=(3,))
    narrow = logits.dtype if logits.dtype in ("float16", "bfloat16") else None
    logits = cast(logits, "float32") if narrow else logits
    logits = a.multiply(logits, 1.0 / math.sqrt(query.dims[3]) if scale is None else cast(scale, logits.dtype))
    if attn_logits_soft_cap is not None:
        cap = float(attn_logits_soft_cap)
        logits = a.true_divide(logits, a.add(a.multiply(bind("abs", logits), 1.0 / cap), 1.0))
    if bias is not None:
        logits = a.add(logits, cast(bias, logits.dtype))
    if mask is not None:
        logits = where(mask, logits, -1e9)
    if is_causal:
        logits = where(causal_mask(logits.dims), logits, -1e9)
    weights = softmax(logits)
    return weighted_values(cast(weights, narrow) if narrow else weights, value)


def repeat_heads(x: Tensor, count: int) -> Tensor:
    """Each head of (batch, time, heads, size) `count` times."""
    batch, time, heads, size = x.dims
    wide = bind("broadcast_in_dim", x, shape=(batch, time, heads, count, size), dims=(0, 1, 2, 4))
    return bind("reshape", wide, shape=(batch, time, heads * count, size))


def weighted_values(weights: Tensor, value: Tensor) -> Tensor:
    """Weights (batch, heads, t, s) times values (batch, s, heads, v), as (batch, t, heads, v)."""
    out = bind("dot_general", weights, value, lhs_batch=(0, 1), rhs_batch=(0, 2), lhs_contract=(3,), rhs_contract=(1,))
    return bind("transpose", out, permutation=(0, 2, 1, 3))


def causal_mask(dims: Any) -> Tensor:
    """(.., t, s) true where query number t may see key number s: s <= t."""
    rank = len(dims)
    row, column = (bind("iota", shape=tuple(dims), axis=axis, dtype=t.i32) for axis in (rank - 2, rank - 1))
    return bind("compare", row, column, direction="ge")
