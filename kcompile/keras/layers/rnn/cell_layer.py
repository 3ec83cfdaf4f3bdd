"""CellLayer: an RNN whose cell is made from the layer's own arguments."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from ... import regularizers
from ..input_spec import InputSpec
from .rnn import RNN

# What a file holds of the cell; the layer shows the same names.
_OF_THE_CELL = (
    "units", "activation", "recurrent_activation", "use_bias", "kernel_initializer", "recurrent_initializer",
    "bias_initializer", "unit_forget_bias", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer",
    "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout", "recurrent_dropout", "reset_after",
    "implementation", "seed", "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate",
)  # fmt: skip


class CellLayer(RNN):
    """Attributes of the cell are attributes of the layer: `layer.units` is `layer.cell.units`."""

    def __init__(self, cell: Any, activity_regularizer: Any = None, use_cudnn: Any = "auto", **kwargs: Any):
        if use_cudnn not in ("auto", True, False):
            raise ArgumentError(f"use_cudnn is 'auto', True or False. Received: use_cudnn={use_cudnn!r}")
        super().__init__(cell, activity_regularizer=activity_regularizer, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def __getattr__(self, name: str) -> Any:
        if name in _OF_THE_CELL and "cell" in self.__dict__:
            return getattr(self.__dict__["cell"], name)
        raise AttributeError(f"'{type(self).__name__}' has no attribute '{name}'")

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["cell"]
        own = {k: v for k, v in self.cell.get_config().items() if k in _OF_THE_CELL}
        return {**config, **own, "activity_regularizer": regularizers.serialize(self.activity_regularizer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        return cls(**config)


def cell_options(kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a layer that its cell takes too; `implementation` goes to the cell alone."""
    return {
        "dtype": kwargs.get("dtype"),
        "trainable": kwargs.get("trainable", True),
        "implementation": kwargs.pop("implementation", 2),
    }
