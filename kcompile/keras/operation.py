"""Operation: what may stand in a functional model, layers and keras.ops functions alike; Node: one call of one."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError
from kcompile.ir.types import TensorType
from kcompile.tracing.abstract import abstract_call
from kcompile.tracing.structure import flatten, map_structure

from .naming import auto_name
from .tensor import KerasTensor, any_symbolic


class Node:
    """One symbolic call: `operation(*args, **kwargs)` gave `outputs`; it is the operation's node number `index`."""

    def __init__(self, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any):
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.outputs = flatten(outputs)
        self.input_tensors = [x for x in flatten([args, kwargs]) if isinstance(x, KerasTensor)]
        self.index = len(operation._inbound_nodes)
        operation._inbound_nodes.append(self)
        for i, x in enumerate(self.outputs):
            x._keras_history = KerasHistory(operation, self.index, i)
        for x in self.input_tensors:
            if x._keras_history is not None:
                source = x._keras_history.operation
                source._outbound_nodes.append(self)

    @property
    def is_input(self) -> bool:
        return not self.input_tensors

    @property
    def parent_nodes(self) -> list[Node]:
        """The nodes that made the inputs."""
        return [x._keras_history.node for x in self.input_tensors if x._keras_history is not None]

    @property
    def input_shape(self) -> Any:
        shapes = [x.shape for x in self.input_tensors]
        return shapes[0] if len(shapes) == 1 else shapes


class KerasHistory(tuple):
    """(operation, node_index, tensor_index): where a KerasTensor comes from."""

    def __new__(cls, operation: Operation, node_index: int, tensor_index: int) -> KerasHistory:
        return super().__new__(cls, (operation, node_index, tensor_index))

    @property
    def operation(self) -> Operation:
        return self[0]  # type: ignore[no-any-return]

    @property
    def node_index(self) -> int:
        return self[1]  # type: ignore[no-any-return]

    @property
    def tensor_index(self) -> int:
        return self[2]  # type: ignore[no-any-return]

    @property
    def node(self) -> Node:
        return self.operation._inbound_nodes[self.node_index]


class Operation:
    """Base of layers and of keras.ops functions in functional models. A subclass gives `call` on tensors."""

    def __init__(self, name: str | None = None):
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ArgumentError(f"a name is a string without '/'. Received: name={name!r}")
        self.name: str = name or auto_name(type(self))
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any_symbolic((args, kwargs)):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define call()")

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Record a node; gives its outputs as KerasTensors."""
        outputs = self.compute_output_spec(*args, **kwargs)
        Node(self, args, kwargs, outputs)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs for these inputs as KerasTensors: `call` is traced with tensors that have shapes only."""
        return symbolic_outputs(abstract_call(self.call, *args, where=self.name, **kwargs))

    def quantize(self, mode: Any, **kwargs: Any) -> None:
        from kcompile.errors import UnsupportedError

        raise UnsupportedError("quantization is not supported by this version")

    # -- the connections of the first call
    @property
    def input(self) -> Any:
        """The input of the first symbolic call."""
        return _single(self._first_node().input_tensors)

    @property
    def output(self) -> Any:
        """The output of the first symbolic call."""
        return _single(self._first_node().outputs)

    def _first_node(self) -> Node:
        if not self._inbound_nodes:
            raise AttributeError(
                f"'{self.name}' has not been called on symbolic tensors, so it has no input and output."
            )
        return self._inbound_nodes[0]

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


def symbolic_outputs(types: Any) -> Any:
    """A structure of TensorTypes as one of KerasTensors."""
    return map_structure(lambda x: KerasTensor.of_type(x) if isinstance(x, TensorType) else x, types)


def _single(tensors: list[KerasTensor]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors
