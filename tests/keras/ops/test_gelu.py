"""gelu by tanh keeps its digits where 1 + tanh(u) would cancel."""

from __future__ import annotations

import math

import numpy as np

from kcompile.keras import ops


def test_small_results_keep_their_digits() -> None:
    x = np.linspace(-5, 5, 1001, dtype=np.float32)
    wide = x.astype(np.float64)
    wanted = wide / (1 + np.exp(-2 * math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3)))
    np.testing.assert_allclose(np.asarray(ops.gelu(x)), wanted, rtol=2e-5)
