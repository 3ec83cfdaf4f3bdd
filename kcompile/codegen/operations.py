"""The LLVM text of each operation below tensor level.

`print_operation(printer, op)` looks the op up in a table by its name. Plain instructions are rows; everything else is a
function. Functions of floats that have no instruction are expanded by `mathematics.py`, in this same IR. f16 and bf16 are
widened to f32, computed, and narrowed again, one operation at a time.

The semantics are those of the dialect files: no fast-math flag is ever set, and nothing here can trap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from kcompile.codegen.addresses import Linear
from kcompile.codegen.target import FMA, ROUND
from kcompile.codegen.text import element_bytes, is_half, literal, memory_type, type_text
from kcompile.dialects.upstream.arith import CMPF, CMPI
from kcompile.dialects.upstream.vector import kind_of
from kcompile.errors import UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.types import Type, VectorType

if TYPE_CHECKING:
    from kcompile.codegen.llvm import FunctionPrinter

Printer = Callable[["FunctionPrinter", Operation], None]
TABLE: dict[str, Printer] = {}


def print_operation(p: FunctionPrinter, op: Operation) -> None:
    """Append the code of `op`; UnsupportedError where there is none."""
    found = TABLE.get(op.name)
    if found is None:
        raise UnsupportedError(f"no machine code is generated for {op.name}", str(op.location))
    found(p, op)


def _prints(*names: str) -> Callable[[Printer], Printer]:
    def register(function: Printer) -> Printer:
        for name in names:
            TABLE[name] = function
        return function

    return register


def inline(p: FunctionPrinter, block: Block, operands: list[str]) -> list[str]:
    """Print a block of pure operations in place; gives what its terminator yields."""
    for argument, name in zip(block.arguments, operands, strict=True):
        p.define(argument, name)
    for op in block.ops:
        if op.has_trait("terminator"):
            return [p.name(v) for v in op.operands]
        print_operation(p, op)
    return []


def _typed(type: Type, *names: str) -> str:
    text = type_text(type)
    return ", ".join(f"{text} {n}" for n in names)


def intrinsic(p: FunctionPrinter, name: str, type: Type, *names: str, result: Type | None = None, extra: str = "") -> str:
    """Call `@llvm.name` overloaded on `type`."""
    function = p.out.declare(
        f"llvm.{name}.{mangled(type)}",
        type_text(result or type),
        ", ".join([type_text(type)] * len(names) + ([extra.split()[0]] if extra else [])),
    )
    arguments = _typed(type, *names) + (f", {extra}" if extra else "")
    return p.emit(f"call {type_text(result or type)} {function}({arguments})")


def mangled(type: Type) -> str:
    """How LLVM writes a type in the name of an intrinsic."""
    if isinstance(type, VectorType):
        return f"v{type.shape[0]}{mangled(type.element)}"
    return {"float": "f32", "double": "f64"}.get(type_text(type), type_text(type))


# -- f16 and bf16
def widen(p: FunctionPrinter, name: str, type: Type) -> str:
    from kcompile.codegen.low_precision import widening

    return inline(p, widening(type, p.target), [name])[0]


def narrow(p: FunctionPrinter, name: str, type: Type) -> str:
    from kcompile.codegen.low_precision import narrowing

    return inline(p, narrowing(type, p.target), [name])[0]


@_prints("codegen.from_half", "codegen.to_half")
def _half(p: FunctionPrinter, op: Operation) -> None:
    value, result = op.operands[0], op.results[0]
    lanes = t.shape_of(value.type)
    half = f"<{lanes[0]} x half>" if lanes else "half"
    name = p.name(value)
    if op.name == "codegen.from_half":
        bits = p.emit(f"bitcast {_typed(value.type, name)} to {half}")
        p.define(result, p.emit(f"fpext {half} {bits} to {type_text(result.type)}"))
    else:
        made = p.emit(f"fptrunc {_typed(value.type, name)} to {half}")
        p.define(result, p.emit(f"bitcast {half} {made} to {type_text(result.type)}"))


Compute = Callable[["FunctionPrinter", Operation, Type, list[str]], str]


def _floats(*names: str) -> Callable[[Compute], Compute]:
    """Register a function of float operands, given the type to compute in and the operands in it."""

    def register(compute: Compute) -> Compute:
        def printer(p: FunctionPrinter, op: Operation) -> None:
            type = op.operands[0].type
            operands = [p.name(v) for v in op.operands]
            if not is_half(type):
                p.define(op.results[0], compute(p, op, type, operands))
                return
            wide = t.with_element(type, t.f32)
            made = compute(p, op, wide, [widen(p, x, type) for x in operands])
            result = op.results[0].type
            p.define(op.results[0], narrow(p, made, result) if is_half(result) else made)

        for name in names:
            TABLE[name] = printer
        return compute

    return register


# -- constants
@_prints("arith.constant")
def _constant(p: FunctionPrinter, op: Operation) -> None:
    p.define(op.results[0], literal(op["value"], op.results[0].type), depth=0)


def _known_number(value: Value) -> float | None:
    """The number that a float operand is, in all lanes; None if it is not constant or is NaN."""
    op = value.defining_op
    if op is None or op.name != "arith.constant":
        return None
    array = np.asarray(op["value"], np.float64).reshape(-1)
    return float(array[0]) if (array == array[0]).all() else None


# -- integers
@_prints("arith.addi", "arith.subi", "arith.muli")
def _sums(p: FunctionPrinter, op: Operation) -> None:
    x, y = op.operands
    result = op.results[0]
    if result.type is t.index:
        a, b = p.linear(x), p.linear(y)
        if op.name != "arith.muli":
            p.linear_forms[result] = a.plus(b, 1 if op.name == "arith.addi" else -1)
            return
        for factor, other in ((a, b), (b, a)):
            if not factor.terms:
                p.linear_forms[result] = Linear().plus(other, factor.constant)
                return
    word = op.name.removeprefix("arith.").removesuffix("i")
    p.define(result, p.emit(f"{word} {type_text(x.type)} {p.name(x)}, {p.name(y)}"))


_INTEGER_INSTRUCTIONS = {"andi": "and", "ori": "or", "xori": "xor"}


@_prints(*(f"arith.{name}" for name in _INTEGER_INSTRUCTIONS))
def _bitwise(p: FunctionPrinter, op: Operation) -> None:
    x, y = op.operands
    word = _INTEGER_INSTRUCTIONS[op.name.removeprefix("arith.")]
    p.define(op.results[0], p.emit(f"{word} {type_text(x.type)} {p.name(x)}, {p.name(y)}"))


def _is_constant(value: Value) -> bool:
    return value.defining_op is not None and value.defining_op.name == "arith.constant"


@_prints("arith.shli", "arith.shrui", "arith.shrsi")
def _shift(p: FunctionPrinter, op: Operation) -> None:
    x, y = op.operands
    type, width = x.type, t.bitwidth(x.type)
    word = {"arith.shli": "shl", "arith.shrui": "lshr", "arith.shrsi": "ashr"}[op.name]
    amount = p.name(y)
    if _is_constant(y) and (np.asarray(y.defining_op["value"]) >= 0).all() and (np.asarray(y.defining_op["value"]) < width).all():  # type: ignore[index]
        p.define(op.results[0], p.emit(f"{word} {type_text(type)} {p.name(x)}, {amount}"))
        return
    most = literal(width - 1, type)
    amount = intrinsic(p, "umin", type, amount, most)  # a shift by the width or more is poison in LLVM
    made = p.emit(f"{word} {type_text(type)} {p.name(x)}, {amount}")
    if word != "ashr":
        inside = p.emit(f"icmp ule {type_text(type)} {p.name(y)}, {most}")
        made = _select(p, inside, type, made, literal(0, type))
    p.define(op.results[0], made)


def _select(p: FunctionPrinter, condition: str, type: Type, x: str, y: str) -> str:
    mask = type_text(t.with_element(type, t.i1))
    return p.emit(f"select {mask} {condition}, {_typed(type, x)}, {_typed(type, y)}")


@_prints(*(f"arith.{n}" for n in ("divsi", "divui", "remsi", "remui", "floordivsi", "ceildivsi", "ceildivui")))
def _divide(p: FunctionPrinter, op: Operation) -> None:
    """x / 0 is 0 and x % 0 is 0; the smallest number divided by -1 is itself."""
    name = op.name.removeprefix("arith.")
    (vx, vy), type = op.operands, op.operands[0].type
    x, y, text = p.name(vx), p.name(vy), type_text(type)
    signed = name.endswith("si")
    zero, one = literal(0, type), literal(1, type)
    divisor, by_zero = y, ""
    known = np.asarray(vy.defining_op["value"]) if _is_constant(vy) else None  # type: ignore[index]
    if known is None or (known == 0).any() or (known == -1).any():
        by_zero = p.emit(f"icmp eq {text} {y}, {zero}")
        unsafe = by_zero
        if signed:
            least = p.emit(f"icmp eq {text} {x}, {literal(-(1 << (t.bitwidth(type) - 1)), type)}")
            minus = p.emit(f"icmp eq {text} {y}, {literal(-1, type)}")
            mask = type_text(t.with_element(type, t.i1))
            unsafe = p.emit(f"or {mask} {by_zero}, {p.emit(f'and {mask} {least}, {minus}')}")
        divisor = _select(p, unsafe, type, one, y)
    if name.startswith("rem"):
        made = p.emit(f"{'srem' if signed else 'urem'} {text} {x}, {divisor}")
        p.define(op.results[0], made if not by_zero else _select(p, by_zero, type, zero, made))
        return
    made = p.emit(f"{'sdiv' if signed else 'udiv'} {text} {x}, {divisor}")
    if name not in ("divsi", "divui"):
        rest = p.emit(f"sub {text} {x}, {p.emit(f'mul {text} {made}, {divisor}')}")
        inexact = p.emit(f"icmp ne {text} {rest}, {zero}")
        if signed:  # the quotient went towards zero: the wrong way for one sign of the exact quotient
            differ = p.emit(f"icmp slt {text} {p.emit(f'xor {text} {x}, {divisor}')}, {zero}")
            mask = type_text(t.with_element(type, t.i1))
            if name == "ceildivsi":
                differ = p.emit(f"xor {mask} {differ}, {literal(True, t.with_element(type, t.i1))}")
            inexact = p.emit(f"and {mask} {inexact}, {differ}")
        correction = p.emit(f"zext {type_text(t.with_element(type, t.i1))} {inexact} to {text}")
        made = p.emit(f"{'sub' if name == 'floordivsi' else 'add'} {text} {made}, {correction}")
    p.define(op.results[0], made if not by_zero else _select(p, by_zero, type, zero, made))


@_prints(*(f"arith.{n}" for n in ("maxsi", "maxui", "minsi", "minui")))
def _extreme(p: FunctionPrinter, op: Operation) -> None:
    word = op.name.removeprefix("arith.")
    x, y = (p.name(v) for v in op.operands)
    p.define(op.results[0], intrinsic(p, {"s": "s", "u": "u"}[word[3]] + word[:3], op.operands[0].type, x, y))


@_prints("math.absi")
def _absi(p: FunctionPrinter, op: Operation) -> None:
    p.define(op.results[0], intrinsic(p, "abs", op.operands[0].type, p.name(op.operands[0]), extra="i1 false"))


# -- floats
_FLOAT_INSTRUCTIONS = {"addf": "fadd", "subf": "fsub", "mulf": "fmul", "divf": "fdiv"}


@_floats(*(f"arith.{name}" for name in _FLOAT_INSTRUCTIONS))
def _float_arithmetic(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    return p.emit(f"{_FLOAT_INSTRUCTIONS[op.name.removeprefix('arith.')]} {type_text(type)} {x[0]}, {x[1]}")


@_floats("arith.negf")
def _negate(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    return p.emit(f"fneg {_typed(type, x[0])}")


@_floats("arith.maximumf", "arith.minimumf", "arith.maxnumf", "arith.minnumf")
def _float_extreme(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    kind = op.name.removeprefix("arith.")
    return float_extreme(p, kind, type, x[0], x[1], tuple(_known_number(v) is not None for v in op.operands))


def float_extreme(
    p: FunctionPrinter, kind: str, type: Type, x: str, y: str, constant: tuple[bool, ...] = (False, False)
) -> str:
    """The larger or smaller of two floats, by comparing and selecting: one instruction where an operand is constant.

    `x > y ? x : y` gives y where either is NaN (as vmaxps does). Of +0 and -0, either may come out.
    """
    text, order = type_text(type), "ogt" if kind.startswith("max") else "olt"
    numbers = kind.endswith("numf")
    first, second = (x, y)
    if constant[1] != numbers and any(constant):  # what must come out where the other one is NaN goes second
        first, second = y, x
    if constant == (True, True):
        constant = (False, False)
    made = _select(p, p.emit(f"fcmp {order} {text} {first}, {second}"), type, first, second)
    if any(constant):
        return made
    # NaN in `first` gave `second`: right for the num kinds, where NaN in `second` still has to be replaced
    suspect, other = (second, first) if numbers else (first, first)
    return _select(p, p.emit(f"fcmp uno {text} {suspect}, {suspect}"), type, other, made)


@_prints("arith.cmpi")
def _compare(p: FunctionPrinter, op: Operation) -> None:
    x, y = (p.name(v) for v in op.operands)
    p.define(op.results[0], p.emit(f"icmp {CMPI[op['predicate']]} {type_text(op.operands[0].type)} {x}, {y}"))


@_floats("arith.cmpf")
def _compare_floats(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    return p.emit(f"fcmp {CMPF[op['predicate']]} {type_text(type)} {x[0]}, {x[1]}")


@_prints("arith.select")
def _select_op(p: FunctionPrinter, op: Operation) -> None:
    condition, x, y = op.operands
    texts = (f"{type_text(v.type)} {p.name(v)}" for v in (condition, x, y))
    p.define(op.results[0], p.emit(f"select {', '.join(texts)}"))


@_floats("math.fma", "vector.fma")
def _fma(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    if p.target.has(FMA):
        return intrinsic(p, "fma", type, *x)
    # without the instruction it would be a call of the C library; rounding twice is the price of old CPUs
    product = p.emit(f"fmul {type_text(type)} {x[0]}, {x[1]}")
    return p.emit(f"fadd {type_text(type)} {product}, {x[2]}")


@_floats("math.absf", "math.sqrt", "math.copysign")
def _cheap(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    return intrinsic(p, {"absf": "fabs"}.get(op.name[5:], op.name[5:]), type, *x)


@_floats("math.rsqrt")
def _rsqrt(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    return p.emit(f"fdiv {type_text(type)} {literal(1.0, type)}, {intrinsic(p, 'sqrt', type, x[0])}")


@_floats("math.isnan")
def _isnan(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    return p.emit(f"fcmp uno {type_text(type)} {x[0]}, {x[0]}")


@_floats("math.isfinite", "math.isinf")
def _isinf(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    order = "one" if op.name == "math.isfinite" else "oeq"
    return p.emit(f"fcmp {order} {type_text(type)} {intrinsic(p, 'fabs', type, x[0])}, {literal(np.inf, type)}")


@_floats("math.floor", "math.ceil", "math.trunc", "math.roundeven")
def _round(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    if p.target.has(ROUND):
        return intrinsic(p, op.name[5:], type, *x)
    return _expand(p, op, type, x)


def _expand(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    from kcompile.codegen.mathematics import expansion

    return inline(p, expansion(op.name, type), x)[0]


# the AVX-512 instruction for x * 2^n, n a whole number as a float, by the type it works on
_SCALEF = {
    "v16f32": ("llvm.x86.avx512.mask.scalef.ps.512", "i16", ", i32 4"),
    "v8f32": ("llvm.x86.avx512.mask.scalef.ps.256", "i8", ""),
    "v4f32": ("llvm.x86.avx512.mask.scalef.ps.128", "i8", ""),
    "v8f64": ("llvm.x86.avx512.mask.scalef.pd.512", "i8", ", i32 4"),
    "v4f64": ("llvm.x86.avx512.mask.scalef.pd.256", "i8", ""),
    "v2f64": ("llvm.x86.avx512.mask.scalef.pd.128", "i8", ""),
}


@_floats("codegen.ldexp")
def _ldexp(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    row = _SCALEF.get(mangled(type)) if p.target.level >= 4 else None
    if row is None:
        return _expand(p, op, type, x)
    name, mask, rounding = row
    text = type_text(type)
    extra = ", i32" if rounding else ""
    function = p.out.declare(name, text, f"{text}, {text}, {text}, {mask}{extra}")
    return p.emit(f"call {text} {function}({_typed(type, x[0], x[1], x[0])}, {mask} -1{rounding})")


@_floats("codegen.fmod")
def _fmod(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    from kcompile.codegen.support import FMOD

    wide = [p.emit(f"fpext float {v} to double") for v in x] if type is t.f32 else x
    p.out.support.setdefault("kc.fmod", FMOD)
    made = p.emit(f"call double @kc.fmod(double {wide[0]}, double {wide[1]})")
    return p.emit(f"fptrunc double {made} to float") if type is t.f32 else made


_EXPANDED = ("exp", "exp2", "expm1", "log", "log2", "log1p", "sin", "cos", "tanh", "erf", "powf", "atan2")
_floats("arith.remf", *(f"math.{name}" for name in _EXPANDED))(_expand)


# -- casts
@_prints("arith.extf", "arith.truncf")
def _cast_floats(p: FunctionPrinter, op: Operation) -> None:
    (value,), result = op.operands, op.results[0]
    p.define(result, _convert_float(p, p.name(value), value.type, result.type))


def _convert_float(p: FunctionPrinter, name: str, source: Type, target: Type) -> str:
    if is_half(source):
        name, source = widen(p, name, source), t.with_element(source, t.f32)
    wanted = t.with_element(target, t.f32) if is_half(target) else target
    if source is not wanted:
        word = "fpext" if t.bitwidth(source) < t.bitwidth(wanted) else "fptrunc"
        name = p.emit(f"{word} {_typed(source, name)} to {type_text(wanted)}")
    return narrow(p, name, target) if is_half(target) else name


@_prints("arith.sitofp", "arith.uitofp")
def _to_float(p: FunctionPrinter, op: Operation) -> None:
    (value,), result = op.operands, op.results[0]
    wanted = t.with_element(result.type, t.f32) if is_half(result.type) else result.type
    made = p.emit(f"{op.name.removeprefix('arith.')} {_typed(value.type, p.name(value))} to {type_text(wanted)}")
    p.define(result, narrow(p, made, result.type) if is_half(result.type) else made)


@_prints("arith.fptosi", "arith.fptoui")
def _from_float(p: FunctionPrinter, op: Operation) -> None:
    (value,), result = op.operands, op.results[0]
    name, source = p.name(value), value.type
    if is_half(source):
        name, source = widen(p, name, source), t.with_element(source, t.f32)
    p.define(result, p.emit(f"{op.name.removeprefix('arith.')} {_typed(source, name)} to {type_text(result.type)}"))


@_prints("arith.extsi", "arith.extui", "arith.trunci", "arith.index_cast", "arith.index_castui")
def _cast_integers(p: FunctionPrinter, op: Operation) -> None:
    (value,), result = op.operands, op.results[0]
    before, after = t.bitwidth(value.type), t.bitwidth(result.type)
    if before == after:
        p.define(result, p.name(value), p.depths.get(value))
        return
    unsigned = op.name in ("arith.extui", "arith.index_castui")
    word = "trunc" if before > after else "zext" if unsigned else "sext"
    p.define(result, p.emit(f"{word} {_typed(value.type, p.name(value))} to {type_text(result.type)}"))


@_prints("arith.bitcast", "vector.bitcast")
def _bitcast(p: FunctionPrinter, op: Operation) -> None:
    (value,), result = op.operands, op.results[0]
    if type_text(value.type) == type_text(result.type):
        p.define(result, p.name(value))
        return
    p.define(result, p.emit(f"bitcast {_typed(value.type, p.name(value))} to {type_text(result.type)}"))


# -- vectors
@_prints("vector.broadcast")
def _broadcast(p: FunctionPrinter, op: Operation) -> None:
    result = op.results[0].type
    text, value = type_text(result), op.operands[0]
    one = p.emit(f"insertelement {text} poison, {type_text(value.type)} {p.name(value)}, i64 0")
    lanes = t.shape_of(result)[0]
    p.define(op.results[0], p.emit(f"shufflevector {text} {one}, {text} poison, <{lanes} x i32> zeroinitializer"))


def _shuffle(p: FunctionPrinter, type: VectorType, x: str, y: str, lanes: list[int] | range) -> str:
    mask = ", ".join("i32 poison" if k < 0 else f"i32 {k}" for k in lanes)
    return p.emit(f"shufflevector {_typed(type, x)}, {_typed(type, y)}, <{len(lanes)} x i32> <{mask}>")


@_prints("vector.shuffle")
def _shuffle_op(p: FunctionPrinter, op: Operation) -> None:
    x, y = op.operands
    wide, short = t.shape_of(x.type)[0], t.shape_of(y.type)[0]
    names, lanes, both = [p.name(x), p.name(y)], list(op["mask"]), x.type
    if wide != short:  # LLVM shuffles two vectors of one type: the shorter one gets lanes that nobody reads
        most = max(wide, short)
        both = VectorType((most,), t.element_of(x.type))
        for k, value in enumerate((x, y)):
            own = t.shape_of(value.type)[0]
            if own < most:
                assert isinstance(value.type, VectorType)
                names[k] = _shuffle(p, value.type, names[k], "poison", [i if i < own else -1 for i in range(most)])
        lanes = [k if k < wide else k - wide + most for k in lanes]
    assert isinstance(both, VectorType)
    p.define(op.results[0], _shuffle(p, both, names[0], names[1], lanes))


@_prints("vector.extract")
def _extract(p: FunctionPrinter, op: Operation) -> None:
    position = p.name(op.operands[1]) if len(op.operands) > 1 else str(op["static_position"][0])
    value = op.operands[0]
    p.define(op.results[0], p.emit(f"extractelement {_typed(value.type, p.name(value))}, i64 {position}"))


@_prints("vector.insert")
def _insert(p: FunctionPrinter, op: Operation) -> None:
    value, vector = op.operands[:2]
    position = p.name(op.operands[2]) if len(op.operands) > 2 else str(op["static_position"][0])
    texts = f"{_typed(vector.type, p.name(vector))}, {_typed(value.type, p.name(value))}"
    p.define(op.results[0], p.emit(f"insertelement {texts}, i64 {position}"))


_INTEGER_KINDS = {"add": "add", "mul": "mul", "and": "and", "or": "or", "xor": "xor"}


def _combine(p: FunctionPrinter, kind: str, type: Type, x: str, y: str) -> str:
    if t.is_float(type):
        if kind in ("add", "mul"):
            return p.emit(f"f{kind} {type_text(type)} {x}, {y}")
        return float_extreme(p, kind, type, x, y)
    if kind in _INTEGER_KINDS:
        return p.emit(f"{_INTEGER_KINDS[kind]} {type_text(type)} {x}, {y}")
    return intrinsic(p, kind[3] + kind[:3], type, x, y)


@_prints("vector.reduction")
def _reduction(p: FunctionPrinter, op: Operation) -> None:
    kind, value, result = kind_of(op), op.operands[0], op.results[0]
    half = is_half(result.type)

    def combine(type: Type, x: str, y: str) -> str:
        if not half:
            return _combine(p, kind, type, x, y)
        made = _combine(p, kind, t.with_element(type, t.f32), widen(p, x, type), widen(p, y, type))
        return narrow(p, made, type)

    name, lanes = p.name(value), t.shape_of(value.type)[0]
    while lanes > 1:
        type = VectorType((lanes,), t.element_of(value.type))
        lanes //= 2
        low = _shuffle(p, type, name, "poison", range(lanes))
        high = _shuffle(p, type, name, "poison", range(lanes, 2 * lanes))
        name = combine(VectorType((lanes,), type.element), low, high)
    name = p.emit(f"extractelement {_typed(VectorType((1,), result.type), name)}, i64 0")
    if len(op.operands) == 2:
        name = combine(result.type, p.name(op.operands[1]), name)
    p.define(result, name)


@_prints("vector.step")
def _step(p: FunctionPrinter, op: Operation) -> None:
    type = op.results[0].type
    p.define(op.results[0], literal(np.arange(t.shape_of(type)[0]), type), depth=0)


@_prints("vector.create_mask")
def _create_mask(p: FunctionPrinter, op: Operation) -> None:
    type = op.results[0].type
    lanes = t.shape_of(type)[0]
    form = p.linear(op.operands[0])
    if not form.terms and isinstance(form.constant, int):
        p.define(op.results[0], literal(np.arange(lanes) < form.constant, type), depth=0)
        return
    # 32 bits a lane compare fastest; the count is brought into their range first
    count = p.emit(f"trunc i64 {intrinsic(p, 'smin', t.index, p.name(op.operands[0]), str(lanes))} to i32")
    numbers = VectorType((lanes,), t.i32)
    text = type_text(numbers)
    one = p.emit(f"insertelement {text} poison, i32 {count}, i64 0")
    all_lanes = p.emit(f"shufflevector {text} {one}, {text} poison, {text} zeroinitializer")
    p.define(op.results[0], p.emit(f"icmp slt {text} {literal(np.arange(lanes), numbers)}, {all_lanes}"))


# -- memory
@_prints("memref.alloca")
def _alloca(p: FunctionPrinter, op: Operation) -> None:
    value = op.results[0]
    element = memory_type(t.element_of(value.type))
    count = int(np.prod(t.shape_of(value.type), dtype=np.int64))
    name = p.emit_entry(f"alloca [{count} x {type_text(element)}], align 64")
    p.define(value, name, depth=0)
    p.add_buffer(value)


@_prints("memref.dim")
def _dim(p: FunctionPrinter, op: Operation) -> None:
    form = p.linear(op.operands[1])
    if form.terms:
        raise UnsupportedError("memref.dim needs a constant dim", str(op.location))
    size = p.dims[op.operands[0]][int(str(form.constant))]
    if size == t.DYNAMIC:
        raise UnsupportedError("memref.dim of an unknown size; say it in kernel.dims", str(op.location))
    p.define(op.results[0], p.size(size), depth=0)


def _from_memory(p: FunctionPrinter, name: str, type: Type) -> str:
    """i1 is a byte in memory: 0 or not."""
    if t.element_of(type) is not t.i1:
        return name
    stored = t.with_element(type, t.i8)
    return p.emit(f"icmp ne {_typed(stored, name)}, {literal(0, stored)}")


def _to_memory(p: FunctionPrinter, name: str, type: Type) -> tuple[str, Type]:
    if t.element_of(type) is not t.i1:
        return name, type
    stored = t.with_element(type, t.i8)
    return p.emit(f"zext {_typed(type, name)} to {type_text(stored)}"), stored


@_prints("memref.load", "vector.load")
def _load(p: FunctionPrinter, op: Operation) -> None:
    buffer, *indices = op.operands
    p.define(op.results[0], _plain_load(p, buffer, indices, op.results[0].type))


def _plain_load(p: FunctionPrinter, buffer: Value, indices: list[Value], type: Type) -> str:
    stored = t.with_element(type, memory_type(t.element_of(type)))
    alignment = element_bytes(t.element_of(type))
    name = p.emit(f"load {type_text(stored)}, ptr {p.address(buffer, indices)}, align {alignment}")
    return _from_memory(p, name, type)


@_prints("memref.store", "vector.store")
def _store(p: FunctionPrinter, op: Operation) -> None:
    value, buffer, *indices = op.operands
    _plain_store(p, value, buffer, indices)


def _plain_store(p: FunctionPrinter, value: Value, buffer: Value, indices: list[Value]) -> None:
    name, stored = _to_memory(p, p.name(value), value.type)
    alignment = element_bytes(t.element_of(value.type))
    p.statement(f"store {_typed(stored, name)}, ptr {p.address(buffer, indices)}, align {alignment}")


ALL, NONE = "splat (i1 true)", "splat (i1 false)"


@_prints("vector.maskedload")
def _masked_load(p: FunctionPrinter, op: Operation) -> None:
    buffer, *indices, mask, other = op.operands
    type, condition = op.results[0].type, p.name(mask)
    if condition in (ALL, NONE):
        p.define(op.results[0], _plain_load(p, buffer, indices, type) if condition == ALL else p.name(other))
        return
    pass_through, stored = _to_memory(p, p.name(other), type)
    text, flags = type_text(stored), type_text(mask.type)
    function = p.out.declare(f"llvm.masked.load.{mangled(stored)}.p0", text, f"ptr, {flags}, {text}")
    pointer = f"ptr align {element_bytes(t.element_of(type))} {p.address(buffer, indices)}"
    name = p.emit(f"call {text} {function}({pointer}, {flags} {condition}, {text} {pass_through})")
    p.define(op.results[0], _from_memory(p, name, type))


@_prints("vector.maskedstore")
def _masked_store(p: FunctionPrinter, op: Operation) -> None:
    buffer, *indices, mask, value = op.operands
    condition = p.name(mask)
    if condition in (ALL, NONE):
        if condition == ALL:
            _plain_store(p, value, buffer, indices)
        return
    name, stored = _to_memory(p, p.name(value), value.type)
    text, flags = type_text(stored), type_text(mask.type)
    function = p.out.declare(f"llvm.masked.store.{mangled(stored)}.p0", "void", f"{text}, ptr, {flags}")
    pointer = f"ptr align {element_bytes(t.element_of(value.type))} {p.address(buffer, indices)}"
    p.statement(f"call void {function}({text} {name}, {pointer}, {flags} {condition})")


@_prints("vector.gather")
def _gather(p: FunctionPrinter, op: Operation) -> None:
    buffer, *indices, index_vector, mask, other = op.operands
    type = op.results[0].type
    pass_through, stored = _to_memory(p, p.name(other), type)
    element, lanes = type_text(t.element_of(stored)), t.shape_of(type)[0]
    offsets, kind = p.name(index_vector), type_text(index_vector.type)
    pointers = p.emit(f"getelementptr {element}, ptr {p.address(buffer, indices)}, {kind} {offsets}")
    text, flags = type_text(stored), type_text(mask.type)
    function = p.out.declare(f"llvm.masked.gather.{mangled(stored)}.v{lanes}p0", text, f"<{lanes} x ptr>, {flags}, {text}")
    where = f"<{lanes} x ptr> align {element_bytes(t.element_of(type))} {pointers}"
    name = p.emit(f"call {text} {function}({where}, {flags} {p.name(mask)}, {text} {pass_through})")
    p.define(op.results[0], _from_memory(p, name, type))
