"""Gathers and scatters at the linalg level, lowered from their graph ops: what their strategies are tested on."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value, find_function
from kcompile.ir.dims import Dim
from kcompile.ir.passes import run_pipeline
from kcompile.ir.types import TensorType, Type
from kcompile.transforms.kernel import cost_model

Shape = tuple[Dim, ...]


def gather(x: Shape, indices: Shape, element: Type = t.f32, epilogue: bool = False, **attributes: Any) -> Operation:
    """Slices of x, with something done to them in the same kernel."""
    b = GraphBuilder.function("main", [TensorType(x, element), TensorType(indices, t.i32)])
    found = b.gather(*b.block.arguments, **attributes)
    return _kernel(b, b.add(found, found) if epilogue else found)


def scatter(
    x: Shape, indices: Shape, updates: Shape, kind: str, element: Type = t.f32, onto: float | None = None,
    **attributes: Any,
) -> Operation:  # fmt: skip
    """Updates combined with x, or with a constant; their signs are changed in the same kernel."""
    types = [TensorType(s, element) for s in ((x, updates) if onto is None else (updates,))]
    b = GraphBuilder.function("main", [*types, TensorType(indices, t.i32)])
    *arrays, places = b.block.arguments
    target = arrays[0] if onto is None else b.full(onto, TensorType(x, element))
    return _kernel(b, b.scatter(target, places, b.neg(arrays[-1]), kind=kind, **attributes))


def scatter_update(x: Shape, indices: Shape, updates: Shape, kind: str = "add") -> Operation:
    """w - 0.5 * g, and g * g + w, g being updates put in their places: the update of an embedding."""
    types = [TensorType(s, t.f32) for s in (x, updates)]
    b = GraphBuilder.function("main", [*types, TensorType(indices, t.i32)])
    w, values, places = b.block.arguments
    g = b.scatter(b.full(0.25, TensorType(x, t.f32)), places, b.neg(values), kind=kind, axes=(0,), clamp=False)
    with patch.object(cost_model, "LARGE_TABLE", 1):
        return _kernel(b, b.sub(w, b.mul(g, 0.5)), b.add(b.mul(g, g), w))


def _kernel(b: GraphBuilder, *results: Value) -> Operation:
    b.ret(*results)
    module = b.module
    passes = "form-kernels,fuse-elementwise,fuse-epilogues,fuse-producers,outline-kernels,lower-to-linalg"
    run_pipeline(module, passes)
    find_function(module, "main").erase()
    return module
