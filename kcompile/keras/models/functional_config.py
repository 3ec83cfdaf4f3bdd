"""Functional models as configs and back, in the form of Keras 3 (and what Keras 2 wrote, when reading)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kcompile.errors import FormatError

from ..operation import Node, Operation
from ..tensor import KerasTensor

if TYPE_CHECKING:
    from .functional import Functional


def functional_config(model: Functional) -> dict[str, Any]:
    """name, trainable, and the operations with the nodes that connect them."""
    from ..saving import serialize_keras_object

    inside = set(model._nodes)
    number: dict[Node, int] = {}
    for op in model._operations:
        for i, node in enumerate(n for n in op._inbound_nodes if n in inside):
            number[node] = i
    layers = []
    for op in model._operations:
        data = serialize_keras_object(op)
        data["name"] = op.name
        data["inbound_nodes"] = [
            {"args": _write(list(n.args), number), "kwargs": _write(n.kwargs, number)}
            for n in op._inbound_nodes
            if n in inside and not n.is_input
        ]
        layers.append(data)

    def place(x: KerasTensor) -> list[Any]:
        op, _, tensor = x._keras_history
        return [op.name, number[x._keras_history.node] + _first_call(op), tensor]

    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _map_tensors(place, model._inputs_struct),
        "output_layers": _map_tensors(place, model._outputs_struct),
    }


def _first_call(operation: Any) -> int:
    """The number of a model's first call: Keras counts from 1 for functional models, whose own graph is node 0.

    It does so where it names outputs of the whole model; Keras 2 did so everywhere.
    """
    from .functional import Functional

    return 1 if isinstance(operation, Functional) else 0


def _map_tensors(function: Callable[[Any], Any], structure: Any) -> Any:
    if isinstance(structure, dict):
        return {k: _map_tensors(function, v) for k, v in structure.items()}
    if isinstance(structure, list | tuple):
        return [_map_tensors(function, v) for v in structure]
    return function(structure)


def _write(value: Any, number: dict[Node, int]) -> Any:
    """Arguments of a node; symbolic tensors become the place where they come from."""
    from ..saving import serialize_keras_object

    if isinstance(value, KerasTensor):
        history = value._keras_history
        place = [history.operation.name, number[history.node], history.tensor_index]
        config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": place}
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(value, dict):
        return {k: _write(v, number) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_write(v, number) for v in value]
    if hasattr(value, "numpy"):
        value = value.numpy()
    return serialize_keras_object(value)


def rebuild(cls: Any, config: dict[str, Any], custom_objects: Any = None) -> Any:
    """The model that `functional_config` (ours or Keras's) described."""
    from ..saving import deserialize_keras_object

    operations: dict[str, Operation] = {}
    waiting: list[tuple[str, int, Any]] = []
    known: dict[tuple[str, int], list[Any]] = {}  # (operation, node) -> its outputs
    shift: dict[str, int] = {}  # what is added to the number of a node in Keras 2
    for data in config["layers"]:
        if not isinstance(data, dict) or "class_name" not in data:
            raise FormatError(f"an entry of 'layers' is an object with a class_name. Received: {data!r}"[:300])
        op = deserialize_keras_object(data, custom_objects=custom_objects)
        if not isinstance(op, Operation):
            raise FormatError(f"an entry of 'layers' is not a layer. Received: {data!r}"[:300])
        name = data.get("name") or op.name
        operations[name] = op
        nodes = data.get("inbound_nodes") or []
        shift[name] = _first_call(op) if nodes and isinstance(nodes[0], list) else 0
        if not nodes:
            if not op._inbound_nodes:
                raise FormatError(f"'{name}' has no connection in the config and is not an input")
            known[(name, 0)] = op._inbound_nodes[0].outputs
        waiting += [(name, i, node) for i, node in enumerate(nodes)]
    while waiting:
        later = []
        for name, i, node in waiting:
            try:
                ready = all(place in known for place in _needed(node))
                args, kwargs = _read_node(node, known) if ready else ((), {})
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise FormatError(f"'{name}' has a connection that cannot be read: {error!r}") from None
            if ready:
                operations[name](*args, **kwargs)
                known[(name, i + shift[name])] = operations[name]._inbound_nodes[-1].outputs
            else:
                later.append((name, i, node))
        if len(later) == len(waiting):
            raise FormatError(f"the connections of the config name tensors that nothing makes: {[w[0] for w in later]}")
        waiting = later

    def find(place: Any) -> Any:
        try:
            number = place[1] - _first_call(operations[place[0]]) + shift[place[0]]
            return known[(place[0], number)][place[2]]
        except (KeyError, IndexError, TypeError):
            raise FormatError(f"the config names a tensor that does not exist. Received: {place!r}") from None

    inputs, outputs = _places(config["input_layers"], find), _places(config["output_layers"], find)
    model = cls(inputs, outputs, name=config.get("name"))
    if config.get("trainable") is False:
        model.trainable = False
    return model


def _is_place(value: Any) -> bool:
    return (
        isinstance(value, list | tuple) and len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int)
    )


def _places(value: Any, find: Callable[[Any], Any]) -> Any:
    if _is_place(value):
        return find(value)
    if isinstance(value, dict):
        return {k: _places(v, find) for k, v in value.items()}
    found = [_places(v, find) for v in value]
    return found


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def _needed(node: Any) -> list[tuple[str, int]]:
    """The (operation, node) pairs whose outputs a node takes."""
    if _is_tensor(node):
        name, index, _ = node["config"]["keras_history"]
        return [(name, index)]
    if isinstance(node, dict):
        return [p for v in node.values() for p in _needed(v)]
    if isinstance(node, list | tuple):
        if len(node) >= 3 and isinstance(node[0], str) and isinstance(node[1], int) and isinstance(node[2], int):
            return [(node[0], node[1])] + [p for v in node[3:] for p in _needed(v)]  # Keras 2
        return [p for v in node for p in _needed(v)]
    return []


def _read_node(node: Any, known: dict[tuple[str, int], list[Any]]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call: {"args", "kwargs"} of Keras 3, or [[name, node, tensor, kwargs], ..] of Keras 2."""
    if isinstance(node, dict) and "args" in node:
        return tuple(_read(v, known) for v in node["args"]), {
            k: _read(v, known) for k, v in node.get("kwargs", {}).items()
        }
    if not isinstance(node, list | tuple):
        raise FormatError(f"a connection holds args and kwargs. Received: {node!r}"[:300])
    rows = [node] if node and isinstance(node[0], str) else node
    tensors = [known[(r[0], r[1])][r[2]] for r in rows]
    kwargs = rows[0][3] if len(rows[0]) > 3 else {}
    read = {k: _read_legacy(v, known) for k, v in kwargs.items()}
    return (tensors[0] if len(tensors) == 1 else tensors,), read


def _read_legacy(value: Any, known: dict[tuple[str, int], list[Any]]) -> Any:
    return known[(value[0], value[1])][value[2]] if _is_place(value) else value


def _read(value: Any, known: dict[tuple[str, int], list[Any]]) -> Any:
    from ..saving import deserialize_keras_object

    if _is_tensor(value):
        name, index, tensor = value["config"]["keras_history"]
        return known[(name, index)][tensor]
    if isinstance(value, dict) and "class_name" not in value:
        return {k: _read(v, known) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_read(v, known) for v in value]
    return deserialize_keras_object(value)
