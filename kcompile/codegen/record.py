"""A compiled model when Python has done its part: the object, what callers must know, and how to prepare weights.

It is kept on disk as a whole, so that a model that was compiled before needs no pass at all. The text half is a module:

    func.func @prepare(..)          where the compiler made one: weights as the model has them -> as kernels want them
    func.func @main() attributes {plan.inputs, plan.outputs, plan.arena, plan.weights, ..}     the plan without its body
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from kcompile.codegen.object import versions
from kcompile.codegen.target import Target
from kcompile.ir.attributes import attribute
from kcompile.ir.core import Block, Operation, Region, find_function, module_functions
from kcompile.ir.printer import print_operation

# What compiles: a record made by other code is not used.
_COMPILER = ("codegen", "dialects", "ir", "strategies", "transforms", "pipeline.py")
_LENGTH = 8  # bytes of the length of the text, before it


@dataclass(frozen=True, slots=True)
class Record:
    """header: the module described above; object: the object file, embedded weights still zeros."""

    header: Operation
    object: bytes

    @classmethod
    def of(cls, plan: Operation, linalg: Operation, object: bytes) -> Record:
        """From the module at plan stage, the one at linalg stage, and the object."""
        main = find_function(plan, "main")
        old = find_function(linalg, "main")
        roles = old.get("arg_attrs", ())
        weights = [i for i, role in enumerate(roles) if role.get("kernel.role") == "weight"]
        value_of = {i: roles[i].get("kernel.prepared", k) for k, i in enumerate(weights)}
        short = Operation("func.func", (), (), {}, [Region([Block([])])], main.location)
        short.body.append(Operation("plan.return", ()))
        short.attributes.update({k: v for k, v in main.attributes.items() if not k.startswith("kernel.")})
        short.attributes["plan.weights"] = attribute(
            [
                attribute({**w, "value": value_of[w["argument"]], "type": old.body.arguments[w["argument"]].type})
                for w in main["plan.weights"]
            ]
        )
        header = Operation("builtin.module", (), (), {}, [Region([Block([])])], main.location)
        for function in module_functions(linalg):
            if function["sym_name"] == "prepare":
                header.body.append(function.clone({}))
        header.body.append(short)
        return cls(header, object)

    @property
    def main(self) -> Operation:
        """The plan function, without its body: `Interface.of` reads it."""
        return find_function(self.header, "main")

    @property
    def weights_bytes(self) -> int:
        """Bytes of the block of prepared weights."""
        return int(self.main["plan.weights_bytes"])

    def prepare(self, weights: Sequence[np.ndarray[Any, Any]], block: memoryview | bytearray, threads: int = 1) -> None:
        """Fill the block of weights that the object wants, from the weight arguments of the traced function, in order.

        Runs @prepare, if there is one, in NumPy.
        """
        from kcompile.codegen import preparation

        places: dict[int, list[Any]] = {}
        for place in self.main["plan.weights"]:
            places.setdefault(place["value"], []).append(place)
        function = next((f for f in module_functions(self.header) if f["sym_name"] == "prepare"), None)
        if function is not None:
            preparation.prepare(function, weights, places, block, threads)
            return
        for i, value in enumerate(weights):
            preparation.store(value, places.get(i, ()), block)

    def to_bytes(self) -> bytes:
        """What `from_bytes` reads."""
        text = print_operation(self.header, resources=True).encode()
        return len(text).to_bytes(_LENGTH, "little") + text + self.object

    @classmethod
    def from_bytes(cls, data: bytes) -> Record:
        """Raises ParseError for other bytes than `to_bytes` has made."""
        from kcompile.ir.parser import parse_module

        end = _LENGTH + int.from_bytes(data[:_LENGTH], "little")
        return cls(parse_module(data[_LENGTH:end].decode(), "<record>"), data[end:])


def key_of_model(source: Operation, targets: Sequence[Target], *settings: str) -> str | None:
    """The name of the record of a module; None where code from outside of this package takes part in compiling it."""
    if not all(op.definition is not None and op.definition.home.startswith("kcompile.") for op in source.walk()):
        return None
    select = sys.modules.get("kcompile.strategies.select")
    if select is not None and not all(s.__name__.startswith("kcompile.") for s in select.STRATEGIES.values()):
        return None
    digest = hashlib.sha256()
    rules = os.environ.get("KCOMPILE_RULE_LIMIT", "")  # somebody looks for the rewrite that breaks a model
    parts = (
        versions(),
        np.__version__,
        compiler_fingerprint(),
        rules,
        *(t.key for t in targets),
        *settings,
        str(source),
    )
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()


@cache
def compiler_fingerprint() -> str:
    """A hash of name, size and time of every file of the compiler: an edited pass makes other code."""
    digest = hashlib.sha256()
    root = Path(__file__).resolve().parent.parent
    for part in _COMPILER:
        top = root / part
        paths = [top] if top.is_file() else sorted(Path(f, n) for f, _, names in os.walk(top) for n in names)
        for path in paths:
            if path.suffix == ".py":
                status = path.stat()
                digest.update(f"{path.relative_to(root)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
