"""f16 and bf16 as their 16 bits: to f32 and back, by shifts, or by the CPU's f16 instructions where it has them.

Both directions are exact or rounded to nearest even; NaN stays NaN.
"""

from __future__ import annotations

from functools import cache

from kcompile.codegen.target import HALF, Target
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.core import Block, Value
from kcompile.ir.types import Type


def widening(type: Type, target: Target) -> Block:
    """The block from f16 or bf16 `type` to f32."""
    return _widening(type, target.has(HALF))


def narrowing(type: Type, target: Target) -> Block:
    """The block from f32 to f16 or bf16 `type`."""
    return _narrowing(type, target.has(HALF))


def _block(argument: Type) -> tuple[LoopBuilder, Value]:
    block = Block([argument])
    return LoopBuilder(block), block.arguments[0]


def _end(b: LoopBuilder, result: Value) -> Block:
    b.create("func.return", [result], None, ())
    return b.block


@cache
def _widening(type: Type, has_half: bool) -> Block:
    b, x = _block(type)
    if t.element_of(type) is t.f16 and has_half:
        return _end(b, b.create("codegen.from_half", [x], None, [t.with_element(type, t.f32)]).result)
    bits = b.cast(b.bitcast(x, t.i16), t.i32, unsigned=True)
    if t.element_of(type) is t.bf16:
        return _end(b, b.bitcast(b.shl(bits, 16), t.f32))
    size = b.and_(bits, 0x7FFF)
    moved = b.shl(size, 13)
    normal = b.add(moved, 0x38000000)  # the exponent's bias goes from 15 to 127
    special = b.add(moved, 0x70000000)  # inf and NaN
    tiny = b.bitcast(b.mul(b.cast(size, t.f32), 2.0**-24), t.i32)
    made = b.select(b.cmp("ge", size, 0x7C00), special, b.select(b.cmp("lt", size, 0x0400), tiny, normal))
    return _end(b, b.bitcast(b.or_(made, b.shl(b.and_(bits, 0x8000), 16)), t.f32))


@cache
def _narrowing(type: Type, has_half: bool) -> Block:
    b, x = _block(t.with_element(type, t.f32))
    if t.element_of(type) is t.f16 and has_half:
        return _end(b, b.create("codegen.to_half", [x], None, [type]).result)
    bits = b.bitcast(x, t.i32)
    if t.element_of(type) is t.bf16:
        even = b.and_(b.shr(bits, 16, unsigned=True), 1)
        rounded = b.shr(b.add(bits, b.add(even, 0x7FFF)), 16, unsigned=True)
        missing = b.or_(b.shr(bits, 16, unsigned=True), 0x40)
        return _end(b, b.bitcast(b.cast(b.select(b.is_nan(x), missing, rounded), t.i16), t.bf16))
    size = b.and_(bits, 0x7FFFFFFF)
    even = b.and_(b.shr(size, 13, unsigned=True), 1)
    normal = b.shr(b.sub(b.add(size, b.add(even, 0xFFF)), 0x38000000), 13, unsigned=True)
    # below the normal range: adding 1/2 leaves the rounded mantissa in the low bits
    tiny = b.sub(b.bitcast(b.add(b.bitcast(size, t.f32), 0.5), t.i32), 0x3F000000)
    made = b.select(b.cmp("lt", size, 0x38800000), tiny, normal)
    made = b.select(b.cmp("ge", size, 0x477FF000), 0x7C00, made)  # rounds to infinity
    made = b.select(b.cmp("gt", size, 0x7F800000), 0x7E00, made)
    made = b.or_(made, b.and_(b.shr(bits, 16, unsigned=True), 0x8000))
    return _end(b, b.bitcast(b.cast(made, t.i16), t.f16))
