"""The table of user classes and functions that files may name: `register_keras_serializable`, `custom_object_scope`.

>>> @register_keras_serializable(package="shop")
... class Scale: ...
>>> get_registered_name(Scale)
'shop>Scale'
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from kcompile.errors import ArgumentError

T = TypeVar("T")

_OBJECTS: dict[str, Any] = {}
_NAMES: dict[Any, str] = {}
_SCOPED: ContextVar[Mapping[str, Any]] = ContextVar("custom_objects", default={})  # noqa: B039


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """A decorator: files written from now on name the class or function `package>name`, and can be loaded again.

    Raises ArgumentError for a class without `get_config`-style construction (anything that is not a class or a
    function).
    """

    def decorate(obj: T) -> T:
        if not callable(obj):
            raise ArgumentError(f"register_keras_serializable decorates classes and functions. Received: {obj!r}")
        full = f"{package}>{name or obj.__name__}"  # type: ignore[attr-defined]
        _OBJECTS[full] = obj
        _NAMES[obj] = full
        return obj

    return decorate


def get_registered_name(obj: Any) -> str:
    """`package>name` of a registered object, else its plain `__name__`."""
    try:
        return _NAMES.get(obj) or obj.__name__
    except TypeError:  # unhashable: cannot have been registered
        return obj.__name__


def is_registered(obj: Any) -> bool:
    try:
        return obj in _NAMES
    except TypeError:
        return False


def get_registered_object(
    name: str | None, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
    """The object called `name`: looked up in the scope, then `custom_objects`, the registry, `module_objects`; else
    None.
    """
    for table in (_SCOPED.get(), custom_objects or {}, _OBJECTS, module_objects or {}):
        if name is not None and name in table:
            return table[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """The live table of registered objects; adding to it registers."""
    return _OBJECTS


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Names that loading may use for the length of a `with`, on top of the registered ones."""
    if custom_objects is not None and not isinstance(custom_objects, Mapping):
        raise ArgumentError(f"custom_objects is a dict of name -> class or function. Received: {custom_objects!r}")
    token = _SCOPED.set({**_SCOPED.get(), **(custom_objects or {})})
    try:
        yield
    finally:
        _SCOPED.reset(token)


CustomObjectScope = custom_object_scope
