"""SeedGenerator: the state behind random layers; a traced function reads and updates it like a weight."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.errors import ArgumentError
from kcompile.tracing.bind import bind, convert
from kcompile.tracing.tensor import EagerTensor, Tensor
from kcompile.tracing.trace import outside_traces

from ..naming import auto_name
from ..variable import Variable, variable_scope


class SeedGenerator:
    """Gives a new key at each `next()`. `state` is a variable of two uint32: the seed and a counter.

    Example: keras.random.uniform((2,), seed=SeedGenerator(1337))
    """

    def __init__(self, seed: int | None = None, name: str | None = None):
        from ..initializers.random import make_default_seed

        if seed is not None and (not isinstance(seed, int | np.integer) or seed < 0):
            raise ArgumentError(f"seed is an integer from 0 on, or None. Received: seed={seed!r}")
        self.name = name or auto_name(type(self))
        self._initial_seed = seed
        value = make_default_seed() if seed is None else int(seed)
        with outside_traces(), variable_scope(self.name):
            start = np.array([value & 0xFFFFFFFF, value >> 32], np.uint32)
            self.state = Variable(start, dtype="uint32", trainable=False, name="seed_generator_state")

    def next(self, ordered: bool = True) -> Tensor:
        """The key to draw with (two uint32); the state moves on."""
        key = convert(self.state)
        step = EagerTensor(np.array([0, 1], np.uint32))
        self.state.assign(bind("add", key, step))
        return key

    def get_config(self) -> dict[str, Any]:
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        return cls(**config)


_GLOBAL: list[SeedGenerator] = []


def global_generator() -> SeedGenerator:
    """The generator of random operations that are given no seed."""
    if not _GLOBAL:
        _GLOBAL.append(SeedGenerator(name="global_seed_generator"))
    return _GLOBAL[0]


def forget_global_generator() -> None:
    """Make a new one at the next need."""
    _GLOBAL.clear()


def draw_seed(seed: Any) -> Tensor:
    """The key for a `seed` argument: an integer (always the same key), a SeedGenerator, or None for the global one."""
    if seed is None:
        return global_generator().next()
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, int | np.integer):
        return EagerTensor(np.array([int(seed) & 0xFFFFFFFF, (int(seed) >> 32) & 0xFFFFFFFF], np.uint32))
    raise ArgumentError(f"seed is an integer, a SeedGenerator or None. Received: seed={seed!r}")
