"""LoopBuilder: the operations below tensor level, one method each, on scalars, indices and vectors alike.

Types follow the operands; a Python number takes the type of the other operand. Arithmetic of constant indices is done
while building, so strategies can compute with indices without leaving `x * 1 + 0` behind.

>>> with b.for_(0, n, 16) as loop:                                       # doctest: +SKIP
...     b.vstore(b.exp(b.vload(x, [loop.iv], 16)), y, [loop.iv])
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kcompile.dialects.upstream.scalar_builder import Operand, ScalarBuilder, constant_value, signless
from kcompile.dialects.upstream.vector import kind_attribute, lanes_of
from kcompile.ir import types as t
from kcompile.ir.attributes import IntArrayAttr, IntAttr
from kcompile.ir.builder import Builder, new_module
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.types import FunctionType, MemRefType, Type, VectorType

__all__ = ["Branch", "Loop", "LoopBuilder", "Operand", "constant_value", "signless"]

DYNAMIC_LANE = -(2**63)  # as MLIR marks a position that is an operand


class Loop:
    """A loop being built: `iv`, the carried `args`; after the `with`, `results`."""

    def __init__(self, builder: LoopBuilder, op: Operation):
        self._builder = builder
        self.op = op
        self.iv, *self.args = op.body.arguments
        self.results = op.results

    def yield_(self, values: Sequence[Value] = ()) -> None:
        """End a turn; `values` are the `args` of the next."""
        self._builder.create("scf.yield", values, None, ())


class Branch:
    """An if being built: the `with` around it fills the first region, `with branch_builder.else_()` the second."""

    def __init__(self, builder: LoopBuilder, op: Operation):
        self._builder = builder
        self.op = op
        self.results = op.results

    def yield_(self, values: Sequence[Value] = ()) -> None:
        """End this region with its values."""
        self._builder.create("scf.yield", values, None, ())

    @contextmanager
    def else_(self) -> Iterator[Branch]:
        """Fill the second region."""
        block = self.op.regions[1].add_block(Block())
        with self._builder.at(block):
            yield self
            if block.last is None or not block.last.has_trait("terminator"):
                self.yield_()


class LoopBuilder(ScalarBuilder):
    """See the head of this file. Every method gives the result value."""

    @classmethod
    def function(cls, name: str, arguments: Sequence[Type], module: Operation | None = None) -> LoopBuilder:
        """A builder inside a new function without results; end it with `ret`."""
        module = new_module() if module is None else module
        body = Block(list(arguments))
        attrs = {"sym_name": name, "function_type": FunctionType(tuple(arguments), ())}
        Builder(module.body).create("func.func", (), attrs, (), [Region([body])])
        return cls(body)

    def argument(self, index: int) -> Value:
        return self.block.arguments[index]

    def ret(self) -> Operation:
        """End the function; gives the `func.func`."""
        self.create("func.return", (), None, ())
        function = self.block.parent_op
        assert function is not None
        return function

    # -- vectors
    def reduce(self, kind: str, x: Value, acc: Value | None = None, unsigned: bool = False) -> Value:
        """All lanes combined: add mul max min and or xor, halves first, then `acc` before the result."""
        if kind in ("max", "min"):
            kind += "imumf" if t.is_float(x.type) else "ui" if unsigned or t.element_of(x.type) is t.i1 else "si"
        operands = [x] if acc is None else [x, acc]
        return self.create("vector.reduction", operands, {"kind": kind_attribute(kind)}, [t.element_of(x.type)]).result

    def extract(self, x: Value, i: int | Value) -> Value:
        """Lane `i` as a scalar."""
        static, dynamic = (DYNAMIC_LANE, [i]) if isinstance(i, Value) else (i, [])
        return self.create(
            "vector.extract", [x, *dynamic], {"static_position": (static,)}, [t.element_of(x.type)]
        ).result

    def insert_element(self, value: Value, x: Value, i: int | Value) -> Value:
        """`x` with lane `i` replaced."""
        static, dynamic = (DYNAMIC_LANE, [i]) if isinstance(i, Value) else (i, [])
        return self.create("vector.insert", [value, x, *dynamic], {"static_position": (static,)}, [x.type]).result

    def shuffle(self, x: Value, y: Value, lanes: Sequence[int]) -> Value:
        """Lanes of x, y (counted on) in this order."""
        return self.create("vector.shuffle", [x, y], {"mask": tuple(lanes)}).result

    def step(self, lanes: int) -> Value:
        """0, 1, 2, .. as a vector of index."""
        return self.create("vector.step", (), None, [VectorType((lanes,), t.index)]).result

    def mask(self, count: Operand, lanes: int) -> Value:
        """True in the first `count` lanes."""
        return self.create(
            "vector.create_mask", [self.operand(count, t.index)], None, [VectorType((lanes,), t.i1)]
        ).result

    # -- memory
    def _place(self, memref: Value, indices: Sequence[Operand]) -> list[Value]:
        return [memref, *(self.operand(i, t.index) for i in indices)]

    def load(self, memref: Value, indices: Sequence[Operand] = ()) -> Value:
        return self.create("memref.load", self._place(memref, indices)).result

    def store(self, v: Value, memref: Value, indices: Sequence[Operand] = ()) -> None:
        self.create("memref.store", [v, *self._place(memref, indices)])

    def prefetch(self, memref: Value, indices: Sequence[Operand], level: int = 2) -> None:
        """Bring the line of an element into a cache of that level; beyond the end of the buffer it does nothing."""
        attrs = {"isWrite": False, "localityHint": IntAttr(4 - level, t.i32), "isDataCache": True}
        self.create("memref.prefetch", self._place(memref, indices), attrs, ())

    def vload(self, memref: Value, indices: Sequence[Operand], lanes: int) -> Value:
        """`lanes` elements along the last dim."""
        made = VectorType((lanes,), t.element_of(memref.type))
        return self.create("vector.load", self._place(memref, indices), None, [made]).result

    def vstore(self, v: Value, memref: Value, indices: Sequence[Operand]) -> None:
        self.create("vector.store", [v, *self._place(memref, indices)])

    def masked_load(self, memref: Value, indices: Sequence[Operand], mask: Value, pass_thru: Operand = 0) -> Value:
        """As vload where the mask holds, else `pass_thru`."""
        made = VectorType((lanes_of(mask.type),), t.element_of(memref.type))
        other = self._fill(pass_thru, made)
        return self.create("vector.maskedload", [*self._place(memref, indices), mask, other], None, [made]).result

    def masked_store(self, v: Value, memref: Value, indices: Sequence[Operand], mask: Value) -> None:
        self.create("vector.maskedstore", [*self._place(memref, indices), mask, v], None, ())

    def gather(
        self, memref: Value, indices: Sequence[Operand], index_vector: Value, mask: Value, pass_thru: Operand = 0
    ) -> Value:
        """Lane l is the element `index_vector[l]` after the one at `indices`."""
        made = VectorType((lanes_of(mask.type),), t.element_of(memref.type))
        operands = [*self._place(memref, indices), index_vector, mask, self._fill(pass_thru, made)]
        return self.create("vector.gather", operands, None, [made]).result

    def _fill(self, x: Operand, made: VectorType) -> Value:
        value = self.operand(x, made)
        return value if value.type is made else self.broadcast(value, made.shape[0])

    def alloca(self, shape: Sequence[int], element: Type) -> Value:
        """Scratch memory for the length of the function, 64-byte aligned."""
        attrs: dict[str, Any] = {"operandSegmentSizes": IntArrayAttr((0, 0), t.i32), "alignment": 64}
        return self.create("memref.alloca", (), attrs, [MemRefType(tuple(shape), element)]).result

    # -- control
    @contextmanager
    def for_(self, lo: Operand, hi: Operand, step: Operand = 1, inits: Sequence[Value] = ()) -> Iterator[Loop]:
        """A loop; inside the `with`, end a turn by `loop.yield_(values)` if there are `inits`."""
        bounds = [self.operand(x, t.index) for x in (lo, hi, step)]
        types = [v.type for v in inits]
        body = Block([t.index, *types])
        op = self.create("scf.for", [*bounds, *inits], None, types, [Region([body])])
        loop = Loop(self, op)
        with self.at(body):
            yield loop
            if body.last is None or body.last.name != "scf.yield":
                loop.yield_()

    @contextmanager
    def if_(self, condition: Value, result_types: Sequence[Type] = ()) -> Iterator[Branch]:
        """A branch; then `with branch.else_():` for the other region."""
        then = Block()
        op = self.create("scf.if", [condition], None, result_types, [Region([then]), Region()])
        branch = Branch(self, op)
        with self.at(then):
            yield branch
            if then.last is None or then.last.name != "scf.yield":
                branch.yield_()

    def partition(self, total: Operand, tid: Value, team: Value, grain: int = 1) -> tuple[Value, Value]:
        """The part of range(total) that worker `tid` of `team` does: pieces of `grain` are never cut."""
        pieces = self.ceildiv(total, grain)
        chunk = self.mul(self.ceildiv(pieces, team), grain)
        lo = self.mul(tid, chunk)
        end = self.operand(total, t.index)
        return self.min(lo, end), self.min(self.add(lo, chunk), end)
