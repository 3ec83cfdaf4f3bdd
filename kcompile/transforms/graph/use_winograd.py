"""use-winograd: convolutions of 3 x 3, or of fewer taps a phase, work on transformed tiles where that is faster.

Reads graph, writes graph; not exact (option `exact_conv` leaves it out). The transform of the weights is ordinary ops,
in f64, so that hoist-weights moves it into @prepare. Padding stays with the op: no padded image is stored.

    convolution(x, w)                       =>   winograd_convolution(x, f32((G x G) . f64(pack(w))))
    convolution(x, dy), the gradient by w   =>   (G x G)' . winograd_filter_gradient(x, dy)

The reason for each choice is on the op, as `kernel.algorithm`. See convolution_cost.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.winograd import PANEL, WHOLE, matrices, panels
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value, module_functions
from kcompile.ir.dims import SymbolicDim, nominal
from kcompile.ir.passes import pass_
from kcompile.transforms.graph import convolution_cost
from kcompile.transforms.graph.convolution_cost import Choice
from kcompile.transforms.graph.narrow_convolutions import is_narrow_gradient, sums_along_inputs
from kcompile.transforms.graph.roles import WeightOnly
from kcompile.transforms.graph.tap_windows import Axis, windows_of
from kcompile.transforms.kernel.kinds import tensor_type

IMAGES = (0, 3, 1, 2)  # batch, features, height, width of channels_last
EXCHANGED = (3, 0, 1, 2)  # the same images where the channels count as batch: in a gradient by the weights


@pass_("use-winograd", reads="graph", writes="graph")
def use_winograd(module: Operation, freeze: bool = False, tile: int = 0) -> bool:
    """`freeze`: weights are prepared once. `tile`: use this tile size wherever it is possible, whatever it costs."""
    changed = False
    for function in module_functions(module):
        weight_only = WeightOnly(function)
        for op in [op for op in function.walk() if op.name == "graph.convolution"]:
            windows = windows_of(op) if is_possible(op) else None
            if windows is not None:
                choice = choose(op, windows, freeze and op.operands[1] in weight_only)
                write: Callable[[Operation, Choice], None] = partial(rewrite, windows=windows)
            elif is_filter_gradient(op):
                choice = choose_for_filter(op)
                write = rewrite_filter_gradient
            else:
                continue
            choice = Choice(tile, "asked for") if tile else choice
            op["kernel.algorithm"] = choice.reason
            if choice.tile:
                write(op, choice)
                changed = True
    return changed


def is_possible(op: Operation) -> bool:
    """Whether it is on images of fixed size, with more than a few features."""
    return (
        is_plain(op)
        and tuple(op["lhs_spec"]) == tuple(op["out_spec"]) == IMAGES
        and not sums_along_inputs(op)
        and all(is_fixed(v, first) for v, first in ((op.operands[0], 1), (op.operands[1], 0), (op.result, 1)))
    )


def is_filter_gradient(op: Operation) -> bool:
    """Whether it makes a kernel of 3 x 3 out of images and gradients of fixed size."""
    made = tensor_type(op.result)
    return (
        is_plain(op)
        and all(n == 1 for n in op["lhs_dilation"])
        and tuple(op["lhs_spec"]) == tuple(op["rhs_spec"]) == EXCHANGED
        and [made.shape[i] for i in op["out_spec"][2:]] == [3, 3]
        and not is_narrow_gradient(op)
        and all(is_fixed(v, 1) for v in op.operands)
    )


def is_plain(op: Operation) -> bool:
    """Whether it is two-dimensional, in f32, without strides, gaps in the kernel and groups."""
    x = tensor_type(op.operands[0])
    return (
        x.rank == 4
        and x.element is t.f32
        and all(n == 1 for name in ("strides", "rhs_dilation") for n in op[name])
        and op.get("feature_groups", 1) == op.get("batch_groups", 1) == 1
    )


def is_fixed(value: Value, first: int) -> bool:
    """Whether the dims from `first` are numbers, and none is 0."""
    return not any(isinstance(n, SymbolicDim) or n == 0 for n in tensor_type(value).shape[first:])


def choose(op: Operation, windows: tuple[Axis, Axis], frozen: bool) -> Choice:
    """By the size of one image where weights are prepared; else their preparation is shared by a usual batch."""
    batch, _, _, features = tensor_type(op.result).shape
    inputs = tensor_type(op.operands[0]).shape[3]
    images = 1 if frozen and isinstance(batch, SymbolicDim) else nominal(batch)
    assert isinstance(features, int) and isinstance(inputs, int)
    down, across = windows
    taps = down.taps, across.taps
    return convolution_cost.choose(images, down.positions, across.positions, inputs, features, frozen, taps)


def choose_for_filter(op: Operation) -> Choice:
    """For a usual batch."""
    batch, height, width, features = tensor_type(op.operands[1]).shape
    inputs = tensor_type(op.operands[0]).shape[3]
    assert isinstance(height, int) and isinstance(width, int) and isinstance(features, int) and isinstance(inputs, int)
    return convolution_cost.choose_for_filter(nominal(batch), height, width, inputs, features)


def rewrite(op: Operation, choice: Choice, windows: tuple[Axis, Axis]) -> None:
    b: GraphBuilder = GraphBuilder.before_op(op)
    x, w = op.operands
    down, across = windows
    attributes = {
        "padding_low": (down.low, across.low), "padding_high": (down.high, across.high), "tile": choice.tile,
        "features": tensor_type(w).shape[op["rhs_spec"][0]],
    }  # fmt: skip
    given = {"row_taps": down.flat_taps, "column_taps": across.flat_taps, "drop": (down.drop, across.drop)}
    attributes |= {name: value for name, value in given.items() if value not in (WHOLE, (0, 0))}
    with b.located(op.location):
        made = b.winograd_convolution(x, transformed(b, w, op["rhs_spec"], choice.tile, windows), **attributes)
    made.defining_op["kernel.algorithm"] = choice.reason
    op.replace_by([made])


def transformed(b: GraphBuilder, w: Value, spec: tuple[int, ...], tile: int, windows: tuple[Axis, Axis]) -> Value:
    """The weights of all phases at all points, their features in panels; in f64 until they are done.

    The panels are made of the weights: at the points there are two to four times as many elements to move.
    """
    out, into, *window = spec
    if (*window, into, out) != (0, 1, 2, 3):
        w = b.transpose(w, permutation=(*window, into, out))
    *_, inputs, features = tensor_type(w).shape
    assert isinstance(features, int)
    rest = panels(features) * PANEL - features
    if rest:
        w = b.pad(w, b.constant(0.0, t.f32), low=(0,) * 4, high=(0, 0, 0, rest), interior=(0,) * 4)
    _, kernel, _ = matrices(tile)
    down, across = (np.einsum("pt,rta->pra", kernel, axis.select) for axis in windows)
    taps = down.shape[2] * across.shape[2]
    cut = b.reshape(w, shape=(taps, inputs, panels(features), PANEL))
    flat = b.reshape(b.transpose(cut, permutation=(0, 2, 1, 3)), shape=(taps, panels(features) * PANEL * inputs))
    both = b.constant(np.einsum("pra,qsc->pqrsac", down, across).reshape(-1, taps), t.f64)
    wide = b.convert(flat, dtype=t.f64)
    points = b.dot_general(both, wide, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,))
    count = len(windows[0].taps) * len(windows[1].taps)
    shape = ((tile + 2) ** 2, count * panels(features), inputs, PANEL)
    result: Value = b.reshape(b.convert(points, dtype=t.f32), shape=shape)
    return result


def rewrite_filter_gradient(op: Operation, choice: Choice) -> None:
    """The sums at the points, and their way back: f32 is enough, as a gradient is a sum of many terms anyway."""
    b: GraphBuilder = GraphBuilder.before_op(op)
    x, ct = op.operands
    inputs, features = tensor_type(x).shape[3], tensor_type(ct).shape[3]
    assert isinstance(inputs, int) and isinstance(features, int)
    parts = convolution_cost.filter_parts(inputs, features)
    _, kernel, _ = matrices(choice.tile)
    with b.located(op.location):
        points = b.winograd_filter_gradient(
            x, ct, padding_low=op["padding_low"], padding_high=op["padding_high"], tile=choice.tile, parts=parts
        )
        points.defining_op["kernel.algorithm"] = choice.reason
        flat = b.reshape(points, shape=(parts * (choice.tile + 2) ** 2, inputs * features))
        back = b.constant(np.tile(np.kron(kernel, kernel).T, parts), t.f32)
        made = b.dot_general(back, flat, lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,))
        made = b.reshape(made, shape=(3, 3, inputs, features))
        channel, feature, *window = op["out_spec"]
        axes = sorted(range(4), key=(*window, channel, feature).__getitem__)
        if axes != [0, 1, 2, 3]:
            made = b.transpose(made, permutation=tuple(axes))
    op.replace_by([made])
