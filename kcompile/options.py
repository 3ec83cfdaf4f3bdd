"""Every option and KCOMPILE_* variable, in one table.

An option is a field of `Options`; its variable is KCOMPILE_<NAME>. Order: an argument, else the variable, else the
default below. Options that change the generated code carry `code=True` and enter the key of the object cache.

>>> Options.of(threads=2).threads
2
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from kcompile.errors import KcompileError

ENGINES = ("native", "interpreter")
VARIABLE = "KCOMPILE_"


def _option(default: Any, help: str, *, code: bool = False, choices: tuple[str, ...] = ()) -> Any:
    return dataclasses.field(default=default, metadata={"help": help, "code": code, "choices": choices})


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """How to compile and run. Frozen; `replace` makes a changed copy."""

    engine: str = _option("native", "native code, or the NumPy interpreter (slow, for comparison)", choices=ENGINES)
    target: str = _option("host", "host, x86-64, x86-64-v3, x86-64-v4 or aarch64", code=True)
    threads: int = _option(0, "worker threads of one call; 0 = as many as this process may use")
    freeze: bool = _option(False, "copy the weights into the compiled model, prepared and packed", code=True)
    exact_conv: bool = _option(False, "no Winograd convolutions, whose rounding error is about twice", code=True)
    tune: int = _option(0, "choose tiles by timing candidates at this batch size; 0 = by rule", code=True)
    disable: str = _option("", "comma-separated passes to leave out", code=True)
    verify: bool = _option(False, "verify the module after every pass")
    interpret: bool = _option(False, "after every pass, compare the results of the module on random inputs")
    dump: str = _option("", "a directory for the module after every pass that changed it")
    show: bool = _option(False, "print the module to standard error after every pass that changed it")
    timing: bool = _option(False, "print how long every pass took")
    cache: str = _option("", "the directory of the object cache, or 'off'")
    cache_mib: int = _option(1024, "most MiB in the object cache, the least recently used go first; 0 = no limit")
    reuse: bool = _option(True, "take whole models from the object cache, without running a pass")

    @classmethod
    def of(cls, **values: Any) -> Options:
        """Options from arguments, the environment and the defaults; an argument of None counts as not given."""
        known = {field.name: field for field in dataclasses.fields(cls)}
        for name in values:
            if name not in known:
                raise KcompileError(f"there is no option '{name}'. The options are: {', '.join(known)}")
        chosen = from_environment(os.environ)
        chosen.update({name: value for name, value in values.items() if value is not None})
        for name, value in chosen.items():
            _check(known[name], value, f"option {name}")
        return cls(**chosen)

    def replace(self, **values: Any) -> Options:
        """A copy with other values."""
        return dataclasses.replace(self, **values)

    def code_key(self) -> str:
        """The options that change the generated code, as a text for cache keys."""
        fields = [f.name for f in dataclasses.fields(self) if f.metadata["code"]]
        return ",".join(f"{name}={getattr(self, name)}" for name in fields)


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """The options that KCOMPILE_* variables set; an empty variable counts as unset."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(Options):
        variable = VARIABLE + field.name.upper()
        text = environment.get(variable, "").strip()
        if text:
            found[field.name] = _parse(field, text, variable)
            _check(field, found[field.name], variable)
    return found


def _parse(field: dataclasses.Field[Any], text: str, where: str) -> Any:
    if isinstance(field.default, bool):
        if text.lower() in ("1", "true", "yes", "on"):
            return True
        if text.lower() in ("0", "false", "no", "off"):
            return False
        raise KcompileError(f"{where} needs 0 or 1. Received: {text!r}")
    if isinstance(field.default, int):
        try:
            return int(text)
        except ValueError:
            raise KcompileError(f"{where} needs a whole number. Received: {text!r}") from None
    return text


def _check(field: dataclasses.Field[Any], value: Any, where: str) -> None:
    kind: type[Any] = type(field.default)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise KcompileError(f"{where} needs a value of type {kind.__name__}. Received: {value!r}")
    choices = field.metadata["choices"]
    if choices and value not in choices:
        raise KcompileError(f"{where} needs one of {', '.join(choices)}. Received: {value!r}")
    if field.name == "cache_mib" and value < 0:
        raise KcompileError(f"{where} needs a number of MiB, 0 for no limit. Received: {value!r}")
    if field.name == "threads" and not 0 <= value <= 256:
        raise KcompileError(f"{where} needs 0 (automatic) or 1 to 256. Received: {value!r}")
    if field.name == "tune" and value < 0:
        raise KcompileError(f"{where} needs a batch size, or 0. Received: {value!r}")
