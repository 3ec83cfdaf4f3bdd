"""Folding and hoisting of what depends on weights alone."""

from __future__ import annotations

import numpy as np
import pytest

from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation, find_function, module_functions
from kcompile.ir.interpreter import interpret
from kcompile.ir.passes import run_pipeline
from kcompile.ir.types import TensorType
from kcompile.transforms.graph.roles import WeightOnly
from tests.transforms.models import B, conv2d, random_arguments

SIMPLIFY = "canonicalize,fold-constants,cse,dce"


def with_roles(b: GraphBuilder, roles: list[str]) -> Operation:
    find_function(b.module, "main")["arg_attrs"] = tuple(
        {"kernel.role": r, "kernel.name": f"{r}_{i}"} for i, r in enumerate(roles)
    )
    return b.module


def batch_norm_model(role: str = "weight", kind: str = "convolution", groups: int = 1) -> Operation:
    """conv or dot, bias, batch normalisation as it is at inference."""
    weights = TensorType((2, 2, 4 // groups, 4) if kind == "convolution" else (4, 4), t.f32)
    vector = TensorType((4,), t.f32)
    x_type = TensorType((B, 3, 3, 4) if kind == "convolution" else (B, 4), t.f32)
    b = GraphBuilder.function("main", [weights, *[vector] * 5, x_type])
    w, bias, gamma, beta, mean, variance, x = b.block.arguments
    if kind == "convolution":
        h = conv2d(b, x, w, groups=groups)
    else:
        h = b.dot_general(x, w, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,))
    last = h.type.rank - 1
    spread = lambda v: b.broadcast_in_dim(v, shape=h.type.shape, dims=(last,))
    scale = b.mul(gamma, b.rsqrt(b.add(variance, 1e-3)))
    shift = b.sub(beta, b.mul(mean, scale))
    h = b.add(h, spread(bias))
    b.ret(b.add(b.mul(h, spread(scale)), spread(shift)))
    return with_roles(b, [role] * 6 + ["input"])


@pytest.mark.parametrize(("kind", "groups"), [("convolution", 1), ("convolution", 4), ("dot", 1)])
def test_batch_norm_disappears_from_main(kind: str, groups: int) -> None:
    module = batch_norm_model(kind=kind, groups=groups)
    arrays = random_arguments(module, {"b": 3})
    (expected,) = interpret(module, "main", arrays)
    passes = f"{SIMPLIFY},fold-scale-into-weights,{SIMPLIFY},hoist-weights"
    run_pipeline(module, passes, verify_each=True)
    main = find_function(module, "main")
    names = [op.name for op in main.body.ops]
    assert "graph.mul" not in names and "graph.rsqrt" not in names
    prepared = interpret(module, "prepare", arrays[:6])
    roles = [a.get("kernel.prepared") for a in main["arg_attrs"]]
    assert roles == [*range(len(prepared)), None]
    (received,) = interpret(module, "main", [*prepared, arrays[6]])
    # the scale is applied before the sum instead of after it: one rounding a term
    np.testing.assert_allclose(received, expected, rtol=16 * 2.0**-23, atol=1e-4)


def test_weights_that_training_changes_are_left_alone() -> None:
    module = batch_norm_model(role="state")
    before = str(module)
    assert not run_pipeline(module, "fold-scale-into-weights,hoist-weights")
    assert str(module) == before


def test_weight_only_values() -> None:
    b = GraphBuilder.function("main", [TensorType((4,), t.f32)] * 3)
    w, s, x = b.block.arguments
    fixed, mixed, updated = b.mul(w, 2.0), b.mul(w, x), b.mul(w, s)
    b.ret(fixed, mixed, updated)
    module = with_roles(b, ["weight", "state", "input"])
    known = WeightOnly(find_function(module, "main"))
    assert w in known and fixed in known
    assert x not in known and mixed not in known
    assert s not in known and updated not in known


def test_donations_follow_their_arguments() -> None:
    """hoist-weights renumbers the arguments; a result that goes back into a state must still name it."""
    b = GraphBuilder.function("main", [TensorType((4,), t.f32)] * 4)
    state, w, v, x = b.block.arguments
    b.ret(b.add(state, b.mul(b.exp(w), x)), b.mul(v, x))
    module = with_roles(b, ["state", "weight", "weight", "input"])
    main = find_function(module, "main")
    main["res_attrs"] = ({"kernel.name": "state_0", "kernel.donates": 0}, {"kernel.name": "output_0"})
    assert run_pipeline(module, "hoist-weights", verify_each=True)
    roles = [a["kernel.role"] for a in main["arg_attrs"]]
    assert roles == ["weight", "weight", "state", "input"]
    assert main["res_attrs"][0]["kernel.donates"] == 2
    assert main["arg_attrs"][0]["kernel.name"] == "weight_2"  # passed through as it is


def test_broadcasts_stay_in_main() -> None:
    b = GraphBuilder.function("main", [TensorType((4,), t.f32), TensorType((3, 4), t.f32)])
    w, x = b.block.arguments
    b.ret(b.add(x, b.broadcast_in_dim(b.exp(w), shape=(3, 4), dims=(1,))))
    module = with_roles(b, ["weight", "input"])
    run_pipeline(module, "hoist-weights", verify_each=True)
    prepare, main = module_functions(module)
    assert [op.name for op in prepare.body.ops] == ["graph.exp", "func.return"]
    assert [op.name for op in main.body.ops] == ["graph.broadcast_in_dim", "graph.add", "func.return"]


def test_hoisting_twice_changes_nothing() -> None:
    module = batch_norm_model()
    assert run_pipeline(module, "hoist-weights")
    assert not run_pipeline(module, "hoist-weights")
