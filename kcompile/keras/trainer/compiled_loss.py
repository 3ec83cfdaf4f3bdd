"""CompiledLoss: the losses that `compile` was given, matched to the outputs of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kcompile.errors import ArgumentError, ShapeError
from kcompile.keras import losses as losses_module
from kcompile.keras import ops
from kcompile.keras.losses.loss import Loss, LossFunctionWrapper
from kcompile.keras.metrics.reduction import Mean
from kcompile.keras.trainer.outputs import Outputs


class CompiledLoss:
    """The weighted sum of one loss for each output. Of several losses each has a mean of its own in the logs.

    `loss`: one loss for all outputs, or a list or a dict of them; None leaves an output out.
    """

    def __init__(self, loss: Any, loss_weights: Any = None):
        self.loss = loss
        self.loss_weights = loss_weights
        self.trackers: list[Mean] = []
        self._items: list[tuple[int, str, Loss, float | None]] | None = None

    def build(self, outputs: Outputs) -> None:
        """Match losses and weights to the outputs."""
        if self._items is not None:
            return
        given = outputs.match(self.loss, "loss", share=True)
        weights = outputs.match(self.loss_weights, "loss_weights", share=len(outputs) == 1)
        items = []
        for i, (name, loss, weight) in enumerate(zip(outputs.names, given, weights, strict=True)):
            if weight is not None and not isinstance(weight, int | float):
                raise ArgumentError(f"loss_weights holds numbers. Received: {weight!r} for output '{name}'")
            if loss is not None:
                items.append((i, name, _as_loss(loss), weight))
        if not items:
            raise ArgumentError("compile() needs a loss for at least one output. Received: loss=None")
        if len(items) > 1:
            self.trackers = [Mean(name=f"{name}_loss") for _, name, _, _ in items]
        self._items = items

    def __call__(self, outputs: Outputs, y_true: Any, sample_weight: Any, count: Any) -> Any:
        """The total loss; `count` is the batch size as a tensor, the weight of this batch in the trackers."""
        self.build(outputs)
        targets = outputs.targets(y_true)
        weights = outputs.weights(sample_weight)
        total = None
        for n, (i, name, loss, weight) in enumerate(self._items or ()):
            if targets[i] is None:
                raise ArgumentError(f"output '{name}' has a loss but no target. Give y for it, or loss=None.")
            value = _value(loss, name, targets[i], outputs.values[i], weights[i])
            if len(value.shape) != 0:
                value = ops.mean(value)
            if self.trackers:
                self.trackers[n].update_state(value, sample_weight=count)
            value = value if weight is None else value * weight
            total = value if total is None else total + value
        return total


def _value(loss: Loss, name: str, y_true: Any, y_pred: Any, weight: Any) -> Any:
    """The loss of an output; what does not fit says which output, and the shapes that the user knows."""
    try:
        return loss(y_true, y_pred, weight)
    except ShapeError as error:
        shapes = f"y of shape {tuple(y_true.shape)}, the output is {tuple(y_pred.shape)}"
        extra = "" if weight is None else f", sample_weight {tuple(weight.shape)}"
        where = f"the loss '{loss.name}' of output '{name}': {shapes}{extra}"
        raise ShapeError(error.message, where) from error


def _as_loss(loss: Any) -> Loss:
    found = losses_module.get(loss)
    if isinstance(found, Loss):
        return found
    if callable(found):
        return LossFunctionWrapper(found, name=getattr(found, "__name__", "loss"))
    raise ArgumentError(f"a loss is a name, a function or a Loss. Received: {loss!r}")


def loss_config(loss: Any) -> Any:
    """What `compile` was given, as JSON-able data: names stay names."""
    from kcompile.keras.saving import serialize_keras_object

    if isinstance(loss, Mapping):
        return {k: loss_config(v) for k, v in loss.items()}
    if isinstance(loss, list | tuple):
        return [loss_config(v) for v in loss]
    return serialize_keras_object(loss)
