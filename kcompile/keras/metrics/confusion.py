"""Metrics made of counts of right and wrong decisions: the confusion counts, Precision, Recall and AUC."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.errors import ArgumentError, UnsupportedError
from kcompile.keras import ops
from kcompile.keras.losses.loss import equal_ranks
from kcompile.keras.metrics.metric import Metric
from kcompile.keras.naming import auto_name


def _checked(thresholds: Any, default: float = 0.5) -> list[float]:
    values = (
        [default] if thresholds is None else list(thresholds) if isinstance(thresholds, list | tuple) else [thresholds]
    )
    if not values or any(not isinstance(t, int | float) or not 0 <= t <= 1 for t in values):
        raise ArgumentError(f"thresholds lie in [0, 1]. Received: thresholds={thresholds!r}")
    return [float(t) for t in values]


_NAMES = {"tp": "true_positives", "fp": "false_positives", "tn": "true_negatives", "fn": "false_negatives"}


class _Counts(Metric):
    """Base: counts at each threshold, over all elements, of the kinds that `kinds` names (tp, fp, tn, fn)."""

    kinds: tuple[str, ...] = ()

    def __init__(self, thresholds: list[float], name: str | None, dtype: Any):
        super().__init__(name=name, dtype=dtype)
        self._limits = thresholds
        self.counts = {k: self.add_variable((len(thresholds),), name=_NAMES[k]) for k in self.kinds}

    def _update(self, y_true: Any, y_pred: Any, sample_weight: Any) -> None:
        y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        y_true = ops.convert_to_tensor(y_true, dtype=self.dtype)
        y_true, y_pred = equal_ranks(y_true, y_pred)
        weight = ops.ones_like(y_pred)
        if sample_weight is not None:
            given = ops.convert_to_tensor(sample_weight, dtype=self.dtype)
            given = equal_ranks(y_pred, given, expand_rank_1=False)[1]
            while len(given.shape) < len(y_pred.shape):
                given = ops.expand_dims(given, -1)
            weight = weight * given
        true = ops.cast(ops.cast(y_true, "bool"), self.dtype)
        limits = ops.convert_to_tensor(np.asarray(self._limits, np.float32), dtype=self.dtype)
        decided = ops.cast(ops.expand_dims(y_pred, -1) > limits, self.dtype)
        true, weight = ops.expand_dims(true, -1), ops.expand_dims(weight, -1)
        axes = tuple(range(len(y_pred.shape)))
        values = {
            "tp": lambda: true * decided, "fp": lambda: (1.0 - true) * decided,
            "tn": lambda: (1.0 - true) * (1.0 - decided), "fn": lambda: true * (1.0 - decided),
        }  # fmt: skip
        for kind, variable in self.counts.items():
            variable.assign(variable + ops.sum(values[kind]() * weight, axis=axes))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self._update(y_true, y_pred, sample_weight)

    def _scalar(self, values: Any) -> Any:
        """One number for one threshold, a vector for several."""
        return values[0] if len(self._limits) == 1 else values


class _ConfusionCount(_Counts):
    """Base of the four counts."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None):
        self.thresholds = thresholds
        super().__init__(_checked(thresholds), name or auto_name(type(self)), dtype)

    def result(self) -> Any:
        return self._scalar(ops.convert_to_tensor(self.counts[self.kinds[0]]))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.thresholds}


class TruePositives(_ConfusionCount):
    """How many labels 1 were predicted above the threshold."""

    kinds = ("tp",)


class FalsePositives(_ConfusionCount):
    """How many labels 0 were predicted above the threshold."""

    kinds = ("fp",)


class TrueNegatives(_ConfusionCount):
    """How many labels 0 were predicted at or below the threshold."""

    kinds = ("tn",)


class FalseNegatives(_ConfusionCount):
    """How many labels 1 were predicted at or below the threshold."""

    kinds = ("fn",)


class _Quotient(_Counts):
    """Base of precision and recall: the first count over the sum of both."""

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        if top_k is not None:
            raise UnsupportedError(
                f"{type(self).__name__} does not support top_k in this version. Received: top_k={top_k}"
            )
        self.thresholds, self.class_id = thresholds, class_id
        super().__init__(_checked(thresholds), name or auto_name(type(self)), dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if self.class_id is not None:
            y_true = ops.convert_to_tensor(y_true)[..., self.class_id]
            y_pred = ops.convert_to_tensor(y_pred)[..., self.class_id]
        self._update(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        first, second = (ops.convert_to_tensor(self.counts[k]) for k in self.kinds)
        return self._scalar(ops.divide_no_nan(first, first + second))

    def get_config(self) -> dict[str, Any]:
        own = {"thresholds": self.thresholds, "top_k": None, "class_id": self.class_id}
        return {**super().get_config(), **own}


class Precision(_Quotient):
    """Of what was predicted as 1, the part that is 1: tp / (tp + fp)."""

    kinds = ("tp", "fp")


class Recall(_Quotient):
    """Of what is 1, the part that was predicted as 1: tp / (tp + fn)."""

    kinds = ("tp", "fn")


class AUC(_Counts):
    """The area under the ROC curve, by the trapezium rule over `num_thresholds` thresholds spread over [0, 1]."""

    kinds = ("tp", "fp", "tn", "fn")

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ):
        if curve != "ROC" or summation_method != "interpolation" or multi_label or label_weights is not None:
            raise UnsupportedError(
                "AUC supports curve='ROC', summation_method='interpolation' and single labels in this version. "
                f"Received: curve={curve!r}, summation_method={summation_method!r}, multi_label={multi_label}"
            )
        if thresholds is None:
            if num_thresholds < 2:
                raise ArgumentError(f"AUC needs num_thresholds >= 2. Received: num_thresholds={num_thresholds}")
            inner = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        else:
            inner = sorted(_checked(thresholds))
            num_thresholds = len(inner) + 2
        self.num_thresholds, self.given, self.from_logits = num_thresholds, thresholds, from_logits
        # A little below 0 and above 1, so that the curve has both its ends.
        super().__init__([-1e-7, *inner, 1.0 + 1e-7], name or auto_name(type(self)), dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self._update(y_true, ops.sigmoid(y_pred) if self.from_logits else y_pred, sample_weight)

    def result(self) -> Any:
        tp, fp, tn, fn = (ops.convert_to_tensor(self.counts[k]) for k in self.kinds)
        right, false = ops.divide_no_nan(tp, tp + fn), ops.divide_no_nan(fp, fp + tn)
        last = self.num_thresholds - 1
        return ops.sum((false[:last] - false[1:]) * (right[:last] + right[1:]) / 2.0)

    def get_config(self) -> dict[str, Any]:
        own = {
            "num_thresholds": self.num_thresholds, "curve": "ROC", "summation_method": "interpolation",
            "multi_label": False, "num_labels": None, "label_weights": None, "from_logits": self.from_logits,
        }  # fmt: skip
        return {**super().get_config(), **own, **({} if self.given is None else {"thresholds": self.given})}
