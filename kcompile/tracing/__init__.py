"""From Python code on tensors to a graph module whose state is among its arguments.

    traced = trace_function(lambda x: ops.relu(x), [TensorSpec((None, 4), "float32", "x")])
    print(traced.module)

Names are resolved on first use, so that importing one part does not load the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcompile.lazy_names import lazy_names

if TYPE_CHECKING:
    from .abstract import abstract_call as abstract_call
    from .bind import binary as binary
    from .bind import broadcast_to as broadcast_to
    from .bind import cast as cast
    from .bind import convert as convert
    from .choice import choose as choose
    from .loop import scan as scan
    from .model import trace_predict as trace_predict
    from .tensor import EagerTensor as EagerTensor
    from .tensor import Tensor as Tensor
    from .trace import ArgumentSpec as ArgumentSpec
    from .trace import ResultSpec as ResultSpec
    from .trace import TensorSpec as TensorSpec
    from .trace import Trace as Trace
    from .trace import TracedFunction as TracedFunction
    from .trace import Tracer as Tracer
    from .trace import current_trace as current_trace
    from .trace import outside_traces as outside_traces
    from .trace import trace_function as trace_function

_HOMES = {
    "Tensor": "tensor", "EagerTensor": "tensor", "Tracer": "trace", "Trace": "trace", "TensorSpec": "trace",
    "ArgumentSpec": "trace", "ResultSpec": "trace", "TracedFunction": "trace", "current_trace": "trace",
    "outside_traces": "trace", "trace_function": "trace", "abstract_call": "abstract",
    "binary": "bind", "broadcast_to": "bind", "cast": "bind", "convert": "bind", "trace_predict": "model",
    "scan": "loop", "choose": "choice",
}  # fmt: skip

__all__ = [*_HOMES]

_get, __dir__ = lazy_names(__name__, _HOMES)


def __getattr__(name: str) -> Any:
    return _get(name)
