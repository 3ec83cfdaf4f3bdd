"""The same values in another element type, the same bits as another type, the same values without a gradient."""
# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import Any

import numpy as np

from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.types import TensorType, Type

from .dialect import NONE, Array, graph, signless, tensor, zero_gradient
from .sampling import EVERYTHING, FLOATS, INTEGERS, SIGNED, UNSIGNED, Case, Rng, Samples, case, shape, values
from .tolerance import exact


def _draw_convert(rng: Rng, element: Type) -> Case:
    target = EVERYTHING[int(rng.integers(len(EVERYTHING)))]
    # negative floats to unsigned integers, and values past the range, are drawn too
    return case(element, values(rng, shape(rng), element, -300, 300), dtype=target)


def _scalar_of(type: Type) -> bool:
    return t.is_float(type) or t.is_integer(type)


def _integer_range(element: Type) -> tuple[int, int]:
    width = t.bitwidth(element)
    return (0, 2**width - 1) if t.is_unsigned(element) else (-(2 ** (width - 1)), 2 ** (width - 1) - 1)


@graph.op("convert", ins="x", traits="pure elementwise")
class Convert:
    """x as elements of `dtype`.

    Floats round to the nearest float. Float to integer drops the fraction and stops at the ends of the integer's range;
    nan gives 0. Integers wrap around. Numbers become truth values by x != 0.
    """

    def infer(x: Type, *, dtype: Type) -> TensorType:
        source = tensor(x)
        if not (_scalar_of(source.element) and _scalar_of(dtype)):
            raise IRError(f"converts between floats, integers and truth values. Received: {source}, dtype={dtype}")
        return TensorType(source.shape, dtype)

    def reference(x: Array, *, dtype: Type) -> Array:
        target = t.to_numpy(dtype)
        if x.dtype.kind != "f" or t.is_float(dtype):
            return x.astype(target)
        if dtype is t.i1:
            return np.asarray(x != 0)
        low, high = _integer_range(dtype)
        inside = (x > float(low) - 1) & (x < float(high + 1)) if low else (x > -1) & (x < float(high + 1))
        end = np.where(x > 0, np.asarray(high, target), np.asarray(low, target))
        return np.where(inside, np.where(inside, x, 0).astype(target), np.where(np.isnan(x), 0, end)).astype(target)

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        source = t.element_of(op.operands[0].type)
        return [b.convert(ct, dtype=source) if t.is_float(source) else None]

    def scalar(b: Any, x: Any, *, dtype: Type, unsigned: bool = False) -> Any:
        if not t.is_float(x.type) or t.is_float(dtype) or dtype is t.i1:
            return b.cast(x, signless(dtype), unsigned=unsigned)
        if t.bitwidth(x.type) < 32:
            x = b.cast(x, t.f32)  # the ends of the range below need exact floats
        low, high = _integer_range(dtype)
        above, below = b.cmp("ge", x, float(high + 1)), b.cmp("lt", x, float(low))
        inside = b.select(b.or_(above, b.or_(below, b.cmp("ne", x, x))), 0.0, x)
        result = b.cast(inside, dtype)
        top = b.constant(-1 if t.is_unsigned(dtype) else high, result.type)
        return b.select(above, top, b.select(below, b.constant(low, result.type), result))

    stablehlo = "stablehlo.convert"
    samples = Samples(EVERYTHING, _draw_convert)
    tolerance = exact


_BITS: dict[int, tuple[Type, ...]] = {
    8: (t.i8, t.ui8),
    16: (t.i16, t.ui16, t.f16, t.bf16),
    32: (t.i32, t.ui32, t.f32),
    64: (t.i64, t.ui64, t.f64),
}


def _draw_bitcast(rng: Rng, element: Type) -> Case:
    options = _BITS[t.bitwidth(element)]
    return case(element, values(rng, shape(rng), element), dtype=options[int(rng.integers(len(options)))])


@graph.op("bitcast", ins="x", traits="pure elementwise")
class Bitcast:
    """The bits of x read as elements of `dtype`, which has the same width."""

    def infer(x: Type, *, dtype: Type) -> TensorType:
        source = tensor(x)
        if dtype not in _BITS.get(t.bitwidth(source.element), ()) or source.element is t.i1:
            raise IRError(f"needs a dtype of {t.bitwidth(source.element)} bits. Received: {source}, dtype={dtype}")
        return TensorType(source.shape, dtype)

    def reference(x: Array, *, dtype: Type) -> Array:
        target = t.to_numpy(dtype)
        width = t.bitwidth(dtype) // 8
        x = np.ascontiguousarray(x).reshape(x.shape)
        if x.dtype.itemsize == 4 and width == 2:  # x is bf16, held in float32
            x = np.asarray(x.view(np.uint32) >> 16).astype(np.uint16)
        if dtype is t.bf16:
            return np.asarray(x.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        return x.view(target)

    def vjp(b: Any, op: Operation, ct: Value) -> list[Value | None]:
        return [None]

    def scalar(b: Any, x: Any, *, dtype: Type, unsigned: bool = False) -> Any:
        return b.bitcast(x, signless(dtype))

    stablehlo = "stablehlo.bitcast_convert"
    samples = Samples(SIGNED + UNSIGNED + FLOATS, _draw_bitcast)
    tolerance = exact


@graph.op("stop_gradient", ins="x", traits="pure elementwise linear")
class StopGradient:
    """x itself, as a constant for differentiation."""

    def infer(x: Type) -> TensorType:
        return tensor(x)

    def reference(x: Array) -> Array:
        return x

    def scalar(b: Any, x: Any, *, unsigned: bool = False) -> Any:
        return x

    vjp = zero_gradient
    stablehlo = NONE  # it exports as its operand
    samples = Samples(FLOATS + INTEGERS, lambda rng, element: case(element, values(rng, shape(rng), element)))
    tolerance = exact
