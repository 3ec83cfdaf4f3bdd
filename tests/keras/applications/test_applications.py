"""keras.applications: shapes, arguments that cannot be met, and files between real Keras and here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.errors import ArgumentError, ShapeError, UnsupportedError
from kcompile.keras.applications import imagenet_utils, mobilenet_v2, resnet
from tests.keras import real_keras

NETWORKS = [keras.applications.ResNet50, keras.applications.MobileNetV2]


def small(make: Any, **arguments: Any) -> Any:
    keras.utils.set_random_seed(1)
    return make(weights=None, **arguments)


@pytest.mark.parametrize("make", NETWORKS)
def test_images_of_every_size_are_halved_five_times(make: Any) -> None:
    whole = small(make, include_top=False)
    assert whole.input_shape == (None, None, None, 3)
    for height, width in ((32, 64), (37, 33)):
        fixed = small(make, include_top=False, input_shape=(height, width, 3))
        assert fixed.output_shape == (None, -(-height // 32), -(-width // 32), whole.output_shape[-1])


def test_depth_and_width() -> None:
    deep = small(keras.applications.ResNet101, include_top=False, input_shape=(32, 32, 3))
    assert len(deep.layers) == 7 + 33 * 10 + 4 * 2  # the stem, 33 blocks of 10 layers, 4 projections
    assert all(mobilenet_v2.in_eights(n) % 8 == 0 and mobilenet_v2.in_eights(n) >= 0.9 * n for n in range(1, 400))
    narrow = small(keras.applications.MobileNetV2, input_shape=(32, 32, 3), alpha=0.35, classes=3)
    assert narrow.name == "mobilenetv2_0.35_32" and narrow.output_shape == (None, 3)
    assert narrow.get_layer("block_1_expand").output.shape[-1] == 6 * 8


def test_pooling_and_input_tensor() -> None:
    image = keras.Input((40, 40, 3), name="image")
    scaled = keras.layers.Rescaling(1 / 255)(image)
    average, largest, plain = (
        small(keras.applications.MobileNetV2, alpha=0.35, input_tensor=scaled, include_top=False, pooling=p)
        for p in ("avg", "max", None)
    )
    assert average.inputs[0] is image
    x = np.random.default_rng(0).uniform(0, 255, (2, 40, 40, 3)).astype(np.float32)
    features = plain.predict(x, verbose=0)
    np.testing.assert_allclose(average.predict(x, verbose=0), features.mean((1, 2)), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(largest.predict(x, verbose=0), features.max((1, 2)))


def test_what_cannot_be_had_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="nothing is downloaded"):
        keras.applications.ResNet50()
    with pytest.raises(ArgumentError, match="path of a weights file"):
        keras.applications.MobileNetV2(weights=str(tmp_path / "none.weights.h5"))
    with pytest.raises(ShapeError, match="32x32"):
        keras.applications.MobileNetV2(weights=None, input_shape=(32, 31, 3))
    with pytest.raises(ShapeError, match="height, width, channels"):
        keras.applications.ResNet50(weights=None, input_shape=(32, 32))
    with pytest.raises(AttributeError, match="ResNet50"):
        keras.applications.NoNet  # noqa: B018


def test_weights_are_read_from_a_path(tmp_path: Path) -> None:
    arguments = {"input_shape": (32, 32, 3), "alpha": 0.35, "classes": 3}
    first = small(keras.applications.MobileNetV2, **arguments)
    first.save_weights(tmp_path / "a.weights.h5")
    keras.utils.set_random_seed(2)
    second = keras.applications.MobileNetV2(weights=tmp_path / "a.weights.h5", **arguments)
    for mine, read in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(read))


def test_preprocessing_and_class_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3)).astype(np.uint8)
    assert mobilenet_v2.preprocess_input(x).min() >= -1
    assert resnet.preprocess_input(x)[0, 0, 0, 0] == np.float32(x[0, 0, 0, 2]) - np.float32(103.939)
    for mode in ("tf", "caffe", "torch"):
        made = np.asarray(imagenet_utils.preprocess_input(keras.ops.convert_to_tensor(x), mode=mode))
        np.testing.assert_allclose(made, imagenet_utils.preprocess_input(x, mode=mode), rtol=1e-6)
    monkeypatch.setattr(imagenet_utils, "CLASS_NAMES", str(tmp_path / "names.json"))
    scores = np.zeros((1, 1000), np.float32)
    scores[0, [7, 3]] = 0.7, 0.3
    with pytest.raises(UnsupportedError, match="not there"):
        resnet.decode_predictions(scores)
    (tmp_path / "names.json").write_text(json.dumps({str(i): [f"n{i}", f"class {i}"] for i in range(1000)}))
    (best,) = resnet.decode_predictions(scores, top=2)
    assert [(number, name) for number, name, _ in best] == [("n7", "class 7"), ("n3", "class 3")]


SCRIPT = """
import json, numpy as np, keras
A = keras.applications
made = [A.MobileNetV2(input_shape=(32, 48, 3), alpha=0.35, weights=None, classes=5),
        A.ResNet50(input_shape=(32, 32, 3), weights=None, classes=5)]
