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

from kcompile.codegen.entry import stored_bytes
from kcompile.codegen.object import versions
from kcompile.codegen.target import Target
from kcompile.errors import KcompileError
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

    def prepare(self, weights: Sequence[np.ndarray[Any, Any]], block: memoryview | bytearray) -> None:
        """Fill the block of weights that the object wants, from the weight arguments of the traced function, in order.

        Runs @prepare, where the compiler made one, by the interpreter.
        """
        from kcompile.ir.interpreter import interpret

        values = list(weights)
        if any(f["sym_name"] == "prepare" for f in module_functions(self.header)):
            values = interpret(self.header, "prepare", values)
        for place in self.main["plan.weights"]:
            value, element = np.asarray(values[place["value"]]), place["type"].element
            offset, nbytes = place["offset"], place["bytes"]
            if value.nbytes == nbytes and value.dtype.isnative:
                # straight to where it belongs: models have 100 MB of weights
                np.frombuffer(block, value.dtype, value.size, offset).reshape(value.shape)[...] = value
                continue
            data = stored_bytes(value, element)
            if len(data) != nbytes:
                raise KcompileError(f"weight {place} got {len(data)} bytes; this is a fault of @prepare")
            block[offset : offset + nbytes] = data

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
    for part in (versions(), np.__version__, compiler_fingerprint(), *(t.key for t in targets), *settings, str(source)):
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
