"""CompiledMetrics: the metrics that `compile` was given, matched to the outputs, and named as Keras names them."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError
from kcompile.keras import metrics as metrics_module
from kcompile.keras.metrics.metric import Metric
from kcompile.keras.metrics.reduction import MeanMetricWrapper
from kcompile.keras.trainer.outputs import Outputs


class CompiledMetrics:
    """Updates and reads all metrics. Unweighted ones do not see the sample weights.

    `metrics`: for one output a name, a metric, or a list of those; for several outputs a list of such lists, or a dict.
    """

    def __init__(self, metrics: Any, weighted_metrics: Any = None):
        self.user = metrics
        self.user_weighted = weighted_metrics
        self._items: list[tuple[int, str, Metric, bool]] = []  # output, name in the logs, metric, weighted
        self.built = False

    @property
    def metrics(self) -> list[Metric]:
        return [metric for _, _, metric, _ in self._items]

    @property
    def names(self) -> list[str]:
        return [name for _, name, _, _ in self._items]

    @property
    def listed(self) -> list[str]:
        """The names in the order in which Keras lists figures: as given for one output, sorted for several."""
        return sorted(self.names) if any(output for output, *_ in self._items) else self.names

    def build(self, outputs: Outputs, y_true: Any) -> None:
        """Match metrics to the outputs; "accuracy" and "crossentropy" become the kind that the shapes ask for."""
        if self.built:
            return
        targets = outputs.targets(y_true)
        plain = [n for n, _ in self._named(self.user, outputs, targets)]
        for user, weighted in ((self.user, False), (self.user_weighted, True)):
            for (name, metric), i in zip(*self._with_places(user, outputs, targets), strict=True):
                label = name if not (weighted and name in plain) else f"weighted_{name}"
                full = f"{outputs.names[i]}_{label}" if len(outputs) > 1 else label
                self._items.append((i, full, metric, weighted))
        self.built = True

    def _named(self, user: Any, outputs: Outputs, targets: list[Any]) -> list[tuple[str, Metric]]:
        return self._with_places(user, outputs, targets)[0]

    def _with_places(
        self, user: Any, outputs: Outputs, targets: list[Any]
    ) -> tuple[list[tuple[str, Metric]], list[int]]:
        found: list[tuple[str, Metric]] = []
        places: list[int] = []
        for i, group in enumerate(self._groups(user, outputs)):
            for one in group:
                if one is None:
                    continue
                if targets[i] is None:
                    raise ArgumentError(
                        f"output '{outputs.names[i]}' has metrics but no target. Give y for it, or leave them out."
                    )
                found.append(_resolve(one, targets[i], outputs.values[i]))
                places.append(i)
        return found, places

    @staticmethod
    def _groups(user: Any, outputs: Outputs) -> list[list[Any]]:
        """The metrics of each output."""
        if user is None or (isinstance(user, list | tuple | dict) and not user):
            return [[] for _ in range(len(outputs))]
        if len(outputs) == 1 and not isinstance(user, dict):
            flat = (
                user[0]
                if isinstance(user, list | tuple) and len(user) == 1 and isinstance(user[0], list | tuple)
                else user
            )
            return [list(flat) if isinstance(flat, list | tuple) else [flat]]
        if isinstance(user, str) or callable(user):
            raise ArgumentError(
                f"a model with several outputs needs metrics as a list of lists, or a dict. Received: metrics={user!r}"
            )
        return [list(g) if isinstance(g, list | tuple) else [g] for g in outputs.match(user, "metrics", share=False)]

    def update_state(self, outputs: Outputs, y_true: Any, sample_weight: Any) -> None:
        self.build(outputs, y_true)
        targets, weights = outputs.targets(y_true), outputs.weights(sample_weight)
        for i, _, metric, weighted in self._items:
            metric.update_state(targets[i], outputs.values[i], sample_weight=weights[i] if weighted else None)


def _resolve(given: Any, y_true: Any, y_pred: Any) -> tuple[str, Metric]:
    """The metric object, and the name it has in the logs."""
    if isinstance(given, str) and given.lower() in ("acc", "accuracy", "ce", "crossentropy"):
        family = "accuracy" if given.lower().startswith("acc") else "crossentropy"
        return given, _by_shape(family, y_true, y_pred)
    metric = metrics_module.get(given)
    if isinstance(metric, Metric):
        return (given if isinstance(given, str) else metric.name), metric
    if callable(metric):
        name = getattr(metric, "__name__", "metric")
        return name, MeanMetricWrapper(metric, name=name)
    raise ArgumentError(f"a metric is a name, a function or a Metric. Received: {given!r}")


def _by_shape(family: str, y_true: Any, y_pred: Any) -> Metric:
    """Binary for one score a row, sparse for labels with one axis less (or a last axis of 1), else categorical."""
    rank, classes = len(y_pred.shape), y_pred.shape[-1] if y_pred.shape else 1
    if classes == 1:
        kind = "Binary"
    elif len(y_true.shape) < rank or y_true.shape[-1] == 1:
        kind = "SparseCategorical"
    else:
        kind = "Categorical"
    cls = getattr(metrics_module, kind + family.capitalize())
    return cls(name=family)
