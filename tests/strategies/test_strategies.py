"""Every strategy against the interpreter of the linalg level: at odd sizes, with one worker and with several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from kcompile.codegen.target import Target
from kcompile.ir import types as t
from kcompile.ir.core import Operation, module_functions
from kcompile.ir.dims import symbols_of
from kcompile.ir.interpreter import interpret, undefined
from kcompile.ir.types import MemRefType, element_of, shape_of, to_numpy
from kcompile.strategies.select import lower
from tests.strategies import convolution_kernels as c
from tests.strategies import indexing_kernels as x
from tests.strategies import linalg_kernels as k
from tests.strategies.cell_kernels import cell
from tests.strategies.pooled_kernels import pooled
from tests.strategies.sliding_kernels import grouped
from tests.strategies.statistics_kernels import product_statistics
from tests.strategies.sum_kernels import dot_of_pieces

TARGETS = ["x86-64", "x86-64-v3", "x86-64-v4", "aarch64"]
SUM = 3e-6  # relative to the sum of magnitudes: a few ulp for the lengths below
EXACT = 0.0
WINOGRAD = 1e-5  # the transforms add and subtract values a few times larger than the result

B = k.BATCH


def forced(strategy: str, module: Operation) -> Operation:
    """The kernel of a module with the strategy that it is to have, where it would take another at this size."""
    (function,) = module_functions(module)
    function["kernel.strategy"] = strategy
    return module


CASES = {
    # sizes around the tiles: 1, tile - 1, tile, tile + 1, primes
    "dense 1": ("contraction", lambda: k.dense(B, 7, 16), 1, SUM),
    "dense 6": ("contraction", lambda: k.dense(B, 5, 64), 6, SUM),
    "dense 7": ("contraction", lambda: k.dense(B, 3, 65), 7, SUM),
    "dense exponential": ("contraction", lambda: k.dense(B, 3, 37, dear=True), 7, SUM),
    "gates exponential": ("contraction", lambda: k.gates(B, 3, 3, 20, dear=True), 7, SUM),
    "cell": ("contraction", lambda: cell(B, 5, 20), 7, SUM),
    "cell of a sequence": ("contraction", lambda: cell(B, 70, 20, True), 3, SUM),
    "cell of 9 rows": ("contraction", lambda: cell(9, 3, 32), 1, SUM),
    "dense 13x37": ("contraction", lambda: k.dense(13, 20, 37), 1, SUM),
    "dense 10": ("contraction", lambda: k.dense(B, 17, 10, epilogue=False), 5, SUM),
    "dense column": ("row_reduction", lambda: k.dense(B, 19, 1, transposed=True, epilogue=False), 3, SUM),
    "dense transposed": ("row_reduction", lambda: k.dense(3, 19, 5, transposed=True, epilogue=False), 1, SUM),
    "dense in sets": ("contraction", lambda: k.dense(B, 67, 10), 7, SUM),
    "dense in pairs of sets": ("contraction", lambda: k.dense(B, 48, 29), 9, SUM),
    "dense in groups": ("contraction", lambda: forced("contraction{group=3}", k.dense(B, 4, 165)), 9, SUM),
    "four gates": ("contraction", lambda: k.gates(B, 9, 4, 37), 5, SUM),
    "three gates": ("contraction", lambda: k.gates(B, 20, 3, 48), 9, SUM),
    "two gates": ("contraction", lambda: k.gates(11, 6, 2, 70), 1, SUM),
    "panels": ("contraction", lambda: k.panels(B, 7, 3, 64), 5, SUM),
    "panels asked for": ("contraction", lambda: forced("contraction{ahead=3}", k.panels(B, 7, 4, 32)), 5, SUM),
    "panels of rows": ("contraction", lambda: k.panels(13, 5, 2, 48), 1, SUM),
    "panels of gates": ("contraction", lambda: k.panels(B, 6, 2, 32, parts=3), 4, SUM),
    "next rows asked for": ("contraction", lambda: k.dense(B, 40, 70), 29, SUM),
    "added to a residual": ("contraction", lambda: k.added_products(B, [65], 35), 15, SUM),
    "added products": ("product_sums", lambda: k.added_products(B, [7, 40, 3], 37), 9, SUM),
    "added products of a row": ("product_sums", lambda: k.added_products(B, [5, 64], 66), 1, SUM),
    "added products of fixed rows": ("product_sums", lambda: k.added_products(13, [64, 5], 70), 1, SUM),
    "added products in sets": ("product_sums", lambda: k.added_products(B, [67, 16, 3], 10), 7, SUM),
    "added products in panels": ("product_sums", lambda: k.added_products(B, [6, 33], 32, panels=3), 5, SUM),
    "added products turned": ("product_sums", lambda: k.added_products(13, [5, 9], 20, turned=True), 1, SUM),
    "dots": ("dots", lambda: k.dense(B, 32, 48, transposed=True), 9, SUM),
    "dots of a row": ("dots", lambda: k.dense(B, 16, 16, transposed=True, epilogue=False), 1, SUM),
    "dots of fixed rows": ("dots", lambda: k.dense(7, 48, 32, transposed=True, dear=True), 1, SUM),
    "update": ("contraction", lambda: k.update(B, 20, 37), 5, SUM),
    "update in long runs": (
        "contraction",
        lambda: forced("contraction{rows=3, vectors=4, group=2}", k.update(7, 9, 210)),
        1,
        SUM,
    ),
    "update of copied panels": ("long_sums", lambda: forced("long_sums{block=2048}", k.update(B, 53, 256)), 3, SUM),
    "update of a tile and one": ("contraction", lambda: k.update(B, 15, 48), 3, SUM),
    "convolution": ("convolution", lambda: c.convolution(B, 7, 9, 3, 20, 3, 1), 2, SUM),
    "convolution stride": ("convolution", lambda: c.convolution(B, 9, 11, 5, 17, 3, 2), 1, SUM),
    "convolution dilated": ("convolution", lambda: c.convolution(1, 9, 9, 2, 32, 3, 1, 2), 1, SUM),
    "convolution first": ("convolution", lambda: c.convolution(B, 8, 8, 1, 33, 3, 1), 2, SUM),
    "dense of no columns": ("scalar_loops", lambda: k.dense(B, 7, 0), 2, EXACT),
    "dense of no rows": ("contraction", lambda: k.dense(0, 7, 20), 1, EXACT),
    "convolution of no columns": ("convolution", lambda: c.convolution(B, 5, 2, 3, 0, 1, 1), 2, EXACT),
    "convolution of no positions": ("convolution", lambda: c.convolution(B, 1, 2, 3, 5, 2, 1), 2, EXACT),
    "winograd": ("winograd", lambda: c.winograd(B, 9, 7, 5, 20), 2, WINOGRAD),
    "winograd inside": ("winograd", lambda: c.winograd(B, 10, 10, 16, 32, 0, 0), 1, WINOGRAD),
    "winograd of two": ("winograd", lambda: c.winograd(B, 5, 6, 3, 17, 1, 1, tile=2), 2, WINOGRAD),
    "winograd cropped": ("winograd", lambda: c.winograd(1, 8, 9, 17, 16, -1, 2), 1, WINOGRAD),
    "winograd with a long epilogue": ("winograd", lambda: c.winograd(B, 4, 4, 2, 33, long=True), 1, WINOGRAD),
    "winograd from afar": ("winograd", lambda: c.winograd(B, 2, 3, 66, 260, tile=2), 1, WINOGRAD),
    "winograd of one pixel": ("winograd", lambda: c.winograd(B, 1, 1, 1, 1), 3, WINOGRAD),
    "winograd of no pixels": ("winograd", lambda: c.winograd(B, 2, 1, 3, 5, 0, 1), 1, EXACT),
    "winograd of no images": ("winograd", lambda: c.winograd(0, 4, 4, 3, 5), 1, EXACT),
    "winograd pooled": ("winograd", lambda: c.winograd_pooled(B, 4, 8, 3, 16, 4, "max", True), 2, WINOGRAD),
    "winograd of two pooled": ("winograd", lambda: c.winograd_pooled(1, 4, 6, 5, 32, 2, "add", False), 1, WINOGRAD),
    "grouped in pairs": ("sliding_windows", lambda: grouped(B, 5, 9, 16, 2, 2), 2, SUM),
    "grouped in fours": ("sliding_windows", lambda: grouped(B, 6, 47, 8, 4, 4, (2, 3), stride=2), 2, SUM),
    "grouped dilated": ("sliding_windows", lambda: grouped(1, 5, 33, 4, 4, 4, (2, 5), dilation=2), 1, SUM),
    "grouped apart": ("convolution", lambda: grouped(B, 5, 9, 3, 4, 20), 2, SUM),
    "pooled": ("pooled_convolution", lambda: pooled(B, 6, 9, 3, 20, 3), 2, SUM),
    "pooled in bands": (
        "pooled_convolution",
        lambda: forced("pooled_convolution{band=2}", pooled(B, 13, 11, 2, 33, 3, window=(3, 3), low=1, high=1)),
        2,
        SUM,
    ),
    "pooled row by row": (
        "pooled_convolution",
        lambda: forced("pooled_convolution{band=1}", pooled(B, 9, 13, 1, 16, 2, window=(3, 2), high=2, both=True)),
        2,
        SUM,
    ),
    "pooled in groups": (
        "pooled_convolution",
        lambda: forced("pooled_convolution{band=3, group=2}", pooled(1, 11, 17, 2, 165, 2, 2, (3, 3), 1, 1)),
        1,
        SUM,
    ),
    "pooled sums": ("pooled_convolution", lambda: pooled(B, 8, 10, 5, 17, 3, 1, (3, 3), 2, 1, 0, "add", True), 2, SUM),
    "pooled apart": ("pooled_convolution", lambda: pooled(B, 10, 9, 3, 7, 3, window=(2, 1), step=3), 3, SUM),
    "pooled once": ("pooled_convolution", lambda: pooled(B, 6, 6, 2, 16, 3, window=(4, 4), kind="max of one"), 1, SUM),
    "pooled in the border": ("pooled_convolution", lambda: pooled(B, 5, 6, 2, 5, 2, window=(2, 2), low=3), 2, SUM),
    "pooled in panels": (
        "pooled_convolution",
        lambda: pooled(B, 8, 9, 3, 96, 3, window=(3, 3), low=1, high=1, both=True, panel=32),
        2,
        SUM,
    ),
    "pooled asked for": (
        "pooled_convolution",
        lambda: forced("pooled_convolution{ahead=3}", pooled(B, 5, 16, 4, 64, 2, panel=32)),
        2,
        SUM,
    ),
    "pooled with a border": (
        "pooled_convolution",
        lambda: k.bordered(pooled(B, 8, 10, 3, 19, 3, both=True), (0, 1, 1, 0), (0, 0, 2, 0), keep=True),
        2,
        SUM,
    ),
    "winograd of parts": ("winograd", lambda: c.in_parts(c.winograd(B, 5, 6, 48, 17), (16, 32)), 2, WINOGRAD),
    "winograd filter of parts": (
        "winograd_filter",
        lambda: c.in_parts(c.winograd_filter(B, 6, 5, 112, 5), (32, 64, 16)),
        2,
        WINOGRAD,
    ),
    "winograd filter": ("winograd_filter", lambda: c.winograd_filter(B, 6, 7, 5, 20), 2, WINOGRAD),
    "winograd filter in parts": ("winograd_filter", lambda: c.winograd_filter(B, 6, 6, 17, 3, 0, 0, 2, 3), 2, WINOGRAD),
    "winograd filter of blocks": ("winograd_filter", lambda: c.winograd_filter(1, 2, 3, 66, 5, 1, 1, 2), 1, WINOGRAD),
    "winograd filter of no images": ("winograd_filter", lambda: c.winograd_filter(0, 4, 4, 3, 5), 1, EXACT),
    "depthwise": ("depthwise", lambda: c.depthwise(B, 6, 9, 19, 3), 2, SUM),
    "depthwise stride": ("depthwise", lambda: c.depthwise(B, 9, 12, 16, 3, 2, epilogue=True), 2, SUM),
    "depthwise dilated": ("depthwise", lambda: c.depthwise(1, 11, 13, 40, 3, 1, 2), 1, SUM),
    "depthwise wide": ("depthwise", lambda: c.depthwise(B, 7, 9, 5, 5, epilogue=True), 1, SUM),
    "depthwise one pixel": ("depthwise", lambda: c.depthwise(B, 3, 3, 33, 3), 3, SUM),
    "depthwise large": ("convolution", lambda: c.depthwise(1, 10, 10, 16, 9), 1, SUM),
    "depthwise rows": ("depthwise", lambda: c.depthwise_rows(B, 23, 17, 4), 2, SUM),
    "expanded depthwise": ("expanded_depthwise", lambda: c.expanded_depthwise(B, 5, 6, 3, 32), 2, SUM),
    "expanded depthwise stride": (
        "expanded_depthwise",
        lambda: c.expanded_depthwise(B, 9, 20, 5, 48, stride=2, pad=(0, 1)),
        1,
        SUM,
    ),
    "expanded depthwise panels": ("expanded_depthwise", lambda: c.expanded_depthwise(B, 7, 7, 4, 64, panel=32), 2, SUM),
    "expanded depthwise valid": (
        "expanded_depthwise",
        lambda: c.expanded_depthwise(B, 6, 17, 2, 16, pad=(0, 0)),
        1,
        SUM,
    ),
    "expanded depthwise wide": (
        "expanded_depthwise",
        lambda: c.expanded_depthwise(1, 8, 7, 3, 16, k=5, stride=2, pad=(2, 2)),
        1,
        SUM,
    ),
    "separable": ("separable", lambda: c.separable(B, 7, 9, 32, 24, 5), 2, SUM),
    "separable stride": ("separable", lambda: c.separable(B, 12, 11, 16, 17, 3, stride=2), 1, SUM),
    "separable apart": ("separable", lambda: c.separable(B, 9, 21, 16, 5, 2, stride=4), 1, SUM),
    "separable residual": ("separable", lambda: c.separable(B, 5, 8, 48, 16, 16, residual=True), 2, SUM),
    "separable wide": ("separable", lambda: c.separable(1, 11, 14, 16, 33, 4, k=5), 1, SUM),
    "separable panels": ("separable", lambda: c.separable(B, 5, 7, 32, 64, 6, panel=32), 3, SUM),
    "separable alone": ("separable", lambda: c.separable(B, 9, 16, 32, 48, activated=False), 2, SUM),
    "separable alone of one row": ("separable", lambda: c.separable(B, 3, 6, 16, 16), 1, SUM),
    "separable pairs": ("separable", lambda: c.separable(B, 6, 19, 32, 24, 5, stride=2), 2, SUM),
    "separable pairs of 16": ("separable", lambda: c.separable(B, 5, 30, 16, 16), 2, SUM),
    "separable pairs of 20": ("separable", lambda: c.separable(1, 7, 14, 48, 20, 20, residual=True), 1, SUM),
    "separable pairs of 34": ("separable", lambda: c.separable(B, 6, 18, 16, 34, activated=False, border=True), 2, SUM),
    "separable pairs of 3": ("separable", lambda: c.separable(B, 4, 10, 16, 3, 7), 2, SUM),
    "separable border": ("separable", lambda: c.separable(B, 8, 13, 16, 19, border=True), 2, SUM),
    "bordered depthwise": (
        "depthwise",
        lambda: k.bordered(c.depthwise(B, 6, 9, 19, 3), (0, 0, 1, 0), (0, 1, 1, 0)),
        2,
        SUM,
    ),
    "phases 2x2": ("phases", lambda: c.phases(B, 3, 4, 5, 17, 2, 2), 2, SUM),
    "phases 3x3": ("phases", lambda: c.phases(B, 3, 13, 5, 33, 3, 2, 1), 2, SUM),
    "phases 4x4": ("phases", lambda: c.phases(1, 3, 15, 2, 16, 4, 3, 2), 1, SUM),
    "phases without taps": ("phases", lambda: c.phases(B, 3, 4, 5, 18, 1, 3), 2, SUM),
    "phases channels first": ("scalar_loops", lambda: c.phases(B, 3, 4, 5, 6, 3, 2, 1, last=False), 2, SUM),
    "filter gradient": ("convolution", lambda: c.filter_gradient(B, 6, 7, 5, 18, 3), 3, SUM),
    "column sums": ("column_sums", lambda: k.column_sums(B, 3, 4, 37), 2, SUM),
    "column sums of many": ("column_sums", lambda: k.column_sums(B, 2, 3, 150, "y"), 2, SUM),
    "column sums of what is turned": ("column_sums", lambda: k.column_sums(B, 3, 2, 18, "turned"), 2, SUM),
    "column sums beside a border": ("column_sums", lambda: k.column_sums(B, 3, 5, 16, "padded"), 3, SUM),
    "statistics of 1": ("product_statistics", lambda: product_statistics(B, 1, 1, 3, 16), 3, SUM),
    "statistics of 7": ("product_statistics", lambda: product_statistics(B, 7, 7, 5, 64), 3, SUM),
    "statistics of 8": ("product_statistics", lambda: product_statistics(B, 3, 8, 5, 65), 2, SUM),
    "statistics of 13": ("product_statistics", lambda: product_statistics(B, 2, 13, 7, 37), 1, SUM),
    "statistics of 17": ("product_statistics", lambda: product_statistics(B, 2, 17, 3, 97), 2, SUM),
    "statistics of tiles": (
        "product_statistics",
        lambda: forced("product_statistics{rows=5, vectors=2, group=2}", product_statistics(B, 3, 11, 4, 150)),
        2,
        SUM,
    ),
    "statistics of panels": ("product_statistics", lambda: product_statistics(B, 3, 14, 9, 96, panels=3), 2, SUM),
    "statistics beside": ("product_statistics", lambda: product_statistics(B, 4, 9, 6, 40, beside=True), 2, SUM),
    "statistics of no images": ("product_statistics", lambda: product_statistics(0, 4, 9, 6, 20), 1, EXACT),
    "statistics of windows": ("product_statistics", lambda: c.convolution(B, 9, 11, 3, 20, 3, 1, sums=True), 2, SUM),
    "statistics of windows stride": (
        "product_statistics",
        lambda: c.convolution(B, 9, 19, 5, 33, 3, 2, sums=True),
        2,
        SUM,
    ),
    "inner products": ("inner_products", lambda: c.narrow_convolution(B, 4, 18, 16, 3, 3), 2, SUM),
    "inner products of one": ("inner_products", lambda: c.narrow_convolution(1, 3, 21, 19, 1, 2), 1, SUM),
    "inner products of four": ("inner_products", lambda: c.narrow_convolution(B, 2, 16, 50, 4, 1), 2, SUM),
    "inner products of rows": ("inner_products", lambda: k.dense(33, 37, 2, transposed=True, epilogue=False), 1, SUM),
    "long sums": ("long_sums", lambda: forced("long_sums", c.filter_gradient(B, 6, 7, 5, 18, 3)), 3, SUM),
    "long sums in blocks": (
        "long_sums",
        lambda: forced("long_sums{block=512}", c.filter_gradient(B, 6, 7, 5, 33, 3)),
        3,
        SUM,
    ),
    "long sums of images": (
        "long_sums",
        lambda: forced("long_sums{block=4096}", c.filter_gradient(B, 5, 4, 17, 5, 2)),
        5,
        SUM,
    ),
    "long sums of few": (
        "long_sums",
        lambda: forced("long_sums{block=600}", c.filter_gradient(B, 6, 7, 1, 32, 3)),
        3,
        SUM,
    ),
    "long sums of a dot": ("long_sums", lambda: forced("long_sums{block=200}", k.dot_of_rows(B, 16, 35)), 7, SUM),
    "long sums turned": ("long_sums", lambda: forced("long_sums{turned=true}", k.dot_of_rows(B, 37, 19)), 3, SUM),
    "long sums turned in blocks": (
        "long_sums",
        lambda: forced("long_sums{block=500, turned=true}", k.dot_of_rows(B, 16, 9)),
        7,
        SUM,
    ),
    "long sums of pieces turned": (
        "long_sums",
        lambda: forced("long_sums{turned=true}", dot_of_pieces(B, 3, 5, 33, 17)),
        2,
        SUM,
    ),
    "long sums of pieces": ("long_sums", lambda: forced("long_sums", dot_of_pieces(B, 5, 7, 17, 35)), 3, SUM),
    "long sums of pieces in blocks": (
        "long_sums",
        lambda: forced("long_sums{block=4000}", dot_of_pieces(B, 3, 23, 33, 16)),
        2,
        SUM,
    ),
    "long sums of one piece": ("long_sums", lambda: forced("long_sums", dot_of_pieces(3, 1, 13, 1, 24)), 1, SUM),
    "max pooling": ("window", lambda: k.pooling(B, 6, 6, 19, 2, 2, "max"), 2, EXACT),
    "average pooling": ("window", lambda: k.pooling(B, 7, 7, 33, 3, 2, "add"), 1, SUM),
    "column sum": ("window", lambda: k.column_sum(B, 37), 5, SUM),
    "row sum": ("row_reduction", lambda: k.row_reduction(B, 150, "add"), 5, SUM),
    "row max": ("row_reduction", lambda: k.row_reduction(3, B, "max"), 7, EXACT),
    "softmax with a scale": ("row_reduction", lambda: k.scaled_softmax(B, 32), 3, SUM),
    "softmax 10": ("row_reduction", lambda: k.softmax(B, 10), 3, SUM),
    "softmax 131": ("row_reduction", lambda: k.softmax(B, 131), 2, SUM),
    "softmax 601": ("row_reduction", lambda: k.softmax(B, 601), 2, SUM),
    "open columns": ("open_columns", lambda: k.open_scores(B, B, 2, 5), 70, SUM),
    "open columns of blocks": ("open_columns", lambda: k.open_scores(3, B, 1, 33), 64, SUM),
    "open columns of one": ("open_columns", lambda: k.open_scores(B, B, 1, 1), 1, SUM),
    "open columns of many rows": ("open_columns", lambda: k.open_scores(37, B, 2, 18), 5, SUM),
    "open columns of none": ("open_columns", lambda: k.open_scores(2, B, 2, 3), 0, EXACT),
    "attention": ("attention", lambda: k.attention(B, 5, 7, 2, 4, 6), 2, SUM),
    "attention of one": ("attention", lambda: k.attention(2, 1, 1, 1, 1, 1), 1, SUM),
    "attention masked": ("attention", lambda: k.attention(B, 9, 19, 1, 17, 18, masked=True), 2, SUM),
    "attention of turned keys": ("attention", lambda: k.attention(2, 3, 17, 2, 3, 16, turned=True), 1, SUM),
    "attention of blocks": ("attention", lambda: k.attention(B, 35, 8, 1, 2, 4), 1, SUM),
    "attention of long rows": ("attention", lambda: k.attention(1, 2, 300, 1, 1, 1, masked=True), 1, SUM),
    "attention gradient": ("attention", lambda: k.attention_gradient(B, 5, 7, 2, 4, 6), 2, SUM),
    "attention gradient of one": ("attention", lambda: k.attention_gradient(2, 1, 1, 1, 1, 1), 1, SUM),
    "attention gradient of blocks": ("attention", lambda: k.attention_gradient(B, 35, 17, 1, 3, 18), 2, SUM),
    "attention gradient of whole blocks": ("attention", lambda: k.attention_gradient(2, 64, 33, 2, 20, 5), 1, SUM),
    "attention gradient of values": ("attention", lambda: k.attention_gradient(B, 37, 9, 1, 2, 17, "v"), 1, SUM),
    "attention gradient of queries": ("attention", lambda: k.attention_gradient(B, 33, 5, 2, 3, 4, "q"), 2, SUM),
    "argmax": ("scalar_loops", lambda: k.argmax(B, 10), 4, EXACT),
    "elementwise": ("elementwise", lambda: k.scale_and_compare(B, 3, 21), 2, EXACT),
    "elementwise dear": ("elementwise", lambda: k.exponentials(331), 1, SUM),
    "elementwise dear rows": ("elementwise", lambda: k.exponentials(B, 3, 2, 151), 2, SUM),
    "elementwise short rows": ("elementwise", lambda: k.exponentials(B, 3, 5, 2, 2, 17), 3, SUM),
    "elementwise dear columns": ("elementwise", lambda: k.exponentials(3, B), 2, SUM),
    "elementwise rows": (
        "elementwise",
        lambda: k.bordered(k.scale_rows(B, 17, 3, 19), (0, 1, 1, 0), (0, 1, 1, 0)),
        2,
        EXACT,
    ),
    "transpose": ("transpose", lambda: k.transpose(19, 35), 1, EXACT),
    "transpose even": ("transpose", lambda: k.transpose(16, 32), 1, EXACT),
    "transpose narrow": ("elementwise", lambda: k.transpose(3, 35), 1, EXACT),
    "transpose inside": ("transpose", lambda: k.transpose_inside(B, 17, 18), 2, EXACT),
    "reverse": ("elementwise", lambda: k.reverse(5, 18), 1, EXACT),
    "pad": ("elementwise", lambda: k.pad(B, 3, 17, (0, 1, 0), (0, 2, 0)), 2, EXACT),
    "pad last": ("elementwise", lambda: k.pad(B, 3, 17, (0, 0, 1), (0, 0, 2)), 2, EXACT),
    "pad all": ("elementwise", lambda: k.pad(B, 3, 17, (1, 2, 3), (2, 0, 1)), 2, EXACT),
    "pad of one column": ("elementwise", lambda: k.pad(B, 3, 1, (0, 0, 20), (0, 1, 17)), 2, EXACT),
    "bordered dense": ("contraction", lambda: k.bordered(k.dense(B, 7, 20), (2, 1), (0, 3), keep=True), 5, SUM),
    "bordered convolution": (
        "convolution",
        lambda: k.bordered(c.convolution(B, 7, 9, 3, 20, 3, 1), (0, 1, 1, 0), (0, 1, 1, 0)),
        2,
        SUM,
    ),
    "bordered after": (
        "convolution",
        lambda: k.bordered(c.convolution(B, 5, 6, 3, 37, 1, 1), (0, 0, 0, 0), (0, 1, 2, 0)),
        2,
        SUM,
    ),
    "bordered pooling": (
        "window",
        lambda: k.bordered(k.pooling(B, 6, 6, 19, 2, 2, "max"), (0, 1, 2, 0), (0, 1, 2, 1), keep=True),
        2,
        EXACT,
    ),
    "bordered softmax": ("row_reduction", lambda: k.bordered(k.softmax(B, 10), (0, 1), (1, 3)), 3, SUM),
    "bordered argmax": ("scalar_loops", lambda: k.bordered(k.argmax(B, 10), (1,), (2,)), 4, EXACT),
    "bordered elementwise": (
        "elementwise",
        lambda: k.bordered(k.scale_and_compare(B, 3, 21), (0, 1, 0), (0, 2, 0), keep=True),
        2,
        EXACT,
    ),
    "bordered transpose": ("transpose", lambda: k.bordered(k.transpose(19, 35), (1, 2), (0, 3)), 1, EXACT),
    "interior pad": ("elementwise", lambda: k.interior_pad(B, 3, 17, 2), 2, EXACT),
    "concatenate last": ("elementwise", lambda: k.concatenate(B, (21, 5, 16), 2), 2, EXACT),
    "concatenate middle": ("elementwise", lambda: k.concatenate(B, (2, 5, 1), 1), 2, EXACT),
    "max pool gradient": ("window_gradient", lambda: k.max_pool_gradient(B, 6, 19, 2, 2, 0, 0), 2, EXACT),
    "max pool gradient of many": ("window_gradient", lambda: k.max_pool_gradient(B, 6, 135, 3, 2, 0, 1), 2, SUM),
    "long sums of seven": ("long_sums", lambda: forced("long_sums", c.filter_gradient(B, 9, 10, 3, 50, 7)), 2, SUM),
    "max pool gradient overlapping": ("window_gradient", lambda: k.max_pool_gradient(B, 7, 5, 3, 2, 1, 1), 1, SUM),
    "gather rows": ("elementwise", lambda: x.gather((3, 37), (B, 2, 1), axes=(0,)), 2, EXACT),
    "gather rows epilogue": ("elementwise", lambda: x.gather((2, 16), (B, 1), epilogue=True, axes=(0,)), 3, EXACT),
    "gather elements": ("elementwise", lambda: x.gather((5,), (B, 19, 1), axes=(0,), clamp=False), 1, EXACT),
    "gather middle": ("elementwise", lambda: x.gather((B, 3, 18), (B, 2, 1), axes=(1,), batch_axes=(0,)), 2, EXACT),
    "gather last": ("elementwise", lambda: x.gather((B, 3), (B, 17, 1), axes=(1,), batch_axes=(0,)), 3, EXACT),
    "gather points": ("elementwise", lambda: x.gather((2, 3, 5), (B, 2), axes=(1, 0), clamp=False), 3, EXACT),
    "gather symbolic": ("elementwise", lambda: x.gather((B, 17), (4, 1), axes=(0,)), 2, EXACT),
    "gather bytes": ("elementwise", lambda: x.gather((3, 37), (B, 1), t.i1, axes=(0,)), 2, EXACT),
    "scatter rows": ("scatter", lambda: x.scatter((3, 37), (B, 2, 1), (B, 2, 37), "add", axes=(0,)), 3, SUM),
    "scatter zeros": ("scatter", lambda: x.scatter((2, 64), (B, 1), (B, 64), "add", onto=0.0, axes=(0,)), 4, SUM),
    "scatter narrow": ("scatter", lambda: x.scatter((7, 3), (B, 1), (B, 3), "set", axes=(0,), clamp=False), 5, EXACT),
    "scatter elements": ("scatter", lambda: x.scatter((5,), (B, 9, 1), (B, 9), "max", axes=(0,)), 2, EXACT),
    "scatter middle": (
        "scatter",
        lambda: x.scatter((B, 3, 18), (B, 4, 1), (B, 4, 18), "add", axes=(1,), batch_axes=(0,)),
        2,
        SUM,
    ),
    "scatter points": (
        "scatter",
        lambda: x.scatter((2, 3, 33), (B, 2), (B, 33), "min", axes=(1, 0), clamp=False),
        3,
        EXACT,
    ),
    "scatter symbolic": ("scatter", lambda: x.scatter((B, 5), (4, 1), (4, 5), "mul", axes=(0,)), 2, SUM),
    "scatter update": ("scatter", lambda: x.scatter_update((13, 37), (B, 1), (B, 37)), 5, SUM),
    "scatter update in blocks": (
        "scatter",
        lambda: forced("scatter{block=4}", x.scatter_update((13, 37), (B, 2, 1), (B, 2, 37))),
        7,
        SUM,
    ),
    "scatter update of few columns": (
        "scatter",
        lambda: forced("scatter{block=3}", x.scatter_update((B, 2, 5), (9, 1), (9, 2, 5), "max")),
        7,
        SUM,
    ),
    "scatter columns": ("scatter", lambda: x.scatter((37, 3), (B, 1), (B, 37), "add", axes=(1,)), 3, SUM),
}


def arrays_for(types: Sequence[object], batch: int, seed: int) -> list[np.ndarray]:
    """Arrays of the types; quarter integers, so that ties happen."""
    rng = np.random.default_rng(seed)
    arrays = []
    for type in types:
        shape = tuple(batch if symbols_of(d) else d for d in shape_of(type))
        arrays.append(np.asarray(rng.integers(-8, 9, shape) / 4, to_numpy(element_of(type))).reshape(shape))
    return arrays


def run_workers(
    module: Operation, loops: Operation, arrays: list[np.ndarray], expected: list[np.ndarray], batch: int, team: int
) -> list[np.ndarray]:
    """The loops by the interpreter, one worker after the other, on outputs that hold garbage before."""
    outputs = [np.full(e.shape, 77, np.int8 if e.dtype == np.bool_ else e.dtype) for e in expected]
    sizes = [batch for _ in loops["kernel.symbols"]]
    arrays = [a.view(np.int8) if a.dtype == np.bool_ else a for a in arrays]
    for tid in range(team):
        memrefs = [a.type for a in loops.body.arguments if isinstance(a.type, MemRefType)]
        scratch = [undefined(x) for x in memrefs[len(memrefs) - loops.get("kernel.scratch", 0) :]]
        interpret(module, loops["sym_name"], [*arrays, *outputs, *scratch, *sizes, tid, team])
    return outputs


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", CASES)
def test_loops_compute_what_the_kernel_says(case: str, target: str) -> None:
    strategy, build, batch, tolerance = CASES[case]
    module = build()
    (function,) = module_functions(module)
    arrays = arrays_for(function["function_type"].inputs, batch, seed=len(case))
    expected = interpret(module, function["sym_name"], arrays)
    loops = lower(function, Target.get(target))
    function.detach()
    module.body.append(loops)
    assert loops["kernel.strategy"].startswith(strategy + "{")
    results = [run_workers(module, loops, arrays, expected, batch, team) for team in (1, 3)]
    for one, three, wanted in zip(*results, expected, strict=True):
        np.testing.assert_array_equal(one, three, "one worker and three must agree bitwise")
        np.testing.assert_allclose(
            one.astype(np.float64), wanted.astype(np.float64), rtol=tolerance, atol=tolerance * 50
        )
