"""Views of a kernel function at the linalg level: what a strategy's `match` looks at.

A kernel is a `func.func` on tensors whose body is `linalg.generic` operations (iteration space, affine maps, scalar
body) and `tensor` movement operations. Reductions are its roots; everything all-parallel can be evaluated at any point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kcompile.errors import IRError
from kcompile.ir.affine import AffineMap
from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.dims import Dim, SymbolicDim, symbols_of
from kcompile.ir.types import TensorType


@dataclass(frozen=True, slots=True)
class Generic:
    """A `linalg.generic`, taken apart. `maps` are those of the inputs, then of the outputs."""

    op: Operation
    inputs: tuple[Value, ...]
    inits: tuple[Value, ...]
    maps: tuple[AffineMap, ...]
    iterators: tuple[str, ...]  # "parallel" | "reduction", per dim

    @property
    def body(self) -> Block:
        return self.op.body

    @property
    def dims(self) -> int:
        return len(self.iterators)

    @property
    def parallel(self) -> tuple[int, ...]:
        return tuple(d for d, kind in enumerate(self.iterators) if kind == "parallel")

    @property
    def reductions(self) -> tuple[int, ...]:
        return tuple(d for d, kind in enumerate(self.iterators) if kind == "reduction")

    @property
    def input_maps(self) -> tuple[AffineMap, ...]:
        return self.maps[: len(self.inputs)]

    @property
    def output_maps(self) -> tuple[AffineMap, ...]:
        return self.maps[len(self.inputs) :]

    @property
    def operands_read(self) -> tuple[tuple[Value, AffineMap], ...]:
        """The inputs whose value the body uses, with their maps (a pooling's window operand only gives a shape)."""
        pairs = zip(self.inputs, self.input_maps, self.body.arguments, strict=False)
        return tuple((value, map_) for value, map_, argument in pairs if argument.uses)

    def extents(self) -> tuple[Dim, ...]:
        """The size of every dim of the iteration space, read off an operand that it indexes plainly."""
        found: dict[int, Dim] = {}
        for value, map_ in zip((*self.inputs, *self.inits), self.maps, strict=True):
            assert isinstance(value.type, TensorType)
            for size, expression in zip(value.type.shape, map_.results, strict=True):
                if expression.dim is not None:
                    found.setdefault(expression.dim, size)
        missing = [d for d in range(self.dims) if d not in found]
        if missing:
            raise IRError(f"no operand of linalg.generic gives the size of d{missing[0]}", str(self.op.location))
        return tuple(found[d] for d in range(self.dims))


def generic(op: Operation) -> Generic:
    """The view of a `linalg.generic` operation."""
    maps = op["indexing_maps"]
    iterators = tuple("reduction" if "reduction" in str(kind) else "parallel" for kind in op["iterator_types"])
    inputs, inits = op["operandSegmentSizes"]
    assert inputs + inits == len(op.operands)
    return Generic(op, op.operands[:inputs], op.operands[inputs:], maps, iterators)


# what takes tens of instructions: worth keeping, and slow where each instruction waits for the one before
DEAR = frozenset(
    f"math.{name}"
    for name in ("exp", "exp2", "expm1", "log", "log2", "log1p", "tanh", "erf", "powf", "sin", "cos", "atan2")
)


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel function. `roots` are the operations that are not evaluated point by point, in order.

    `outputs` are what the strategy computes: of a result that is padded, the inside. The frame knows where in the
    buffer the inside is, and fills the border itself.
    """

    function: Operation
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    roots: tuple[Operation, ...]

    @property
    def results(self) -> tuple[Value, ...]:
        """The results as the caller sees them, with their borders."""
        return self.function.body.terminator.operands

    @property
    def name(self) -> str:
        return str(self.function["sym_name"])

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbolic dims that occur in the kernel, sorted: its index arguments."""
        names: set[str] = set()
        for op in self.function.walk():
            for value in (*op.operands, *op.results):
                if isinstance(value.type, TensorType):
                    for dim in value.type.shape:
                        if isinstance(dim, SymbolicDim):
                            names |= symbols_of(dim)
        for value in self.inputs:
            if isinstance(value.type, TensorType):
                for dim in value.type.shape:
                    names |= symbols_of(dim)
        return tuple(sorted(names))


def kernel(function: Operation) -> Kernel:
    """The view of a kernel function."""
    body = function.body
    roots = tuple(op for op in body.ops if is_root(op))
    return Kernel(function, tuple(body.arguments), tuple(inside(v) for v in body.terminator.operands), roots)


def inside(result: Value) -> Value:
    """What is inside the border of a padded result; any other result itself."""
    made = result.defining_op
    if made is None or made.name != "tensor.pad":
        return result
    filler = made.body.terminator.operands[0].defining_op
    source = made.operands[0].defining_op
    if filler is None or filler.name != "arith.constant":
        return result
    if source is not None and source.dialect == "graph" and source.name != "graph.winograd_convolution":
        return result  # the strategies of other graph ops write their whole result
    return made.operands[0]


def is_root(op: Operation) -> bool:
    """Whether an operation needs loops of its own: a reduction, or a graph op that has no structured form."""
    if op.name == "linalg.generic":
        return bool(generic(op).reductions)
    return op.dialect == "graph"


def is_static(dims: Sequence[Dim]) -> bool:
    return not any(isinstance(d, SymbolicDim) for d in dims)
