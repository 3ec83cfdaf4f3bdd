"""Each operation for each of its element types, compiled, with a fixed and with a symbolic first axis.

All operations of one type are compiled as one module, which costs less than a module each: for single operations under
a random search, which shrinks to the smallest failing case, see `test_compiled_operations.py`.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.sampling import EVERYTHING, Case
from kcompile.dialects.graph.tolerance import mismatch
from kcompile.errors import KcompileError, UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.definition import Definition, definitions
from kcompile.ir.dims import SymbolicDim, evaluate, symbol
from kcompile.ir.interpreter import round_bf16
from kcompile.ir.types import TensorType, Type
from tests.properties.compiled import run_compiled
from tests.properties.effort import FACTOR

OPS = definitions("graph")
DRAWS = 3 * FACTOR  # of each operation and type
SEED = 20

# Operations that never take a symbol as their first axis.
FIXED = {"constant"}
# What infer takes and the compiler refuses, by name, with a way out.
REFUSED = {"reverse": "fixed size"}


@dataclass
class Sample:
    """One operation on arrays: its types may hold a symbol of its own."""

    op: Definition
    arrays: list[np.ndarray]
    types: list[TensorType]
    attributes: dict[str, Any]
    concrete: dict[str, Any]

    def expected(self) -> np.ndarray:
        made = np.asarray(self.op.reference(*self.arrays, **self.concrete))
        return round_bf16(made) if self.result.element is t.bf16 else made

    @property
    def result(self) -> TensorType:
        return self.op.infer(*self.types, **self.attributes)


def draw(op: Definition, element: Type, number: int) -> Case:
    return op.samples.draw(np.random.default_rng([SEED, number, zlib.crc32(f"{op.name} {element}".encode())]), element)


def fixed(op: Definition, case: Case) -> Sample:
    return Sample(op, case.arrays, case.types, case.attributes, case.attributes)


def symbolic(op: Definition, case: Case, name: str) -> Sample | None:
    """The case with the symbol `name` for the first axis; None where the operation does not take that."""
    b = symbol(name)
    for size in [a.shape[0] for a in case.arrays if a.ndim][:1] + [s[0] for s in [case.attributes.get("shape")] if s]:
        if size < 2:
            continue
        swap = lambda dims, size=size: (b, *dims[1:]) if dims and dims[0] == size else tuple(dims)
        types = [TensorType(swap(x.shape), x.element) for x in case.types]
        attributes = {k: swap(v) if k in ("shape", "limit") else v for k, v in case.attributes.items()}
        sample = Sample(op, case.arrays, types, attributes, case.attributes)
        try:
            result = sample.result
        except KcompileError:
            continue
        if not any(isinstance(d, SymbolicDim) for x in (result, *types) for d in x.shape):
            continue
        if tuple(evaluate(d, {name: size}) for d in result.shape) == np.shape(sample.expected()):
            return sample
    return None


def samples(element: Type) -> list[Sample]:
    made = []
    for op in OPS:
        if element in op.samples.elements:
            short = op.name.removeprefix("graph.")
            for number in range(DRAWS):
                case = draw(op, element, number)
                variable = symbolic(op, case, f"n{len(made)}") if short not in REFUSED else None
                # the size of a symbol is read off an argument
                known = variable is not None and any(
                    isinstance(d, SymbolicDim) for x in variable.types for d in x.shape
                )
                made.append(variable if variable is not None and known and number else fixed(op, case))
    return made


@pytest.mark.parametrize("element", EVERYTHING, ids=str)
def test_every_operation_of_a_type_compiles_to_its_reference(element: Type) -> None:
    listed = samples(element)
    b = GraphBuilder.function("main", [])
    arrays: list[np.ndarray] = []
    results = []
    for sample in listed:
        operands = []
        for array, type in zip(sample.arrays, sample.types, strict=True):
            plain = t.with_element(type, t.f32) if type.element is t.bf16 else type  # NumPy has no bf16
            argument = b.block.add_argument(plain)
            operands.append(b.convert(argument, dtype=t.bf16) if plain is not type else argument)
            arrays.append(array)
        result = b.create(sample.op.name, operands, sample.attributes).result
        results.append(b.convert(result, dtype=t.f32) if t.element_of(result.type) is t.bf16 else result)
    b.ret(*results)
    b.block.parent_op["function_type"] = t.FunctionType(
        tuple(a.type for a in b.block.arguments), tuple(r.type for r in results)
    )
    messages = []
    for sample, made in zip(listed, run_compiled(b.module, arrays), strict=True):
        wrong = mismatch(sample.op, sample.arrays, sample.concrete, made, sample.expected(), sample.result.element)
        if wrong is not None:
            messages.append(f"{sample.op.name} of {[str(x) for x in sample.types]} {sample.concrete}: {wrong}")
    assert not messages, "\n".join(messages)


def test_which_operations_take_a_symbolic_axis() -> None:
    """The list of those that do not can only become shorter."""
    taken = set()
    for op in OPS:
        for number in range(40):
            if symbolic(op, draw(op, op.samples.elements[0], number), "b") is not None:
                taken.add(op.name.removeprefix("graph."))
                break
    assert {op.name.removeprefix("graph.") for op in OPS} - taken == FIXED


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_compiled_is_refused_by_name(name: str) -> None:
    b = GraphBuilder.function("main", [TensorType((symbol("b"), 3), t.f32)])
    attributes = {"reverse": {"axes": (0,)}}[name]
    b.ret(b.create(f"graph.{name}", [b.argument(0)], attributes).result)
    with pytest.raises(UnsupportedError, match=REFUSED[name]):
        run_compiled(b.module, [np.ones((2, 3), np.float32)])
