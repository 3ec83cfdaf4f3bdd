"""What all networks share: which input they take, what comes after their features, and where their weights are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kcompile.errors import ArgumentError, ShapeError, UnsupportedError

from ..config import image_data_format
from ..layers import Dense, GlobalAveragePooling2D, GlobalMaxPooling2D, Input
from ..models import Model
from ..utils.sources import get_source_inputs

SMALLEST = 32  # pixels: five halvings leave one


def check_weights(name: str, weights: Any) -> None:
    """Raise for weights that cannot be had: 'imagenet' (nothing is downloaded) and files that are not there."""
    if weights is None or (weights != "imagenet" and Path(weights).is_file()):
        return
    if weights == "imagenet":
        raise UnsupportedError(
            f"{name}(weights='imagenet') would download a file, and nothing is downloaded here. Give weights=None, or "
            "the path of a file that real Keras saved with model.save_weights('name.weights.h5')."
        )
    raise ArgumentError(f"{name}: weights is None or the path of a weights file. Received: weights={weights!r}")


def network_input(name: str, input_tensor: Any, input_shape: Any, default: tuple[int | None, ...]) -> Any:
    """The symbolic image that a network starts from: `input_tensor`, or a new input of `input_shape` or `default`."""
    if image_data_format() != "channels_last":
        raise UnsupportedError(f"{name} is built channels last. Call keras.config.set_image_data_format() before it.")
    if input_tensor is not None and getattr(input_tensor, "is_symbolic", False):
        return input_tensor
    shape = tuple(input_shape) if input_shape is not None else default
    if len(shape) != 3:
        raise ShapeError(f"{name}: input_shape is (height, width, channels). Received: input_shape={shape}")
    if any(size is not None and size < SMALLEST for size in shape[:2]):
        raise ShapeError(f"{name} needs images of at least {SMALLEST}x{SMALLEST}. Received: input_shape={shape}")
    if input_tensor is not None:
        raise ArgumentError(f"{name}: input_tensor is a keras.Input or what a layer made of one. Got: {input_tensor!r}")
    return Input(shape)


def default_shape(include_top: bool) -> tuple[int | None, ...]:
    """Images as in ImageNet for a classifier, of any size for features alone."""
    return (224, 224, 3) if include_top else (None, None, 3)


def finish(
    x: Any, image: Any, name: str, weights: Any, include_top: bool, pooling: str | None, classes: int,
    classifier_activation: Any, pool_names: tuple[str | None, str | None],
) -> Model:  # fmt: skip
    """The classifier (or the pooling, or nothing) after the features `x`, the model from `image`, and its weights."""
    if include_top or pooling == "avg":
        x = GlobalAveragePooling2D(name=pool_names[0])(x)
    elif pooling == "max":
        x = GlobalMaxPooling2D(name=pool_names[1])(x)
    if include_top:
        x = Dense(classes, activation=classifier_activation, name="predictions")(x)
    sources = get_source_inputs(image)
    model = Model(sources[0] if len(sources) == 1 else sources, x, name=name)
    if weights is not None:
        model.load_weights(weights)
    return model
