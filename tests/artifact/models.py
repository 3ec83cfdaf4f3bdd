"""A small compiled model for artifact tests: two dense layers, made without the Keras front end."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.api import CompiledModel
from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.dims import symbol
from kcompile.ir.types import TensorType
from kcompile.options import Options
from tests.end_to_end.traced import traced
from tests.transforms import models

B = symbol("b")


def compiled(name: str = "toy", scale: float = 1.0, **options: Any) -> CompiledModel:
    """softmax(relu(x @ w1 + c1) @ w2 + c2), with x of [b, 9] and 4 results; other weights for another `scale`."""
    shapes = [(9, 17), (17,), (17, 4), (4,)]
    b = GraphBuilder.function("main", [TensorType(s, t.f32) for s in ((B, 9), *shapes)])
    x, w1, c1, w2, c2 = b.block.arguments
    hidden = models.relu(b, models.dense(b, x, w1, c1))
    b.ret(models.softmax(b, models.dense(b, hidden, w2, c2)))
    rng = np.random.default_rng(0)
    weights = [(scale * rng.standard_normal(s)).astype(np.float32) for s in shapes]
    function = traced(b.module, ["input", *["weight"] * 4], [np.zeros(0), *weights], {})
    function.outputs = 0
    return CompiledModel(function, name, Options.of(**{"freeze": True, "threads": 1, **options}))


def rows(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 9)).astype(np.float32)
