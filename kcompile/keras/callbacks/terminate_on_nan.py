"""TerminateOnNaN: end fit when the loss is no longer a number."""

from __future__ import annotations

import math
from typing import Any

from kcompile.keras.callbacks.callback import Callback


class TerminateOnNaN(Callback):
    """Stop at the first batch whose loss is NaN or infinite; with raise_error, by a RuntimeError."""

    def __init__(self, raise_error: bool = False):
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            if self.raise_error:
                raise RuntimeError(f"NaN or Inf loss encountered at batch {batch}. Received: loss={loss}")
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True
