"""Traced functions made by hand: a module, with variables behind the arguments that are weights or state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kcompile.ir.core import Operation, find_function
from kcompile.ir.types import TensorType
from kcompile.tracing.trace import ArgumentSpec, ResultSpec, TracedFunction


@dataclass
class Held:
    """What a Variable is to a compiled function: an array that stays where it is."""

    _array: np.ndarray[Any, Any]


def traced(
    module: Operation, roles: Sequence[str], arrays: Sequence[np.ndarray], donates: dict[int, int]
) -> TracedFunction:
    """`module` with roles for its arguments; `arrays` are the first values of those that are no inputs (others None).

    donates: result -> the state argument that it updates.
    """
    main = find_function(module, "main")
    held = [None if r == "input" else Held(np.array(a)) for r, a in zip(roles, arrays, strict=True)]
    arguments = []
    for i, (role, value, variable) in enumerate(zip(roles, main.body.arguments, held, strict=True)):
        assert isinstance(value.type, TensorType)
        arguments.append(ArgumentSpec(role, f"a{i}", value.type, variable))
    results = []
    attributes: list[dict[str, Any]] = []
    for i, value in enumerate(main.body.terminator.operands):
        assert isinstance(value.type, TensorType)
        donor = donates.get(i)
        results.append(ResultSpec(f"r{i}", value.type, None if donor is None else held[donor]))
        attributes.append({"kernel.name": f"r{i}"} | ({} if donor is None else {"kernel.donates": donor}))
    main["arg_attrs"] = tuple({"kernel.role": a.role, "kernel.name": a.name} for a in arguments)
    main["res_attrs"] = tuple(attributes)
    return TracedFunction(module, arguments, results)
