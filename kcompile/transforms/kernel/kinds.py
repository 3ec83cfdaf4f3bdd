"""What an op is to the fusion passes: free, movement, elementwise, or the root of a kernel."""

from __future__ import annotations

from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType

MOVEMENT = frozenset(
    f"graph.{n}" for n in ("broadcast_in_dim", "transpose", "slice", "reverse")
)  # affine maps of one operand
SOURCES = frozenset(
    {"graph.iota", "graph.rng_bits"}
)  # made from the index alone (and a key): any index can be computed alone
CONTRACTIONS = frozenset({"graph.dot_general", "graph.convolution"})
SMALL_CONSTANT = 1  # elements; larger constants are operands of their kernels


def tensor_type(value: Value) -> TensorType:
    """The type of a tensor value."""
    assert isinstance(value.type, TensorType)
    return value.type


def is_alias(op: Operation) -> bool:
    """Whether the op stays between kernels: a reshape shares its operand's memory, a constant is memory."""
    return op.name in ("graph.reshape", "graph.constant")


def is_movement(op: Operation) -> bool:
    return op.name in MOVEMENT


def is_elementwise(op: Operation) -> bool:
    """Whether element i of the result is a function of the operands' elements that an affine map of i gives."""
    return op.has_trait("elementwise") or op.name in MOVEMENT or op.name in SOURCES


def is_inline_constant(op: Operation) -> bool:
    """A constant of one element is part of the kernels that use it."""
    return op.name == "graph.constant" and tensor_type(op.results[0]).size == SMALL_CONSTANT


def is_splat(value: Value) -> bool:
    """Whether the value is one constant number everywhere."""
    op = value.defining_op
    if op is None:
        return False
    if op.name == "graph.constant":
        return bool(op.attributes["value"].is_splat)  # type: ignore[attr-defined]
    return op.name in MOVEMENT | {"graph.reshape"} and is_splat(op.operands[0])


def is_kernel_function(function: Operation) -> bool:
    """Whether the function is a kernel made by outlining."""
    return "kernel.root" in function.attributes


def root_of(dispatch: Operation) -> str:
    """The op that decides the loops of a dispatch, "elementwise" or "row_chain" where there are several or none."""
    return str(dispatch["kernel.root"])


def is_float_like(value: Value) -> bool:
    return t.is_float(value.type)
