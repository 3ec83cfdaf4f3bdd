"""keras.callbacks: what happens around epochs and batches."""

from __future__ import annotations

from importlib import import_module
from typing import Any

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


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(
            f"module 'kcompile.keras.callbacks' has no attribute {name!r}. It has: {', '.join(__all__)}"
        )
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
