"""Names that load on first use: every public one is there; for another the error says what there is."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

PACKAGES = [
    "kcompile", "kcompile.tracing", "kcompile.keras", "kcompile.keras.applications", "kcompile.keras.callbacks",
    "kcompile.keras.layers", "kcompile.keras.models", "kcompile.keras.saving", "kcompile.keras.utils",
]  # fmt: skip


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_is_found_and_listed(package: str) -> None:
    module = importlib.import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is getattr(module, name), name
    assert set(module.__all__) <= set(dir(module)) and dir(module) == sorted(dir(module))


@pytest.mark.parametrize("package", PACKAGES)
def test_an_unknown_name_is_an_attribute_error_that_says_what_there_is(package: str) -> None:
    module = importlib.import_module(package)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'.*{module.__all__[-1]}"):
        module.nothing  # noqa: B018
    assert not hasattr(module, "__path_that_is_not__")


def test_a_second_name_is_the_same_object() -> None:
    from kcompile import keras

    assert keras.layers.AvgPool2D is keras.layers.AveragePooling2D
    assert keras.utils.Sequence is keras.utils.PyDataset


def test_importing_a_package_loads_none_of_its_names() -> None:
    code = f"import sys, {', '.join(PACKAGES)}; print(*(m for m in sys.modules if m.startswith(('kcompile', 'numpy'))))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert sorted(loaded) == sorted([*PACKAGES, "kcompile.lazy_names"])
