"""set_random_seed."""

from __future__ import annotations

import random

import numpy as np

from kcompile.errors import ArgumentError


def set_random_seed(seed: int) -> None:
    """Make initializers, dropout and shuffling repeatable: seeds Python's and NumPy's generators, and our global one.

    Example: keras.utils.set_random_seed(0)
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ArgumentError(f"seed is an integer from 0 on. Received: seed={seed!r}")
    from ..random.seed_generator import forget_global_generator

    random.seed(int(seed))
    np.random.seed(int(seed) % 2**32)
    forget_global_generator()
