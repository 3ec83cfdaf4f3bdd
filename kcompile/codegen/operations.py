"""The LLVM text of each operation below tensor level.

`print_operation(printer, op)` looks the op up in a table by its name. Functions of floats that have no instruction are
expanded by `mathematics.py`, in this same IR. f16 and bf16 are widened to f32, computed, and narrowed again, one
operation at a time.

The semantics are those of the dialect files: no fast-math flag is ever set, and nothing here can trap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from kcompile.codegen.addresses import Linear
from kcompile.codegen.target import FMA, ROUND
from kcompile.codegen.text import is_half, literal, type_text
from kcompile.dialects.upstream.arith import CMPF, CMPI
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


def prints(*names: str) -> Callable[[Printer], Printer]:
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


def typed(type: Type, *names: str) -> str:
    text = type_text(type)
    return ", ".join(f"{text} {n}" for n in names)


def intrinsic(
    p: FunctionPrinter, name: str, type: Type, *names: str, result: Type | None = None, extra: str = ""
) -> str:
    """Call `@llvm.name` overloaded on `type`."""
    function = p.out.declare(
        f"llvm.{name}.{mangled(type)}",
        type_text(result or type),
        ", ".join([type_text(type)] * len(names) + ([extra.split()[0]] if extra else [])),
    )
    arguments = typed(type, *names) + (f", {extra}" if extra else "")
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


@prints("codegen.from_half", "codegen.to_half")
def _half(p: FunctionPrinter, op: Operation) -> None:
    value, result = op.operands[0], op.results[0]
    lanes = t.shape_of(value.type)
    half = f"<{lanes[0]} x half>" if lanes else "half"
    name = p.name(value)
    if op.name == "codegen.from_half":
        bits = p.emit(f"bitcast {typed(value.type, name)} to {half}")
        p.define(result, p.emit(f"fpext {half} {bits} to {type_text(result.type)}"))
    else:
        made = p.emit(f"fptrunc {typed(value.type, name)} to {half}")
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
@prints("arith.constant")
def _constant(p: FunctionPrinter, op: Operation) -> None:
    p.define(op.results[0], literal(op["value"], op.results[0].type), depth=0)


def _known_number(value: Value) -> float | None:
    """The number that a float operand is, in all lanes; None if it is not constant or is NaN."""
    known = _constant_lanes(value)
    if known is None:
        return None
    array = known.astype(np.float64).reshape(-1)
    return float(array[0]) if (array == array[0]).all() else None


# -- integers
@prints("arith.addi", "arith.subi", "arith.muli")
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


@prints(*(f"arith.{name}" for name in _INTEGER_INSTRUCTIONS))
def _bitwise(p: FunctionPrinter, op: Operation) -> None:
    x, y = op.operands
    word = _INTEGER_INSTRUCTIONS[op.name.removeprefix("arith.")]
    p.define(op.results[0], p.emit(f"{word} {type_text(x.type)} {p.name(x)}, {p.name(y)}"))


def _constant_lanes(value: Value) -> np.ndarray[Any, Any] | None:
    """The number, or the numbers of all lanes, if `value` is constant."""
    op = value.defining_op
    return np.asarray(op["value"]) if op is not None and op.name == "arith.constant" else None


@prints("arith.shli", "arith.shrui", "arith.shrsi")
def _shift(p: FunctionPrinter, op: Operation) -> None:
    x, y = op.operands
    type, width = x.type, t.bitwidth(x.type)
    word = {"arith.shli": "shl", "arith.shrui": "lshr", "arith.shrsi": "ashr"}[op.name]
    amount = p.name(y)
    known = _constant_lanes(y)
    if known is not None and ((known >= 0) & (known < width)).all():
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
    return p.emit(f"select {mask} {condition}, {typed(type, x)}, {typed(type, y)}")


@prints(*(f"arith.{n}" for n in ("divsi", "divui", "remsi", "remui", "floordivsi", "ceildivsi", "ceildivui")))
def _divide(p: FunctionPrinter, op: Operation) -> None:
    """x / 0 is 0 and x % 0 is 0; the smallest number divided by -1 is itself."""
    name = op.name.removeprefix("arith.")
    (vx, vy), type = op.operands, op.operands[0].type
    x, y, text = p.name(vx), p.name(vy), type_text(type)
    signed = name.endswith("si")
    zero, one = literal(0, type), literal(1, type)
    divisor, by_zero = y, ""
    known = _constant_lanes(vy)
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


@prints(*(f"arith.{n}" for n in ("maxsi", "maxui", "minsi", "minui")))
def _extreme(p: FunctionPrinter, op: Operation) -> None:
    word = op.name.removeprefix("arith.")
    x, y = (p.name(v) for v in op.operands)
    p.define(op.results[0], intrinsic(p, {"s": "s", "u": "u"}[word[3]] + word[:3], op.operands[0].type, x, y))


@prints("math.absi")
def _absi(p: FunctionPrinter, op: Operation) -> None:
    p.define(op.results[0], intrinsic(p, "abs", op.operands[0].type, p.name(op.operands[0]), extra="i1 false"))


# -- floats
_FLOAT_INSTRUCTIONS = {"addf": "fadd", "subf": "fsub", "mulf": "fmul", "divf": "fdiv"}


@_floats(*(f"arith.{name}" for name in _FLOAT_INSTRUCTIONS))
def _float_arithmetic(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    return p.emit(f"{_FLOAT_INSTRUCTIONS[op.name.removeprefix('arith.')]} {type_text(type)} {x[0]}, {x[1]}")


@_floats("arith.negf")
def _negate(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    return p.emit(f"fneg {typed(type, x[0])}")


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


@prints("arith.cmpi")
def _compare(p: FunctionPrinter, op: Operation) -> None:
    x, y = (p.name(v) for v in op.operands)
    p.define(op.results[0], p.emit(f"icmp {CMPI[op['predicate']]} {type_text(op.operands[0].type)} {x}, {y}"))


@_floats("arith.cmpf")
def _compare_floats(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    return p.emit(f"fcmp {CMPF[op['predicate']]} {type_text(type)} {x[0]}, {x[1]}")


@prints("arith.select")
def _select_op(p: FunctionPrinter, op: Operation) -> None:
    texts = (f"{type_text(v.type)} {_loaded_whole(p, v)}" for v in op.operands)
    p.define(op.results[0], p.emit(f"select {', '.join(texts)}"))


def _loaded_whole(p: FunctionPrinter, value: Value) -> str:
    """An operand of a select, which LLVM may not make a masked load of: that waits for the mask (22 GB/s, not 33)."""
    is_load = value.defining_op is not None and value.defining_op.name == "vector.load"
    return p.emit(f"freeze {type_text(value.type)} {p.name(value)}") if is_load else p.name(value)


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
        wide = isinstance(type, VectorType) and type.shape[0] * t.bitwidth(type.element) > 512
        return _ldexp_of_halves(p, op, type, x) if wide and p.target.level >= 4 else _expand(p, op, type, x)  # type: ignore[arg-type]
    name, mask, rounding = row
    text = type_text(type)
    extra = ", i32" if rounding else ""
    function = p.out.declare(name, text, f"{text}, {text}, {text}, {mask}{extra}")
    return p.emit(f"call {text} {function}({typed(type, x[0], x[1], x[0])}, {mask} -1{rounding})")


def _ldexp_of_halves(p: FunctionPrinter, op: Operation, type: VectorType, x: list[str]) -> str:
    """A vector of several registers, down to what the instruction takes."""
    lanes, text = type.shape[0], type_text(type)
    half = VectorType((lanes // 2,), type.element)
    made = []
    for start in (0, lanes // 2):
        mask = literal(np.arange(start, start + lanes // 2), VectorType(half.shape, t.i32))
        pieces = [p.emit(f"shufflevector {text} {v}, {text} poison, <{lanes // 2} x i32> {mask}") for v in x]
        made.append(typed(half, _ldexp(p, op, half, pieces)))
    every = literal(np.arange(lanes), VectorType(type.shape, t.i32))
    return p.emit(f"shufflevector {', '.join(made)}, <{lanes} x i32> {every}")


@_floats("codegen.fmod")
def _fmod(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    from kcompile.codegen.support import FMOD

    wide = [p.emit(f"fpext float {v} to double") for v in x] if type is t.f32 else x
    p.out.support.setdefault("kc.fmod", FMOD)
    made = p.emit(f"call double @kc.fmod(double {wide[0]}, double {wide[1]})")
    return p.emit(f"fptrunc double {made} to float") if type is t.f32 else made


_EXPANDED = ("exp", "exp2", "expm1", "log", "log2", "log1p", "sin", "cos", "tanh", "erf", "atan2")
_floats("arith.remf", *(f"math.{name}" for name in _EXPANDED))(_expand)


@_floats("math.powf")
def _power(p: FunctionPrinter, op: Operation, type: Type, x: list[str]) -> str:
    """Small whole exponents by multiplication: squares are everywhere, and the general power is forty times dearer."""
    exponent, text = _known_number(op.operands[1]), type_text(type)
    if exponent == 1.0:
        return x[0]
    if exponent == -1.0:
        return p.emit(f"fdiv {text} {literal(1.0, type)}, {x[0]}")
    if exponent not in (2.0, 3.0, 4.0):
        return _expand(p, op, type, x)
    square = p.emit(f"fmul {text} {x[0]}, {x[0]}")
    if exponent == 2.0:
        return square
    return p.emit(f"fmul {text} {square}, {x[0] if exponent == 3.0 else square}")


# -- casts
@prints("arith.extf", "arith.truncf")
def _cast_floats(p: FunctionPrinter, op: Operation) -> None:
    (value,), result = op.operands, op.results[0]
    p.define(result, _convert_float(p, p.name(value), value.type, result.type))


def _convert_float(p: FunctionPrinter, name: str, source: Type, target: Type) -> str:
    if is_half(source):
        name, source = widen(p, name, source), t.with_element(source, t.f32)
    wanted = t.with_element(target, t.f32) if is_half(target) else target
    if source is not wanted:
        word = "fpext" if t.bitwidth(source) < t.bitwidth(wanted) else "fptrunc"
        name = p.emit(f"{word} {typed(source, name)} to {type_text(wanted)}")
    return narrow(p, name, target) if is_half(target) else name


@prints("arith.sitofp", "arith.uitofp")
def _to_float(p: FunctionPrinter, op: Operation) -> None:
    (value,), result = op.operands, op.results[0]
    wanted = t.with_element(result.type, t.f32) if is_half(result.type) else result.type
    made = p.emit(f"{op.name.removeprefix('arith.')} {typed(value.type, p.name(value))} to {type_text(wanted)}")
    p.define(result, narrow(p, made, result.type) if is_half(result.type) else made)


@prints("arith.fptosi", "arith.fptoui")
def _from_float(p: FunctionPrinter, op: Operation) -> None:
    (value,), result = op.operands, op.results[0]
    name, source = p.name(value), value.type
    if is_half(source):
        name, source = widen(p, name, source), t.with_element(source, t.f32)
    p.define(result, p.emit(f"{op.name.removeprefix('arith.')} {typed(source, name)} to {type_text(result.type)}"))


@prints("arith.extsi", "arith.extui", "arith.trunci", "arith.index_cast", "arith.index_castui")
def _cast_integers(p: FunctionPrinter, op: Operation) -> None:
    (value,), result = op.operands, op.results[0]
    before, after = t.bitwidth(value.type), t.bitwidth(result.type)
    if before == after:
        p.define(result, p.name(value), p.depths.get(value))
        return
    unsigned = op.name in ("arith.extui", "arith.index_castui")
    word = "trunc" if before > after else "zext" if unsigned else "sext"
    p.define(result, p.emit(f"{word} {typed(value.type, p.name(value))} to {type_text(result.type)}"))


@prints("arith.bitcast", "vector.bitcast")
def _bitcast(p: FunctionPrinter, op: Operation) -> None:
    (value,), result = op.operands, op.results[0]
    if type_text(value.type) == type_text(result.type):
        p.define(result, p.name(value))
        return
    p.define(result, p.emit(f"bitcast {typed(value.type, p.name(value))} to {type_text(result.type)}"))
