"""Small models as graph modules, written by hand: inference and whole train steps, with a symbolic batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kcompile.autodiff import gradients
from kcompile.dialects.graph import GraphBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import evaluate, symbol
from kcompile.ir.types import TensorType

B = symbol("b")
Shape = tuple[Any, ...]


def dense(b: GraphBuilder, x: Value, w: Value, bias: Value) -> Value:
    made = b.dot_general(x, w, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,))
    return b.add(made, b.broadcast_in_dim(bias, shape=made.type.shape, dims=(1,)))


def relu(b: GraphBuilder, x: Value) -> Value:
    return b.select(b.compare(x, 0.0, direction="gt"), x, 0.0)


def conv2d(b: GraphBuilder, x: Value, w: Value, strides: int = 1, same: bool = False, groups: int = 1) -> Value:
    size, window = x.type.shape[1], w.type.shape[0]
    total = max((-(-size // strides) - 1) * strides + window - size, 0) if same else 0
    return b.convolution(
        x, w, strides=(strides, strides), padding_low=(total // 2,) * 2, padding_high=(total - total // 2,) * 2,
        lhs_dilation=(1, 1), rhs_dilation=(1, 1), feature_groups=groups,
        lhs_spec=(0, 3, 1, 2), rhs_spec=(3, 2, 0, 1), out_spec=(0, 3, 1, 2),
    )  # fmt: skip


def pool(b: GraphBuilder, x: Value, kind: str = "max") -> Value:
    zeros, two = (0, 0, 0, 0), (1, 2, 2, 1)
    return b.reduce_window(x, window=two, strides=two, padding_low=zeros, padding_high=zeros, kind=kind)


def log_softmax(b: GraphBuilder, x: Value) -> Value:
    axis = (x.type.rank - 1,)
    shifted = b.sub(x, b.stop_gradient(b.expand(b.reduce(x, axes=axis, kind="max"), axis, x.type.shape)))
    total = b.log(b.reduce(b.exp(shifted), axes=axis, kind="add"))
    return b.sub(shifted, b.expand(total, axis, x.type.shape))


def softmax(b: GraphBuilder, x: Value) -> Value:
    axis = (x.type.rank - 1,)
    e = b.exp(b.sub(x, b.expand(b.reduce(x, axes=axis, kind="max"), axis, x.type.shape)))
    return b.div(e, b.expand(b.reduce(e, axes=axis, kind="add"), axis, x.type.shape))


def cross_entropy(b: GraphBuilder, logits: Value, labels: Value) -> Value:
    """The mean over the batch, labels i32[b]."""
    shape = logits.type.shape
    classes = b.iota(shape=shape, axis=1, dtype=t.i32)
    hot = b.compare(classes, b.broadcast_in_dim(labels, shape=shape, dims=(0,)), direction="eq")
    picked = b.select(hot, log_softmax(b, logits), 0.0)
    # the mean over b: the count is made from the batch itself
    ones = b.full(1.0, TensorType((shape[0],), t.f32))
    count = b.reduce(ones, axes=(0,), kind="add")
    return b.neg(b.div(b.reduce(picked, axes=(0, 1), kind="add"), count))


def adam(b: GraphBuilder, w: Value, g: Value, m: Value, v: Value, rate: Value) -> tuple[Value, Value, Value]:
    spread = b.broadcast_in_dim(rate, shape=w.type.shape, dims=())
    m = b.add(m, b.mul(b.sub(g, m), 0.1))
    v = b.add(v, b.mul(b.sub(b.mul(g, g), v), 0.001))
    return b.sub(w, b.div(b.mul(spread, m), b.add(b.sqrt(v), 1e-7))), m, v


def train_step(inputs: list[Shape], weights: list[Shape], forward: Callable[..., Value]) -> Operation:
    """@main(weights, m, v, step, inputs, labels) -> (loss, new weights, m, v, step)."""
    types = [TensorType(s, t.f32) for s in weights]
    extra = [TensorType((), t.f32), *(TensorType(s, t.f32) for s in inputs), TensorType((B,), t.i32)]
    b = GraphBuilder.function("main", [*types, *types, *types, *extra])
    n = len(weights)
    arguments = b.block.arguments
    step, xs, labels = arguments[3 * n], arguments[3 * n + 1 : -1], arguments[-1]
    ws, ms, vs = arguments[:n], arguments[n : 2 * n], arguments[2 * n : 3 * n]
    loss = cross_entropy(b, forward(b, *xs, *ws), labels)
    found = gradients(b, loss, ws)
    step_now = b.add(step, 1.0)
    one = b.constant(1.0, t.f32)
    rate = b.mul(
        b.div(
            b.sqrt(b.sub(one, b.pow(b.constant(0.999, t.f32), step_now))),
            b.sub(one, b.pow(b.constant(0.9, t.f32), step_now)),
        ),
        0.001,
    )
    made = [adam(b, w, g, m, v, rate) for w, g, m, v in zip(ws, found, ms, vs, strict=True)]  # type: ignore[arg-type]
    b.ret(loss, *(x[0] for x in made), *(x[1] for x in made), *(x[2] for x in made), step_now)
    return b.module


def mlp_step() -> Operation:
    forward = lambda b, x, w1, b1, w2, b2: dense(b, relu(b, dense(b, x, w1, b1)), w2, b2)
    return train_step([(B, 13)], [(13, 17), (17,), (17, 5), (5,)], forward)


def _cnn(b: GraphBuilder, x: Value, k1: Value, c1: Value, k2: Value, w: Value, bias: Value) -> Value:
    h = conv2d(b, x, k1, same=True)
    h = pool(b, relu(b, b.add(h, b.broadcast_in_dim(c1, shape=h.type.shape, dims=(3,)))))
    h = relu(b, conv2d(b, h, k2, strides=2, same=True))
    flat = b.reshape(h, shape=(B, int(np.prod(h.type.shape[1:]))))
    return dense(b, flat, w, bias)


def cnn_step() -> Operation:
    return train_step([(B, 8, 8, 2)], [(3, 3, 2, 4), (4,), (3, 3, 4, 6), (24, 5), (5,)], _cnn)


def _separable(b: GraphBuilder, x: Value, depth: Value, point: Value, w: Value, bias: Value) -> Value:
    h = conv2d(b, x, depth, same=True, groups=3)
    h = relu(b, conv2d(b, h, point))
    mean = b.mul(b.reduce(h, axes=(1, 2), kind="add"), 1 / 36)
    return dense(b, mean, w, bias)


def separable_step() -> Operation:
    return train_step([(B, 6, 6, 3)], [(3, 3, 1, 3), (1, 1, 3, 4), (4, 5), (5,)], _separable)


def _attention(b: GraphBuilder, x: Value, wq: Value, wk: Value, w: Value, bias: Value) -> Value:
    project = lambda m: b.dot_general(x, m, lhs_batch=(), rhs_batch=(), lhs_contract=(2,), rhs_contract=(0,))
    q, k = project(wq), project(wk)
    scores = b.dot_general(q, k, lhs_batch=(0,), rhs_batch=(0,), lhs_contract=(2,), rhs_contract=(2,))
    mixed = b.dot_general(softmax(b, scores), x, lhs_batch=(0,), rhs_batch=(0,), lhs_contract=(2,), rhs_contract=(1,))
    return dense(b, b.reduce(mixed, axes=(1,), kind="add"), w, bias)


def attention_step() -> Operation:
    return train_step([(B, 4, 6)], [(6, 5), (6, 5), (6, 3), (3,)], _attention)


MODELS = {"mlp": mlp_step, "cnn": cnn_step, "separable": separable_step, "attention": attention_step}


def random_arguments(module: Operation, sizes: dict[str, int], seed: int = 0) -> list[np.ndarray[Any, Any]]:
    """One array for each argument of @main: floats in [0, 1) and small labels."""
    from kcompile.ir.core import find_function

    rng = np.random.default_rng(seed)
    arrays = []
    for argument in find_function(module, "main").body.arguments:
        shape = tuple(evaluate(d, sizes) for d in argument.type.shape)  # type: ignore[attr-defined]
        if t.is_float(argument.type):
            arrays.append(np.asarray(rng.random(shape), np.float32))
        else:
            arrays.append(rng.integers(0, 3, shape).astype(t.to_numpy(t.element_of(argument.type))))
    return arrays
