"""Calls of keras.ops functions: name, arguments (arrays are drawn from shapes), configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Draw:
    """An array to be drawn: its shape, dtype and range."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    low: float = -2.0
    high: float = 2.0

    def array(self, rng: np.random.Generator) -> np.ndarray[Any, Any]:
        if self.dtype == "bool":
            return rng.integers(0, 2, self.shape).astype(bool)
        if "int" in self.dtype:
            return rng.integers(int(self.low), int(self.high), self.shape).astype(self.dtype)
        return rng.uniform(self.low, self.high, self.shape).astype(self.dtype)


@dataclass(frozen=True)
class OpCase:
    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    path: str = ""  # attribute path below keras, "ops" unless said

    @property
    def id(self) -> str:
        shown = [str(a.shape) if isinstance(a, Draw) else str(a) for a in self.args]
        return f"{self.name}({','.join(shown)},{self.kwargs})".replace(" ", "")[:90]

    def drawn(self, seed: int = 0) -> list[Any]:
        rng = np.random.default_rng(seed)
        fill = lambda a: a.array(rng) if isinstance(a, Draw) else [fill(x) for x in a] if isinstance(a, list) else a
        return [fill(a) for a in self.args]


F = Draw((3, 4))
P = Draw((3, 4), low=0.1)
U = Draw((3, 4), low=-0.9, high=0.9)
I = Draw((3, 4), "int32", -5, 6)
B = Draw((3, 4), "bool")
V = Draw((4,))
IMAGE = Draw((2, 6, 5, 3))


HOLES = np.array([[1.0, np.nan, -2.0], [3.0, 0.5, np.nan]], "float32")


def op(name: str, *args: Any, **kwargs: Any) -> OpCase:
    return OpCase(name, args, kwargs)


UNARY = (
    "negative absolute sign square exp expm1 sin cos tan tanh sinh cosh arctan erf floor ceil round trunc isfinite "
    "isnan isinf exp2"
).split()
POSITIVE = "log log2 log10 log1p sqrt rsqrt reciprocal".split()
ACTIVATIONS = (
    "relu relu6 leaky_relu elu selu celu sigmoid log_sigmoid hard_sigmoid hard_silu hard_tanh silu gelu softplus "
    "softsign squareplus tanh_shrink soft_shrink hard_shrink glu sparse_plus sparse_sigmoid softmax log_softmax"
).split()
BINARY = (
    "add subtract multiply divide true_divide divide_no_nan maximum minimum floor_divide mod arctan2 logaddexp".split()
)
COMPARISONS = "equal not_equal less less_equal greater greater_equal".split()
REDUCTIONS = "sum prod max min mean var std amax amin logsumexp".split()

