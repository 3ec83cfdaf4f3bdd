"""The walk over a model's parts that names the groups of a weights file, as Keras's files name them.

Functional and Sequential models number their layers by class: `layers/dense`, `layers/dense_1`. Other models and layers
name their parts by attribute, in the order of the sorted attribute names, private ones last.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from kcompile.keras.layers import Layer
from kcompile.keras.models import Functional, Model, Sequential
from kcompile.keras.naming import class_label, to_snake_case
from kcompile.keras.optimizers import Optimizer


def walk(model: Any) -> Iterator[tuple[str, Any]]:
    """(path, object) for the model ("" itself), its layers, and its optimizer; each object once."""
    yield from _walk(model, "", set())


def _walk(obj: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if id(obj) in seen:
        return
    seen.add(id(obj))
    yield path, obj
    if isinstance(obj, Optimizer):
        return
    for name, child in _children(obj):
        inner = f"{path}/{name}" if path else name
        if isinstance(child, Layer | Optimizer):
            yield from _walk(child, inner, seen)
        elif isinstance(child, list | tuple | dict | set):
            yield from _walk_container(child, inner, seen)


def _walk_container(container: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    used: dict[str, int] = {}
    for child in container.values() if isinstance(container, dict) else container:
        if isinstance(child, Layer | Optimizer):
            name = to_snake_case(class_label(type(child)))
        elif isinstance(child, list | tuple | dict | set):
            name = "container"
        else:
            continue
        # Counted even when the object was met before: the numbers in Keras's files have such gaps.
        used[name] = used.get(name, -1) + 1
        inner = f"{path}/{name}_{used[name]}" if used[name] else f"{path}/{name}"
        if name == "container" and not isinstance(child, Layer | Optimizer):
            yield from _walk_container(child, inner, seen)
        else:
            yield from _walk(child, inner, seen)


def _children(obj: Any) -> Iterator[tuple[str, Any]]:
    numbered = isinstance(obj, Sequential | Functional)
    if numbered:
        yield "layers", obj.layers
    names = set(dir(obj)) - _names_of_bases()
    if isinstance(obj, Model):
        names |= {"optimizer"} if numbered else {"layers", "optimizer"}
    for name in sorted(names, key=lambda n: "~" + n if n.startswith("_") else n):
        if name.startswith("__"):
            continue
        try:
            child = getattr(obj, name)
        except Exception:
            continue
        yield name, child


@cache
def _names_of_bases() -> frozenset[str]:
    """Attributes that every layer or model has: none of them is a part that a user put there."""
    names = set(dir(Layer(name="reference"))) | set(dir(Sequential(name="reference")))
    return frozenset(
        names
        | set(dir(Functional))
        | {"_inputs_struct", "_outputs_struct", "_inputs", "_outputs", "_nodes", "_operations"}
    )


def own_variables(obj: Any) -> list[Any]:
    """The variables that an object saves under its own path."""
    return obj.variables if isinstance(obj, Optimizer) else obj._own_variables()
