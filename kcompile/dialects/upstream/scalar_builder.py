"""ScalarBuilder: constants, arithmetic, comparisons, functions and casts, on scalars, indices and vectors alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.dialects.upstream.arith import CMPF, CMPI, constant_attribute
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.builder import Builder
from kcompile.ir.core import Block, Value
from kcompile.ir.types import FloatType, IntegerType, Type, VectorType

Number = int | float | bool | np.generic
Operand = Value | Number


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


class ScalarBuilder(Builder):
    """The part of LoopBuilder that computes values. Every method gives the result value."""

    # -- constants and operands
    def index(self, value: int) -> Value:
        """A constant index."""
        return self.constant(value, t.index)

    def constant(self, value: Any, type: Type) -> Value:
        """A constant; a number fills all lanes of a vector type. Constants at the end of a block are shared."""
        attribute = constant_attribute(value, type)
        if self.before is None:
            found = self._find_constant(attribute)
            if found is not None:
                return found
        made = self.create("arith.constant", (), {"value": attribute}, [type]).result
        if self.before is None:
            self._constants.setdefault(self.block, {})[attribute] = made
        return made

    @property
    def _constants(self) -> dict[Block, dict[Any, Value]]:
        found: dict[Block, dict[Any, Value]] | None = self.__dict__.get("_shared_constants")
        if found is None:
            found = self.__dict__["_shared_constants"] = {}
        return found

    def _find_constant(self, attribute: Any) -> Value | None:
        constants = self._constants
        block: Block | None = self.block
        while block is not None:
            found = constants[block].get(attribute) if block in constants else None
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

    def _fold(
        self, x: Operand, y: Operand, function: Any, left_unit: Any = None, right_unit: Any = None, zero: Any = None
    ) -> Value | None:
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

    def broadcast(self, x: Operand, lanes: int) -> Value:
        """A scalar in every lane; a constant becomes a constant vector."""
        if not isinstance(x, Value):
            raise IRError(f"broadcast needs a value; use constant(number, vector type). Received: {x!r}")
        made = VectorType((lanes,), x.type)
        known = constant_value(x)
        if known is not None:
            return self.constant(known, made)
        return self.create("vector.broadcast", [x], None, [made]).result