CASES = [
    *[op(n, F) for n in UNARY],
    *[op(n, P) for n in POSITIVE],
    *[op(n, F) for n in ACTIVATIONS],
    *[op(n, F, V) for n in BINARY + COMPARISONS],
    *[op(n, I, Draw((4,), "int32", 1, 4)) for n in BINARY if n not in ("arctan2", "logaddexp")],
    *[op(n, Draw((4,), "int32", -9, -1), Draw((3, 1), "int32", 1, 4)) for n in ("floor_divide", "mod")],
    *[op(n, I) for n in ("exp", "sqrt", "mean", "sum", "floor", "absolute", "negative", "var", "sign", "max")],
    *[op(n, B) for n in ("sum", "mean", "logical_not", "any", "all", "count_nonzero", "max")],
    *[op(n, B, Draw((4,), "bool")) for n in ("logical_and", "logical_or", "logical_xor", "add", "multiply")],
    *[op(n, F, axis=a, keepdims=k) for n in REDUCTIONS for a, k in ((0, False), (-1, True), ((0, 1), False))],
    op("power", P, V),
    op("power", F, 2),
    op("power", F, 3),
    op("power", 2.0, F),
    op("add", F, 1),
    op("add", I, 1.5),
    op("multiply", I, 2),
    op("add", B, 1),
    op("subtract", 1.0, F),
    op("maximum", F, 0),
    op("divide", I, 2),
    op("clip", F, -0.5, 0.5),
    op("clip", I, -1, 2),
    op("where", B, F, V),
    op("where", B, F, 0.0),
    op("where", B, I, 1.5),
    op("gelu", F, approximate=False),
    op("softmax", F, axis=0),
    op("round", F, decimals=1),
    op("isclose", F, F),
    op("argmax", F),
    op("argmax", F, axis=0),
    op("argmin", F, axis=1, keepdims=True),
    op("norm", F),
    op("norm", F, axis=1),
    op("norm", F, ord=1, axis=1),
    op("average", F, axis=0),
    op("moments", F, (0,)),
    op("normalize", F, axis=1),
    op("reshape", F, (2, 6)),
    op("reshape", F, (-1, 2)),
    op("ravel", F),
    op("transpose", F),
    op("transpose", IMAGE, (0, 3, 1, 2)),
    op("swapaxes", IMAGE, 1, 2),
    op("moveaxis", IMAGE, 1, -1),
    op("moveaxis", IMAGE, (0, 1), (-1, 0)),
    op("expand_dims", F, 1),
    op("expand_dims", F, (0, -1)),
    op("squeeze", Draw((3, 1, 4, 1))),
    op("squeeze", Draw((3, 1, 4, 1)), 1),
    op("broadcast_to", V, (3, 4)),
    op("flip", F),
    op("flip", F, axis=1),
    op("concatenate", [F, F], axis=1),
    op("concatenate", [F, I], axis=0),
    op("stack", [F, F], axis=1),
    op("hstack", [F, F]),
    op("vstack", [V, V]),
    op("split", F, 2, axis=1),
    op("split", F, [1, 3], axis=1),
    op("unstack", F, axis=1),
    op("repeat", F, 2, axis=1),
    op("repeat", F, 2),
    op("tile", F, 2),
    op("tile", F, (2, 1, 3)),
    op("pad", F, 1),
    op("pad", F, ((1, 0), (0, 2)), constant_values=5.0),
    op("pad", F, ((1, 0), (0, 2)), mode="reflect"),
    op("pad", F, ((1, 0), (0, 2)), mode="symmetric"),
    op("roll", F, 1),
    op("roll", F, -1, axis=1),
    op("tril", F),
    op("triu", F, k=1),
    op("diagonal", F),
    op("diagonal", F, offset=1),
    op("slice", F, (1, 1), (2, 2)),
    op("get_item", F, (slice(None), 1)),
    op("get_item", F, (Ellipsis, None, slice(None, None, -2))),
    op("zeros_like", F),
    op("ones_like", I),
    op("full_like", F, 3),
    op("cast", F, "int32"),
    op("cast", I, "float32"),
    op("cast", F, "bool"),
    op("one_hot", Draw((5,), "int32", 0, 4), 4),
    op("one_hot", Draw((2, 3), "int32", 0, 4), 4, axis=1),
    op("matmul", F, Draw((4, 5))),
    op("matmul", Draw((2, 3, 4)), Draw((4, 5))),
    op("matmul", Draw((2, 3, 4)), Draw((2, 4, 5))),
    op("matmul", V, Draw((4, 5))),
    op("matmul", F, V),
    op("matmul", Draw((5, 1, 3, 4)), Draw((2, 4, 5))),
    op("matmul", V, Draw((2, 4, 5))),
    op("dot", F, Draw((4, 5))),
    op("dot", F, Draw((2, 4, 5))),
    op("dot", F, 2.0),
    op("tensordot", Draw((2, 3, 4)), Draw((3, 4, 5))),
    op("tensordot", Draw((2, 3, 4)), Draw((4, 3, 5)), axes=[[1, 2], [1, 0]]),
    op("outer", V, V),
    op("inner", F, Draw((2, 4))),
    op("vdot", F, F),
    op("einsum", "ij,jk->ik", F, Draw((4, 5))),
    op("einsum", "bij,bkj->bik", Draw((2, 3, 4)), Draw((2, 5, 4))),
    op("einsum", "...i,ij->...j", Draw((2, 3, 4)), Draw((4, 5))),
    op("einsum", "ij->j", F),
    op("einsum", "ij,i", F, Draw((3,))),
    op("einsum", "ij,jk,kl->il", F, Draw((4, 5)), Draw((5, 2))),
    op("einsum", "abcd,cde->abe", Draw((2, 3, 4, 5)), Draw((4, 5, 6))),
    op("take", F, Draw((2, 2), "int32", 0, 3), axis=0),
    op("take", F, Draw((2,), "int32", 0, 4), axis=1),
    op("take", F, Draw((5,), "int32", -4, 4), axis=1),
    op("take", Draw((300, 2)), Draw((9,), "uint8", 0, 40), axis=0),
    op("take", Draw((2, 3, 4)), Draw((2, 3), "int32", -3, 3), axis=1),
    op("take", F, Draw((2, 2), "int32", 0, 12)),
    op("take_along_axis", F, Draw((3, 2), "int32", -4, 4), axis=1),
    op("take_along_axis", Draw((2, 3, 4)), Draw((2, 5, 4), "int32", 0, 3), axis=1),
    op("take_along_axis", F, Draw((5,), "int32", 0, 12)),
    op("scatter", Draw((5, 1), "int32", -3, 3), Draw((5, 4)), shape=(3, 4)),
    op("scatter", Draw((2, 4, 2), "int32", 0, 5), Draw((2, 4)), shape=(4, 4)),
    op("scatter_update", F, Draw((5, 2), "int32", 0, 3), Draw((5,)), reduction="add"),
    op("scatter_update", F, np.array([[2], [0]], "int32"), Draw((2, 4))),
    op("scatter_update", F, Draw((5, 2), "int32", -3, 3), Draw((5,)), reduction="max"),
    op("scatter_update", F, Draw((5, 2), "int32", 0, 3), Draw((5,)), reduction="mul"),
    op("slice_update", F, np.array([1, 2], "int32"), Draw((2, 2))),
    op("slice_update", F, np.array([2, -1], "int32"), Draw((2, 2))),
    op("segment_sum", Draw((6, 3)), Draw((6,), "int32", 0, 4), 5),
    op("segment_min", Draw((6, 3)), Draw((6,), "int32", 0, 4), 5),
    op("segment_prod", Draw((6, 3)), Draw((6,), "int32", -1, 4), 4),
    op("segment_max", Draw((6, 3)), np.array([0, 2, 1, 1, 0, 2], "int32"), 3),
    op("conv", IMAGE, Draw((3, 2, 3, 4)), strides=(2, 1), padding="same"),
    op("conv", IMAGE, Draw((2, 2, 1, 6)), dilation_rate=2),
    op("depthwise_conv", IMAGE, Draw((3, 3, 3, 2))),
    op("conv_transpose", IMAGE, Draw((3, 3, 4, 3)), strides=2, padding="same"),
    op("max_pool", IMAGE, (2, 2), strides=(2, 2), padding="same"),
    op("average_pool", IMAGE, (2, 3), strides=1, padding="same"),
    op("average_pool", IMAGE, (2, 2), strides=(2, 1)),
    op("layer_normalization", F),
    op("rms_normalization", F),
    op("batch_normalization", IMAGE, Draw((3,)), Draw((3,), low=0.5), axis=-1, offset=Draw((3,)), scale=Draw((3,))),
    op("categorical_crossentropy", P, P),
    op("categorical_crossentropy", P, F, from_logits=True),
    op("sparse_categorical_crossentropy", Draw((3,), "int32", 0, 4), P),
    op("sparse_categorical_crossentropy", Draw((3,), "int32", 0, 4), F, from_logits=True),
    op("binary_crossentropy", Draw((3, 4), low=0, high=1), Draw((3, 4), low=0, high=1)),
    op("binary_crossentropy", Draw((3, 4), low=0, high=1), F, from_logits=True),
    *[op(n, U) for n in ("arcsin", "arccos", "arctanh", "arcsinh", "deg2rad", "rad2deg", "sinc", "cbrt")],
    op("arccosh", Draw((3, 4), low=1.1, high=9.0)),
    *[op(n, F, V) for n in ("hypot", "logaddexp2", "heaviside")],
    *[op(n, F) for n in ("isneginf", "isposinf", "nan_to_num", "nansum", "nanmean", "nanmax")],
    *[op(n, HOLES, axis=1) for n in ("nansum", "nanmean", "nanmax", "nanmin", "nanvar")],
    *[op(n, HOLES) for n in ("nan_to_num", "isnan", "isinf", "isfinite", "isneginf", "isposinf", "relu")],
    *[op(n, F, axis=1) for n in ("nanprod", "nanvar", "nanstd", "nanmin", "ptp")],
    *[op(n, I, Draw((4,), "int32", 0, 5)) for n in ("bitwise_and", "bitwise_or", "bitwise_xor")],
    *[
        op(n, I, Draw((4,), "int32", 0, 5))
        for n in ("left_shift", "right_shift", "bitwise_left_shift", "bitwise_right_shift")
    ],
    op("bitwise_not", I),
    op("in_top_k", Draw((3,), "int32", 0, 4), F, 2),
    op("searchsorted", np.array([-1.0, 0.0, 1.0], "float32"), F),
    op("digitize", F, np.array([-1.0, 0.0, 1.0], "float32")),
    op("isin", I, Draw((4,), "int32", -5, 6)),
    op("trace", F),
    op("diag", V),
    op("diag", V, k=-1),
    op("rot90", F),
    op("rot90", F, k=3),
    op("cross", Draw((4, 3)), Draw((4, 3))),
    op("meshgrid", V, Draw((3,))),
    op("meshgrid", V, Draw((3,)), indexing="ij"),
    op("multi_hot", Draw((2, 3), "int32", 0, 5), 5),
    op("threshold", F, 0.5, -1.0),
    op("stop_gradient", F),
]


def call(module: Any, case: OpCase, args: list[Any]) -> Any:
    rng = np.random.default_rng(99)
    kwargs = {k: v.array(rng) if isinstance(v, Draw) else v for k, v in case.kwargs.items()}
    return getattr(module.ops, case.name)(*args, **kwargs)


__all__ = ["CASES", "Draw", "OpCase", "call"]
