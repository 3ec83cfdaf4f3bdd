"""What a plan says about itself to its callers: inputs, outputs, sizes and memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kcompile.dialects.plan import BarrierKey, one_dim
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.core import Operation
from kcompile.ir.dims import Dim, evaluate
from kcompile.ir.types import TensorType, Type
from kcompile.transforms.plan.packing import dim_of, terms_of


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of `run`. `donates`: the input whose buffer this output must be."""

    name: str
    type: TensorType
    role: str = "input"
    donates: int | None = None

    @property
    def bytes(self) -> Dim:
        return self.type.size * item_bytes(self.type)


@dataclass(frozen=True, slots=True)
class Interface:
    """What a plan function says about itself."""

    symbols: tuple[str, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    weights_bytes: int
    arena: Dim
    work: Dim
    scratch: int = 0  # bytes of every worker, behind the arena
    rows: int = 0  # rows that run together in a row-parallel model; 0: the whole batch at once
    least_rows: int = 1
    barriers: Dim = 0  # that every run meets
    uneven_barriers: tuple[tuple[Dim, BarrierKey], ...] = ()  # that a run meets whose team does not divide its numbers

    @classmethod
    def of(cls, function: Operation) -> Interface:
        if "plan.arena" not in function.attributes:
            raise IRError(f"@{function['sym_name']} is not a plan; run plan-memory first")
        return cls(
            tuple(function["plan.symbols"]),
            tuple(Port(p["name"], p["type"], p["role"]) for p in function["plan.inputs"]),
            tuple(Port(p["name"], p["type"], "output", p.get("donates")) for p in function["plan.outputs"]),
            function["plan.weights_bytes"],
            one_dim(function["plan.arena"]),
            one_dim(function["plan.work"]),
            function.get("plan.scratch", 0),
            function.get("plan.rows", 0),
            function.get("plan.least_rows", 1),
            one_dim(function.get("plan.barriers", 0)),
            tuple((one_dim(x["barriers"]), (x["unless"], x["over"])) for x in function.get("plan.uneven_barriers", ())),
        )

    @classmethod
    def joined(cls, functions: Sequence[Operation]) -> Interface:
        """That of the versions of one plan for several targets: enough memory for any of them."""
        every = [cls.of(function) for function in functions]
        arena: dict[tuple[str, ...], int] = {}
        for one in every:
            for monomial, coefficient in terms_of(one.arena).items():
                arena[monomial] = max(coefficient, arena.get(monomial, 0))
        return replace(every[0], arena=dim_of(arena), scratch=max(one.scratch for one in every))

    def size_limit(self) -> int:
        """The largest size of a symbol at which every byte count still fits well into 63 bits."""
        every = [self.arena + self.scratch, self.work, *(p.bytes for p in (*self.inputs, *self.outputs))]
        limit = 1 << 48
        while limit > 1 and max(evaluate(d, dict.fromkeys(self.symbols, limit)) for d in every) >= 1 << 62:
            limit >>= 1
        return limit


def item_bytes(type: Type) -> int:
    return -(-t.bitwidth(type) // 8)


def stored_bytes(array: np.ndarray[Any, Any], element: Type) -> bytes:
    """The bytes of an array as kernels find them in memory: i1 as a byte, bf16 as 16 bits."""
    if element is t.bf16:
        bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16).tobytes()
    return np.ascontiguousarray(array).tobytes()
