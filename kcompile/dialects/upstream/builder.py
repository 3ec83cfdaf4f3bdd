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

import numpy as np

from kcompile.dialects.upstream.arith import CMPF, CMPI, constant_attribute
from kcompile.dialects.upstream.vector import kind_attribute, lanes_of
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.attributes import IntArrayAttr
from kcompile.ir.builder import Builder, new_module
from kcompile.ir.core import Block, Operation, Region, Value
from kcompile.ir.types import FloatType, FunctionType, IntegerType, MemRefType, Type, VectorType

Number = int | float | bool | np.generic
Operand = Value | Number

DYNAMIC_LANE = -(2**63)  # as MLIR marks a position that is an operand


def constant_value(x: Operand) -> Any:
    """The Python number that `x` is, if it is a scalar constant; else None."""
    if not isinstance(x, Value):
        return x
    op = x.defining_op
    if op is None or op.name != "arith.constant" or isinstance(x.type, VectorType | t.TensorType):
        return None
    return op["value"]


def signless(element: Type) -> Type:
    """The integer type below tensor level."""
    return IntegerType(element.width) if isinstance(element, IntegerType) and element.unsigned else element


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


class LoopBuilder(Builder):
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

    # -- constants and operands
    def index(self, value: int) -> Value:
        """A constant index."""
        return self.constant(value, t.index)

    def constant(self, value: Any, type: Type) -> Value:
        """A constant; a number fills all lanes of a vector type. Constants at the end of a block are shared."""
        attribute = constant_attribute(value, type)
        if self.before is None:
            found = self._find_constant(attribute, type)
            if found is not None:
                return found
        made = self.create("arith.constant", (), {"value": attribute}, [type]).result
        if self.before is None:
            self._constants.setdefault(self.block, {})[(attribute, type)] = made
        return made

    @property
    def _constants(self) -> dict[Block, dict[Any, Value]]:
        found: dict[Block, dict[Any, Value]] | None = self.__dict__.get("_shared_constants")
        if found is None:
            found = self.__dict__["_shared_constants"] = {}
        return found

    def _find_constant(self, attribute: Any, type: Type) -> Value | None:
        block: Block | None = self.block
        while block is not None:
            found = self._constants.get(block, {}).get((attribute, type))
            if found is not None and found.defining_op is not None and found.defining_op.parent is block:
                return found
            parent = block.parent_op
            block = None if parent is None or parent.has_trait("isolated") else parent.parent
        return None

    def operand(self, x: Operand, like: Type) -> Value:
        """`x` as a value: a number becomes a constant of type `like`."""
        return x if isinstance(x, Value) else self.constant(x, like)

    def _operands(self, *xs: Operand) -> list[Value]:
        """Numbers take the type of the values; a scalar beside a vector of its element is spread over the lanes."""
        types = [x.type for x in xs if isinstance(x, Value)]
        like: Type = next((s for s in types if isinstance(s, VectorType)), types[0] if types else t.index)
        values = [self.operand(x, like) for x in xs]
        if isinstance(like, VectorType):
            values = [self.broadcast(v, like.shape[0]) if v.type is like.element else v for v in values]
        return values

    def _arith(self, floats: str, integers: str, x: Operand, y: Operand) -> Value:
        a, b = self._operands(x, y)
        name = floats if t.is_float(a.type) else integers
        if not name:
            raise IRError(f"this operation needs {'integers' if t.is_float(a.type) else 'floats'}. Received: {a.type}")
        return self.create(f"arith.{name}", [a, b]).result

    # -- arithmetic
    def add(self, x: Operand, y: Operand) -> Value:
        folded = self._fold(x, y, lambda a, b: a + b, left_unit=0, right_unit=0)
        return self._arith("addf", "addi", x, y) if folded is None else folded

    def sub(self, x: Operand, y: Operand) -> Value:
        folded = self._fold(x, y, lambda a, b: a - b, right_unit=0)
        return self._arith("subf", "subi", x, y) if folded is None else folded

    def mul(self, x: Operand, y: Operand) -> Value:
        folded = self._fold(x, y, lambda a, b: a * b, left_unit=1, right_unit=1, zero=0)
        return self._arith("mulf", "muli", x, y) if folded is None else folded

    def div(self, x: Operand, y: Operand, unsigned: bool = False) -> Value:
        """Integers are rounded towards zero; x / 0 is 0."""
        folded = self._fold(x, y, lambda a, b: int(a / b) if b else 0, right_unit=1)
        return self._arith("divf", "divui" if unsigned else "divsi", x, y) if folded is None else folded

    def rem(self, x: Operand, y: Operand, unsigned: bool = False) -> Value:
        """The rest of `div`; for floats the exact fmod."""
        return self._arith("remf", "remui" if unsigned else "remsi", x, y)

    def floordiv(self, x: Operand, y: Operand) -> Value:
        """x / y of indices, rounded down."""
        folded = self._fold(x, y, lambda a, b: a // b if b else 0, right_unit=1)
        return self._arith("", "floordivsi", x, y) if folded is None else folded

    def ceildiv(self, x: Operand, y: Operand) -> Value:
        """x / y of indices, rounded up."""
        folded = self._fold(x, y, lambda a, b: -(-a // b) if b else 0, right_unit=1)
        return self._arith("", "ceildivsi", x, y) if folded is None else folded

    def mod(self, x: Operand, y: Operand) -> Value:
        """x - floordiv(x, y) * y of indices."""
        if constant_value(y) == 1:
            return self.index(0)
        folded = self._fold(x, y, lambda a, b: a % b if b else a)
        return self.sub(x, self.mul(self.floordiv(x, y), y)) if folded is None else folded

    def max(self, x: Operand, y: Operand, unsigned: bool = False) -> Value:
        """The larger; NaN where either is NaN."""
        folded = self._fold(x, y, max)
        return self._arith("maximumf", "maxui" if unsigned else "maxsi", x, y) if folded is None else folded

    def min(self, x: Operand, y: Operand, unsigned: bool = False) -> Value:
        """The smaller; NaN where either is NaN."""
        folded = self._fold(x, y, min)
        return self._arith("minimumf", "minui" if unsigned else "minsi", x, y) if folded is None else folded

    def maxnum(self, x: Operand, y: Operand) -> Value:
        """The larger; the other one where one is NaN."""
        return self._arith("maxnumf", "", x, y)

    def minnum(self, x: Operand, y: Operand) -> Value:
        """The smaller; the other one where one is NaN."""
        return self._arith("minnumf", "", x, y)

    def neg(self, x: Value) -> Value:
        if t.is_float(x.type):
            return self.create("arith.negf", [x]).result
        return self.sub(self.constant(0, x.type), x)

    def and_(self, x: Operand, y: Operand) -> Value:
        return self._arith("", "andi", x, y)

    def or_(self, x: Operand, y: Operand) -> Value:
        return self._arith("", "ori", x, y)

    def xor(self, x: Operand, y: Operand) -> Value:
        return self._arith("", "xori", x, y)

    def not_(self, x: Value) -> Value:
        """All bits turned; the logical not of i1."""
        return self.xor(x, self.constant(True if t.element_of(x.type) is t.i1 else -1, x.type))

    def shl(self, x: Operand, y: Operand) -> Value:
        return self._arith("", "shli", x, y)

    def shr(self, x: Operand, y: Operand, unsigned: bool = False) -> Value:
        return self._arith("", "shrui" if unsigned else "shrsi", x, y)

    def cmp(self, direction: str, x: Operand, y: Operand, unsigned: bool = False) -> Value:
        """eq ne lt le gt ge, as i1 (or one a lane). With NaN only ne is true."""
        a, b = self._operands(x, y)
        if t.is_float(a.type):
            predicate = CMPF.index("une" if direction == "ne" else f"o{direction}")
            return self.create("arith.cmpf", [a, b], {"predicate": predicate}).result
        unsigned = unsigned or t.element_of(a.type) is t.i1
        name = direction if direction in ("eq", "ne") else ("u" if unsigned else "s") + direction
        return self.create("arith.cmpi", [a, b], {"predicate": CMPI.index(name)}).result

    def select(self, condition: Value, x: Operand, y: Operand) -> Value:
        """x where the condition is true, else y."""
        a, b = self._operands(x, y)
        if isinstance(condition.type, VectorType) and not isinstance(a.type, VectorType):
            a, b = (self.broadcast(v, condition.type.shape[0]) for v in (a, b))
        return self.create("arith.select", [condition, a, b]).result

    def _fold(self, x: Operand, y: Operand, function: Any, left_unit: Any = None, right_unit: Any = None, zero: Any = None) -> Value | None:
        """Index arithmetic with constants, done now; None where there is something left to compute."""
        types = {v.type for v in (x, y) if isinstance(v, Value)}
        if types - {t.index}:
            return None
        a, b = constant_value(x), constant_value(y)
        if a is not None and b is not None:
            return self.index(int(function(int(a), int(b))))
        if zero is not None and (a == zero or b == zero):
            return self.index(zero)
        if a is not None and a == left_unit and isinstance(y, Value):
            return y
        if b is not None and b == right_unit and isinstance(x, Value):
            return x
        return None

    # -- functions of floats
    def _math(self, name: str, *xs: Operand) -> Value:
        return self.create(f"math.{name}", self._operands(*xs)).result

    def exp(self, x: Value) -> Value:
        return self._math("exp", x)

    def exp2(self, x: Value) -> Value:
        return self._math("exp2", x)

    def expm1(self, x: Value) -> Value:
        return self._math("expm1", x)

    def log(self, x: Value) -> Value:
        return self._math("log", x)

    def log2(self, x: Value) -> Value:
        return self._math("log2", x)

    def log1p(self, x: Value) -> Value:
        return self._math("log1p", x)

    def sqrt(self, x: Value) -> Value:
        return self._math("sqrt", x)

    def rsqrt(self, x: Value) -> Value:
        return self._math("rsqrt", x)

    def sin(self, x: Value) -> Value:
        return self._math("sin", x)

    def cos(self, x: Value) -> Value:
        return self._math("cos", x)

    def tanh(self, x: Value) -> Value:
        return self._math("tanh", x)

    def erf(self, x: Value) -> Value:
        return self._math("erf", x)

    def pow(self, x: Operand, y: Operand) -> Value:
        """x^y of floats."""
        return self._math("powf", x, y)

    def atan2(self, y: Operand, x: Operand) -> Value:
        return self._math("atan2", y, x)

    def copysign(self, x: Operand, y: Operand) -> Value:
        return self._math("copysign", x, y)

    def abs(self, x: Value) -> Value:
        return self._math("absf" if t.is_float(x.type) else "absi", x)

    def floor(self, x: Value) -> Value:
        return self._math("floor", x)

    def ceil(self, x: Value) -> Value:
        return self._math("ceil", x)

    def trunc(self, x: Value) -> Value:
        return self._math("trunc", x)

    def round_even(self, x: Value) -> Value:
        return self._math("roundeven", x)

    def is_finite(self, x: Value) -> Value:
        return self._math("isfinite", x)

    def is_nan(self, x: Value) -> Value:
        return self._math("isnan", x)

    def fma(self, a: Operand, b: Operand, c: Operand) -> Value:
        """a * b + c, rounded once where the target has the instruction."""
        values = self._operands(a, b, c)
        return self.create("vector.fma" if isinstance(values[0].type, VectorType) else "math.fma", values).result

    # -- casts
    def cast(self, x: Value, element: Type, unsigned: bool = False) -> Value:
        """`x` as `element`. `unsigned` reads an integer `x` as unsigned; an unsigned `element` makes the result so.

        Floats go to integers towards zero, numbers to i1 by `!= 0`, i1 to numbers as 0 or 1.
        """
        to_unsigned = isinstance(element, IntegerType) and element.unsigned
        element = signless(element)
        source = t.element_of(x.type)
        if source is element:
            return x
        if element is t.i1:
            return self.cmp("ne", x, self.constant(0, x.type))
        unsigned = unsigned or source is t.i1
        if isinstance(source, FloatType) and isinstance(element, FloatType):
            if source.width == element.width:  # f16 and bf16
                return self.cast(self.cast(x, t.f32), element)
            name = "extf" if source.width < element.width else "truncf"
        elif isinstance(source, FloatType):
            if element is t.index:
                return self.cast(self.cast(x, t.i64), element)
            name = "fptoui" if to_unsigned else "fptosi"
        elif isinstance(element, FloatType):
            if source is t.index:
                return self.cast(self.cast(x, t.i64), element)
            name = "uitofp" if unsigned else "sitofp"
        elif t.index in (source, element):
            name = "index_castui" if unsigned else "index_cast"
        elif t.bitwidth(source) == t.bitwidth(element):
            return x
        else:
            name = "trunci" if t.bitwidth(source) > t.bitwidth(element) else "extui" if unsigned else "extsi"
        return self.create(f"arith.{name}", [x], None, [t.with_element(x.type, element)]).result

    def bitcast(self, x: Value, element: Type) -> Value:
        """The same bits as `element`, of the same width."""
        element = signless(element)
        if t.element_of(x.type) is element:
            return x
        return self.create("arith.bitcast", [x], None, [t.with_element(x.type, element)]).result

    # -- vectors
    def broadcast(self, x: Operand, lanes: int) -> Value:
        """A scalar in every lane; a constant becomes a constant vector."""
        if not isinstance(x, Value):
            raise IRError(f"broadcast needs a value; use constant(number, vector type). Received: {x!r}")
        made = VectorType((lanes,), x.type)
        known = constant_value(x)
        if known is not None:
            return self.constant(known, made)
        return self.create("vector.broadcast", [x], None, [made]).result

    def reduce(self, kind: str, x: Value, acc: Value | None = None, unsigned: bool = False) -> Value:
        """All lanes combined: add mul max min and or xor, halves first, then `acc` before the result."""
        if kind in ("max", "min"):
            kind += "imumf" if t.is_float(x.type) else "ui" if unsigned or t.element_of(x.type) is t.i1 else "si"
        operands = [x] if acc is None else [x, acc]
        return self.create("vector.reduction", operands, {"kind": kind_attribute(kind)}, [t.element_of(x.type)]).result

    def extract(self, x: Value, i: int | Value) -> Value:
        """Lane `i` as a scalar."""
        static, dynamic = (DYNAMIC_LANE, [i]) if isinstance(i, Value) else (i, [])
        return self.create("vector.extract", [x, *dynamic], {"static_position": (static,)}, [t.element_of(x.type)]).result

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
        return self.create("vector.create_mask", [self.operand(count, t.index)], None, [VectorType((lanes,), t.i1)]).result

    # -- memory
    def _place(self, memref: Value, indices: Sequence[Operand]) -> list[Value]:
        return [memref, *(self.operand(i, t.index) for i in indices)]

    def load(self, memref: Value, indices: Sequence[Operand] = ()) -> Value:
        return self.create("memref.load", self._place(memref, indices)).result

    def store(self, v: Value, memref: Value, indices: Sequence[Operand] = ()) -> None:
        self.create("memref.store", [v, *self._place(memref, indices)])

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

    def gather(self, memref: Value, indices: Sequence[Operand], index_vector: Value, mask: Value, pass_thru: Operand = 0) -> Value:
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
