"""StackedRNNCells."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from ... import ops
from ..call_context import call_signature
from ..layer import Layer


class StackedRNNCells(Layer):
    """Cells one after the other as one cell: each takes the output of the one before. Its states are lists of theirs.

    Example: RNN(StackedRNNCells([LSTMCell(16), LSTMCell(8)]))(x)
    """

    def __init__(self, cells: Any, **kwargs: Any):
        super().__init__(**kwargs)
        for cell in cells:
            if not hasattr(cell, "call") or not hasattr(cell, "state_size"):
                raise ArgumentError(f"StackedRNNCells: a cell has `call` and `state_size`. Received: {cell!r}")
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        return output_size(self.cells[-1])

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        return [initial_state(cell, batch_size, self.compute_dtype) for cell in self.cells]

    def build(self, input_shape: Any) -> None:
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
                cell.built = True
            input_shape = (input_shape[0], output_size(cell))

    def call(self, inputs: Any, states: Any, training: bool = False, **kwargs: Any) -> Any:
        new: list[Any] = []
        for cell, own in zip(self.cells, states):
            nested = isinstance(own, list | tuple)
            inputs, after = call_cell(cell, inputs, list(own) if nested else [own], training, **kwargs)
            after = list(after) if isinstance(after, list | tuple) else [after]
            new.append(after if nested else after[0])
        return inputs, new[0] if len(new) == 1 else new

    def get_config(self) -> dict[str, Any]:
        from ...saving import serialize_keras_object

        return {**super().get_config(), "cells": [serialize_keras_object(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        from ...saving import deserialize_keras_object

        config = dict(config)
        cells = [deserialize_keras_object(c, custom_objects=custom_objects) for c in config.pop("cells")]
        return cls(cells, **config)


def output_size(cell: Any) -> int:
    """Features of the output of a cell: what it says, else the size of its first state."""
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size[0] if isinstance(cell.state_size, list | tuple) else cell.state_size
    if not isinstance(size, int):
        raise ArgumentError(f"output_size of a cell is an integer. Received: {size!r} from {cell!r}")
    return size


def initial_state(cell: Any, batch_size: Any, dtype: str) -> Any:
    """The states that a cell starts from: its own, or zeros of its state_size."""
    own = getattr(cell, "get_initial_state", None)
    if own is not None:
        return own(batch_size=batch_size)
    size = cell.state_size
    if isinstance(size, int):
        return ops.zeros((batch_size, size), dtype=dtype)
    return [ops.zeros((batch_size, n), dtype=dtype) for n in size]


def call_cell(cell: Any, inputs: Any, states: Any, training: Any, **kwargs: Any) -> Any:
    """One step of any cell, which need not be a layer nor take `training`."""
    if isinstance(cell, Layer) and call_signature(type(cell).call).has_training:
        kwargs["training"] = training
    return (cell if callable(cell) else cell.call)(inputs, states, **kwargs)
