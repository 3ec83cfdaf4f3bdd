"""hoist-weights: what depends on the weights alone moves from @main to @prepare, which runs once when the model is
loaded.

Reads graph, writes graph. The weight arguments of @main become the results of @prepare: argument i is result number
`kernel.prepared`. Values that are larger than what they are made of (broadcasts) stay in @main.

    @main(%w, %s, %x): conv(%x, mul(%w, %s))    =>    @prepare(%w, %s): mul(%w, %s)    @main(%p, %x): conv(%x, %p)
"""

from __future__ import annotations

from typing import Any

from kcompile.ir.attributes import Attribute, attribute
from kcompile.ir.core import Block, Operation, Region, Value, find_function, module_functions
from kcompile.ir.dims import SymbolicDim
from kcompile.ir.passes import pass_
from kcompile.ir.types import FunctionType
from kcompile.transforms.graph.roles import WeightOnly, role_of
from kcompile.transforms.kernel.kinds import tensor_type

FREE = frozenset(
    {"graph.broadcast_in_dim", "graph.reshape", "graph.constant", "graph.iota"}
)  # not worth a stored result


@pass_("hoist-weights", reads="graph", writes="graph")
def hoist_weights(module: Operation) -> bool:
    if any(f.get("sym_name") == "prepare" for f in module_functions(module)):
        return False
    main = find_function(module, "main")
    hoisted = _hoisted(main)
    if not any(op.name not in FREE for op in hoisted):
        return False
    weights = [a for a in main.body.arguments if role_of(a, main) == "weight"]
    moved = set(hoisted) - _kept(hoisted)
    made = [op.result for op in hoisted if op in moved]
    prepared = [v for v in (*weights, *made) if any(u not in moved for u in v.users)]
    names = _names(main, weights, prepared)
    _make_prepare(module, main, weights, hoisted, prepared)
    _replace_arguments(main, weights, [op for op in hoisted if op in moved], prepared, names)
    return True


def _hoisted(main: Operation) -> list[Operation]:
    """The ops that @prepare computes, in order: all work on weights, and the free ops that it reads.

    What depends on the size of the batch (a count of its rows, made from constants) is no work on weights.
    """
    weight_only = WeightOnly(main)
    known = {a for a in main.body.arguments if role_of(a, main) == "weight"}
    possible: list[Operation] = []
    for op in main.body.ops:
        fits = op.dialect == "graph" and len(op.results) == 1 and all(v in known for v in op.operands)
        if fits and op.result in weight_only and not isinstance(tensor_type(op.result).size, SymbolicDim):
            known.add(op.result)
            possible.append(op)
    needed: set[Operation] = set()
    for op in reversed(possible):
        if op.name not in FREE or any(u in needed for u in op.result.users):
            needed.add(op)
    return [op for op in possible if op in needed]


def _kept(hoisted: list[Operation]) -> set[Operation]:
    """The free ops among the hoisted that @main needs as well: it keeps its own copy."""
    inside = set(hoisted)
    kept: set[Operation] = set()
    for op in reversed(hoisted):
        if op.name in FREE and any(u not in inside or u in kept for u in op.result.users):
            kept.add(op)
    return kept


def _names(main: Operation, weights: list[Value], prepared: list[Value]) -> list[str]:
    attributes = main.get("arg_attrs") or ()
    names = []
    for i, value in enumerate(prepared):
        given = attributes[value.index].get("kernel.name") if value in weights else None
        names.append(str(given or f"prepared_{i}"))
    return names


def _make_prepare(
    module: Operation, main: Operation, weights: list[Value], hoisted: list[Operation], prepared: list[Value]
) -> None:
    body = Block([w.type for w in weights])
    mapping: dict[Value, Value] = dict(zip(weights, body.arguments, strict=True))
    for op in hoisted:
        body.append(op.clone(mapping))
    body.append(Operation("func.return", [mapping[v] for v in prepared]))
    function = Operation("func.func", (), (), {}, [Region([body])], main.location)
    function["sym_name"] = "prepare"
    function["function_type"] = FunctionType(tuple(w.type for w in weights), tuple(v.type for v in prepared))
    old = main.attributes.get("arg_attrs")
    if old is not None:
        function["arg_attrs"] = tuple(old.elements[w.index] for w in weights)  # type: ignore[attr-defined]
    module.body.insert_before(main, function)


def _replace_arguments(
    main: Operation, weights: list[Value], hoisted: list[Operation], prepared: list[Value], names: list[str]
) -> None:
    body = main.body
    others = [a for a in body.arguments if a not in weights]
    old: tuple[Attribute, ...] = main.attributes["arg_attrs"].elements  # type: ignore[attr-defined]
    place = {a.index: len(prepared) + i for i, a in enumerate(others)}  # where the other arguments go
    attributes: list[Any] = [
        {"kernel.role": "weight", "kernel.name": name, "kernel.prepared": i} for i, name in enumerate(names)
    ]
    attributes += [old[a.index] for a in others]
    fresh = [Value(v.type, body, i) for i, v in enumerate(prepared)]
    for value, argument in zip(prepared, fresh, strict=True):
        argument.hint = value.hint
        value.replace_by(argument)
    for op in reversed(hoisted):
        op.erase()
    body.arguments = [*fresh, *others]
    for i, argument in enumerate(body.arguments):
        argument.index = i
    main["arg_attrs"] = tuple(attribute(a) for a in attributes)
    main["function_type"] = FunctionType(tuple(a.type for a in body.arguments), main["function_type"].results)
    if "res_attrs" in main.attributes:
        results = [dict(r) for r in main["res_attrs"]]
        for result in results:
            if "kernel.donates" in result:
                result["kernel.donates"] = place[result["kernel.donates"]]
        main["res_attrs"] = tuple(attribute(r) for r in results)