names = []
for model, own in zip(made, ("mobile", "res")):
    x = np.load(own + ".npy")
    names.append([(l.name, [w.path for w in l.weights]) for l in model.layers[1:]])
    rng = np.random.default_rng(3)
    model.load_weights(own + ".weights.h5")
    first = model.predict(x, verbose=0)
    for w in model.weights:
        w.assign(w * rng.uniform(0.8, 1.2, w.shape))
    model.save("real_" + own + ".keras")
    np.savez("real_" + own + ".npz", first, model.predict(x, verbose=0))
    x = 255 * np.abs(x) / np.abs(x).max()
    modes = ("tf", "caffe", "torch")
    np.savez("pre_" + own + ".npz", *[A.imagenet_utils.preprocess_input(x.copy(), mode=m) for m in modes])
json.dump(names, open("names.json", "w"))
"""


@pytest.mark.xcheck
def test_files_go_both_ways_between_real_keras_and_here(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    mine = {
        "mobile": small(keras.applications.MobileNetV2, input_shape=(32, 48, 3), alpha=0.35, classes=5),
        "res": small(keras.applications.ResNet50, input_shape=(32, 32, 3), classes=5),
    }
    inputs = {name: rng.normal(size=(2, *m.input_shape[1:])).astype(np.float32) for name, m in mine.items()}
    for name, model in mine.items():
        np.save(tmp_path / f"{name}.npy", inputs[name])
        model.save_weights(tmp_path / f"{name}.weights.h5")
    real_keras.run(SCRIPT, tmp_path)
    theirs = json.loads((tmp_path / "names.json").read_text())
    for (name, model), names in zip(mine.items(), theirs, strict=True):
        assert [[layer.name, [w.path for w in layer.weights]] for layer in model.layers[1:] if layer.weights] == [
            [layer, paths] for layer, paths in names if paths
        ]
        before, after = np.load(tmp_path / f"real_{name}.npz").values()
        np.testing.assert_allclose(model.predict(inputs[name], verbose=0), before, rtol=1e-4, atol=1e-5)
        read = keras.models.load_model(tmp_path / f"real_{name}.keras")
        np.testing.assert_allclose(read.predict(inputs[name], verbose=0), after, rtol=1e-4, atol=1e-5)
        x = 255 * np.abs(inputs[name]) / np.abs(inputs[name]).max()
        expected = np.load(tmp_path / f"pre_{name}.npz").values()
        for mode, value in zip(("tf", "caffe", "torch"), expected, strict=True):
            np.testing.assert_allclose(imagenet_utils.preprocess_input(x, mode=mode), value, rtol=1e-5, atol=1e-4)
