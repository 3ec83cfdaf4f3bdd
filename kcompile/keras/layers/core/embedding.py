"""Embedding."""

from __future__ import annotations

from typing import Any

from kcompile.errors import UnsupportedError

from ... import initializers, ops, regularizers
from ...constraints import get as no_constraint
from ..checks import positive_integer
from ..layer import Layer


class Embedding(Layer):
    """A row of a table for each index: integers (..) -> (.., output_dim).

    Example: Embedding(1000, 64)(indices)
    """

    def __init__(
        self, input_dim: int, output_dim: int, embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None, embeddings_constraint: Any = None, mask_zero: bool = False,
        weights: Any = None, lora_rank: Any = None, lora_alpha: Any = None, quantization_config: Any = None,
        **kwargs: Any,
    ):  # fmt: skip
        kwargs.pop("input_length", None)
        super().__init__(**kwargs)
        positive_integer("Embedding", input_dim=input_dim, output_dim=output_dim)
        no_constraint(embeddings_constraint)
        if mask_zero:
            raise UnsupportedError("Embedding: mask_zero=True is not supported by this version")
        self.input_dim, self.output_dim = input_dim, output_dim
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.autocast = False
        if weights is not None:
            self.build(None)
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape: Any = None) -> None:
        self.embeddings = self.add_weight(
            name="embeddings", shape=(self.input_dim, self.output_dim), initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
        )  # fmt: skip

    def call(self, inputs: Any) -> Any:
        return ops.cast(ops.take(self.embeddings, ops.cast(inputs, "int32"), axis=0), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": None,
            "mask_zero": False,
            "quantization_config": None,
        }
