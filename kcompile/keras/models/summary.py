"""The table that `model.summary()` prints, drawn as Keras 3 draws it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from kcompile.errors import ArgumentError, KcompileError
from kcompile.ir.types import bitwidth
from kcompile.tracing.structure import flatten

# Inner widths of the columns of a table of 76 signs, by whether it shows connections and trainability.
_WIDTHS = {
    (False, False): (33, 24, 15),
    (False, True): (29, 23, 12, 7),
    (True, False): (21, 19, 12, 19),
    (True, True): (19, 17, 11, 16, 7),
}


@dataclass
class _Row:
    """One layer. Its cells hold lines; nested layers follow it."""

    cells: list[list[str]]
    nested: list[_Row] = field(default_factory=list)


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Any = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> None:
    """Print the layers with output shapes and parameters, then the totals.

    line_length: the width of the table. print_fn: gets each line, in place of print.
    layer_range: names of the first and the last layer to show.
    """
    if positions is not None and line_length is None and max(positions) > 1:
        line_length = int(max(positions))
    graph = _graph_of(model)
    connections = graph is not None and not _is_chain(graph)
    widths = _scaled(_WIDTHS[connections, show_trainable], line_length)
    header = (
        ["Layer (type)", "Output Shape", "Param #"]
        + ["Connected to"] * connections
        + ["Trai…" if widths[-1] < 11 else "Trainable"] * show_trainable
    )
    rows = _rows(_selected(_operations(model), layer_range), model, connections, show_trainable, expand_nested, 0)
    align = ["<", "<", ">"] + ["<"] * connections + ["^"] * show_trainable
    out = print_fn or print
    out(f'Model: "{model.name}"')
    for line in _table(header, rows, widths, align):
        out(line)
    for line in _totals(model):
        out(line)


def _scaled(widths: Sequence[int], line_length: int | None) -> list[int]:
    if line_length is None:
        return list(widths)
    total = line_length - len(widths) - 1
    if total < 8 * len(widths):
        raise ArgumentError(f"a summary of {len(widths)} columns needs more room. Received: line_length={line_length}")
    scaled = [round(w * total / sum(widths)) for w in widths[:-1]]
    return [*scaled, total - sum(scaled)]


# -- what the rows are
def _graph_of(model: Any) -> Any:
    """The functional graph of a model, or None."""
    if hasattr(model, "_nodes") and hasattr(model, "_operations"):
        return model
    return getattr(model, "_functional", None)


def _operations(model: Any) -> list[Any]:
    return list(model.operations) if hasattr(model, "operations") and hasattr(model, "_nodes") else list(model.layers)


def _is_chain(graph: Any) -> bool:
    """Whether each operation is called once and takes the output of the one before it."""
    nodes = list(graph._nodes)
    if len({id(n.operation) for n in nodes}) != len(nodes):
        return False
    for before, node in pairwise(nodes):
        if len(node.input_tensors) != 1 or not any(node.input_tensors[0] is x for x in before.outputs):
            return False
    return True


def _selected(operations: list[Any], layer_range: Any) -> list[Any]:
    if layer_range is None:
        return operations
    if not isinstance(layer_range, list | tuple) or len(layer_range) != 2:
        raise ArgumentError(
            f"layer_range names two layers: the first and the last. Received: layer_range={layer_range!r}"
        )
    bounds = []
    for pattern in layer_range:
        found = [i for i, op in enumerate(operations) if re.fullmatch(pattern, op.name)]
        if not found:
            raise ArgumentError(f"no layer has the name {pattern!r}. Received: layer_range={layer_range}")
        bounds.append(found)
    first, last = min(bounds[0] + bounds[1]), max(bounds[0] + bounds[1])
    return operations[first : last + 1]


def _rows(
    operations: Iterable[Any], model: Any, connections: bool, trainable: bool, nested: bool, depth: int
) -> list[_Row]:
    graph = _graph_of(model)
    rows = []
    for op in operations:
        indent = "   " * depth + "└ " if depth else ""
        cells = [[f"{indent}{op.name} ({type(op).__name__})"], _shape_lines(op, graph), [_parameters(op)]]
        if connections:
            cells.append(_sources(op, graph))
        if trainable:
            weights = getattr(op, "weights", [])
            cells.append(["-" if not weights else "Y" if op.trainable else "N"])
        row = _Row(cells)
        if nested and hasattr(op, "layers"):
            row.nested = _rows(_operations(op), op, connections, trainable, nested, depth + 1)
        rows.append(row)
    return rows


def _shape_lines(op: Any, graph: Any) -> list[str]:
    shapes: list[str] = []
    for node in graph._nodes if graph is not None else ():
        if node.operation is op:
            shapes += [str(tuple(x.shape)) for x in node.outputs]
    if not shapes:
        built = getattr(op, "_build_shapes", None)
        try:
            found = [] if not built else op.compute_output_shape(*built.values())
        except (KcompileError, TypeError, ValueError, AttributeError):
            return ["?"]
        if not found:
            return ["?"]
        tuples = [found] if all(d is None or isinstance(d, int) for d in found) else list(found)
        shapes = [str(tuple(s)) for s in tuples]
    shapes = list(dict.fromkeys(shapes))
    return [s + "," for s in shapes[:-1]] + shapes[-1:]


def _parameters(op: Any) -> str:
    if not hasattr(op, "count_params"):
        return "0"
    return f"{op.count_params():,}" if op.built else "0 (unbuilt)"


def _sources(op: Any, graph: Any) -> list[str]:
    found = []
    for node in graph._nodes if graph is not None else ():
        for x in node.input_tensors if node.operation is op else ():
            source, node_index, tensor_index = x._keras_history
            found.append(f"{source.name}[{node_index}][{tensor_index}]")
    return [s + "," for s in found[:-1]] + found[-1:] if found else ["-"]


# -- how it is drawn
def _table(header: list[str], rows: list[_Row], widths: list[int], align: list[str]) -> Iterable[str]:
    yield "┏" + "┳".join("━" * w for w in widths) + "┓"
    cells = (_pad(text, w - 2, a) for text, w, a in zip(header, widths, align, strict=True))
    yield "┃" + "┃".join(f" {c} " for c in cells) + "┃"
    yield "┡" + "╇".join("━" * w for w in widths) + "┩"
    for i, row in enumerate(_flat(rows)):
        if i:
            yield "├" + "┼".join("─" * w for w in widths) + "┤"
        wrapped = [
            [part for line in cell for part in _wrap(line, w - 2)] for cell, w in zip(row.cells, widths, strict=True)
        ]
        for n in range(max(len(cell) for cell in wrapped)):
            parts = (
                _pad(cell[n] if n < len(cell) else "", w - 2, a)
                for cell, w, a in zip(wrapped, widths, align, strict=True)
            )
            yield "│" + "│".join(f" {p} " for p in parts) + "│"
    yield "└" + "┴".join("─" * w for w in widths) + "┘"


def _flat(rows: Iterable[_Row]) -> Iterable[_Row]:
    for row in rows:
        yield row
        yield from _flat(row.nested)


def _pad(text: str, width: int, align: str) -> str:
    return f"{_cut(text, width):{align}{width}}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` signs, broken at spaces; a longer word is cut."""
    indent = text[: len(text) - len(text.lstrip())]
    lines = [""]
    for word in text.split():
        start = indent if lines == [""] else ""
        joined = f"{lines[-1]} {word}" if lines[-1] else start + word
        if len(joined) <= width or not lines[-1] or lines[-1].strip() == "└":
            lines[-1] = joined
        else:
            lines.append(word)
    return [_cut(line, width) for line in lines]


# -- the totals
def _totals(model: Any) -> Iterable[str]:
    trainable, frozen = model.trainable_weights, model.non_trainable_weights
    optimizer = getattr(model, "optimizer", None)
    slots = list(optimizer.variables) if optimizer is not None and optimizer.built else []
    yield f" Total params: {_count(trainable + frozen + slots)}"
    yield f" Trainable params: {_count(trainable)}"
    yield f" Non-trainable params: {_count(frozen)}"
    if slots:
        yield f" Optimizer params: {_count(slots)}"


def _count(variables: list[Any]) -> str:
    numbers = sum(int(np.prod(v.shape)) for v in flatten(variables))
    size = sum(int(np.prod(v.shape)) * math.ceil(bitwidth(v.element) / 8) for v in flatten(variables))
    return f"{numbers:,} ({_memory(size)})"


def _memory(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} TB"
