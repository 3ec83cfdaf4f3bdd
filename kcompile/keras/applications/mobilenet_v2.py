"""MobileNetV2: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018.

Layers have Keras's names and stand in Keras's order, so `.keras` and `.weights.h5` files go both ways.
"""

from __future__ import annotations

from typing import Any

from ..layers import Add, BatchNormalization, Conv2D, DepthwiseConv2D, ReLU, ZeroPadding2D
from ..models import Model
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_input as _preprocess
from .network import check_weights, default_shape, finish, network_input

# filters, blocks, strides of the first block; every block expands six times, but the very first one
STAGES = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
FEATURES = 1280
NORM = {"epsilon": 1e-3, "momentum": 0.999}

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]


def MobileNetV2(
    input_shape: Any = None, alpha: float = 1.0, include_top: bool = True, weights: Any = "imagenet",
    input_tensor: Any = None, pooling: str | None = None, classes: int = 1000, classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:  # fmt: skip
    """MobileNetV2: (b, h, w, 3) -> (b, classes).

    alpha          width: every number of filters times this, in multiples of 8
    include_top    with the classifier; without it (b, h / 32, w / 32, f), or (b, f) with pooling "avg" or "max"
    weights        None or the path of a weights file; "imagenet" raises UnsupportedError: nothing is downloaded
    input_tensor   a keras.Input or what layers made of one; otherwise images of input_shape, at least 32x32

    Example: MobileNetV2((96, 96, 3), alpha=0.35, weights=None, classes=10)
    """
    check_weights("MobileNetV2", weights)
    image = network_input("MobileNetV2", input_tensor, input_shape, default_shape(include_top))
    if name is None:
        rows = input_shape[0] if input_shape is not None else default_shape(include_top)[0]
        name = f"mobilenetv2_{alpha:0.2f}_{rows}"
    x = Conv2D(in_eights(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="Conv1")(image)
    x = BatchNormalization(**NORM, name="bn_Conv1")(x)
    x = ReLU(6.0, name="Conv1_relu")(x)
    number = 0
    for filters, blocks, first_strides in STAGES:
        for block in range(blocks):
            x = _inverted_residual(x, number, in_eights(filters * alpha), 1 if block else first_strides)
            number += 1
    features = in_eights(FEATURES * alpha) if alpha > 1 else FEATURES
    x = Conv2D(features, 1, use_bias=False, name="Conv_1")(x)
    x = BatchNormalization(**NORM, name="Conv_1_bn")(x)
    x = ReLU(6.0, name="out_relu")(x)
    return finish(x, image, name, weights, include_top, pooling, classes, classifier_activation, (None, None))


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Images of 0..255 as MobileNetV2 was trained on them: -1..1."""
    return _preprocess(x, data_format, mode="tf")


def in_eights(filters: float) -> int:
    """The multiple of 8 nearest to `filters`, at least 8, and not below nine tenths of it."""
    nearest = max(8, int(filters + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * filters else nearest


def _inverted_residual(x: Any, number: int, filters: int, strides: int) -> Any:
    """1x1 up, depthwise 3x3, 1x1 down to few channels, without an activation; added to x where the shapes are equal."""
    prefix = f"block_{number}_" if number else "expanded_conv_"
    skip, channels = x, x.shape[-1]
    if number:
        x = Conv2D(6 * channels, 1, padding="same", use_bias=False, name=prefix + "expand")(x)
        x = BatchNormalization(**NORM, name=prefix + "expand_BN")(x)
        x = ReLU(6.0, name=prefix + "expand_relu")(x)
    if strides == 2:
        edges = tuple((size % 2 if size is not None else 0, 1) for size in x.shape[1:3])
        x = ZeroPadding2D(edges, name=prefix + "pad")(x)
    padding = "same" if strides == 1 else "valid"
    x = DepthwiseConv2D(3, strides=strides, padding=padding, use_bias=False, name=prefix + "depthwise")(x)
    x = BatchNormalization(**NORM, name=prefix + "depthwise_BN")(x)
    x = ReLU(6.0, name=prefix + "depthwise_relu")(x)
    x = Conv2D(filters, 1, padding="same", use_bias=False, name=prefix + "project")(x)
    x = BatchNormalization(**NORM, name=prefix + "project_BN")(x)
    return Add(name=prefix + "add")([skip, x]) if channels == filters and strides == 1 else x
