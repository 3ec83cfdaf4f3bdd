"""Names of a package that are loaded when they are first used (PEP 562), so that importing it costs next to nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, homes: Mapping[str, str], modules: Iterable[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """What the `__getattr__` and the `__dir__` of a package do. (Type checkers want to see the first as a function.)

    homes     the module of each name, relative to the package ("dense", ".saving" beside it), with ":other" behind it
              where the module calls it otherwise
    modules   names that are modules of the package themselves

    Example: `_get, __dir__ = lazy_names(__name__, {"Dense": "dense", "Convolution": "conv:Conv"}, ["ops"])`.
    """
    modules = tuple(modules)

    def get(name: str) -> Any:
        if name in modules:
            return import_module(f"{package}.{name}")
        home = homes.get(name)
        if home is None:
            known = ", ".join(sorted((*homes, *modules)))
            raise AttributeError(f"module '{package}' has no attribute {name!r} in this version. It has: {known}")
        module, _, other = home.partition(":")
        value = getattr(import_module(f".{module}", package), other or name)
        setattr(sys.modules[package], name, value)  # found at once from now on
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes, *modules})

    return get, names
