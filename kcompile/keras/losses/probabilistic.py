"""Losses of predicted probabilities or logits: the crossentropies, Kullback-Leibler divergence, Poisson."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError, ShapeError
from kcompile.keras import ops
from kcompile.keras.losses.loss import LossFunctionWrapper, equal_ranks
from kcompile.keras.losses.regression import EPSILON


def _log_probabilities(y_pred: Any, from_logits: bool, axis: int) -> Any:
    """log of the class probabilities along `axis`; given probabilities are scaled to sum 1 and kept off 0 and 1."""
    if from_logits:
        return ops.log_softmax(y_pred, axis=axis)
    y_pred = y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
    return ops.log(ops.clip(y_pred, EPSILON, 1.0 - EPSILON))


def _check_smoothing(label_smoothing: float) -> None:
    if not 0.0 <= label_smoothing <= 1.0:
        raise ArgumentError(f"label_smoothing lies in [0, 1]. Received: label_smoothing={label_smoothing}")


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """-sum(y_true * log(y_pred)) along `axis`. Shapes: both (b, ..., classes) -> (b, ...).

    Raises ShapeError when the shapes differ, as with integer labels (use the sparse form for those).
    """
    _check_smoothing(label_smoothing)
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    if len(y_true.shape) != len(y_pred.shape) or y_true.shape[axis] != y_pred.shape[axis]:
        raise ShapeError(
            f"categorical_crossentropy needs one-hot labels with the shape of the predictions. Received: y_true of "
            f"shape "
            f"{tuple(y_true.shape)}, y_pred of shape {tuple(y_pred.shape)}. Integer labels: use "
            f"sparse_categorical_crossentropy, or keras.utils.to_categorical(y)."
        )
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[-1]
    return -ops.sum(y_true * _log_probabilities(y_pred, from_logits, axis), axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """-log(y_pred[label]). Shapes: y_true (b, ...) or (b, ..., 1) integers, y_pred (b, ..., classes) -> (b, ...)."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    if len(y_true.shape) != len(y_pred.shape) - 1:
        raise ShapeError(
            f"sparse_categorical_crossentropy needs integer labels with one axis less than the predictions. Received: "
            f"y_true of shape {tuple(y_true.shape)}, y_pred of shape {tuple(y_pred.shape)}. One-hot labels: use "
            f"categorical_crossentropy."
        )
    if axis not in (-1, len(y_pred.shape) - 1):
        raise ArgumentError(
            f"sparse_categorical_crossentropy needs the classes on the last axis. Received: axis={axis}"
        )
    labels = ops.cast(y_true, "int32")
    log_p = _log_probabilities(y_pred, from_logits, axis)
    values = -ops.sum(ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype) * log_p, axis=-1)
    if ignore_class is not None:
        values = ops.where(ops.equal(labels, ignore_class), ops.zeros_like(values), values)
    return values


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """-(y log p + (1 - y) log(1 - p)), mean along `axis`."""
    _check_smoothing(label_smoothing)
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        # log(1 - sigmoid(x)) = log_sigmoid(-x): exact where the sigmoid itself rounds to 1.
        log_p, log_q = ops.log_sigmoid(y_pred), ops.log_sigmoid(-y_pred)
    else:
        p = ops.clip(y_pred, EPSILON, 1.0 - EPSILON)
        log_p, log_q = ops.log(p), ops.log(1.0 - p)
    return ops.mean(-(y_true * log_p + (1.0 - y_true) * log_q), axis=axis)


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """sum(y_true * log(y_true / y_pred)) over the last axis."""
    y_true, y_pred = _clipped_pair(y_true, y_pred)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


def _clipped_pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    y_true, y_pred = equal_ranks(y_true, y_pred)
    return ops.clip(y_true, EPSILON, 1.0), ops.clip(y_pred, EPSILON, 1.0)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """mean(y_pred - y_true * log(y_pred)) over the last axis."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    y_true, y_pred = equal_ranks(y_true, y_pred)
    return ops.mean(y_pred - y_true * ops.log(y_pred + EPSILON), axis=-1)


class CategoricalCrossentropy(LossFunctionWrapper):
    """Crossentropy between one-hot labels and predicted class probabilities (or logits)."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: Any = None,
    ):
        _check_smoothing(label_smoothing)
        super().__init__(
            categorical_crossentropy, name=name, reduction=reduction, dtype=dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Crossentropy between integer labels and predicted class probabilities (or logits)."""

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ):
        self.axis = axis
        super().__init__(
            sparse_categorical_crossentropy, name=name, reduction=reduction, dtype=dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip

    def call(self, y_true: Any, y_pred: Any) -> Any:
        # The function squeezes labels itself; equalising ranks here would also squeeze a single class.
        values = self.fn(y_true, y_pred, **self._fn_kwargs)
        ignored = self._fn_kwargs["ignore_class"]
        if ignored is None or self.reduction not in ("sum_over_batch_size", "mean"):
            return values
        # The mean is over the labels that count, as Keras's mask makes it.
        counts = ops.reshape(ops.cast(ops.not_equal(ops.cast(y_true, "int32"), ignored), values.dtype), values.shape)
        return values * (ops.sum(ops.ones_like(values)) / (ops.sum(counts) + EPSILON))

    def get_config(self) -> dict[str, Any]:
        # Keras leaves the axis out of this config.
        return {k: v for k, v in super().get_config().items() if k != "axis"}


class BinaryCrossentropy(LossFunctionWrapper):
    """Crossentropy of labels 0 and 1 (or probabilities)."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: Any = None,
    ):
        _check_smoothing(label_smoothing)
        super().__init__(
            binary_crossentropy, name=name, reduction=reduction, dtype=dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class KLDivergence(LossFunctionWrapper):
    """sum(y_true * log(y_true / y_pred))."""

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "kl_divergence", dtype: Any = None):
        super().__init__(kl_divergence, name=name, reduction=reduction, dtype=dtype)


class Poisson(LossFunctionWrapper):
    """mean(y_pred - y_true * log(y_pred))."""

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "poisson", dtype: Any = None):
        super().__init__(poisson, name=name, reduction=reduction, dtype=dtype)
