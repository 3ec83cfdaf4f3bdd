"""Kernels out = f(inputs..), element by element or vector by vector, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kcompile.codegen.kernels import compile_kernels
from kcompile.codegen.target import Target
from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.builder import new_module
from kcompile.ir.core import Operation, Value
from kcompile.ir.interpreter import interpret
from kcompile.ir.types import MemRefType, Type

Array = np.ndarray[Any, Any]
Body = Callable[..., Value]
TARGETS = [name for name in ("x86-64", "x86-64-v3", "x86-64-v4", "aarch64") if Target.get(name).runs_here()]


def add_kernel(module: Operation, name: str, inputs: Sequence[Type], output: Type, lanes: int, body: Body) -> None:
    """@name(inputs.., output, count): lanes = 1 computes with scalars; counts are multiples of `lanes`."""
    memrefs = [MemRefType((t.DYNAMIC,), x) for x in (*inputs, output)]
    b = LoopBuilder.function(name, [*memrefs, t.index], module)
    *buffers, out, count = b.block.arguments
    with b.for_(0, count, lanes) as loop:
        place = [loop.iv]
        xs = [b.load(x, place) if lanes == 1 else b.vload(x, place, lanes) for x in buffers]
        made = body(b, *xs)
        if lanes == 1:
            b.store(made, out, place)
        else:
            b.vstore(made, out, place)
    b.ret()


def kernel_module(bodies: dict[str, tuple[Sequence[Type], Type, Body]], lanes: int) -> Operation:
    """A module with one kernel a row."""
    module = new_module()
    for name, (inputs, output, body) in bodies.items():
        add_kernel(module, name, inputs, output, lanes, body)
    return module


def to_memory(x: Array, element: Type) -> Array:
    """Interpreter values as the bytes that machine code reads."""
    if element is t.bf16:
        return (np.ascontiguousarray(x, np.float32).view(np.uint32) >> np.uint32(16)).astype(np.uint16)
    return x.astype(np.uint8) if element is t.i1 else x


def from_memory(x: Array, element: Type) -> Array:
    if element is t.bf16:
        return (x.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return x.astype(np.bool_) if element is t.i1 else x


def run_interpreted(module: Operation, name: str, inputs: Sequence[Array], output: Type) -> Array:
    out = np.zeros(inputs[0].shape, t.to_numpy(output))
    interpret(module, name, [*inputs, out, len(out)])
    return out


class Compiled:
    """The kernels of a module on a target, on interpreter values."""

    def __init__(self, module: Operation, target: str):
        self.kernels = compile_kernels(module, Target.get(target))

    def run(self, name: str, inputs: Sequence[Array], types: Sequence[Type], output: Type) -> Array:
        given = [np.ascontiguousarray(to_memory(x, e)) for x, e in zip(inputs, types, strict=True)]
        out = np.ascontiguousarray(to_memory(np.zeros(inputs[0].shape, t.to_numpy(output)), output))
        self.kernels[name]([*given, out], len(out))
        return from_memory(out, output)


def same_bits(x: Array, y: Array) -> Array:
    """Where two arrays agree: bit by bit, but all NaN are one, and so are the two zeros."""
    if x.dtype.kind == "f":
        return (x == y) | (np.isnan(x) & np.isnan(y))
    return x == y
