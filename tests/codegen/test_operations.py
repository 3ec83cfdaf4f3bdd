"""Every scalar operation: machine code on each target = the interpreter, for scalars and for vectors, at edges too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kcompile.codegen.operations import TABLE
from kcompile.dialects.upstream.elementwise import fit
from kcompile.ir import types as t
from kcompile.ir.definition import definitions
from kcompile.ir.types import Type, VectorType
from tests.codegen.elementwise_kernels import TARGETS, Compiled, kernel_module, run_interpreted, same_bits

INTEGERS = [t.i8, t.i16, t.i32, t.i64, t.index]
FLOATS = [t.f16, t.bf16, t.f32, t.f64]
INTEGER_OPS = (
    "addi subi muli divsi divui remsi remui floordivsi ceildivsi ceildivui andi ori xori shli shrui shrsi "
    "maxsi maxui minsi minui"
).split()
FLOAT_OPS = "addf subf mulf divf remf maximumf minimumf maxnumf minnumf".split()
LANES = 8


def op(name: str, *, attrs: dict[str, Any] | None = None, result: Type | None = None) -> Any:
    """A body that is one operation; `result` is its element type if it is not inferred."""

    def body(b: Any, *xs: Any) -> Any:
        types = None if result is None else [t.with_element(xs[0].type, result)]
        return b.create(name, xs, attrs, types).result

    return body


def integer_samples(element: Type, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    dtype = t.to_numpy(element)
    if element is t.i1:
        return np.array([False, True])
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    width = dtype.itemsize * 8
    edges = [0, 1, -1, 2, -2, 3, 7, low, low + 1, high, high - 1, width - 1, width, min(width + 1, high)]
    return np.concatenate([np.array(edges, dtype), rng.integers(low, high, 10, dtype, endpoint=True)])


def float_samples(element: Type, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    dtype = t.to_numpy(element)
    largest = {t.f16: 65504.0, t.bf16: 3.3895314e38, t.f32: 3.4028235e38, t.f64: 1.7976931348623157e308}[element]
    tiny = {t.f16: 2.0**-24, t.bf16: 2.0**-133, t.f32: 2.0**-149, t.f64: 2.0**-1074}[element]
    edges = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        1.5,
        2.5,
        -2.5,
        3.0,
        np.inf,
        -np.inf,
        np.nan,
        largest,
        -largest,
        tiny,
        -3 * tiny,
    ]
    values = np.concatenate([edges, rng.standard_normal(8) * 3])
    with np.errstate(over="ignore"):
        return np.asarray(fit(values.astype(dtype), VectorType(values.shape, element)))


def pairs(samples: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    x, y = np.meshgrid(samples, samples)
    return [pad(x.ravel()), pad(y.ravel())]


def pad(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """To a whole number of vectors."""
    return np.concatenate([x, np.ones(-len(x) % LANES, x.dtype)])


def check(bodies: Any, inputs: dict[str, Any], target: str) -> None:
    """Interpreter = scalar code = vector code for each body."""
    scalars, vectors = kernel_module(bodies, 1), kernel_module(bodies, LANES)
    by_scalar, by_vector = Compiled(scalars, target), Compiled(vectors, target)
    for name, (types, output, _) in bodies.items():
        xs = inputs[name]
        expected = run_interpreted(vectors, name, xs, output)
        for made in (by_scalar.run(name, xs, types, output), by_vector.run(name, xs, types, output)):
            wrong = np.flatnonzero(~same_bits(expected, made))
            shown = [(*(x[i] for x in xs), expected[i], made[i]) for i in wrong[:4]]
            assert not wrong.size, (
                f"{name} on {target}: {wrong.size} differ, first (operands, interpreter, machine): {shown}"
            )
        head = slice(0, 2 * LANES)
        scalar_interpreted = run_interpreted(scalars, name, [x[head] for x in xs], output)
        assert same_bits(expected[head], scalar_interpreted).all(), name


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("element", [t.i1, *INTEGERS], ids=str)
def test_integer_operations(element: Type, target: str) -> None:
    xs = pairs(integer_samples(element, np.random.default_rng(1)))
    names = ["addi", "subi", "muli", "andi", "ori", "xori"] if element is t.i1 else INTEGER_OPS
    bodies: dict[str, Any] = {n: ((element, element), element, op(f"arith.{n}")) for n in names}
    for i, predicate in enumerate("eq ne slt sle sgt sge ult ule ugt uge".split()):
        if element is not t.i1 or predicate[0] != "s":
            bodies[f"cmpi_{predicate}"] = ((element, element), t.i1, op("arith.cmpi", attrs={"predicate": i}))
    if element is not t.i1:
        bodies["absi"] = ((element,), element, op("math.absi"))
    inputs = {n: xs[: len(types)] for n, (types, _, _) in bodies.items()}
    check(bodies, inputs, target)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("element", FLOATS, ids=str)
def test_float_operations(element: Type, target: str) -> None:
    xs = pairs(float_samples(element, np.random.default_rng(2)))
    bodies: dict[str, Any] = {n: ((element, element), element, op(f"arith.{n}")) for n in FLOAT_OPS}
    for i in range(16):
        bodies[f"cmpf_{i}"] = ((element, element), t.i1, op("arith.cmpf", attrs={"predicate": i}))
    bodies["copysign"] = ((element, element), element, op("math.copysign"))
    bodies["negf"] = ((element,), element, op("arith.negf"))
    for name in "absf sqrt rsqrt floor ceil trunc roundeven".split():
        bodies[name] = ((element,), element, op(f"math.{name}"))
    for name in "isnan isinf isfinite".split():
        bodies[name] = ((element,), t.i1, op(f"math.{name}"))
    inputs = {n: xs[: len(types)] for n, (types, _, _) in bodies.items()}
    with np.errstate(all="ignore"):
        check(bodies, inputs, target)


@pytest.mark.parametrize("target", TARGETS)
def test_extremes_with_a_constant_keep_nan(target: str) -> None:
    # a constant operand takes a shorter sequence
    xs = [pad(float_samples(t.f32, np.random.default_rng(3)))]
    bodies: dict[str, Any] = {}
    for name in ("max", "min", "maxnum", "minnum"):
        for constant in (0.0, 1.5, float("inf"), float("nan")):
            bodies[f"{name}_{constant}"] = ((t.f32,), t.f32, lambda b, x, n=name, c=constant: getattr(b, n)(x, c))
            bodies[f"{name}_{constant}_first"] = ((t.f32,), t.f32, lambda b, x, n=name, c=constant: getattr(b, n)(c, x))
    check(bodies, dict.fromkeys(bodies, xs), target)


@pytest.mark.parametrize("target", TARGETS)
def test_integer_division_by_constants(target: str) -> None:
    xs = [pad(integer_samples(t.i32, np.random.default_rng(4)))]
    bodies: dict[str, Any] = {}
    for name in ("divsi", "divui", "remsi", "remui", "floordivsi", "ceildivsi", "ceildivui", "shli", "shrui", "shrsi"):
        for constant in (1, -1, 2, 7, -3, 0, 31, 32):
            body = lambda b, x, n=name, c=constant: b.create(f"arith.{n}", [x, b.constant(c, x.type)]).result
            bodies[f"{name}_{constant}".replace("-", "m")] = ((t.i32,), t.i32, body)
    check(bodies, dict.fromkeys(bodies, xs), target)


@pytest.mark.parametrize("target", TARGETS)
def test_casts(target: str) -> None:
    rng = np.random.default_rng(5)
    bodies: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    everything = [t.i1, *INTEGERS, *FLOATS, t.ui8, t.ui32]
    for source in [t.i1, *INTEGERS, *FLOATS]:
        for target_type in everything:
            for unsigned in (False, True):
                if unsigned and t.is_float(source):
                    continue
                if source is t.index and t.is_float(target_type) and unsigned:
                    continue
                name = f"{source}_{target_type}_{unsigned}"
                stored = t.IntegerType(target_type.width) if isinstance(target_type, t.IntegerType) else target_type
                body = lambda b, x, e=target_type, u=unsigned: b.cast(x, e, u)
                if t.is_float(source) and t.is_integer(target_type) and target_type is not t.i1:
                    # what does not fit the integer is undefined, so only values that do are tried
                    values = np.array([0.0, 1.0, 1.5, 2.5, 100.25, 126.75, 7.0, 0.5])
                    if not getattr(target_type, "unsigned", False):
                        values = np.concatenate([values, -values])
                    values = np.asarray(fit(values.astype(t.to_numpy(source)), VectorType(values.shape, source)))
                elif t.is_float(source):
                    values = float_samples(source, rng)
                else:
                    values = integer_samples(source, rng)
                if source in (t.i64, t.index, t.i32) and target_type in (t.f16, t.bf16):
                    values = values.clip(-(2**20), 2**20)  # larger ones are rounded twice, to f32 first
                if source is t.f64 and target_type in (t.f16, t.bf16):
                    with np.errstate(over="ignore"):  # also rounded twice
                        values = values.astype(np.float32).astype(np.float64)
                bodies[name] = ((source,), stored, body)
                inputs[name] = [pad(values)]
    with np.errstate(all="ignore"):
        check(bodies, inputs, target)


@pytest.mark.parametrize("target", TARGETS)
def test_bitcasts_keep_the_bits(target: str) -> None:
    rng = np.random.default_rng(6)
    bodies: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    for source, result in [
        (t.f32, t.i32),
        (t.i32, t.f32),
        (t.f64, t.i64),
        (t.f16, t.i16),
        (t.i16, t.bf16),
        (t.bf16, t.i16),
    ]:
        name = f"{source}_{result}"
        bodies[name] = ((source,), result, lambda b, x, e=result: b.bitcast(x, e))
        samples = float_samples(source, rng) if t.is_float(source) else integer_samples(source, rng)
        inputs[name] = [pad(samples[~np.isnan(samples)] if samples.dtype.kind == "f" else samples)]
    check(bodies, inputs, target)


@pytest.mark.parametrize("target", [x for x in TARGETS if x != "x86-64"])
@pytest.mark.parametrize("element", [t.f32, t.f64], ids=str)
def test_fma_rounds_once(element: Type, target: str) -> None:
    rng = np.random.default_rng(7)
    xs = [pad(rng.standard_normal(64).astype(t.to_numpy(element))) for _ in range(2)]
    product = -(xs[0] * xs[1])  # what is left is the rounding error of the product, which a rounded product has not
    bodies: dict[str, Any] = {"fma": ((element,) * 3, element, lambda b, x, y, z: b.fma(x, y, z))}
    made = Compiled(kernel_module(bodies, LANES), target).run("fma", [*xs, product], (element,) * 3, element)
    wide = np.longdouble if element is t.f64 else np.float64
    exact = xs[0].astype(wide) * xs[1] + product
    assert np.count_nonzero(made) > 32
    assert np.abs(made - exact).max() <= np.abs(exact).max() * (2.0**-9 if element is t.f64 else 2.0**-24)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("element", [t.i1, t.i32, t.f16, t.f32], ids=str)
def test_select_and_constants(element: Type, target: str) -> None:
    xs = [pad(x) for x in pairs(np.array([0, 1, 0, 0, 1], t.to_numpy(element)))]
    bodies: dict[str, Any] = {
        "select": ((element, element), element, lambda b, x, y: b.select(b.cmp("eq", x, y), x, b.constant(1, y.type))),
        "broadcast": ((element, element), element, lambda b, x, y: b.select(b.cmp("ne", x, y), x, y)),
    }
    check(bodies, dict.fromkeys(bodies, xs), target)


def test_every_operation_has_machine_code() -> None:
    """What is not printed by the table is control flow, or is gone before machine code."""
    without = {"scf.for", "scf.if", "scf.yield"}
    for dialect in ("arith", "math", "vector", "memref", "scf"):
        for definition in definitions(dialect):
            assert definition.name in TABLE or definition.name in without, definition.name
