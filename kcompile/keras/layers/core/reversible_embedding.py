"""ReversibleEmbedding."""

from __future__ import annotations

from typing import Any

from ... import ops
from ..masks import set_mask
from .embedding import Embedding


class ReversibleEmbedding(Embedding):
    """An embedding whose table also turns features back into a score for each index: `layer(x, reverse=True)`.

    tie_weights     the same table both ways; else a second one
    reverse_dtype   the dtype in which scores are computed
    logit_soft_cap  scores stay between -cap and cap: cap * tanh(score / cap)

    Example: layer = ReversibleEmbedding(1000, 64); scores = layer(layer(indices), reverse=True)
    """

    def __init__(
        self, input_dim: int, output_dim: int, tie_weights: bool = True, embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None, embeddings_constraint: Any = None, mask_zero: bool = False,
        reverse_dtype: Any = None, logit_soft_cap: float | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            input_dim, output_dim, embeddings_initializer, embeddings_regularizer, embeddings_constraint, mask_zero,
            **kwargs,
        )  # fmt: skip
        self.tie_weights, self.reverse_dtype, self.logit_soft_cap = tie_weights, reverse_dtype, logit_soft_cap

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                shape=(self.output_dim, self.input_dim), name="reverse_embeddings",
                initializer=self.embeddings_initializer,
            )  # fmt: skip

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if not reverse:
            rows = super().call(inputs)
            mask = super().compute_mask(inputs)
            return rows if mask is None else set_mask(rows, mask)
        kernel = ops.transpose(self.embeddings) if self.tie_weights else self.reverse_embeddings
        if self.reverse_dtype is not None:
            inputs, kernel = ops.cast(inputs, self.reverse_dtype), ops.cast(kernel, self.reverse_dtype)
        scores = ops.matmul(inputs, kernel)
        if self.logit_soft_cap is None:
            return scores
        return ops.multiply(ops.tanh(ops.divide(scores, self.logit_soft_cap)), self.logit_soft_cap)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None  # `call` sets it

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "tie_weights": self.tie_weights,
            "reverse_dtype": self.reverse_dtype,
            "logit_soft_cap": self.logit_soft_cap,
        }
