"""What nested layer calls know about the calls around them: the outermost layer, and the training flag."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

_LOCAL = threading.local()


@dataclass
class CallContext:
    """The state of the running calls of this thread."""

    depth: int = 0
    training: bool | None = None


def call_context() -> CallContext:
    if not hasattr(_LOCAL, "context"):
        _LOCAL.context = CallContext()
    return _LOCAL.context  # type: ignore[no-any-return]


@contextmanager
def entered(training: bool | None) -> Iterator[CallContext]:
    """One call deeper, with `training` for the calls inside that are not told otherwise."""
    context = call_context()
    saved = context.training
    context.depth += 1
    context.training = training
    try:
        yield context
    finally:
        context.depth -= 1
        context.training = saved


@dataclass(frozen=True)
class CallSignature:
    """The arguments of a layer's `call` after self."""

    names: tuple[str, ...]
    has_training: bool
    has_mask: bool
    signature: inspect.Signature


@cache
def call_signature(function: Callable[..., Any]) -> CallSignature:
    """The arguments of an unbound `call`."""
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())[1:]
    names = tuple(p.name for p in parameters)
    free = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
    return CallSignature(names, "training" in names or free, "mask" in names, signature)
