"""AdditiveAttention."""

from __future__ import annotations

from typing import Any

from ... import ops
from .attention import Attention


class AdditiveAttention(Attention):
    """Attention whose scores are sum(scale * tanh(query + key)) over the features, `scale` trained (Bahdanau).

    query (b, t, d), value and key (b, s, d) -> (b, t, d).

    Example: AdditiveAttention()([query, value])
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any):
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        self._check(input_shape)
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(input_shape[0][-1],), initializer="glorot_uniform")

    def _calculate_scores(self, query: Any, key: Any) -> Any:
        """Scores (b, t, s)."""
        bent = ops.tanh(ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3)))
        return ops.sum(bent if self.scale is None else ops.multiply(self.scale, bent), axis=-1)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["score_mode"]
        return config
