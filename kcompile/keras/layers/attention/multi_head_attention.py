"""MultiHeadAttention."""

from __future__ import annotations

import math
from typing import Any

from kcompile.errors import ArgumentError, ShapeError

from ... import initializers, ops, regularizers
from ...constraints import get as no_constraint
from ..activations.softmax import Softmax
from ..checks import fraction, positive_integer
from ..core.einsum_dense import EinsumDense
from ..layer import Layer
from ..masks import get_mask, set_mask, unmasked
from ..regularization.dropout import Dropout
from .masks import for_heads, joined_mask, places
from .projections import attention_equations, projection_arguments, projection_equation


class MultiHeadAttention(Layer):
    """Each query's weighted mean of values, by its likeness to their keys; several heads side by side.

    softmax(q k^T / sqrt(key_dim)) v with q, k, v projections of query (b, t, d), key (b, s, d) and value (b, s, d) to
    num_heads x key_dim (value_dim for v), then a projection back to (b, t, d), or to `output_shape`.

    attention_axes  the axes that are attended to: all but batch and features unless given
    sliding_window  keys that far away, or farther, are not seen
    use_gate        results are multiplied by sigmoid of a further projection of the query

    Example: MultiHeadAttention(num_heads=8, key_dim=32)(x, x)   # shape unchanged
    """

    def __init__(
        self, num_heads: int, key_dim: int, value_dim: int | None = None, dropout: float = 0.0, use_bias: bool = True,
        output_shape: Any = None, attention_axes: Any = None, sliding_window: int | None = None,
        flash_attention: bool | None = None, kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None,
        use_gate: bool = False, seed: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        positive_integer("MultiHeadAttention", num_heads=num_heads, key_dim=key_dim)
        given = {"value_dim": value_dim, "sliding_window": sliding_window}
        positive_integer("MultiHeadAttention", **{k: v for k, v in given.items() if v is not None})
        fraction("MultiHeadAttention", dropout=dropout)
        no_constraint(kernel_constraint), no_constraint(bias_constraint)
        if flash_attention and dropout:
            raise ArgumentError(f"MultiHeadAttention: flash_attention has no dropout. Received: dropout={dropout}")
        self.supports_masking = True
        self._num_heads, self._key_dim, self._value_dim = num_heads, key_dim, value_dim or key_dim
        self._dropout, self._use_bias, self._use_gate, self.seed = dropout, use_bias, use_gate, seed
        self._output_shape = (output_shape,) if isinstance(output_shape, int) else output_shape and tuple(output_shape)
        self._attention_axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        self._sliding_window, self._flash_attention = sliding_window, bool(flash_attention)
        self._kernel_initializer = initializers.get(kernel_initializer)
        self._bias_initializer = initializers.get(bias_initializer)
        self._kernel_regularizer = regularizers.get(kernel_regularizer)
        self._bias_regularizer = regularizers.get(bias_regularizer)
        self._activity_regularizer = regularizers.get(activity_regularizer)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outputs = super().__call__(*args, **kwargs)
        # as in Keras, the inputs lose their masks: a residual sum after the layer has none
        for x in (*args[:3], *(kwargs.get(name) for name in ("query", "value", "key"))):
            if get_mask(x) is not None:
                set_mask(x, None)
        return outputs

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ShapeError(
                "MultiHeadAttention needs one value for each key. Received: value of shape "
                f"{tuple(value_shape)}, key of shape {tuple(key_shape)}"
            )
        self._query_dense = self._heads("query", query_shape, self._key_dim)
        self._key_dense = self._heads("key", key_shape, self._key_dim)
        if self._use_gate:
            self._gate_dense = self._heads("gate", query_shape, self._value_dim, activation="sigmoid")
        self._value_dense = self._heads("value", value_shape, self._value_dim)
        rank = len(query_shape) + 1
        axes = range(1, rank - 2) if self._attention_axes is None else self._attention_axes
        self._attention_axes = tuple(axis if axis >= 0 else rank - 1 + axis for axis in axes)
        self._score_equation, self._result_equation = attention_equations(rank, self._attention_axes)
        scores = rank - 1 + len(self._attention_axes)
        self._softmax = Softmax(axis=tuple(range(scores - len(self._attention_axes), scores)), dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self._dropout, seed=self.seed, dtype=self.dtype_policy)
        sizes = self._output_shape or (query_shape[-1],)
        equation, bias_axes = projection_equation(rank - 2, 2, len(sizes))
        self._output_dense = EinsumDense(
            equation,
            output_shape=(*[None] * (rank - 3), *sizes),
            bias_axes=bias_axes if self._use_bias else None,
            name="attention_output",
            **projection_arguments(self),
        )
        self._output_dense.build((*query_shape[:-1], self._num_heads, self._value_dim))

    def _heads(self, name: str, shape: Any, size: int, activation: Any = None) -> EinsumDense:
        """A projection of the last axis to (heads, size)."""
        equation, bias_axes = projection_equation(len(shape) - 1, 1, 2)
        layer = EinsumDense(
            equation,
            output_shape=(*[None] * (len(shape) - 2), self._num_heads, size),
            bias_axes=bias_axes if self._use_bias else None,
            activation=activation,
            name=name,
            **projection_arguments(self),
        )
        layer.build(shape)
        return layer

    def call(
        self, query: Any, value: Any, key: Any = None, query_mask: Any = None, value_mask: Any = None,
        key_mask: Any = None, attention_mask: Any = None, return_attention_scores: bool = False, training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        query, value, key = (unmasked(x) for x in (query, value, value if key is None else key))
        only_causal = use_causal_mask and self._sliding_window is None and self._computes_attention_itself()
        only_causal = only_causal and all(m is None for m in (query_mask, value_mask, key_mask, attention_mask))
        mask = self._compute_attention_mask(
            query, value, query_mask, value_mask, key_mask, attention_mask, use_causal_mask and not only_causal
        )
        gate = self._gate_dense(query) if self._use_gate else None
        result, scores = self._compute_attention(
            self._query_dense(query), self._key_dense(key), self._value_dense(value), mask, training,
            return_attention_scores, **({"use_causal_mask": True} if only_causal else {}),
        )  # fmt: skip
        result = self._output_dense(result if gate is None else ops.multiply(result, gate))
        return (result, scores) if return_attention_scores else result

    def _computes_attention_itself(self) -> bool:
        return type(self)._compute_attention is MultiHeadAttention._compute_attention

    def _compute_attention_mask(
        self, query: Any, value: Any, query_mask: Any = None, value_mask: Any = None, key_mask: Any = None,
        attention_mask: Any = None, use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        return joined_mask(
            query, value, query_mask, value_mask, key_mask, attention_mask, use_causal_mask, self._sliding_window
        )

    def _compute_attention(
        self, query: Any, key: Any, value: Any, attention_mask: Any = None, training: Any = None,
        return_attention_scores: bool = False, use_causal_mask: bool = False,
    ) -> tuple[Any, Any]:  # fmt: skip
        """The result and the weights (None where nobody asked) of projected queries, keys and values."""
        if self._flash_attention and return_attention_scores:
            raise ArgumentError("MultiHeadAttention: with flash_attention there are no scores to return")
        scale = 1.0 / math.sqrt(float(self._key_dim))
        count = len(self._attention_axes)
        if not self._dropout and not return_attention_scores and query.ndim == 4:
            mask = for_heads(attention_mask, 4, count)
            return ops.dot_product_attention(query, key, value, mask=mask, scale=scale, is_causal=use_causal_mask), None
        if use_causal_mask:
            causal = places(query, value, lambda row, column: ops.greater_equal(row, column))
            attention_mask = causal if attention_mask is None else ops.logical_and(attention_mask, causal)
        scores = ops.einsum(self._score_equation, key, ops.multiply(query, ops.cast(scale, query.dtype)))
        weights = self._softmax(scores, mask=for_heads(attention_mask, scores.ndim, count))
        kept = self._dropout_layer(weights, training=training) if self._dropout else weights
        return ops.einsum(self._result_equation, kept, value), weights

    num_heads = property(lambda self: self._num_heads)
    key_dim = property(lambda self: self._key_dim)
    value_dim = property(lambda self: self._value_dim)
    dropout = property(lambda self: self._dropout)
    use_bias = property(lambda self: self._use_bias)
    attention_axes = property(lambda self: self._attention_axes)
    query_dense = property(lambda self: self._query_dense)
    key_dense = property(lambda self: self._key_dense)
    value_dense = property(lambda self: self._value_dense)
    output_dense = property(lambda self: self._output_dense)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self._num_heads,
            "key_dim": self._key_dim,
            "value_dim": self._value_dim,
            "dropout": self._dropout,
            "use_bias": self._use_bias,
            "use_gate": self._use_gate,
            "output_shape": self._output_shape,
            "attention_axes": self._attention_axes,
            "sliding_window": self._sliding_window,
            "kernel_initializer": initializers.serialize(self._kernel_initializer),
            "bias_initializer": initializers.serialize(self._bias_initializer),
            "kernel_regularizer": regularizers.serialize(self._kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self._bias_regularizer),
            "activity_regularizer": regularizers.serialize(self._activity_regularizer),
            "kernel_constraint": None,
            "bias_constraint": None,
            "seed": self.seed,
        }
