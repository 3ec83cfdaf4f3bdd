"""Files written and read: equal models come back, whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kcompile import keras
from kcompile.errors import ArgumentError, FormatError, KcompileError, ShapeError, UnsupportedError
from kcompile.keras import layers, saving
from tests.keras.trainer.small_models import blobs, classifier


def functional() -> Any:
    x = keras.Input((6,), name="points")
    shared = layers.Dense(6, activation="relu", name="shared")
    y = layers.Add()([shared(x), shared(keras.ops.tanh(x))])
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.BatchNormalization()], name="inner")
    y = layers.Dropout(0.1)(inner(y))
    return keras.Model(x, {"a": layers.Dense(2, name="a")(y), "b": keras.ops.sum(y, axis=-1) * 2.0}, name="net")


@saving.register_keras_serializable("tests")
class Scale(layers.Layer):
    """A custom layer with a weight and an argument."""

    def __init__(self, power: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.power = power

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor**self.power

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "power": self.power}


@saving.register_keras_serializable("tests")
class Net(keras.Model):
    """A subclassed model with layers in attributes, lists and dicts."""

    def __init__(self, width: int = 3, **kwargs: Any):
        super().__init__(**kwargs)
        self.width = width
        self.towers = [layers.Dense(width), layers.Dense(width)]
        self.heads = {"x": layers.Dense(1), "y": layers.Dense(1)}
        self._last = Scale(2.0)

    def call(self, inputs: Any) -> Any:
        y = self.towers[0](inputs) + self.towers[1](inputs)
        return self._last(self.heads["x"](y) + self.heads["y"](y))

    def get_config(self) -> dict[str, Any]:
        return {"width": self.width, "name": self.name}


def randomized(model: Any, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    model.set_weights([rng.uniform(0.1, 1, w.shape).astype(np.float32) for w in model.get_weights()])
    return model


def same(a: Any, b: Any, x: Any) -> None:
    first, second = a.predict(x, verbose=0), b.predict(x, verbose=0)
    for p, q in zip(first.values(), second.values()) if isinstance(first, dict) else [(first, second)]:
        np.testing.assert_array_equal(p, q)


X = np.random.default_rng(1).normal(size=(5, 6)).astype(np.float32)


@pytest.mark.parametrize(
    "make", [functional, lambda: keras.Sequential([keras.Input((6,)), Scale(2.0), layers.Dense(2)])]
)
def test_a_model_comes_back(tmp_path: Path, make: Any) -> None:
    model = randomized(make())
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    same(model, loaded, X)
    assert loaded.get_config() == model.get_config() and loaded.name == model.name
    assert [w.name for w in loaded.weights] == [w.name for w in model.weights]


def test_a_subclassed_model_comes_back(tmp_path: Path) -> None:
    model = Net(4)
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert isinstance(loaded, Net) and loaded.width == 4
    same(model, loaded, X)


def test_training_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    x, y = blobs(40)
    model = classifier(weighted_metrics=["accuracy"])
    model.fit(x, y, verbose=0, shuffle=False)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert loaded.get_compile_config() == model.get_compile_config()
    for a, b in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    first = model.fit(x, y, verbose=0, shuffle=False).history
    second = loaded.fit(x, y, verbose=0, shuffle=False).history
    assert first == second
    plain = keras.models.load_model(tmp_path / "m.keras", compile=False)
    assert not plain.compiled
    with pytest.raises(ArgumentError, match="compile"):
        plain.fit(x, y)


def test_layout_of_the_weights_file(tmp_path: Path) -> None:
    """The group names are those of Keras's files."""
    import h5py

    model = classifier()
    model.fit(*blobs(8), verbose=0)
    model.save_weights(tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5") as file:
        names: list[str] = []
        file.visit(lambda n: names.append(n) if isinstance(file[n], h5py.Dataset) else None)
        assert sorted(n for n in names if n.startswith("layers")) == [
            f"layers/{d}/vars/{i}" for d in ("dense", "dense_1") for i in (0, 1)
        ]
        assert len([n for n in names if n.startswith("optimizer/vars/")]) == 2 + 2 * 4
        assert file["optimizer/vars/0"].dtype == np.int32 and file["optimizer/vars/0"][()] == 1
        assert file["layers/dense_1/vars"].attrs["name"] == model.layers[1].name
        np.testing.assert_array_equal(file["layers/dense/vars/0"][()], model.layers[0].get_weights()[0])
        # momentum and velocity of one variable stand side by side
        assert file["optimizer/vars/2"].shape == file["optimizer/vars/3"].shape == (2, 8)


def test_paths_of_a_subclassed_model(tmp_path: Path) -> None:
    """Attributes in order, private ones last; but `layers` comes before what sorts after it."""
    import h5py

    model = Net(4)
    model(X)
    model.save_weights(tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5") as file:
        assert sorted(k for k in file if k != "vars") == ["heads", "layers"]
        assert sorted(file["heads"]) == ["dense", "dense_1"]


def test_weights_go_into_another_model_of_the_same_structure(tmp_path: Path) -> None:
    model, other = randomized(functional(), 1), randomized(functional(), 2)
    for name in ("w.weights.h5", "w.keras"):
        (model.save_weights if name.endswith("h5") else model.save)(tmp_path / name)
        other.set_weights([np.zeros_like(w) for w in other.get_weights()])
        other.load_weights(tmp_path / name)
        same(model, other, X)


def test_weights_that_do_not_fit_change_nothing(tmp_path: Path) -> None:
    small = keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.Dense(2)])
    large = keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.Dense(3)])
    longer = keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.Dense(2), layers.Dense(2)])
    small.save_weights(tmp_path / "w.weights.h5")
    before = large.get_weights()
    with pytest.raises(ShapeError, match=r"dense.*/kernel' has shape \(4, 3\).*\(4, 2\)"):
        large.load_weights(tmp_path / "w.weights.h5")
    for a, b in zip(before, large.get_weights()):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(FormatError, match="2 variables. Received: 0"):
        longer.load_weights(tmp_path / "w.weights.h5")
    with pytest.warns(UserWarning, match="left as they are"):
        large.load_weights(tmp_path / "w.weights.h5", skip_mismatch=True)
    np.testing.assert_array_equal(large.get_weights()[0], small.get_weights()[0])


