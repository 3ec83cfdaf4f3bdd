"""The graph dialect: pure operations on whole tensors, with the semantics of StableHLO. One file a family."""

from __future__ import annotations

from . import (
    arithmetic,
    bitwise,
    contraction,
    control,
    conversion,
    convolution,
    exponential,
    indexing,
    reduction,
    selection,
    shape,
    sign,
    source,
    window,
    winograd,
)
from .builder import GraphBuilder
from .dialect import NONE, NOT_DIFFERENTIABLE, graph

__all__ = ["GraphBuilder", "NONE", "NOT_DIFFERENTIABLE", "graph"]
