"""Replace the peer benchmark's reference outputs by those of Keras on TensorFlow in f64: then errors are true errors.

python tools/bench/reference64.py ARTIFACTS      # the benchmark's `conv` interpreter; ARTIFACTS: a folder a model
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np


def main() -> None:
    keras.config.set_floatx("float64")
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        single = keras.models.load_model(folder / "model.keras", compile=False)
        double = type(single).from_config(json.loads(json.dumps(single.get_config()).replace("float32", "float64")))
        double.set_weights([w.astype(np.float64) for w in single.get_weights()])
        for path in sorted(folder.glob("ref_b*.npz")):
            stored = np.load(path)
            x, before = stored["x0"], stored["y"]
            exact = np.asarray(double(x.astype(np.float64) if x.dtype == np.float32 else x, training=False))
            print(f"{folder.name} {path.stem}: was off by {np.abs(exact - before).max() / np.abs(exact).max():.1e}")
            np.savez(path, x0=x, y=exact)


if __name__ == "__main__":
    main()
