"""Embedding."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from ... import initializers, ops, regularizers
from ...constraints import get as no_constraint
from ..checks import positive_integer
from ..layer import Layer


class Embedding(Layer):
    """A row of a table for each index: integers (..) -> (.., output_dim).

    With `mask_zero` index 0 is padding: the steps where it stands are masked for the layers after. An index outside of
    the table raises when it is looked up at once; compiled code takes the nearest row, as it cannot raise.
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
        self.input_dim, self.output_dim = input_dim, output_dim
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
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
        indices = inputs if inputs.dtype in ("int32", "int64") else ops.cast(inputs, "int32")
        try:
            rows = ops.take(self.embeddings, indices, axis=0)
        except ArgumentError:
            raise ArgumentError(
                f"Embedding '{self.name}' has {self.input_dim} rows: indices are from 0 to {self.input_dim - 1}. "
                f"Received: indices from {ops.min(indices).item()} to {ops.max(indices).item()}. "
                "A larger input_dim makes room for more."
            ) from None
        return ops.cast(rows, self.compute_dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": None,
            "mask_zero": self.mask_zero,
            "quantization_config": None,
        }