def test_a_shared_object_comes_back_as_one(tmp_path: Path) -> None:
    model = functional()
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert len(loaded.weights) == len(model.weights)


def test_custom_objects_by_name(tmp_path: Path) -> None:
    class Shift(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs + 1.0

    keras.Sequential([keras.Input((6,)), Shift()]).save(tmp_path / "m.keras")
    with pytest.raises(FormatError, match="Shift.*custom_objects"):
        keras.models.load_model(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras", custom_objects={"Shift": Shift})
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), X + 1)
    with saving.custom_object_scope({"Shift": Shift}):
        keras.models.load_model(tmp_path / "m.keras")


def test_config_is_what_keras_writes(tmp_path: Path) -> None:
    functional().save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert {i.compress_type for i in archive.infolist()} == {zipfile.ZIP_STORED}
        config = json.loads(archive.read("config.json"))
        assert set(json.loads(archive.read("metadata.json"))) == {"keras_version", "date_saved"}
    assert (config["module"], config["class_name"], config["registered_name"]) == (
        "keras.src.models.functional",
        "Functional",
        "Functional",
    )
    by_name = {layer["config"]["name"]: layer for layer in config["config"]["layers"]}
    assert by_name["shared"]["module"] == "keras.layers" and len(by_name["shared"]["inbound_nodes"]) == 2
    tanh = next(layer for layer in config["config"]["layers"] if layer["class_name"] == "Tanh")
    assert (tanh["module"], tanh["registered_name"]) == ("keras.src.ops.numpy", "Tanh")


# -- writing


def test_an_existing_file_is_replaced_only_if_asked(tmp_path: Path) -> None:
    model = classifier()
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "m.keras")
    with pytest.raises(ArgumentError, match="overwrite=False"):
        model.save(tmp_path / "m.keras", overwrite=False)
    assert [p.name for p in tmp_path.iterdir()] == ["m.keras"]


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    model = classifier()
    for name, save in (("m.keras", model.save), ("w.weights.h5", model.save_weights)):
        save(tmp_path / name)
        old = (tmp_path / name).read_bytes()
        model.set_weights([w + 1 for w in model.get_weights()])
        full = OSError(errno.ENOSPC, "No space left on device")

        def fail(*unused: Any, error: OSError = full) -> Any:
            raise error

        with monkeypatch.context() as patch:
            if step == "write":
                patch.setattr("kcompile.keras.saving.atomic.os.fdopen", _full_disk)
            else:
                patch.setattr(f"kcompile.keras.saving.atomic.os.{step}", fail)
            with pytest.raises(KcompileError, match="No space left on device.*unchanged"):
                save(tmp_path / name)
        assert (tmp_path / name).read_bytes() == old
        assert not list(tmp_path.glob("*.tmp")) and not list(tmp_path.glob(".*"))


class _full_disk:
    """A file that takes 100 bytes."""

    def __init__(self, descriptor: int, mode: str):
        self.descriptor = descriptor

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *unused: Any) -> None:
        os.close(self.descriptor)

    def write(self, data: Any) -> None:
        os.write(self.descriptor, bytes(data[:100]))
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_errors_of_the_system_are_named(tmp_path: Path) -> None:
    with pytest.raises(KcompileError, match="No such file or directory"):
        classifier().save(tmp_path / "absent" / "m.keras")


def test_permissions_are_those_of_other_files(tmp_path: Path) -> None:
    classifier().save(tmp_path / "m.keras")
    (tmp_path / "plain").write_text("")
    assert stat.S_IMODE((tmp_path / "m.keras").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_names_of_files(tmp_path: Path) -> None:
    model = classifier()
    with pytest.raises(ArgumentError, match=r"\*\.keras"):
        model.save(tmp_path / "model.zip")
    with pytest.raises(UnsupportedError, match=r"\.keras"):
        model.save(tmp_path / "model.h5")
    with pytest.raises(ArgumentError, match=r"\.weights\.h5"):
        model.save_weights(tmp_path / "model.h5")
