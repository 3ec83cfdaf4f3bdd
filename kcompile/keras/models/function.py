"""Function: the graph of operations between symbolic inputs and outputs, in the order of Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcompile.errors import ArgumentError
from kcompile.tracing.structure import flatten, map_structure, pack_like

from ..operation import Node, Operation
from ..tensor import KerasTensor


def order_nodes(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> tuple[list[Node], list[Operation]]:
    """The nodes between inputs and outputs, deepest first, and their operations, each once.

    The depth of a node is its longest way to an output; equal depths stand in the order in which a walk back from the
    outputs meets their operations. The order of layers in summaries and files is this one.
    """
    met: dict[Operation, int] = {}
    finished: list[Node] = []
    _walk_back(inputs, outputs, met, finished)
    node_depth: dict[Node, int] = {}
    depth: dict[Operation, int] = {}
    for node in reversed(finished):
        own = max(node_depth.get(node, 0), depth.get(node.operation, 0))
        node_depth[node] = depth[node.operation] = own
        for parent in _parents(node, inputs):
            node_depth[parent] = max(own + 1, node_depth.get(parent, 0))
    for x in inputs:
        node = x._keras_history.node
        if node.operation not in depth:
            depth[node.operation] = node_depth[node] = 0
            met[node.operation] = -1
    operations = sorted(depth, key=lambda op: (-depth[op], met[op]))
    nodes = sorted(node_depth, key=lambda n: -node_depth[n])
    return nodes, operations


def _parents(node: Node, inputs: list[KerasTensor]) -> list[Node]:
    if any(x is y for x in node.outputs for y in inputs):
        return []
    return node.parent_nodes


def _walk_back(
    inputs: list[KerasTensor], outputs: list[KerasTensor], met: dict[Operation, int], finished: list[Node]
) -> None:
    """Depth first from the outputs; a node is finished after those that it needs. No recursion: models are deep."""
    given = {id(x) for x in inputs}
    done: set[Node] = set()
    for output in outputs:
        stack: list[tuple[Node, Any]] = []
        current: set[Node] = set()

        def enter(x: KerasTensor, stack: list[tuple[Node, Any]] = stack, current: set[Node] = current) -> None:
            if x._keras_history is None:
                raise ArgumentError(
                    f"this tensor comes from no layer or operation: {x!r}. Make inputs with keras.Input"
                )
            node = x._keras_history.node
            if node in done:
                return
            if node in current:
                raise ArgumentError(f"the model has a cycle through '{node.operation.name}'")
            met.setdefault(node.operation, len(met))
            current.add(node)
            if node.is_input and not any(id(o) in given for o in node.outputs):
                raise ArgumentError(
                    f"an output depends on the input '{node.operation.name}', which is not among the model's inputs. "
                    f"Received: inputs={[i.name for i in inputs]}"
                )
            stack.append((node, iter(() if id(x) in given else node.input_tensors)))

        enter(output)
        while stack:
            node, needed = stack[-1]
            following = next(needed, None)
            if following is not None:
                enter(following)
                continue
            stack.pop()
            current.discard(node)
            done.add(node)
            finished.append(node)


class Function(Operation):
    """Runs the operations between `inputs` and `outputs` (structures of KerasTensors) on other tensors.

    Example: Function(x, y)(array)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None):
        super().__init__(name=name)
        self._inputs_struct, self._outputs_struct = inputs, outputs
        self._inputs, self._outputs = flatten(inputs), flatten(outputs)
        self._nodes, self._operations = order_nodes(self._inputs, self._outputs)

    def call(self, inputs: Any) -> Any:
        return run_graph(self._nodes, self._inputs, self._outputs_struct, flatten(inputs), lambda op: op)


def run_graph(
    nodes: list[Node],
    inputs: list[KerasTensor],
    outputs: Any,
    values: list[Any],
    caller: Callable[[Operation], Callable[..., Any]],
) -> Any:
    """The outputs for `values` in place of `inputs`; `caller(operation)` is what each node calls."""
    known: dict[int, Any] = {id(x): v for x, v in zip(inputs, values)}

    def fill(x: Any) -> Any:
        return known[id(x)] if isinstance(x, KerasTensor) else x

    for node in nodes:
        if node.is_input or all(id(x) in known for x in node.outputs):
            continue
        result = caller(node.operation)(*map_structure(fill, node.args), **map_structure(fill, node.kwargs))
        for x, value in zip(node.outputs, flatten(result)):
            known[id(x)] = value
    return pack_like(outputs, iter([known[id(x)] for x in flatten(outputs)]))
