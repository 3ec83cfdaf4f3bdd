"""The files of one model, by real Keras on TensorFlow: `model.keras`, data with f64 results, ONNX and LiteRT graphs.

    python prepare.py FOLDER MODEL        # by the interpreter of the tensorflow environment

The reference is the model computed in f64, so that a peer's error is its arithmetic error.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
import tf2onnx
from models import MODELS, flops, make
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2


def in_double(model: Any) -> Any:
    """The model with every f32 of its configuration and weights as f64."""
    keras.config.set_floatx("float64")
    config = json.loads(json.dumps(model.get_config()).replace("float32", "float64"))
    double = type(model).from_config(config)
    double.set_weights([weight.astype(np.float64) for weight in model.get_weights()])
    keras.config.set_floatx("float32")
    return double


def export(model: Any, folder: Path, batch: int) -> None:
    """ONNX by tf2onnx and LiteRT, of a fixed batch: peers then know every shape."""
    spec = MODELS[model.name]
    signature = [tf.TensorSpec((batch, *spec.shape), spec.dtype, name="x")]
    function = tf.function(lambda x: model(x, training=False), input_signature=signature)
    path = str(folder / f"tf_{batch}.onnx")
    tf2onnx.convert.from_function(function, input_signature=signature, opset=17, output_path=path)
    constant = convert_variables_to_constants_v2(function.get_concrete_function())
    converter = tf.lite.TFLiteConverter.from_concrete_functions([constant])
    (folder / f"{batch}.tflite").write_bytes(converter.convert())


def main() -> None:
    folder, name = Path(sys.argv[1]), sys.argv[2]
    folder.mkdir(parents=True, exist_ok=True)
    spec = MODELS[name]
    model = make(keras, name)
    model.save(folder / "model.keras")
    double = in_double(model)
    for batch in (1, spec.train):
        x = spec.inputs(batch)
        exact = np.asarray(double(x if spec.dtype == "int32" else x.astype(np.float64), training=False))
        np.savez(folder / f"data_{batch}.npz", x=x, exact=exact, target=spec.targets(exact.shape))
        export(model, folder, batch)
    facts = {"flops": flops(keras, model), "parameters": model.count_params()}
    (folder / "facts.unfinished").write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
