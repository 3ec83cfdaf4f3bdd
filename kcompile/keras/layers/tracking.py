"""What a layer owns: the variables and layers found in its attributes, in lists and dicts too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..random.seed_generator import SeedGenerator
from ..variable import Variable

# Attributes that point at layers or variables which are not parts.
_NOT_PARTS = frozenset(
    ("_inbound_nodes", "_outbound_nodes", "_trainable_variables", "_non_trainable_variables", "_loss_values",
     "_build_shapes", "_auto_config", "_metrics", "_compile_metrics", "_compile_loss", "optimizer", "loss", "metrics")
)  # fmt: skip


def parts(owner: Any, kinds: tuple[type, ...]) -> Iterator[Any]:
    """The objects of `kinds` in the attributes of `owner`, each once, in the order of their first assignment."""
    seen: set[int] = set()
    skipped: frozenset[str] = getattr(owner, "_not_parts", frozenset())
    for name, value in list(vars(owner).items()):
        if name not in _NOT_PARTS and name not in skipped:
            yield from _inside(value, kinds, seen)


def _inside(value: Any, kinds: tuple[type, ...], seen: set[int]) -> Iterator[Any]:
    if isinstance(value, kinds):
        if id(value) not in seen:
            seen.add(id(value))
            yield value
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _inside(item, kinds, seen)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _inside(item, kinds, seen)


def unique(items: Any) -> list[Any]:
    """Each object once, in order."""
    return list({id(x): x for x in items}.values())


def sublayers(owner: Any) -> list[Any]:
    """The layers directly inside `owner`."""
    from .layer import Layer

    return list(parts(owner, (Layer,)))


def variables_in_attributes(owner: Any) -> list[Variable]:
    return list(parts(owner, (Variable,)))


def seed_generators(owner: Any) -> list[SeedGenerator]:
    return list(parts(owner, (SeedGenerator,)))


__all__ = ["parts", "seed_generators", "sublayers", "unique", "variables_in_attributes"]
