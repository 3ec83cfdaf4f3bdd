"""stream-results: a kernel that memory bounds writes a result that no cache can hold past the caches.

    scf.for ..: vector.store %v, %y      =>      scf.if (%y is larger than the cache, and begins at a line)
                                                   scf.for ..: vector.store %v, %y {nontemporal}
                                                 else
                                                   scf.for ..: vector.store %v, %y

A plain store reads the line before it changes it, so a copy moves three bytes for two; and who reads a result of that
size next finds nothing of its beginning in the caches either way. An update in place has read its lines anyway, and
what a kernel reads again it wants near: both stay. Only stores known to be aligned count, as LLVM cuts up the others.
The loops are there twice, since only a call knows its batch; not where even the largest one stays within the cache.

Option: `least`, the bytes of results from which on they are streamed; 0: more than the target's last cache holds.
"""

from __future__ import annotations

import functools
import math

from kcompile.codegen.target import LINE, Target
from kcompile.dialects.upstream.builder import LoopBuilder, constant_value
from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Value, module_functions
from kcompile.ir.dims import Dim, SymbolicDim, evaluate, product, symbols_of
from kcompile.ir.passes import pass_
from kcompile.ir.types import MemRefType

LEAST = 32 << 20  # a core's share of today's caches; a target that is not this machine says less, for careful tiles
MOST = 1 << 16  # rows of a large batch
STRATEGIES = ("elementwise", "transpose", "row_reduction", "window")  # the others compute more than they store


@pass_("stream-results", reads="plan", writes="plan", exact=True)
def stream_results(module: Operation, *, target: Target | str = "host", least: int = 0) -> bool:
    """Give the loops that may write a large result a version that streams it."""
    chosen = Target.get(target) if isinstance(target, str) else target
    if chosen.architecture != "x86_64":  # elsewhere LLVM makes two stores of half a register of each
        return False
    enough = least or max(chosen.l3, LEAST)
    changed = False
    for function in module_functions(module):
        strategy = str(function.get("kernel.strategy", "")).partition("{")[0]
        if strategy in STRATEGIES:
            changed |= _Streams(function, chosen).add(enough)
    return changed


class _Streams:
    """One kernel: `results` are those it only writes, with their dims; `loops` those that may stream them, or
    what is around them."""

    def __init__(self, function: Operation, target: Target):
        self.function, self.register = function, target.vector_bits // 8
        arguments = function.body.arguments
        memrefs = [a for a in arguments if isinstance(a.type, MemRefType)]
        end = len(memrefs) - function.get("kernel.scratch", 0)
        aliased = set(function.get("kernel.aliased", ()))
        dims = function["kernel.dims"]
        self.results: dict[Value, tuple[Dim, ...]] = {
            memrefs[i]: dims[i]
            for i in range(end - function["kernel.outputs"], end)
            if i not in aliased and all(is_write(op, k) for op, k in memrefs[i].uses)
        }
        self.symbols = dict(zip(function["kernel.symbols"], arguments[len(memrefs) :], strict=False))
        self.loops = [
            op
            for op in function.body.ops
            if op.name in ("scf.for", "scf.if") and not op.results and any(self.streams(inner) for inner in op.walk())
        ]

    def add(self, least: int) -> bool:
        """Make the versions, where the results may reach `least` bytes."""
        stores = [op for loop in self.loops for op in loop.walk() if self.streams(op)]
        written = list(dict.fromkeys(op.operands[1] for op in stores))
        size: Dim = 0
        for memref in written:
            size = size + product(self.results[memref]) * (t.bitwidth(t.element_of(memref.type)) // 8)
        if evaluate(size, dict.fromkeys(symbols_of(size), MOST)) < least:
            return False
        condition = self.condition(written, size, least)
        for loop in self.loops:
            b = LoopBuilder.before_op(loop)
            with b.if_(condition) as branch:
                streamed = loop.clone()
                b.block.append(streamed)
                branch.yield_()
                with branch.else_():
                    loop.detach()
                    b.block.append(loop)
                    branch.yield_()
            for op in list(streamed.walk()):
                if self.streams(op):
                    op["nontemporal"] = True
                elif op.name == "memref.prefetch" and op.operands[0] in written:  # it would read the line
                    op.erase()
        return True

    def condition(self, written: list[Value], size: Dim, least: int) -> Value:
        """Whether the results are large and begin at lines, at the top of the function."""
        first = self.function.body.first
        assert first is not None
        b: LoopBuilder = LoopBuilder.before_op(first)
        holds = b.cmp("ge", self.value(b, size), b.index(least))
        for memref in written:
            address = b.create("memref.extract_aligned_pointer_as_index", [memref]).result
            holds = b.and_(holds, b.cmp("eq", b.mod(address, b.index(LINE)), b.index(0)))
        return holds

    def value(self, b: LoopBuilder, dim: Dim) -> Value:
        if not isinstance(dim, SymbolicDim):
            return b.index(dim)
        terms = [functools.reduce(b.mul, (self.symbols[s] for s in names), b.index(c)) for names, c in dim.terms]
        return functools.reduce(b.add, terms)

    def streams(self, op: Operation) -> bool:
        """Whether an operation stores whole registers of a result, each at a multiple of its size."""
        if op.name != "vector.store" or op.operands[1] not in self.results:
            return False
        value, memref, *indices = op.operands
        bytes_ = t.bitwidth(t.element_of(value.type)) // 8
        size = bytes_ * math.prod(t.shape_of(value.type))
        if size % self.register:
            return False
        offset, stride = 0, bytes_
        for index, dim in reversed(list(zip(indices, self.results[memref], strict=True))):
            offset = math.gcd(offset, multiple_of(index) * stride)
            stride *= math.gcd(*(c for _, c in dim.terms)) if isinstance(dim, SymbolicDim) else dim
        return bool(offset % min(LINE, size) == 0)


def is_write(op: Operation, operand: int) -> bool:
    """Whether a use of a buffer does not read it."""
    stores: dict[str, int] = {"memref.store": 1, "vector.store": 1, "vector.maskedstore": 0, "memref.prefetch": 0}
    return op.name in stores and stores[op.name] == operand


def multiple_of(index: Value) -> int:
    """A number that an index is a multiple of; 0 of zero."""
    known: int | None = constant_value(index)
    if known is not None:
        return abs(known)
    if isinstance(index.owner, Block):
        loop = index.owner.parent_op
        if loop is None or loop.name != "scf.for" or index is not index.owner.arguments[0]:
            return 1
        return math.gcd(multiple_of(loop.operands[0]), multiple_of(loop.operands[2]))
    op = index.owner
    if op.name == "arith.muli":
        return math.prod(multiple_of(v) for v in op.operands)
    if op.name in ("arith.addi", "arith.subi", "arith.minsi", "arith.maxsi"):
        return math.gcd(*(multiple_of(v) for v in op.operands))
    if op.name == "arith.select":
        return math.gcd(*(multiple_of(v) for v in op.operands[1:]))
    return 1
