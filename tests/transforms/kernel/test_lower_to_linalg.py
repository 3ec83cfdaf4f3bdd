"""The linalg form of every op computes what its reference computes, over dtypes, shapes and attributes."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.definition import Definition, definitions
from kcompile.ir.interpreter import interpret
from kcompile.ir.passes import run_pipeline
from kcompile.transforms.kernel.kinds import is_kernel_function

PIPELINE = (
    "decompose-convolution,decompose-windows,form-kernels,fuse-elementwise,fuse-epilogues,fuse-producers,"
    "outline-kernels,lower-to-linalg"
)
OPS = [d for d in definitions("graph") if d.name != "graph.constant" and d.samples is not None]
KEPT = {
    "graph.reduce_window_grad",
    "graph.scatter",
    "graph.winograd_convolution",
    "graph.winograd_filter_gradient",
}  # no structured form


def tolerance(element: t.Type) -> float:
    """Bodies may round once more than references, in each of a few steps; sums of up to a hundred terms reorder."""
    if element is t.bf16:
        return 4 * 2.0**-8
    if element is t.f16:
        return 4 * 2.0**-11
    return 100 * 2.0**-24


def scale_of(array: np.ndarray) -> float:
    finite = array[np.isfinite(array)]
    return max(1.0, float(np.abs(finite).max())) if finite.size else 1.0


@pytest.mark.parametrize("definition", OPS, ids=lambda d: d.name.removeprefix("graph."))
def test_linalg_equals_the_reference(definition: Definition) -> None:
    for trial in range(30):
        rng = np.random.default_rng([zlib.crc32(definition.name.encode()), trial])
        elements = definition.samples.elements
        element = elements[int(rng.integers(len(elements)))]
        case = definition.samples.draw(rng, element)
        b = GraphBuilder.function("main", case.types)
        made = getattr(b, definition.name.removeprefix("graph."))(*b.block.arguments, **case.attributes)
        b.ret(*(made if isinstance(made, tuple) else (made,)))
        expected = interpret(b.module, "main", case.arrays)
        run_pipeline(b.module, PIPELINE, verify_each=True)
        assert kernels_are_structured(b.module)
        received = interpret(b.module, "main", case.arrays)
        for x, y in zip(expected, received, strict=True):
            x, y = x.astype(np.float64), y.astype(np.float64)
            bound = tolerance(element) * scale_of(x)
            np.testing.assert_allclose(y, x, rtol=0, atol=bound, err_msg=f"trial {trial}: {element} {case.attributes}")


def kernels_are_structured(module: Operation) -> bool:
    """Whether no graph op is left but those that have no structured form."""
    kernels = [f for f in module.body.ops if is_kernel_function(f)]
    return not any(op.dialect == "graph" and op.name not in KEPT for f in kernels for op in f.walk())
