"""Functions of floats without an instruction of their own, as arithmetic: polynomials and exact reductions.

`expansion("math.exp", type)` is a block of `arith`, `math` and `vector` operations on its arguments and a func.return.
It is the same for a scalar and for every lane of a vector, so a loop's tail gives the bits that its vectors would give.
Largest errors in units of the last place, with fused multiply-add (tests/codegen/test_mathematics.py holds them):

  f32  exp 1  exp2 1  expm1 1.5  log 1  log2 1  log1p 1.5  tanh 5.5  erf 2.5  sin cos pow atan2 0.51
  f64  exp 1  exp2 1  expm1 2  log 1  log2 1  log1p 1.5  tanh 2.5  erf 2.5  sin cos 2  atan2 2.5  pow 1e-13 relative

Zeros, infinities, NaN, denormals and overflow give what IEEE 754 says. sin and cos keep their accuracy up to |x| = 1e6
(beyond, they still give something between -1 and 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache

from kcompile.codegen import coefficients as fitted
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.errors import UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.core import Block, Value
from kcompile.ir.types import Type

INF, NAN = math.inf, math.nan
LN2, LOG2E = math.log(2), 1 / math.log(2)
# ln 2 and pi / 2 to more digits than a float holds: integers over powers of two
_LN2_BITS = 0xB17217F7D1CF79ABC9E3B39803F2F6AF40F343267298B62D8A0D175B8BAAFA2B  # ln(2) * 2^256
_PI_2_BITS = 0x1921FB54442D18469898CC51701B839A252049C1114CF98E804177D4C76273644  # pi/2 * 2^256

Recipe = Callable[[LoopBuilder, Sequence[Value]], Value]


def split_constant(bits: int, shift: int, *widths: int) -> tuple[float, ...]:
    """bits / 2^shift as a sum of floats: first ones of so many bits (their products with small integers are exact)."""
    parts = []
    for width in widths:
        drop = max(0, bits.bit_length() - width)
        head = bits >> drop << drop
        parts.append(math.ldexp(head >> drop, drop - shift))
        bits -= head
    drop = max(0, bits.bit_length() - 53)
    return (*parts, math.ldexp(bits >> drop, drop - shift))


@cache
def expansion(name: str, type: Type) -> Block:
    """The block that computes operation `name` on operands of `type`; UnsupportedError if there is none."""
    recipe = RECIPES.get(name)
    if recipe is None or t.element_of(type) not in (t.f32, t.f64):
        raise UnsupportedError(f"no machine code is generated for {name} of {type}")
    arity = {"math.powf": 2, "math.atan2": 2, "arith.remf": 2, "codegen.ldexp": 2}.get(name, 1)
    block = Block([type] * arity)
    b = LoopBuilder(block)
    result = recipe(b, block.arguments)
    b.create("func.return", [result], None, ())
    return block


def _wide(x: Value) -> bool:
    return t.element_of(x.type) is t.f64


def _integer(x: Value) -> t.IntegerType:
    return t.i64 if _wide(x) else t.i32


def _number(b: LoopBuilder, x: Value, value: float) -> Value:
    return b.constant(value, x.type)


def horner(b: LoopBuilder, x: Value, coefficients: Sequence[float]) -> Value:
    """sum c[k] x^k."""
    total = _number(b, x, coefficients[-1])
    for c in coefficients[-2::-1]:
        total = b.fma(total, x, c)
    return total


# -- powers of two
def _power_of_two(b: LoopBuilder, exponent: Value, like: Value) -> Value:
    """2^exponent of an integer inside the range of normal floats."""
    bias, bits = (1023, 52) if _wide(like) else (127, 23)
    return b.bitcast(b.shl(b.add(exponent, b.constant(bias, exponent.type)), bits), t.element_of(like.type))


def scale(b: LoopBuilder, x: Value, exponent: Value) -> Value:
    """x * 2^exponent, `exponent` a whole number as a float; rounded once where the result is denormal."""
    return b.create("codegen.ldexp", [x, exponent], None, [x.type]).result


def _ldexp(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    x, exponent = xs
    whole = b.cast(exponent, _integer(x))
    first = b.shr(whole, 1)  # in two steps, as one power of two does not reach from 2^128 down to denormals
    second = b.sub(whole, first)
    return b.mul(b.mul(x, _power_of_two(b, first, x)), _power_of_two(b, second, x))


def _clamp(b: LoopBuilder, x: Value, low: float, high: float) -> Value:
    """x between two numbers; NaN stays NaN."""
    return b.max(b.min(x, high), low)


# -- exponentials
def _exponential(b: LoopBuilder, x: Value) -> Value:
    """e^x of |x| <= ln(2) / 2."""
    if _wide(x):
        return horner(b, x, [1 / math.factorial(k) for k in range(14)])
    return horner(b, x, [1.0, 1.0, *fitted.EXP])


def _reduce(b: LoopBuilder, x: Value) -> tuple[Value, Value]:
    """The whole number n nearest to x / ln 2, and x - n ln 2."""
    high, low = split_constant(_LN2_BITS, 256, 32 if _wide(x) else 14)
    n = b.round_even(b.mul(x, LOG2E))
    return n, b.fma(n, -low, b.fma(n, -high, x))


def _exp(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    # beyond the bounds the result is infinite, or rounds to 0
    x = _clamp(b, xs[0], *((-746.0, 710.0) if _wide(xs[0]) else (-104.0, 89.0)))
    n, rest = _reduce(b, x)
    return scale(b, _exponential(b, rest), n)


def _exp2(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    x = _clamp(b, xs[0], *((-1076.0, 1025.0) if _wide(xs[0]) else (-151.0, 129.0)))
    n = b.round_even(x)
    return scale(b, _exponential(b, b.mul(b.sub(x, n), LN2)), n)


def _expm1(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    x = _clamp(b, xs[0], *((-40.0, 710.0) if _wide(xs[0]) else (-19.0, 89.0)))
    n, rest = _reduce(b, x)
    tail = [1 / math.factorial(k) for k in range(2, 15)] if _wide(x) else list(fitted.EXPM1)
    small = b.fma(b.mul(rest, rest), horner(b, rest, tail), rest)
    # 2^n (small + 1) - 1, with half the power so that it does not overflow before the result does
    half = _power_of_two(b, b.sub(b.cast(n, _integer(x)), b.constant(1, t.with_element(x.type, _integer(x)))), x)
    made = b.mul(b.fma(half, small, b.sub(half, 0.5)), 2.0)
    # a tiny x is its own result, with its sign, and half of a denormal may be no number
    tiny = b.cmp("lt", b.abs(xs[0]), 2.0**-54 if _wide(xs[0]) else 2.0**-25)
    return b.select(tiny, xs[0], made)


# -- logarithms
def _split(b: LoopBuilder, x: Value) -> tuple[Value, Value]:
    """f and k with x = (1 + f) 2^k and sqrt(1/2) <= 1 + f < sqrt(2), for positive finite x, denormals included."""
    wide = _wide(x)
    integer, bits = _integer(x), 52 if wide else 23
    least = 2.0**-1022 if wide else 2.0**-126
    tiny = b.cmp("lt", x, least)
    scaled = b.select(tiny, b.mul(x, 2.0 ** (bits + 1)), x)
    pattern = b.bitcast(scaled, integer)
    root = 0x3FE6A09E667F3BCD if wide else 0x3F3504F3  # sqrt(1/2)
    exponent = b.shr(b.sub(pattern, root), bits)
    mantissa = b.bitcast(b.sub(pattern, b.shl(exponent, bits)), t.element_of(x.type))
    k = b.cast(exponent, t.element_of(x.type))
    return b.sub(mantissa, 1.0), b.select(tiny, b.sub(k, float(bits + 1)), k)


def _log_parts(b: LoopBuilder, x: Value) -> tuple[Value, Value, Value]:
    """f, r, k with log(x) = (f + r) + k ln 2, r small beside f."""
    f, k = _split(b, x)
    if _wide(x):
        # 2 atanh(s) = log((1 + s) / (1 - s)), s = f / (2 + f): f - f^2 / 2 + s (f^2 / 2 + 2 s^2 / 3 + 2 s^4 / 5 ..)
        s = b.div(f, b.add(f, 2.0))
        z = b.mul(s, s)
        series = b.mul(z, horner(b, z, [2 / (2 * i + 3) for i in range(10)]))
        half = b.mul(b.mul(f, 0.5), f)
        return f, b.sub(b.mul(s, b.add(half, series)), half), k
    z = b.mul(f, f)
    cubic = b.mul(b.mul(f, z), horner(b, f, fitted.LOG))
    return f, b.fma(z, -0.5, cubic), k


def _log_special(b: LoopBuilder, x: Value, made: Value) -> Value:
    """inf at inf, -inf at 0, NaN below and at NaN."""
    made = b.select(b.cmp("lt", x, INF), made, x)
    made = b.select(b.cmp("eq", x, 0.0), -INF, made)
    return b.select(b.cmp("lt", x, 0.0), NAN, made)


def _log(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    f, r, k = _log_parts(b, xs[0])
    high, low = split_constant(_LN2_BITS, 256, 32 if _wide(xs[0]) else 14)
    made = b.fma(k, high, b.add(f, b.fma(k, low, r)))
    return _log_special(b, xs[0], made)


def _log2(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    f, r, k = _log_parts(b, xs[0])
    # f * log2(e) in two parts, as its rounding error is not small beside the result
    high, low = split_constant((1 << 512) // _LN2_BITS, 256, 53 if _wide(xs[0]) else 24)
    made = b.add(k, b.fma(f, high, b.fma(r, high, b.mul(f, low))))
    return _log_special(b, xs[0], made)


def _log1p(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    x = xs[0]
    u = b.add(x, 1.0)
    lost = b.sub(x, b.sub(u, 1.0))  # what rounding took from 1 + x
    usable = b.and_(b.cmp("gt", u, 0.0), b.cmp("lt", u, INF))
    # for large x it is 1 that got lost, which lost does not see; it does not matter there
    made = b.add(_log(b, [u]), b.select(usable, b.div(lost, u), 0.0))
    return b.select(b.cmp("eq", x, 0.0), x, made)


# -- hyperbolic tangent and error function
def _tanh(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    if not _wide(xs[0]):
        x = _clamp(b, xs[0], -9.02, 9.02)  # where tanh rounds to 1
        s = b.mul(x, x)
        made = b.div(b.mul(x, horner(b, s, fitted.TANH_OVER)), horner(b, s, fitted.TANH_UNDER))
        # Exactly 1 from there on: gradients multiply 1 - tanh(x)^2 by what may be large.
        return b.select(b.cmp("ge", b.abs(xs[0]), 9.02), b.copysign(1.0, xs[0]), _clamp(b, made, -1.0, 1.0))
    grown = _expm1(b, [b.mul(b.min(b.abs(xs[0]), 22.0), 2.0)])
    return b.copysign(b.div(grown, b.add(grown, 2.0)), xs[0])


def _erf(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    x = xs[0]
    if not _wide(x):
        # 1 - 2^(n + rest), kept exact near 0 as (1 - 2^n) - 2^n (2^rest - 1)
        size = b.min(b.abs(x), 4.0)  # where it rounds to 1
        power = b.mul(size, horner(b, size, fitted.ERFC))
        n = b.round_even(power)
        rest = b.sub(power, n)
        whole = scale(b, _number(b, x, 1.0), n)
        made = b.fma(b.neg(whole), b.mul(rest, horner(b, rest, fitted.EXP2M1)), b.sub(1.0, whole))
        return b.copysign(made, x)
    # the Taylor series up to 1; then erfc(x) = e^(-x^2) / x * q
    series = [2 / math.sqrt(math.pi) * (-1) ** k / math.factorial(k) / (2 * k + 1) for k in range(20)]
    near = b.mul(x, horner(b, b.mul(x, x), series))
    size = _clamp(b, b.abs(x), 1.0, 6.0)
    u = b.div(b.sub(size, 2.0), b.add(size, 2.0))
    tail = b.div(b.mul(_exp(b, [b.neg(b.mul(size, size))]), horner(b, u, fitted.ERFC_WIDE)), size)
    return b.select(b.cmp("gt", b.abs(x), 1.0), b.copysign(b.sub(1.0, tail), x), near)


# -- circular functions
def _circle(b: LoopBuilder, x: Value, shift: int) -> Value:
    """sin(x + shift * pi / 2), x an f64."""
    first, second, third = split_constant(_PI_2_BITS, 256, 33, 33)
    n = b.round_even(b.mul(x, 2 / math.pi))
    rest = b.fma(n, -third, b.fma(n, -second, b.fma(n, -first, x)))
    rest = _clamp(b, rest, -1.0, 1.0)  # only a huge x comes out larger
    z = b.mul(rest, rest)
    sine = [(-1) ** k / math.factorial(2 * k + 1) for k in range(1, 9)]
    cosine = [(-1) ** k / math.factorial(2 * k) for k in range(2, 10)]
    s = b.fma(b.mul(rest, z), horner(b, z, sine), rest)
    half = b.mul(z, 0.5)
    one = b.sub(1.0, half)
    lost = b.sub(b.sub(1.0, one), half)
    c = b.add(one, b.fma(b.mul(z, z), horner(b, z, cosine), lost))
    # n mod 4 by arithmetic on floats, which holds for every size of n
    quarter = b.add(b.sub(n, b.mul(b.floor(b.mul(n, 0.25)), 4.0)), float(shift))
    odd = b.or_(b.cmp("eq", quarter, 1.0), b.cmp("eq", quarter, 3.0))
    turned = b.and_(b.cmp("ge", quarter, 2.0), b.cmp("lt", quarter, 4.0))
    made = b.select(odd, c, s)
    made = b.select(turned, b.neg(made), made)
    return b.select(b.cmp("lt", b.abs(x), INF), made, NAN)


def _in_f64(recipe: Recipe) -> Recipe:
    """f32 computed in f64 and rounded once."""

    def narrow(b: LoopBuilder, xs: Sequence[Value]) -> Value:
        if _wide(xs[0]):
            return recipe(b, xs)
        return b.cast(recipe(b, [b.cast(x, t.f64) for x in xs]), t.f32)

    return narrow


def _sin(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    made = _circle(b, xs[0], 0)
    return b.select(b.cmp("eq", xs[0], 0.0), xs[0], made)


def _cos(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    return _circle(b, xs[0], 1)


def _atan2(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    y, x = xs
    ay, ax = b.abs(y), b.abs(x)
    steep = b.cmp("gt", ay, ax)
    over, under = b.select(steep, ax, ay), b.select(steep, ay, ax)
    # 0 / 0 counts as 0, inf / inf as 1: the signs then tell the angle
    over = b.select(b.and_(b.cmp("eq", over, INF), b.cmp("eq", under, INF)), 1.0, over)
    under = b.select(
        b.cmp("eq", over, 0.0), 1.0, b.select(b.and_(b.cmp("eq", ay, INF), b.cmp("eq", ax, INF)), 1.0, under)
    )
    z = b.div(over, under)
    # above tan(pi / 8): atan(z) = pi / 4 + atan((z - 1) / (z + 1))
    large = b.cmp("gt", z, math.tan(math.pi / 8))
    r = b.select(large, b.div(b.sub(z, 1.0), b.add(z, 1.0)), z)
    s = b.mul(r, r)
    angle = b.fma(b.mul(r, s), horner(b, s, fitted.ATAN), r)
    angle = b.select(large, b.add(angle, math.pi / 4), angle)
    angle = b.select(steep, b.sub(math.pi / 2, angle), angle)
    behind = b.cmp("lt", b.copysign(1.0, x), 0.0)
    angle = b.copysign(b.select(behind, b.sub(math.pi, angle), angle), y)
    missing = b.or_(b.is_nan(x), b.is_nan(y))
    return b.select(missing, NAN, angle)


# -- powers
def _pow(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    """e^(y log|x|) with log|x| in two parts, so that the product keeps the digits that a large exponent needs."""
    x, y = xs
    size = b.abs(x)
    f, r, k = _log_parts(b, size)
    high, low = split_constant(_LN2_BITS, 256, 32)
    whole = b.fma(k, high, f)
    rest = b.add(b.sub(f, b.sub(whole, b.mul(k, high))), b.fma(k, low, r))
    head = _log_special(b, size, b.add(whole, rest))
    tail = b.sub(rest, b.sub(b.add(whole, rest), whole))
    product = b.mul(y, head)
    error = b.add(b.fma(y, head, b.neg(product)), b.mul(y, tail))
    error = b.select(b.is_finite(product), b.select(b.is_finite(error), error, 0.0), 0.0)
    made = _exp(b, [product])
    made = b.select(b.is_finite(made), b.fma(made, error, made), made)
    # the sign of a negative base: NaN unless y is whole, negative if y is odd
    is_whole = b.cmp("eq", b.trunc(y), y)
    half = b.mul(y, 0.5)
    is_odd = b.and_(is_whole, b.cmp("ne", b.trunc(half), half))
    negative = b.cmp("lt", b.copysign(1.0, x), 0.0)
    made = b.select(b.and_(negative, is_odd), b.neg(made), made)
    below = b.and_(b.cmp("lt", x, 0.0), b.cmp("gt", x, -INF))
    made = b.select(b.and_(below, b.not_(is_whole)), NAN, made)
    # 1 to any power, anything to the power 0, and -1 to an infinite power are 1, even with NaN
    infinite = b.cmp("eq", b.abs(y), INF)
    one = b.or_(b.cmp("eq", x, 1.0), b.or_(b.cmp("eq", y, 0.0), b.and_(b.cmp("eq", x, -1.0), infinite)))
    return b.select(one, 1.0, made)


def _remainder(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    """The exact rest, lane by lane in a function of its own (`support.py`)."""
    x, y = xs
    if not isinstance(x.type, t.VectorType):
        return b.create("codegen.fmod", [x, y], None, [x.type]).result
    made = x
    for lane in range(x.type.shape[0]):
        one = b.create("codegen.fmod", [b.extract(x, lane), b.extract(y, lane)], None, [x.type.element]).result
        made = b.insert_element(one, made, lane)
    return made


# -- rounding, for CPUs without the instructions
def _whole(b: LoopBuilder, x: Value, correct: Callable[[Value], Value]) -> Value:
    """`correct(n)` of the whole number n nearest to x, with the sign of x; large x is whole already."""
    limit = 2.0**52 if _wide(x) else 2.0**23
    size = b.abs(x)
    n = b.sub(b.add(size, limit), limit)  # adding the limit rounds to a whole number
    made = b.copysign(correct(b.copysign(n, x)), x)
    return b.select(b.cmp("lt", size, limit), made, x)


def _roundeven(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    return _whole(b, xs[0], lambda n: n)


def _floor(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    return _whole(b, xs[0], lambda n: b.sub(n, b.select(b.cmp("gt", n, xs[0]), 1.0, _number(b, n, 0.0))))


def _ceil(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    return _whole(b, xs[0], lambda n: b.add(n, b.select(b.cmp("lt", n, xs[0]), 1.0, _number(b, n, 0.0))))


def _trunc(b: LoopBuilder, xs: Sequence[Value]) -> Value:
    def towards_zero(n: Value) -> Value:
        beyond = b.cmp("gt", b.abs(n), b.abs(xs[0]))
        return b.sub(n, b.select(beyond, b.copysign(1.0, xs[0]), _number(b, n, 0.0)))

    return _whole(b, xs[0], towards_zero)


RECIPES: dict[str, Recipe] = {
    "math.exp": _exp, "math.exp2": _exp2, "math.expm1": _expm1,
    "math.log": _log, "math.log2": _log2, "math.log1p": _log1p,
    "math.tanh": _tanh, "math.erf": _erf, "math.sin": _in_f64(_sin), "math.cos": _in_f64(_cos),
    "math.atan2": _in_f64(_atan2), "math.powf": _in_f64(_pow), "arith.remf": _remainder, "codegen.ldexp": _ldexp,
    "math.roundeven": _roundeven, "math.floor": _floor, "math.ceil": _ceil, "math.trunc": _trunc,
}  # fmt: skip
