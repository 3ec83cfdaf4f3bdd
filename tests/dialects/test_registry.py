"""Every graph operation says everything about itself in one place."""

from __future__ import annotations

import inspect

import pytest

from kcompile.dialects.graph import NOT_DIFFERENTIABLE
from kcompile.dialects.graph.sampling import Samples
from kcompile.dialects.graph.tolerance import Tolerance
from kcompile.ir.definition import Definition, definitions

OPS = definitions("graph")

EXPECTED = set(
    """constant iota rng_bits exp expm1 log log1p sqrt rsqrt sin cos tanh logistic erf gelu neg abs sign floor ceil
    round_even is_finite not convert bitcast stop_gradient add sub mul div rem pow max min atan2 and or xor shl
    shr_arith shr_logical compare select broadcast_in_dim reshape transpose slice pad concatenate reverse dot_general
    convolution reduce arg_reduce reduce_window reduce_window_grad gather scatter""".split()
)


@pytest.mark.parametrize("op", OPS, ids=lambda d: d.name)
def test_the_definition_is_complete(op: Definition) -> None:
    assert op.infer is not None and op.reference is not None
    assert callable(op.vjp) or op.vjp == NOT_DIFFERENTIABLE
    assert callable(op.scalar) or isinstance(op.lower, str)
    assert isinstance(op.stablehlo, str) and (
        op.stablehlo == "none" or op.stablehlo.split(".")[0] in ("stablehlo", "chlo")
    )
    assert isinstance(op.samples, Samples) and op.samples.elements
    assert isinstance(op.tolerance, Tolerance)
    assert op.doc.endswith(".") or op.doc.count("\n") > 1
    assert "pure" in op.traits


@pytest.mark.parametrize("op", OPS, ids=lambda d: d.name)
def test_reference_and_infer_take_the_same_attributes(op: Definition) -> None:
    assert op.infer is not None and op.reference is not None
    attributes = lambda f: {
        p.name: p.default for p in inspect.signature(f).parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY
    }
    try:
        found = attributes(op.reference)
    except ValueError:  # a NumPy function, which takes none of ours
        found = {}
    if hasattr(op.reference, "__wrapped__") and not inspect.isfunction(op.reference.__wrapped__):
        found = {}
    assert found == attributes(op.infer)


def test_elementwise_operations_have_a_scalar_body() -> None:
    missing = [op.name for op in OPS if "elementwise" in op.traits and not callable(op.scalar)]
    assert not missing


def test_the_contract_is_there() -> None:
    assert EXPECTED <= {op.name.removeprefix("graph.") for op in OPS}
