"""The base of losses: ranks made equal, sample weights, and the reduction to one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcompile.errors import ArgumentError, ShapeError
from kcompile.keras import ops
from kcompile.keras.layers.masks import get_mask
from kcompile.keras.naming import to_snake_case
from kcompile.tracing.structure import map_structure
from kcompile.tracing.trace import scope

REDUCTIONS = ("mean", "sum_over_batch_size", "sum", "none", "mean_with_sample_weight", None)


class Loss:
    """Base of losses. A subclass gives `call(y_true, y_pred)`: one value per sample, which `__call__` weighs and
    reduces.

    `reduction`: "sum_over_batch_size" (or "mean"), "sum", "mean_with_sample_weight", "none" or None.

    >>> MeanSquaredError()(np.array([[0.0, 1.0]]), np.array([[1.0, 1.0]]))        # doctest: +SKIP
    0.5
    """

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None):
        if reduction not in REDUCTIONS:
            known = ", ".join(repr(r) for r in REDUCTIONS)
            raise ArgumentError(f"a loss reduces by one of {known}. Received: reduction={reduction!r}")
        self.name = name or to_snake_case(type(self).__name__)
        self.reduction = reduction
        self._dtype = None if dtype is None else str(getattr(dtype, "name", dtype))

    @property
    def dtype(self) -> str:
        return self._dtype or "float32"

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss. `y_true` and `y_pred` may be equal structures (lists, dicts) of tensors."""
        with scope(self.name):
            mask = get_mask(y_pred)
            y_true = map_structure(lambda t: ops.convert_to_tensor(t, dtype=self.dtype), y_true)
            y_pred = map_structure(lambda t: ops.convert_to_tensor(t, dtype=self.dtype), y_pred)
            weight = masked_weight(sample_weight, mask, self.dtype, self.reduction in ("mean", "sum_over_batch_size"))
            return reduce_weighted(self.call(y_true, y_pred), weight, self.reduction, self.dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define call(y_true, y_pred)")

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        return cls(**config)


class LossFunctionWrapper(Loss):
    """A loss made of a function `fn(y_true, y_pred, **kwargs)` that gives one value per sample."""

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        y_true, y_pred = equal_ranks(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if type(self) is LossFunctionWrapper:
            from kcompile.keras.saving import serialize_keras_object

            config["fn"] = serialize_keras_object(self.fn)
        return {**config, **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        if isinstance(config.get("fn"), dict):
            from kcompile.keras.saving import deserialize_keras_object

            config = {**config, "fn": deserialize_keras_object(config["fn"])}
        return cls(**config)

    def __repr__(self) -> str:
        return f"<LossFunctionWrapper({self.fn}, kwargs={self._fn_kwargs})>"


def equal_ranks(first: Any, second: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Squeeze (or expand) a last axis of 1 so that both have one rank; other pairs come back as they are."""
    if not (hasattr(first, "shape") and hasattr(second, "shape")):
        return first, second
    rank_1, rank_2 = len(first.shape), len(second.shape)
    if rank_1 == rank_2 + 1 and first.shape[-1] == 1:
        if rank_2 == 1 and expand_rank_1:
            return first, ops.expand_dims(second, -1)
        return ops.squeeze(first, -1), second
    if rank_2 == rank_1 + 1 and second.shape[-1] == 1:
        if rank_1 == 1 and expand_rank_1:
            return ops.expand_dims(first, -1), second
        return first, ops.squeeze(second, -1)
    return first, second


def masked_weight(sample_weight: Any, mask: Any, dtype: str, mean: bool) -> Any:
    """`sample_weight` with 0 where the mask of the predictions is False; for a `mean` the others grow to make up."""
    if mask is None:
        return sample_weight
    kept = ops.cast(mask, dtype)
    if mean:
        kept = kept * ops.divide_no_nan(ops.sum(ops.ones_like(kept)), ops.sum(kept))
    if sample_weight is None:
        return kept
    weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
    kept, weight = equal_ranks(kept, weight)
    while len(weight.shape) < len(kept.shape):
        weight = ops.expand_dims(weight, -1)
    return weight * kept


def weigh(values: Any, sample_weight: Any, dtype: str) -> Any:
    """`values` times `sample_weight`, broadcast from the left as Keras does: (b,) weights serve (b, t) values."""
    weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
    values, weight = equal_ranks(values, weight, expand_rank_1=False)
    while len(weight.shape) < len(values.shape):
        weight = ops.expand_dims(weight, -1)
    if len(weight.shape) > len(values.shape):
        raise ShapeError(
            f"sample_weight has more axes than the values it weighs. Received: sample_weight of shape "
            f"{tuple(weight.shape)} for values of shape {tuple(values.shape)}"
        )
    return values * weight


def reduce_weighted(values: Any, sample_weight: Any, reduction: str | None, dtype: str) -> Any:
    """Weigh `values` and reduce them by the rule `reduction`."""
    if sample_weight is None:
        return _reduce(values, None, reduction)
    weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
    return _reduce(weigh(values, weight, dtype), weight, reduction)


def _reduce(values: Any, weight: Any, reduction: str | None) -> Any:
    if reduction in (None, "none") or values.shape == ():
        return values
    if reduction == "sum":
        return ops.sum(values)
    if reduction == "mean_with_sample_weight" and weight is not None:
        return ops.divide_no_nan(ops.sum(values), ops.sum(_spread(weight, values)))
    return ops.mean(values)


def _spread(weight: Any, values: Any) -> Any:
    """`weight` repeated over `values`, so that its sum counts every value."""
    _, weight = equal_ranks(values, weight, expand_rank_1=False)
    while len(weight.shape) < len(values.shape):
        weight = ops.expand_dims(weight, -1)
    return weight * ops.ones_like(values)
