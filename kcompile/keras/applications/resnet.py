"""ResNet50, ResNet101 and ResNet152: He et al., "Deep Residual Learning for Image Recognition", 2015.

Layers have Keras's names and stand in Keras's order, so `.keras` and `.weights.h5` files go both ways.
"""

from __future__ import annotations

from typing import Any

from ..layers import Activation, Add, BatchNormalization, Conv2D, MaxPooling2D, ZeroPadding2D
from ..models import Model
from .imagenet_utils import decode_predictions
from .imagenet_utils import preprocess_input as _preprocess
from .network import check_weights, default_shape, finish, network_input

EPSILON = 1.001e-5  # of the batch norms, as in Keras's files

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]


def ResNet50(
    include_top: bool = True, weights: Any = "imagenet", input_tensor: Any = None, input_shape: Any = None,
    pooling: str | None = None, classes: int = 1000, classifier_activation: Any = "softmax", name: str = "resnet50",
) -> Model:  # fmt: skip
    """ResNet with 50 layers: (b, h, w, 3) -> (b, classes).

    include_top    with the classifier; without it (b, h / 32, w / 32, 2048), or (b, 2048) with pooling "avg" or "max"
    weights        None or the path of a weights file; "imagenet" raises UnsupportedError: nothing is downloaded
    input_tensor   a keras.Input or what layers made of one; otherwise images of input_shape, at least 32x32

    Example: ResNet50(weights=None, input_shape=(64, 64, 3), classes=10)
    """
    return _resnet(
        (3, 4, 6, 3), include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
    )


def ResNet101(
    include_top: bool = True, weights: Any = "imagenet", input_tensor: Any = None, input_shape: Any = None,
    pooling: str | None = None, classes: int = 1000, classifier_activation: Any = "softmax", name: str = "resnet101",
) -> Model:  # fmt: skip
    """ResNet with 101 layers; arguments as those of `ResNet50`."""
    return _resnet(
        (3, 4, 23, 3), include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
    )


def ResNet152(
    include_top: bool = True, weights: Any = "imagenet", input_tensor: Any = None, input_shape: Any = None,
    pooling: str | None = None, classes: int = 1000, classifier_activation: Any = "softmax", name: str = "resnet152",
) -> Model:  # fmt: skip
    """ResNet with 152 layers; arguments as those of `ResNet50`."""
    return _resnet(
        (3, 8, 36, 3), include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name
    )


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """RGB images of 0..255 as ResNet was trained on them: BGR, less the mean of ImageNet."""
    return _preprocess(x, data_format, mode="caffe")


def _resnet(
    blocks: tuple[int, ...], include_top: bool, weights: Any, input_tensor: Any, input_shape: Any,
    pooling: str | None, classes: int, classifier_activation: Any, name: str,
) -> Model:  # fmt: skip
    check_weights(name, weights)
    image = network_input(name, input_tensor, input_shape, default_shape(include_top))
    x = ZeroPadding2D(3, name="conv1_pad")(image)
    x = _convolved(x, "conv1", 64, 7, strides=2)
    x = ZeroPadding2D(1, name="pool1_pad")(x)
    x = MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for stage, count in enumerate(blocks):
        for block in range(count):
            strides = 2 if stage and not block else 1
            x = _bottleneck(x, f"conv{stage + 2}_block{block + 1}", 64 << stage, strides, projected=not block)
    return finish(
        x, image, name, weights, include_top, pooling, classes, classifier_activation, ("avg_pool", "max_pool")
    )


def _bottleneck(x: Any, name: str, filters: int, strides: int, projected: bool) -> Any:
    """1x1 down, 3x3, 1x1 up to 4 x filters, added to x (or to a projection of it)."""
    skip = _normalised(x, f"{name}_0", 4 * filters, 1, strides=strides) if projected else x
    x = _convolved(x, f"{name}_1", filters, 1, strides=strides)
    x = _convolved(x, f"{name}_2", filters, 3, padding="same")
    x = _normalised(x, f"{name}_3", 4 * filters, 1)
    return Activation("relu", name=f"{name}_out")(Add(name=f"{name}_add")([skip, x]))


def _convolved(x: Any, name: str, filters: int, size: int, **options: Any) -> Any:
    return Activation("relu", name=f"{name}_relu")(_normalised(x, name, filters, size, **options))


def _normalised(x: Any, name: str, filters: int, size: int, **options: Any) -> Any:
    x = Conv2D(filters, size, name=f"{name}_conv", **options)(x)
    return BatchNormalization(axis=3, epsilon=EPSILON, name=f"{name}_bn")(x)
