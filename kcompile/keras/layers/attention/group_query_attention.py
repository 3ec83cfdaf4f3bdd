"""GroupQueryAttention."""

from __future__ import annotations

import math
from typing import Any

from kcompile.errors import ArgumentError, ShapeError

from ... import initializers, ops, regularizers
from ...constraints import get as no_constraint
from ...ops.attention import repeat_heads
from ..activations.softmax import Softmax
from ..checks import fraction, positive_integer
from ..core.einsum_dense import EinsumDense
from ..layer import Layer
from ..masks import unmasked
from ..regularization.dropout import Dropout
from .masks import for_heads, joined_mask
from .projections import projection_arguments


class GroupQueryAttention(Layer):
    """Attention with fewer heads of keys and values than of queries: each serves a group of query heads.

    query (b, t, d), key and value (b, s, d) -> (b, t, d). `sliding_window`, `use_gate` and the masks are those of
    MultiHeadAttention.

    Example: GroupQueryAttention(head_dim=32, num_query_heads=8, num_key_value_heads=2)(x, x)
    """

    _class_label = "GroupedQueryAttention"

    def __init__(
        self, head_dim: int, num_query_heads: int, num_key_value_heads: int, dropout: float = 0.0,
        use_bias: bool = True, sliding_window: int | None = None, flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, use_gate: bool = False, seed: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        label = "GroupQueryAttention"
        positive_integer(
            label, head_dim=head_dim, num_query_heads=num_query_heads, num_key_value_heads=num_key_value_heads
        )
        if num_query_heads % num_key_value_heads:
            raise ArgumentError(
                f"{label}: num_query_heads is a multiple of num_key_value_heads. "
                f"Received: {num_query_heads} and {num_key_value_heads}"
            )
        if sliding_window is not None:
            positive_integer(label, sliding_window=sliding_window)
        fraction(label, dropout=dropout)
        no_constraint(kernel_constraint), no_constraint(bias_constraint)
        if flash_attention and dropout:
            raise ArgumentError(f"{label}: flash_attention has no dropout. Received: dropout={dropout}")
        self.supports_masking = True
        self.head_dim, self.num_query_heads, self.num_key_value_heads = head_dim, num_query_heads, num_key_value_heads
        self.num_repeats = num_query_heads // num_key_value_heads
        self.dropout, self.use_bias, self.use_gate, self.seed = dropout, use_bias, use_gate, seed
        self.sliding_window, self._flash_attention = sliding_window, bool(flash_attention)
        self._kernel_initializer = initializers.get(kernel_initializer)
        self._bias_initializer = initializers.get(bias_initializer)
        self._kernel_regularizer = regularizers.get(kernel_regularizer)
        self._bias_regularizer = regularizers.get(bias_regularizer)
        self._activity_regularizer = regularizers.get(activity_regularizer)

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ShapeError(
                "GroupQueryAttention needs one value for each key. Received: value of shape "
                f"{tuple(value_shape)}, key of shape {tuple(key_shape)}"
            )
        self.feature_dim = query_shape[-1]
        self._query_dense = self._heads("bqm,muh->bquh", "query", query_shape, self.num_query_heads)
        self._key_dense = self._heads("bkm,mvh->bkvh", "key", key_shape, self.num_key_value_heads)
        if self.use_gate:
            self._gate_dense = self._heads("bqm,muh->bquh", "gate", query_shape, self.num_query_heads, "sigmoid")
        self._value_dense = self._heads("bkm,mvh->bkvh", "value", value_shape, self.num_key_value_heads)
        self._softmax = Softmax(axis=-1, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)
        self._output_dense = EinsumDense(
            "bquh,uhm->bqm", output_shape=(None, self.feature_dim), bias_axes="m" if self.use_bias else None,
            name="attention_output", **projection_arguments(self),
        )  # fmt: skip
        self._output_dense.build((None, None, self.num_query_heads, self.head_dim))

    def _heads(self, equation: str, name: str, shape: Any, heads: int, activation: Any = None) -> EinsumDense:
        """A projection of the last axis to (heads, head_dim)."""
        layer = EinsumDense(
            equation, output_shape=(None, heads, self.head_dim), bias_axes=equation[-2:] if self.use_bias else None,
            activation=activation, name=name, **projection_arguments(self),
        )  # fmt: skip
        layer.build(shape)
        return layer

    def call(
        self, query: Any, value: Any, key: Any = None, query_mask: Any = None, value_mask: Any = None,
        key_mask: Any = None, attention_mask: Any = None, return_attention_scores: bool = False, training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        if self._flash_attention and return_attention_scores:
            raise ArgumentError("GroupQueryAttention: with flash_attention there are no scores to return")
        query, value, key = (unmasked(x) for x in (query, value, value if key is None else key))
        masks = (query_mask, value_mask, key_mask, attention_mask)
        plain = not self.dropout and not return_attention_scores
        only_causal = plain and use_causal_mask and self.sliding_window is None and all(m is None for m in masks)
        mask = for_heads(
            joined_mask(query, value, *masks, use_causal_mask and not only_causal, self.sliding_window), 4, 1
        )
        gate = self._gate_dense(query) if self.use_gate else None
        query, key, value = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        scale = 1.0 / math.sqrt(float(self.head_dim))
        weights = None
        if plain:
            result = ops.dot_product_attention(query, key, value, mask=mask, scale=scale, is_causal=only_causal)
        else:
            key, value = repeat_heads(key, self.num_repeats), repeat_heads(value, self.num_repeats)
            query = ops.multiply(query, ops.cast(scale, query.dtype))
            weights = self._softmax(ops.einsum("bquh,bkuh->buqk", query, key), mask=mask)
            kept = self._dropout_layer(weights, training=training) if self.dropout else weights
            result = ops.einsum("buqk,bkuh->bquh", kept, value)
        result = self._output_dense(result if gate is None else ops.multiply(result, gate))
        return (result, weights) if return_attention_scores else result

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "dropout": self.dropout,
            "kernel_initializer": initializers.serialize(self._kernel_initializer),
            "bias_initializer": initializers.serialize(self._bias_initializer),
            "kernel_regularizer": regularizers.serialize(self._kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self._bias_regularizer),
            "activity_regularizer": regularizers.serialize(self._activity_regularizer),
            "kernel_constraint": None,
            "bias_constraint": None,
            "seed": self.seed,
        }
