"""How often predictions are right: plain, binary, categorical, sparse, top-k."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError
from kcompile.keras import ops
from kcompile.keras.losses.loss import equal_ranks
from kcompile.keras.metrics.reduction import MeanMetricWrapper


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where y_true equals y_pred, else 0."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    y_true, y_pred = equal_ranks(y_true, y_pred)
    return ops.cast(ops.equal(y_true, y_pred), "float32")


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where (y_pred > threshold) equals y_true, else 0."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    y_true, y_pred = equal_ranks(y_true, y_pred)
    decided = ops.cast(y_pred > threshold, y_true.dtype)
    return ops.cast(ops.equal(y_true, decided), "float32")


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest class is the true one. Shapes: both (b, ..., classes) -> (b, ...)."""
    best = ops.argmax(ops.convert_to_tensor(y_pred), axis=-1)
    true = ops.argmax(ops.convert_to_tensor(y_true), axis=-1)
    return ops.cast(ops.equal(true, best), "float32")


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest class is the integer label. Shapes: (b, ...) or (b, ..., 1), (b, ..., classes) -> (b,
    ...).
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = _labels(y_true, y_pred)
    return ops.cast(ops.equal(y_true, ops.cast(ops.argmax(y_pred, axis=-1), "int32")), "float32")


def _labels(y_true: Any, y_pred: Any) -> Any:
    y_true = ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    return ops.cast(y_true, "int32")


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the true class is among the k largest predictions."""
    y_pred = ops.convert_to_tensor(y_pred)
    labels = ops.argmax(ops.convert_to_tensor(y_true), axis=-1)
    return sparse_top_k_categorical_accuracy(labels, y_pred, k=k)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the integer label is among the k largest predictions."""
    if k < 1:
        raise ArgumentError(f"top-k accuracy needs k >= 1. Received: k={k}")
    y_pred = ops.convert_to_tensor(y_pred)
    labels = _labels(y_true, y_pred)
    score = ops.sum(ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype) * y_pred, axis=-1, keepdims=True)
    better = ops.sum(ops.cast(y_pred > score, "float32"), axis=-1)
    return ops.cast(better < float(k), "float32")


class Accuracy(MeanMetricWrapper):
    """How often predictions equal labels."""

    def __init__(self, name: str = "accuracy", dtype: Any = None):
        super().__init__(accuracy, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype}


class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions on the right side of `threshold` equal the labels 0 and 1."""

    def __init__(self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5):
        if threshold is not None and not 0 < threshold < 1:
            raise ArgumentError(f"BinaryAccuracy needs a threshold inside (0, 1). Received: threshold={threshold}")
        super().__init__(binary_accuracy, name=name, dtype=dtype, threshold=threshold)
        self.threshold = threshold


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest class is the one-hot label."""

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None):
        super().__init__(categorical_accuracy, name=name, dtype=dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest class is the integer label."""

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None):
        super().__init__(sparse_categorical_accuracy, name=name, dtype=dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the one-hot label is among the k largest classes."""

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None):
        super().__init__(top_k_categorical_accuracy, name=name, dtype=dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the integer label is among the k largest classes."""

    def __init__(self, k: int = 5, name: str = "sparse_top_k_categorical_accuracy", dtype: Any = None):
        super().__init__(sparse_top_k_categorical_accuracy, name=name, dtype=dtype, k=k)
