"""Metrics that are sums and means, and the mean of a function of targets and predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcompile.keras import ops
from kcompile.keras.layers.masks import get_mask
from kcompile.keras.losses.loss import equal_ranks, masked_weight
from kcompile.keras.metrics.metric import Metric


def reduce_to_samples(values: Any, sample_weight: Any, reduce: Callable[..., Any], dtype: str) -> tuple[Any, Any]:
    """One weighted value per sample, and the weights: (b, ...) -> (b,), (b,) or None. Scalars stay scalars."""
    values = ops.convert_to_tensor(values, dtype=dtype)
    if sample_weight is not None:
        weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
        values, weight = equal_ranks(values, weight)
        rank_v, rank_w = len(values.shape), len(weight.shape)
        if rank_v > rank_w:
            values = reduce(values, axis=tuple(range(rank_w, rank_v)))
        values = values * weight
        if rank_w > 1:
            weight = reduce(weight * ops.ones_like(values), axis=tuple(range(1, rank_w)))
        sample_weight = weight
    if len(values.shape) > 1:
        values = reduce(values, axis=tuple(range(1, len(values.shape))))
    return values, sample_weight


class Sum(Metric):
    """The (weighted) sum of the values seen."""

    def __init__(self, name: str = "sum", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable(shape=(), name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, _ = reduce_to_samples(values, sample_weight, ops.sum, self.dtype)
        self.total.assign(self.total + ops.sum(values))

    def result(self) -> Any:
        return ops.convert_to_tensor(self.total)


class Mean(Metric):
    """The (weighted) mean of the values seen: total / count; 0 before any."""

    def __init__(self, name: str = "mean", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable(shape=(), name="total")
        self.count = self.add_variable(shape=(), name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, weight = reduce_to_samples(values, sample_weight, ops.mean, self.dtype)
        self.total.assign(self.total + ops.sum(values))
        # Counted by a sum of ones, as the batch size may be symbolic.
        self.count.assign(self.count + ops.sum(ops.ones_like(values) if weight is None else weight))

    def result(self) -> Any:
        return ops.divide_no_nan(self.total, self.count)

    def value(self) -> Any:
        if type(self).result is not Mean.result:
            return super().value()
        # The same division on the arrays themselves: this is read after every batch that is looked at.
        total, count = self.total._array, self.count._array
        return float(total / count) if count else 0.0


class MeanMetricWrapper(Mean):
    """The mean of `fn(y_true, y_pred, **kwargs)`."""

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any):
        super().__init__(name=str(name or getattr(fn, "__name__", "mean_metric_wrapper")), dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        weight = masked_weight(sample_weight, get_mask(y_pred), self.dtype, mean=False)
        super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight=weight)

    def get_config(self) -> dict[str, Any]:
        config = {"name": self.name, "dtype": self.dtype}
        if type(self) is MeanMetricWrapper:
            from kcompile.keras.saving import serialize_keras_object

            config["fn"] = serialize_keras_object(self._fn)
        return {**config, **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        if isinstance(config.get("fn"), dict):
            from kcompile.keras.saving import deserialize_keras_object

            config = {**config, "fn": deserialize_keras_object(config["fn"])}
        return cls(**config)
