"""Images and class names of ImageNet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from kcompile.errors import ArgumentError, ShapeError, UnsupportedError

from .. import ops
from ..config import floatx, standardize_data_format

BGR_MEAN = (103.939, 116.779, 123.68)  # of ImageNet, in 0..255; the figures of the Caffe models
RGB_MEAN, RGB_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # in 0..1; the figures of torchvision
CLASS_NAMES = "~/.keras/models/imagenet_class_index.json"  # where Keras keeps them once it has downloaded them


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """RGB images of 0..255 as a network was trained on them; arrays stay as they are, the result is new.

    mode   "caffe": BGR, less the mean; "tf": -1..1; "torch": 0..1, less the mean, over the deviation

    Example: preprocess_input(images, mode="tf")
    """
    if mode not in ("caffe", "tf", "torch"):
        raise ArgumentError(f"preprocess_input: mode is 'caffe', 'tf' or 'torch'. Received: mode={mode!r}")
    axis = -1 if standardize_data_format(data_format) == "channels_last" else -3
    if isinstance(x, np.ndarray):
        x = x.astype(floatx() if not np.issubdtype(x.dtype, np.floating) else x.dtype)
    else:
        x = ops.cast(x, floatx()) if "float" not in str(x.dtype) else x
    if mode == "tf":
        return x / 127.5 - 1.0
    if x.shape[axis] != 3:
        raise ShapeError(f"preprocess_input: images have 3 channels. Received: {tuple(x.shape)}")
    if mode == "caffe":
        flipped = np.flip(x, axis) if isinstance(x, np.ndarray) else ops.flip(x, axis)
        return flipped - _of_channels(BGR_MEAN, axis, x)
    return (x / 255.0 - _of_channels(RGB_MEAN, axis, x)) / _of_channels(RGB_DEVIATION, axis, x)


def _of_channels(numbers: tuple[float, ...], axis: int, x: Any) -> Any:
    shape = [3] + [1] * (-1 - axis)
    return np.asarray(numbers, str(x.dtype)).reshape(shape)


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """For each row of (b, 1000) the `top` classes: (WordNet number, name, score), the best first.

    The names are read from the file that Keras keeps in ~/.keras/models; raises UnsupportedError where it is not.
    """
    scores = np.asarray(preds)
    if scores.ndim != 2 or scores.shape[1] != 1000:
        raise ShapeError(
            f"decode_predictions takes the scores of the 1000 classes: (b, 1000). Received: {scores.shape}"
        )
    path = Path(CLASS_NAMES).expanduser()
    if not path.is_file():
        raise UnsupportedError(f"decode_predictions reads the names of the classes from {path}, which is not there.")
    names = json.loads(path.read_text())
    best = np.argsort(scores, axis=1)[:, ::-1][:, :top]
    return [[(*names[str(i)], float(row[i])) for i in indices] for row, indices in zip(scores, best, strict=True)]
