"""convolution: direct, channels last, in register tiles (see register_tile); no im2col, no copies.

    y[n, oh, ow, oc] = epilogue(sum_{kh, kw, ic} x[n, oh * s + kh * d, ow * s + kw * d, ic] * w[kh, kw, ic, oc])

Rows run along ow (or whatever the weights do not depend on), lanes along oc. The gradient with respect to the filter is
the same nest with other maps: rows along ic, lanes along oc, the sum over n, oh, ow. In a depthwise convolution the
lanes run along the channels of both operands.
"""

from __future__ import annotations

from kcompile.codegen.target import Target
from kcompile.ir.core import Operation
from kcompile.strategies.contraction import has_windows, is_multiply_add
from kcompile.strategies.parts import register_tile, tile_choice
from kcompile.strategies.parts.structured import Kernel
from kcompile.strategies.parts.tile_choice import Tile


def match(kernel: Kernel, target: Target) -> Tile | None:
    view = tile_choice.single_reduction(kernel)
    if view is None or not is_multiply_add(view) or not has_windows(view) or not tile_choice.results_fit(kernel, view):
        return None
    return tile_choice.choose(view, target, tile_choice.may_replace(kernel, view))


def emit(kernel: Kernel, tile: Tile, target: Target) -> Operation:
    return register_tile.emit(kernel, tile, "convolution")
