"""Margin losses: labels are -1 and 1 (0 and 1 are mapped to those)."""

from __future__ import annotations

from typing import Any

from kcompile.keras import ops
from kcompile.keras.losses.loss import LossFunctionWrapper


def _signed(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Labels as -1 and 1: when every label is 0 or 1, 0 becomes -1."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    strange = ops.logical_not(ops.logical_or(ops.equal(y_true, 0.0), ops.equal(y_true, 1.0)))
    # 0 when all labels are 0 or 1, else 1.
    found = ops.max(ops.cast(strange, y_pred.dtype))
    return y_true * found + (2.0 * y_true - 1.0) * (1.0 - found), y_pred


def hinge(y_true: Any, y_pred: Any) -> Any:
    """mean(max(1 - y_true * y_pred, 0)) over the last axis."""
    y_true, y_pred = _signed(y_true, y_pred)
    return ops.mean(ops.maximum(1.0 - y_true * y_pred, 0.0), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """mean(max(1 - y_true * y_pred, 0)^2) over the last axis."""
    y_true, y_pred = _signed(y_true, y_pred)
    return ops.mean(ops.square(ops.maximum(1.0 - y_true * y_pred, 0.0)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """max(best wrong score - score of the true class + 1, 0) for one-hot labels."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    positive = ops.sum(y_true * y_pred, axis=-1)
    negative = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(negative - positive + 1.0, 0.0)


class Hinge(LossFunctionWrapper):
    """mean(max(1 - y_true * y_pred, 0))."""

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "hinge", dtype: Any = None):
        super().__init__(hinge, name=name, reduction=reduction, dtype=dtype)


class SquaredHinge(LossFunctionWrapper):
    """mean(max(1 - y_true * y_pred, 0)^2)."""

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "squared_hinge", dtype: Any = None):
        super().__init__(squared_hinge, name=name, reduction=reduction, dtype=dtype)


class CategoricalHinge(LossFunctionWrapper):
    """max(best wrong score - true score + 1, 0)."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "categorical_hinge", dtype: Any = None
    ):
        super().__init__(categorical_hinge, name=name, reduction=reduction, dtype=dtype)
