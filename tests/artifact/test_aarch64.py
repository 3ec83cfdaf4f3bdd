"""AArch64 objects, run: whole models through the C runner under an emulator. Skipped where those tools are missing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import kcompile
from kcompile import keras

COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"
SYSROOT = "/usr/aarch64-linux-gnu"  # where Debian's cross compilers keep the C library of that machine
RUNTIME = Path(__file__).parents[2] / "runtime"

pytestmark = pytest.mark.skipif(
    not (shutil.which(COMPILER) and shutil.which(EMULATOR)), reason=f"needs {COMPILER} and {EMULATOR}"
)
L = keras.layers


def convolutions() -> list[keras.layers.Layer]:
    """Odd sizes, padding, strides, batch norm, pooling, softmax."""
    return [
        keras.Input((13, 11, 3)),
        L.Conv2D(17, 3, padding="same", activation="relu"),
        L.BatchNormalization(),
        L.MaxPooling2D(2, padding="same"),
        L.DepthwiseConv2D(3, strides=2, padding="same"),
        L.Conv2D(20, 1, activation="tanh"),
        L.GlobalAveragePooling2D(),
        L.Dense(7, activation="softmax"),
    ]


def padded() -> list[keras.layers.Layer]:
    """Transformed convolutions, phases of upsamplings and transposed convolutions, pooling in between."""
    return [
        keras.Input((17, 12, 6)),
        L.Conv2D(32, 3, padding="same", activation="relu"),
        L.Conv2D(20, 3, padding="same", activation="relu"),
        L.MaxPooling2D(2),
        L.UpSampling2D(2),
        L.Conv2D(8, 3, padding="same"),
        L.Conv2DTranspose(5, 3, strides=2, padding="same"),
    ]


def sequences() -> list[keras.layers.Layer]:
    """Loops over steps, and a gather."""
    return [
        keras.Input((9,)),
        L.Embedding(12, 10),
        L.LSTM(24, return_sequences=True),
        L.Bidirectional(L.GRU(7, return_sequences=True)),
        L.LayerNormalization(),
        L.GlobalAveragePooling1D(),
    ]


def attention() -> list[keras.layers.Layer]:
    """Projections, scores, softmax, values."""

    class SelfAttention(L.MultiHeadAttention):
        def call(self, x: object) -> object:
            return super().call(x, x)

        def build(self, shape: tuple[int | None, ...]) -> None:
            super().build(shape, shape)

        def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
            return shape

    return [keras.Input((11, 24)), SelfAttention(3, 8), L.Dense(24, activation="gelu")]


def dense() -> list[keras.layers.Layer]:
    """Tiles with and without tails; transcendental functions."""
    return [
        keras.Input((33,)),
        L.Dense(64, activation="gelu"),
        L.LayerNormalization(),
        L.Dense(48, activation="sigmoid"),
        L.Dense(5),
    ]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("aarch64") / "kc_run"
    sources = [RUNTIME / name for name in ("kc_run.c", "kc_host.c", "kc_machine.c")]
    flags = ["-std=c11", "-O2", "-pthread", f"-I{RUNTIME / 'include'}", "-ldl", "-o", program]
    subprocess.run([COMPILER, *sources, *flags], check=True)
    return program


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("layers", [convolutions, padded, sequences, attention, dense])
def test_the_results_are_those_of_this_machine(
    layers: Callable[[], list[keras.layers.Layer]], threads: int, runner: Path, tmp_path: Path
) -> None:
    keras.utils.set_random_seed(3)
    model = keras.Sequential(layers())
    compiled = kcompile.compile(model, name="m")
    x = np.random.default_rng(0).uniform(0, 10, size=(5, *model.input_shape[1:])).astype(np.float32)
    expected = compiled(x)
    artifact = compiled.save(tmp_path / "m.kc", targets=["aarch64"])
    (library,) = artifact.rglob("*.o")
    shared = tmp_path / "m.so"
    subprocess.run([COMPILER, "-shared", library, "-o", shared], check=True)
    (tmp_path / "x").write_bytes(x.tobytes())
    files = ["--sizes", "b=5", "--in", tmp_path / "x", "--out", tmp_path / "y", "--threads", str(threads)]
    run = [EMULATOR, "-L", SYSROOT, runner, shared, "m", *files]
    done = subprocess.run(list(map(str, run)), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    y = np.fromfile(tmp_path / "y", np.float32).reshape(expected.shape)
    # polynomials and divisions are the same operations; sums along the lanes of a softmax or a norm group otherwise
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=4e-6 * np.abs(expected).max())
