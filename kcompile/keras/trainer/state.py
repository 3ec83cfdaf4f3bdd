"""TrainerState: what `compile` sets up for the training of a model."""

from __future__ import annotations

from typing import Any

from kcompile.keras.metrics.reduction import Mean
from kcompile.keras.trainer.compiled_loss import CompiledLoss, loss_config
from kcompile.keras.trainer.compiled_metrics import CompiledMetrics


class TrainerState:
    """The compiled loss and metrics, the mean of the loss, and what the step being traced works on."""

    def __init__(self, loss: Any, loss_weights: Any, metrics: Any, weighted_metrics: Any, config: dict[str, Any]):
        self.compiled_loss = CompiledLoss(loss, loss_weights)
        self.compiled_metrics = CompiledMetrics(metrics, weighted_metrics)
        self.loss_tracker = Mean(name="loss")
        self.outputs: Any = None  # of the step being traced
        self.count: Any = None  # its batch size, as a tensor
        self._config = config

    def config(self, optimizer: Any) -> dict[str, Any]:
        """The arguments of `compile` as JSON-able data; names stay names."""
        from kcompile.keras.saving import serialize_keras_object

        config = dict(self._config)
        jit = config["jit_compile"]
        return {
            **{k: loss_config(v) for k, v in config.items()},
            "optimizer": serialize_keras_object(optimizer),
            "jit_compile": True if jit == "auto" else jit,
        }
