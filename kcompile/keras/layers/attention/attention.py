"""Attention."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from ... import ops, random
from ..checks import fraction
from ..layer import Layer
from .masks import places


class Attention(Layer):
    """Each query's weighted mean of values: softmax(query key^T) value.

    It is called on [query, value] or [query, value, key].

    query (b, t, d), value and key (b, s, d) -> (b, t, d). With score_mode="concat" the score of a query and a key is
    sum(tanh(query + key)); `use_scale` multiplies scores by a trained number. `mask` is [query_mask, value_mask].

    Example: Attention()([query, value])
    """

    def __init__(
        self, use_scale: bool = False, score_mode: str = "dot", dropout: float = 0.0, seed: Any = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        fraction(type(self).__name__, dropout=dropout)
        if score_mode not in ("dot", "concat"):
            raise ArgumentError(f"Attention: score_mode is 'dot' or 'concat'. Received: score_mode={score_mode!r}")
        self.use_scale, self.score_mode, self.dropout, self.seed = use_scale, score_mode, dropout, seed
        if dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        self.scale = self.concat_score_weight = None
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(name="concat_score_weight", shape=(), initializer="ones")

    def _calculate_scores(self, query: Any, key: Any) -> Any:
        """Scores (b, t, s)."""
        if self.score_mode == "dot":
            scores = ops.einsum("btd,bsd->bts", query, key)
            return scores if self.scale is None else ops.multiply(scores, self.scale)
        sums = ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3))
        sums = sums if self.scale is None else ops.multiply(sums, self.scale)
        return ops.multiply(self.concat_score_weight, ops.sum(ops.tanh(sums), axis=-1))

    def call(
        self, inputs: Any, mask: Any = None, training: Any = False, return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        self._check(inputs, mask)
        query, value = inputs[:2]
        scores = self._calculate_scores(query, inputs[2] if len(inputs) > 2 else value)
        seen = None if not mask or mask[1] is None else ops.expand_dims(ops.cast(mask[1], "bool"), -2)
        if use_causal_mask:
            causal = places(query, value, lambda row, column: ops.greater_equal(row, column))
            seen = causal if seen is None else ops.logical_and(seen, causal)
        if seen is not None:
            most = 65504.0 if scores.dtype == "float16" else 1e9  # so far down a key gets no weight
            scores = ops.where(seen, scores, ops.subtract(scores, most))
        weights = ops.softmax(scores, axis=-1)
        if training and self.dropout > 0:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        result = ops.matmul(weights, value)
        if mask and mask[0] is not None:
            result = ops.where(ops.expand_dims(ops.cast(mask[0], "bool"), -1), result, 0)
        return (result, weights) if return_attention_scores else result

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        self._check(inputs, mask)
        return mask[0] if mask else None

    def _check(self, inputs: Any, mask: Any = None) -> None:
        name = type(self).__name__
        if not isinstance(inputs, list | tuple) or len(inputs) not in (2, 3):
            raise ArgumentError(f"{name} is called on [query, value] or [query, value, key]. Received: {inputs}")
        if mask is not None and (not isinstance(mask, list | tuple) or len(mask) not in (2, 3)):
            raise ArgumentError(f"{name}: mask is [query_mask, value_mask]. Received: mask={mask}")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }
