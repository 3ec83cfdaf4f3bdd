"""Validation: the data that fit looks at without learning from it."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError
from kcompile.keras.trainer.batches import EpochReader, is_dataset, make_source


class Validation:
    """The validation data of a fit, and after which epochs they are looked at."""

    def __init__(self, data: Any, batch_size: int | None, steps: int | None, frequency: Any):
        self.data, self.batch_size, self.steps, self.frequency = data, batch_size, steps, frequency
        if isinstance(frequency, int) and frequency < 1:
            raise ArgumentError(
                f"validation_freq is an int >= 1 or a list of epochs. Received: validation_freq={frequency}"
            )
        self._source: Any = None

    def due(self, epoch: int) -> bool:
        if self.data is None:
            return False
        return (epoch + 1) % self.frequency == 0 if isinstance(self.frequency, int) else (epoch + 1) in self.frequency

    def reader(self) -> EpochReader:
        if self._source is None:
            data = self.data
            if isinstance(data, tuple | list) and not is_dataset(data):
                if not 1 <= len(data) <= 3:
                    raise ArgumentError(
                        f"validation_data is (x, y) or (x, y, sample_weight). Received: {len(data)} items"
                    )
                x, y, sample_weight = (*data, None, None)[:3]
            else:
                x, y, sample_weight = data, None, None
            self._source = make_source(x, y, sample_weight, self.batch_size, False)
        return EpochReader(self._source, self.steps)
