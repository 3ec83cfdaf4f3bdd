"""What the callbacks that watch one figure share: which figure, and when it has improved."""

from __future__ import annotations

import math
import warnings
from typing import Any

from kcompile.errors import ArgumentError
from kcompile.keras.callbacks.callback import Callback

# Parts of names of figures that are better when greater; all else (losses, errors) is better when smaller.
_GREATER = ("acc", "auc", "precision", "recall", "f1", "fbeta", "cosine_similarity", "iou", "r2_score", "true_")


class MonitorCallback(Callback):
    """Base: `monitor` names a figure of the logs, `mode` is "min", "max" or "auto" (from the name)."""

    def __init__(self, monitor: str, mode: str = "auto", best: float | None = None, min_delta: float = 0.0):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise ArgumentError(f"{type(self).__name__} needs mode 'auto', 'min' or 'max'. Received: mode={mode!r}")
        if not math.isfinite(min_delta):
            raise ArgumentError(f"{type(self).__name__} needs a finite min_delta. Received: min_delta={min_delta}")
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self.best = best

    @property
    def greater_is_better(self) -> bool:
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        return any(part in name for part in _GREATER)

    def is_improvement(self, value: float, best: float | None) -> bool:
        """Whether `value` beats `best` by more than min_delta."""
        if best is None:
            return True
        return value - self.min_delta > best if self.greater_is_better else value + self.min_delta < best

    def watched(self, logs: Any) -> float | None:
        """The figure in `logs`; a warning and None when it is not there."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            known = ", ".join(sorted(logs or {})) or "nothing"
            warnings.warn(
                f"{type(self).__name__} watches '{self.monitor}', which the logs do not hold. They hold: {known}. "
                f"A 'val_' figure needs validation data.",
                stacklevel=2,
            )
        return None if value is None else float(value)
