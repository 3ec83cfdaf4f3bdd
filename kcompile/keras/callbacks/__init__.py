"""keras.callbacks: what happens around epochs and batches."""

from __future__ import annotations

from typing import Any

from kcompile.lazy_names import lazy_names

_HOMES = {
    "CSVLogger": "csv_logger",
    "Callback": "callback",
    "CallbackList": "callback",
    "EarlyStopping": "early_stopping",
    "History": "history",
    "LambdaCallback": "lambda_callback",
    "LearningRateScheduler": "learning_rate_scheduler",
    "ModelCheckpoint": "model_checkpoint",
    "ProgbarLogger": "progress_bar",
    "ReduceLROnPlateau": "reduce_lr_on_plateau",
    "TerminateOnNaN": "terminate_on_nan",
}

__all__ = list(_HOMES)

_get, __dir__ = lazy_names(__name__, _HOMES)


def __getattr__(name: str) -> Any:
    return _get(name)
