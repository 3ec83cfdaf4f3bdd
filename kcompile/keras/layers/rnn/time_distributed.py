"""TimeDistributed."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ShapeError
from kcompile.tracing.bind import bind, convert
from kcompile.tracing.loop import scan
from kcompile.tracing.trace import scope

from ..call_context import call_signature
from ..core.wrapper import Wrapper

# Layers that treat each row of the batch by itself and keep no state: steps can be rows.
_BY_ROWS = frozenset(
    """Activation Add Average Concatenate Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose
    Cropping1D Cropping2D Cropping3D Dense DepthwiseConv2D ELU Embedding Flatten GRU Identity InputLayer LSTM
    LayerNormalization LeakyReLU AveragePooling1D AveragePooling2D AveragePooling3D GlobalAveragePooling1D
    GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D MaxPooling1D
    MaxPooling2D MaxPooling3D Maximum Minimum Multiply PReLU Permute RMSNormalization ReLU RepeatVector Rescaling
    Reshape SeparableConv2D SimpleRNN Softmax Subtract UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D
    ZeroPadding2D ZeroPadding3D""".split()
)
# Those that do so when they do not train.
_BY_ROWS_AT_REST = frozenset(
    "BatchNormalization Dropout GaussianDropout GaussianNoise SpatialDropout1D SpatialDropout2D".split()
)


def treats_rows_alone(layer: Any, training: Any) -> bool:
    """Whether a layer of ours, or all layers of a model, compute row i of the result from row i of the inputs."""
    kind = type(layer)
    if not kind.__module__.startswith("kcompile.keras."):
        return False
    if kind.__name__ in ("Functional", "Sequential"):
        parts = layer.layers if kind.__name__ == "Sequential" else layer.operations
        return bool(layer.built) and all(treats_rows_alone(part, training) for part in parts)
    random = training and any(getattr(layer, name, 0) for name in ("dropout", "recurrent_dropout"))
    known = kind.__name__ in _BY_ROWS or (not training and kind.__name__ in _BY_ROWS_AT_REST)
    return known and not random and not getattr(layer, "stateful", False)


class TimeDistributed(Wrapper):
    """A layer applied to every step of (batch, time, ..), with the same weights.

    Example: TimeDistributed(Conv2D(16, 3))(frames)   # (batch, time, rows, columns, channels)
    """

    def __init__(self, layer: Any, **kwargs: Any):
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        if len(input_shape) < 3:
            raise ShapeError(f"TimeDistributed takes (batch, time, ..). Received: input of shape {input_shape}")
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        x = convert(inputs)
        signature = call_signature(type(self.layer).call)
        options = {"training": training} if signature.has_training else {}
        own_mask = convert(mask) if mask is not None and signature.has_mask else None
        if mask is not None and tuple(mask.shape[:2]) != tuple(x.shape[:2]):
            raise ShapeError(
                f"TimeDistributed: the mask begins with batch and time. Received: a mask of shape {mask.shape} for "
                f"inputs of shape {x.shape}"
            )
        if own_mask is None and treats_rows_alone(self.layer, training):
            rows = bind("reshape", x, shape=(x.dims[0] * x.dims[1], *x.dims[2:]))
            y = self._call_layer(rows, options)
            return bind("reshape", y, shape=(*x.dims[:2], *y.dims[1:]))
        steps = [_swapped(x), None if own_mask is None else _swapped(own_mask)]

        def body(carry: Any, step: Any) -> Any:
            here = options if step[1] is None else {**options, "mask": step[1]}
            return carry, self._call_layer(step[0], here)

        return _swapped(scan(body, (), steps)[1])

    def _call_layer(self, x: Any, options: dict[str, Any]) -> Any:
        """`call` itself, as in Keras: the dtype policy is that of this layer."""
        with scope(self.layer.name):
            return self.layer.call(x, **options)


def _swapped(x: Any) -> Any:
    return bind("transpose", x, permutation=(1, 0, *range(2, x.ndim)))
