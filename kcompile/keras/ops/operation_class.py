"""@operation: a keras.ops function from a function on tensors, and the class that stands for it in models.

    @operation("numpy.Mean", "axis keepdims")
    def mean(x, axis=None, keepdims=False): ...

On tensors and arrays the function just runs. With a KerasTensor among the arguments it becomes a node: the named
arguments go into the node's config, as Keras writes them, the others are its inputs.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from kcompile.tracing.trace import current_trace

from ..operation import Operation
from ..tensor import KerasTensor, any_symbolic

F = TypeVar("F", bound=Callable[..., Any])

_ABSENT = object()
_CLASSES: dict[tuple[str, str], type] = {}


class FunctionOperation(Operation):
    """Base of the classes that @operation makes."""

    function: Callable[..., Any]
    signature: inspect.Signature
    static: tuple[str, ...] = ()  # the arguments that are configuration
    before_star: tuple[str, ...] = ()
    keras_path: tuple[str, str]

    def __init__(self, *args: Any, name: str | None = None, **config: Any):
        super().__init__(name=name)
        unknown = sorted(set(config) - set(self.static))
        if unknown or len(args) > len(self.static):
            raise TypeError(f"{type(self).__name__} takes {list(self.static)}. Received: {[*args, *unknown]}")
        self.config = {**dict(zip(self.static, args)), **config}

    def call(self, *args: Any, **kwargs: Any) -> Any:
        given, rest = {**self.config, **kwargs}, iter(args)
        positional: list[Any] = []
        for p in type(self).signature.parameters.values():
            if p.kind is inspect.Parameter.VAR_POSITIONAL:
                # what stands before starred operands can only be given by place
                positional = [given.pop(n) for n in list(given) if n in type(self).before_star] + list(rest)
            elif p.name not in given and p.name not in self.static and p.kind is not inspect.Parameter.VAR_KEYWORD:
                found = next(rest, _ABSENT)
                if found is not _ABSENT:
                    given[p.name] = found
        return type(self).function(*positional, *rest, **given)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, **self.config}


def operation(path: str, static: str = "") -> Callable[[F], F]:
    """`path` is "<family>.<Class>" below keras.src.ops; `static` names the arguments that are configuration."""
    family, _, class_name = path.partition(".")
    names = tuple(static.split())

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        label = function.__name__.rstrip("_")
        stars = [i for i, p in enumerate(signature.parameters.values()) if p.kind is inspect.Parameter.VAR_POSITIONAL]
        before = tuple(list(signature.parameters)[: stars[0]]) if stars else ()
        fields = {
            "function": staticmethod(function),
            "static": names,
            "signature": signature,
            "before_star": before,
            "keras_path": (f"keras.src.ops.{family}", class_name),
            "__doc__": function.__doc__,
            "__module__": function.__module__,
        }
        cls = type(class_name, (FunctionOperation,), fields)
        _CLASSES.setdefault((family, class_name), cls)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            for x in args:
                if isinstance(x, KerasTensor) or (isinstance(x, list | tuple) and any_symbolic(x)):
                    return record(args, kwargs)
            if kwargs and any_symbolic(kwargs):
                return record(args, kwargs)
            trace = current_trace()
            if trace is None:
                return function(*args, **kwargs)
            with trace.operation(label):
                return function(*args, **kwargs)

        def record(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            bound = signature.bind(*args, **kwargs)
            config = {n: bound.arguments.pop(n) for n in names if n in bound.arguments}
            if "name" in bound.arguments:
                config["name"] = bound.arguments.pop("name")
            inputs = list(bound.arguments.items())
            ordered = [n for n in signature.parameters if n not in names]
            positional: list[Any] = []
            keywords: dict[str, Any] = {}
            for i, (n, value) in enumerate(inputs):
                if signature.parameters[n].kind is inspect.Parameter.VAR_POSITIONAL:
                    positional.extend(value)
                elif n == ordered[i]:
                    positional.append(value)
                else:
                    keywords[n] = value
            return cls(**config)(*positional, **keywords)

        call.operation_class = cls  # type: ignore[attr-defined]
        return call  # type: ignore[return-value]

    return decorate


def operation_class(family: str, name: str) -> type | None:
    """The class that a file names as keras.src.ops.<family>.<name>, or None."""
    return _CLASSES.get((family, name))
