"""The project's own figures: import time, compile time cold and cached, call overhead, a step of the digits network.

    python tools/bench/figures.py

Times are the best of several, on a machine that others may be using; compare ratios, not digits. Peers are measured by
`python tools/bench/peers`.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np


def best(function: Callable[[], object], seconds: float = 1.0) -> float:
    """The least time of one call, in seconds, over at least `seconds` and 5 calls."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def in_new_process(code: str, cache: str) -> float:
    """What `code` prints, run by a new interpreter, with byte code at hand as for an installed package."""
    environment = {**os.environ, "KCOMPILE_CACHE": cache, "PYTHONPYCACHEPREFIX": BYTE_CODE.name}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return float(result.stdout.split()[-1])


BYTE_CODE = tempfile.TemporaryDirectory()
IMPORT = "import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
COMPILE = """
import sys, time, numpy as np
sys.path.insert(0, "examples")
import kcompile
from digits_cnn import build_model
model = build_model()
x = np.zeros((1, 28, 28, 1), np.float32)
t = time.perf_counter()
kcompile.compile(model)(x)
print(time.perf_counter() - t)
"""
STEP = """
import sys, time, numpy as np
sys.path.insert(0, "examples")
from digits_cnn import build_model
model = build_model()
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
x, y = np.zeros((32, 28, 28, 1), np.float32), np.zeros(32, np.int64)
t = time.perf_counter()
model.train_on_batch(x, y)
print(time.perf_counter() - t)
"""


RESNET = """
import time, numpy as np
import kcompile
from kcompile import keras
model = keras.applications.ResNet50(weights=None)
t = time.perf_counter()
kcompile.compile(model)(np.zeros((1, 224, 224, 3), np.float32))
print(time.perf_counter() - t)
"""


LOAD = """
import os, tempfile, time
from kcompile import keras
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "model.keras")
    keras.applications.ResNet50(weights=None).save(path)
    t = time.perf_counter()
    keras.models.load_model(path)
    print(time.perf_counter() - t)
"""


def report(what: str, seconds: float) -> None:
    print(f"{what:<64}{seconds * 1e6:10.2f} us")


def digits() -> None:
    """Inference and a train step of the digits network, in process."""
    import kcompile
    from kcompile import keras
    from kcompile.runtime.host import set_threads

    sys.path.insert(0, "examples")
    from digits_cnn import build_model

    keras.utils.set_random_seed(0)
    model = build_model()
    rng = np.random.default_rng(0)
    batches = {n: rng.random((n, 28, 28, 1), np.float32) for n in (1, 32)}
    for threads in (1, 2):
        compiled = kcompile.compile(model, threads=threads)
        for batch, x in batches.items():
            report(f"digits inference, batch {batch}, {threads} thread(s)", best(partial(compiled, x)))
    y = rng.integers(0, 10, 32)
    for threads in (1, 2):
        set_threads(threads)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        step = partial(model.train_on_batch, batches[32], y)
        report(f"digits train step, batch 32, {threads} thread(s)", best(step, 2))


def overhead() -> None:
    """What a call costs around the arithmetic: a 32-64-64-10 perceptron, one row."""
    import kcompile
    from kcompile import keras

    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((32,)), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(10, "softmax")]
    )
    x = np.random.default_rng(0).random((1, 32), np.float32)
    compiled = kcompile.compile(model)
    report("32-64-64-10 perceptron, one row: CompiledModel.__call__", best(partial(compiled, x)))
    report("32-64-64-10 perceptron, one row: CompiledModel.predict", best(partial(compiled.predict, x)))
    report("32-64-64-10 perceptron, one row: Model.predict", best(partial(model.predict, x, verbose=0)))
    training(model)


def training(model: Any) -> None:
    """What fit costs around its steps: the perceptron on batches of 32, one thread."""
    from kcompile import keras
    from kcompile.runtime.host import set_threads

    class Listener(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            pass

    set_threads(1)
    rng = np.random.default_rng(0)
    steps = 256
    x, y = rng.random((32 * steps, 32), np.float32), rng.integers(0, 10, 32 * steps)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.train_on_batch(x[:32], y[:32])
    step, arrays = model._steps.function("train", (x[:32], y[:32], None))
    alone = best(partial(step.prepare().call, *arrays))
    report("perceptron, train step of 32 rows, one thread: the native call alone", alone)
    for what, callbacks in (("", []), (" with a callback on each batch", [Listener()])):
        spent = best(partial(model.fit, x, y, verbose=0, callbacks=callbacks)) / steps
        report(f"  fit{what}, around each step", spent - alone)
    report("  train_on_batch, around the step", best(partial(model.train_on_batch, *arrays)) - alone)


def main() -> None:
    with tempfile.TemporaryDirectory() as cache:
        for module in ("kcompile", "kcompile.keras", "kcompile.keras.models, kcompile.keras.layers.core.dense"):
            seconds = min(in_new_process(IMPORT.format(module=module), cache) for _ in range(5))
            print(f"import {module}: {seconds:.3f} s")
        with tempfile.TemporaryDirectory() as other:
            in_new_process(STEP, other)  # writes the byte code
        print(f"compile digits inference, cold: {in_new_process(COMPILE, cache):.2f} s")
        print(f"compile digits inference, cached: {min(in_new_process(COMPILE, cache) for _ in range(3)):.2f} s")
        print(f"first digits train step, cold: {in_new_process(STEP, cache):.2f} s")
        print(f"first digits train step, cached: {min(in_new_process(STEP, cache) for _ in range(3)):.2f} s")
        if importlib.util.find_spec("kcompile.keras.applications"):
            print(f"load a ResNet50 file: {in_new_process(LOAD, cache):.2f} s")
            print(f"compile ResNet50 inference, cold: {in_new_process(RESNET, cache):.2f} s")
            print(f"compile ResNet50 inference, cached: {min(in_new_process(RESNET, cache) for _ in range(3)):.2f} s")
    overhead()
    digits()


if __name__ == "__main__":
    main()
