"""Objects as JSON-able dicts and back, in the form that Keras 3 writes into config.json.

>>> serialize_keras_object((1, 2))
[1, 2]
>>> deserialize_keras_object({"class_name": "__slice__", "config": {"start": 1, "stop": 5, "step": None}})
slice(1, 5, None)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import FunctionType
from typing import Any

import numpy as np

from kcompile.errors import FormatError, KcompileError, UnsupportedError
from kcompile.keras.saving import classes
from kcompile.keras.saving.registry import (
    custom_object_scope,
    get_registered_name,
    get_registered_object,
    is_registered,
)

# While a tree is written: id of an object -> (the object, its dict); while one is read: shared id -> the object.
_SHARED: ContextVar[dict[int, Any] | None] = ContextVar("shared_objects", default=None)


@contextmanager
def sharing() -> Iterator[None]:
    """Within: an object that occurs several times is written with one `shared_object_id`, and read back as one."""
    token = _SHARED.set({})
    try:
        yield
    finally:
        _SHARED.reset(token)


@contextmanager
def alone() -> Iterator[None]:
    """Within: objects are written and read without regard to a tree around them."""
    token = _SHARED.set(None)
    try:
        yield
    finally:
        _SHARED.reset(token)


def serialize_keras_object(obj: Any) -> Any:
    """`obj` (an object with `get_config`, a function, an array, a container, a plain value) as JSON-able data.

    Raises UnsupportedError for a lambda and for an object that has no `get_config`.
    """
    if obj is None or isinstance(obj, bool | int | float | str):
        return obj
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode("latin-1")}}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if isinstance(obj, Mapping):
        return {str(k): serialize_keras_object(v) for k, v in obj.items()}
    if isinstance(obj, list | tuple):
        return [serialize_keras_object(v) for v in obj]
    if isinstance(obj, slice):
        return {"class_name": "__slice__", "config": {"start": obj.start, "stop": obj.stop, "step": obj.step}}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, FunctionType):
        return _serialize_function(obj)
    if getattr(obj, "keras_history", None) is not None or getattr(obj, "_keras_history", None) is not None:
        return serialize_keras_tensor(obj)
    if not hasattr(obj, "get_config"):
        raise UnsupportedError(
            f"objects of {type(obj).__module__}.{type(obj).__qualname__} cannot be written to a file: the class has no "
            f"get_config(). Received: {obj!r}. Give it get_config() and from_config(), or keep it out of the config."
        )
    return _serialize_instance(obj)


def _serialize_function(function: FunctionType) -> dict[str, Any]:
    if function.__name__ == "<lambda>":
        raise UnsupportedError(
            "a lambda cannot be written to a file: its bytecode would be neither portable nor safe to load. "
            "Write it as a named function and decorate it with keras.saving.register_keras_serializable()."
        )
    return {
        "module": "builtins",
        "class_name": "function",
        "config": get_registered_name(function),
        "registered_name": "function",
    }


def serialize_keras_tensor(tensor: Any) -> dict[str, Any]:
    """A symbolic tensor as the place it comes from."""
    history = getattr(tensor, "keras_history", None) or tensor._keras_history
    layer, node, index = history
    name = layer if isinstance(layer, str) else layer.name
    config = {"shape": list(tensor.shape), "dtype": str(tensor.dtype), "keras_history": [name, node, index]}
    return {"class_name": "__keras_tensor__", "config": config}


def _serialize_instance(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    shared = _SHARED.get()
    if shared is not None and id(obj) in shared:
        _, first = shared[id(obj)]
        # Both occurrences carry the id, so that reading ties them together again.
        first["shared_object_id"] = id(obj)
        return dict(first)
    path = classes.path_of(cls)
    data: dict[str, Any]
    if path is not None and not is_registered(cls):
        module, name = path
        # Keras leaves the name null for its public classes, and repeats it for those of its private modules.
        data = {"module": module, "class_name": name, "config": None, "registered_name": None}
        if module.startswith("keras.src"):
            data["registered_name"] = name
    else:
        written = None if cls.__module__ in ("__main__", "builtins") else cls.__module__
        data = {
            "module": written,
            "class_name": cls.__name__,
            "config": None,
            "registered_name": get_registered_name(cls),
        }
    if shared is not None:
        shared[id(obj)] = (obj, data)
    data["config"] = {key: serialize_keras_object(value) for key, value in obj.get_config().items()}
    for key in ("build", "compile"):
        getter = getattr(obj, f"get_{key}_config", None)
        found = getter() if getter is not None and (key == "compile" or getattr(obj, "built", False)) else None
        if found is not None:
            data[f"{key}_config"] = serialize_keras_object(found)
    return data


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True, **unused: Any
) -> Any:
    """The object that `serialize_keras_object` (ours or Keras's) wrote.

    `safe_mode` is accepted for compatibility: bytecode of lambdas is never run, whatever its value.
    Raises FormatError for data that names nothing known, UnsupportedError for a class this version lacks.
    """
    if custom_objects:
        with custom_object_scope(custom_objects):
            return deserialize_keras_object(config)
    if config is None or isinstance(config, bool | int | float | str):
        return config
    if isinstance(config, list | tuple):
        return [deserialize_keras_object(v) for v in config]
    if not isinstance(config, Mapping):
        raise FormatError(f"a config holds JSON values only. Received: {type(config).__name__}")
    if "class_name" not in config or "config" not in config:
        return {k: deserialize_keras_object(v) for k, v in config.items()}
    return _deserialize_instance(config)


def _deserialize_instance(data: Mapping[str, Any]) -> Any:
    name, inner = data["class_name"], data["config"]
    if not isinstance(name, str):
        raise FormatError(f"class_name must be a string. Received: {name!r}")
    if name.startswith("__") and name.endswith("__"):
        return _deserialize_special(name, inner)
    if name == "function":
        return find_function(inner, data.get("module"))
    shared, identity = _SHARED.get(), data.get("shared_object_id")
    if shared is not None and identity is not None and identity in shared:
        return shared[identity]
    cls = find_class(data)
    if not hasattr(cls, "from_config"):
        raise FormatError(f"class {cls.__name__} cannot be read from a file: it has no from_config()")
    if not isinstance(inner, Mapping):
        raise FormatError(f"the config of {name} must be a dict. Received: {inner!r}")
    try:
        instance = cls.from_config(dict(inner))
    except KcompileError:
        raise
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise FormatError(
            f"{name} does not accept the config of this file: {error}. Received: config={_short(inner)}. "
            f"The file may come from another version, or from a class of the same name."
        ) from error
    _restore_build(instance, data.get("build_config"))
    if data.get("compile_config") and hasattr(instance, "compile_from_config"):
        instance.compile_from_config(dict(data["compile_config"]))
    if shared is not None and identity is not None:
        shared[identity] = instance
    return instance


def _restore_build(instance: Any, build_config: Any) -> None:
    if (
        isinstance(build_config, Mapping)
        and not getattr(instance, "built", True)
        and hasattr(instance, "build_from_config")
    ):
        instance.build_from_config(dict(build_config))


def _deserialize_special(name: str, inner: Any) -> Any:
    if name == "__lambda__":
        raise UnsupportedError(
            "the file holds the bytecode of a lambda, which is never run here. Pass the function yourself: "
            "load_model(path, custom_objects={...}), or replace the Lambda layer and save the model again."
        )
    if not isinstance(inner, Mapping):
        raise FormatError(f"the config of {name} must be a dict. Received: {inner!r}")
    try:
        match name:
            case "__numpy__":
                return np.array(inner["value"], dtype=inner["dtype"])
            case "__tensor__":
                return np.array(inner["value"], dtype=inner["dtype"])
            case "__bytes__":
                return inner["value"].encode("latin-1")
            case "__ellipsis__":
                return Ellipsis
            case "__slice__":
                return slice(*(deserialize_keras_object(inner.get(k)) for k in ("start", "stop", "step")))
            case "__keras_tensor__":
                return _keras_tensor(inner)
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{name} with an unusable config: {error!r}. Received: {_short(inner)}") from error
    raise FormatError(f"unknown class_name {name!r} in the config")


def _keras_tensor(inner: Mapping[str, Any]) -> Any:
    from kcompile.keras.tensor import KerasTensor

    return KerasTensor(tuple(inner["shape"]), dtype=inner["dtype"])


def find_class(data: Mapping[str, Any]) -> Any:
    """The class that a serialized object names: a custom object first, then the closed list of our own."""
    name, registered, module = data["class_name"], data.get("registered_name"), data.get("module")
    for key in (registered, name):
        found = get_registered_object(key) if key else None
        if found is not None:
            return found
    if module is not None and not isinstance(module, str):
        raise FormatError(f"module must be a string or null. Received: {module!r}")
    found = classes.find_class(module, name) if module else None
    if found is None:
        where = f"{module}.{name}" if module else name
        raise FormatError(
            f"the file names the class {where}, which is not known. Decorate it with "
            f"keras.saving.register_keras_serializable(), or pass custom_objects={{'{registered or name}': {name}}}."
        )
    return found


def find_function(name: Any, module: str | None = None) -> Any:
    """A function that a file names: a custom object, or a loss, metric or activation of that name."""
    if not isinstance(name, str):
        raise FormatError(f"a function is named by a string. Received: {name!r}")
    found = get_registered_object(name) or get_registered_object(name.rpartition(">")[2])
    if found is not None:
        return found
    from kcompile.keras import activations, losses, metrics

    for package in (activations, losses, metrics):
        found = getattr(package, name, None)
        if isinstance(found, FunctionType) and not name.startswith("_") and name not in _NOT_MODELLING:
            return found
    raise FormatError(
        f"the file names the function {name!r}, which is not known. Decorate it with "
        f"keras.saving.register_keras_serializable(), or pass custom_objects={{'{name}': {name}}}."
    )


_NOT_MODELLING = ("get", "serialize", "deserialize")  # functions of those packages that no model holds


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."
