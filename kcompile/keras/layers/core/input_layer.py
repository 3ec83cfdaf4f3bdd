"""InputLayer and Input: where a functional model begins."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError, UnsupportedError
from kcompile.tracing.dtypes import standardize_dtype

from ...operation import Node
from ...tensor import KerasTensor
from ..layer import Layer


class InputLayer(Layer):
    """The source of one input tensor. `shape` is without the batch axis, `batch_shape` with it."""

    def __init__(
        self, shape: Any = None, batch_size: int | None = None, dtype: Any = None, sparse: Any = None,
        ragged: Any = None, batch_shape: Any = None, input_tensor: Any = None, optional: bool = False,
        name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        if "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
        if "batch_input_shape" in kwargs:
            batch_shape = kwargs.pop("batch_input_shape")
        if sparse or ragged:
            raise UnsupportedError("sparse and ragged inputs are not supported; use dense ones")
        if (shape is None) == (batch_shape is None):
            raise ArgumentError(
                f"an input needs a shape or a batch_shape, not both. Received: shape={shape}, batch_shape={batch_shape}"
            )
        if batch_shape is None:
            batch_shape = (batch_size, *_checked(shape))
        self_dtype = standardize_dtype(dtype or (input_tensor.dtype if input_tensor is not None else None))
        super().__init__(name=name)
        self.batch_shape = tuple(_checked(batch_shape))
        self._input_dtype = self_dtype
        self.optional = optional
        self.built = True
        self._input_shape_arg = self.batch_shape
        output = input_tensor if input_tensor is not None else KerasTensor(self.batch_shape, self_dtype, name=self.name)
        Node(self, (), {}, output)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("an input layer is not called; give its output tensor to other layers")

    @property
    def dtype(self) -> str:
        return self._input_dtype

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": self.batch_shape, "dtype": self.dtype, "sparse": False, "ragged": False, "name": self.name,
            "optional": self.optional,
        }  # fmt: skip


def _checked(shape: Any) -> tuple[int | None, ...]:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(d is not None and (not isinstance(d, int) or d < 0) for d in sizes):
        raise ArgumentError(f"a shape holds sizes from 0 on, or None. Received: shape={shape}")
    return sizes


def Input(
    shape: Any = None, batch_size: int | None = None, dtype: Any = None, sparse: Any = None, ragged: Any = None,
    batch_shape: Any = None, name: str | None = None, tensor: Any = None, optional: bool = False,
) -> Any:  # fmt: skip
    """A symbolic tensor to build a functional model from.

    Example: x = keras.Input((28, 28, 1)); y = keras.layers.Flatten()(x); model = keras.Model(x, y)
    """
    layer = InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name)
    return layer.output
