"""Op definitions: everything that is known about one operation, in one place, found by name.

    graph = Dialect("graph")

    @graph.op("logistic", ins="x", traits="elementwise pure")
    class Logistic:
        '''1 / (1 + e^-x).'''
        def infer(x): ...

The class is only a name space: its functions take no `self`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from kcompile.errors import IRError

REQUIRED: Any = object()  # the default of an attribute that has none


class Definition:
    """One operation's definition.

    name         "graph.add"
    ins          operand names; a last name with a star ("*operands") takes any number
    attrs        attribute names and their defaults (REQUIRED where there is none), taken from infer's keyword arguments
    traits       words: pure, elementwise, commutative, terminator, isolated, linear, ...
    infer        infer(*operand_types, **attributes) -> result type | tuple of types; it is the verifier too
    verify       verify(op) -> None: what infer cannot see (regions); raises IRError
    home         the module that defines it
    reference    reference(*arrays, **attributes) -> array | tuple: the meaning, in NumPy
    Other fields of the class (vjp, scalar, lower, stablehlo, samples, tolerance, ...) are attributes of this object.
    """

    def __init__(self, name: str, ins: str, traits: str, fields: Mapping[str, Any], doc: str, home: str = ""):
        self.name = name
        names = ins.split()
        self.variadic = bool(names) and names[-1].startswith("*")
        self.ins = tuple(n.lstrip("*") for n in names)
        self.traits = frozenset(traits.split())
        self.doc = doc
        self.home = home
        self.infer: Callable[..., Any] | None = None
        self.verify: Callable[..., None] | None = None
        self.reference: Callable[..., Any] | None = None
        self.fields = dict(fields)
        for key, value in fields.items():
            setattr(self, key, value)
        self.attrs: dict[str, Any] = {}
        if self.infer is not None:
            for parameter in inspect.signature(self.infer).parameters.values():
                if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                    empty = parameter.default is inspect.Parameter.empty
                    self.attrs[parameter.name] = REQUIRED if empty else parameter.default

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None  # a field that the op does not define

    def __repr__(self) -> str:
        return f"<definition of {self.name}>"


_REGISTRY: dict[str, Definition] = {}
_DIALECT_MODULES: dict[str, str] = {
    "builtin": "kcompile.dialects.upstream.builtin",
    "func": "kcompile.dialects.upstream.func",
    "arith": "kcompile.dialects.upstream.arith",
    "math": "kcompile.dialects.upstream.math",
    "scf": "kcompile.dialects.upstream.scf",
    "memref": "kcompile.dialects.upstream.memref",
    "vector": "kcompile.dialects.upstream.vector",
    "linalg": "kcompile.dialects.upstream.linalg",
    "tensor": "kcompile.dialects.upstream.tensor",
    "graph": "kcompile.dialects.graph",
    "kernel": "kcompile.dialects.kernel",
    "plan": "kcompile.dialects.plan",
}
_LOADED: set[str] = set()


class Dialect:
    """A family of operations under one prefix."""

    def __init__(self, name: str):
        self.name = name

    def op(self, name: str, ins: str = "", traits: str = "") -> Callable[[type], Definition]:
        """Register the operation `<dialect>.<name>` from the fields of the decorated class."""

        def register(body: type) -> Definition:
            full = f"{self.name}.{name}"
            if full in _REGISTRY:
                raise IRError(f"the operation {full} is defined twice")
            fields = {k: v for k, v in vars(body).items() if not k.startswith("__")}
            fields = {k: v.__func__ if isinstance(v, staticmethod) else v for k, v in fields.items()}
            definition = Definition(full, ins, traits, fields, inspect.getdoc(body) or "", body.__module__)
            _REGISTRY[full] = definition
            return definition

        return register


def lookup(name: str) -> Definition | None:
    """The definition of an operation, or None for one that nobody registered. Loads the dialect at first need."""
    found = _REGISTRY.get(name)
    if found is None:
        dialect = name.partition(".")[0]
        if dialect in _DIALECT_MODULES and dialect not in _LOADED:
            load_dialect(dialect)
            found = _REGISTRY.get(name)
    return found


def load_dialect(name: str) -> None:
    """Import the module that registers the dialect's operations."""
    import importlib

    _LOADED.add(name)
    importlib.import_module(_DIALECT_MODULES[name])


def definitions(dialect: str, control: bool = False) -> list[Definition]:
    """The operations of a dialect, by name; with `control` those of the trait `control` (a body, its end) too."""
    if dialect in _DIALECT_MODULES and dialect not in _LOADED:
        load_dialect(dialect)
    found = [d for n, d in sorted(_REGISTRY.items()) if n.startswith(dialect + ".")]
    return [d for d in found if control or "control" not in d.traits]
