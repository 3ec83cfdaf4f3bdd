"""RNN: a cell run over the steps of sequences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kcompile.errors import ArgumentError, ShapeError
from kcompile.tracing import arithmetic as a
from kcompile.tracing.bind import bind, cast, convert
from kcompile.tracing.loop import scan
from kcompile.tracing.structure import flatten, map_structure, pack_like
from kcompile.tracing.tensor import Tensor
from kcompile.tracing.trace import outside_traces, scope

from ... import ops
from ...variable import Variable, variable_path, variable_scope
from ..layer import Layer
from .gated_cell import DropoutMasks, GatedCell
from .stacked_rnn_cells import StackedRNNCells, call_cell, initial_state, output_size


class RNN(Layer):
    """Sequences (batch, time, features) through a cell: the last output (batch, units), or all (batch, time, units).

    cell                  has `call(inputs, states) -> output, new states` and `state_size`; a list of cells is stacked
    return_sequences      give the output of each step
    return_state          give the states after the last step too: output, *states
    go_backwards          from the last step to the first
    stateful              start each call from the states after the one before; needs a batch of fixed size
    unroll                accepted; steps are compiled as one loop either way
    zero_output_for_mask  the output of a masked step is 0; else it is that of the step before

    A step whose mask is False leaves the states as they are.
    Example: RNN(LSTMCell(16), return_sequences=True)(x)
    """

    _not_parts = frozenset({"states"})

    def __init__(
        self, cell: Any, return_sequences: bool = False, return_state: bool = False, go_backwards: bool = False,
        stateful: bool = False, unroll: bool = False, zero_output_for_mask: bool = False, **kwargs: Any,
    ):  # fmt: skip
        if isinstance(cell, list | tuple):
            cell = StackedRNNCells(cell)
        if not hasattr(cell, "call") or not hasattr(cell, "state_size"):
            raise ArgumentError(
                "RNN: a cell has a method call(inputs, states) and the property state_size: an integer, or a list of "
                f"integers. Received: cell={cell!r}"
            )
        super().__init__(**kwargs)
        self.zero_output_for_mask = zero_output_for_mask
        self.cell = cell
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful, self.unroll = go_backwards, stateful, unroll
        self.supports_masking = True
        self.states: Any = None
        size = cell.state_size
        self.state_size = list(size) if isinstance(size, list | tuple) else [size]

    # -- building and states
    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        shape = sequences_shape
        while shape and isinstance(shape[0], list | tuple):  # several sequences: the first one tells the batch
            shape = shape[0]
        step_shape = _without_time(sequences_shape)
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build(step_shape)
            self.cell.built = True
        if self.stateful and self.states is None:
            if shape[0] is None:
                raise ArgumentError(
                    "a stateful RNN keeps its states from batch to batch, so the batch needs a fixed size: "
                    f"keras.Input(batch_shape=(32, ...)). Received: sequences of shape {sequences_shape}"
                )
            self._create_states(shape[0])

    def _create_states(self, batch_size: int) -> None:
        around = variable_path()
        with outside_traces(), variable_scope(around):
            self.states = map_structure(
                lambda x: Variable(x.numpy(), dtype=self.variable_dtype, trainable=False, name="rnn_state"),
                self.get_initial_state(batch_size),
            )

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """The states of a call that is given none, in a list."""
        made = initial_state(self.cell, batch_size, getattr(self.cell, "compute_dtype", self.compute_dtype))
        return list(made) if isinstance(made, list | tuple) else [made]

    def reset_state(self) -> None:
        """Set the states of a stateful RNN to zeros."""
        for state in flatten(self.states) if self.states is not None else []:
            state.assign(ops.zeros(state.shape, dtype=state.dtype))

    def reset_states(self) -> None:
        """`reset_state`."""
        self.reset_state()

    # -- running
    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        first = flatten(sequences)[0]
        if self.unroll and first.shape[1] is None:
            raise ArgumentError(
                "a recurrent layer with unroll=True needs sequences of a known length: keras.Input((10, features)). "
                f"Received: shape {first.shape}"
            )
        states = self._start(initial_state, first)
        output, states = self._run(sequences, states, _first_mask(mask), training)
        states = map_structure(lambda x: cast(x, self.compute_dtype), states)
        if self.stateful:
            for variable, state in zip(flatten(self.states), flatten(states)):
                variable.assign(state)
        result = cast(output, self.compute_dtype)
        return (result, *states) if self.return_state else result

    def _start(self, initial_state: Any, first: Tensor) -> list[Any]:
        if initial_state is None:
            initial_state = self.states if self.stateful else self.get_initial_state(first.dims[0])
        if self.stateful and self.states is not None:
            expected = flatten(self.states)[0].shape[0]
            if first.shape[0] is not None and first.shape[0] != expected:
                raise ShapeError(
                    f"a stateful RNN keeps states for a batch of {expected}. Received: a batch of {first.shape[0]}"
                )
        states = list(initial_state) if isinstance(initial_state, list | tuple) else [initial_state]
        dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
        return map_structure(lambda x: convert(x, dtype), states)  # type: ignore[no-any-return]

    def _run(self, sequences: Any, states: list[Any], mask: Any, training: bool) -> tuple[Any, Any]:
        """Outputs (batch, time, ..), or the last one where sequences are not wanted, and the last states."""
        steps = map_structure(_time_first, sequences)
        batch = flatten(steps)[0].dims[1]
        with self._step_function(steps, batch, training) as (parts, step):
            masks = None if mask is None else _step_masks(mask)
            position: list[int | None] = []
            zero = self.zero_output_for_mask and masks is not None

            def body(carry: list[Any], x: Any) -> Any:
                inputs, skip = x
                output, new = step(inputs, carry)
                new = pack_like(carry, [cast(v, u.element) for v, u in zip(flatten(new), flatten(carry))])
                position.append(next((i for i, v in enumerate(flatten(new)) if v is output), None))
                if skip is not None:
                    before = carry[0] if isinstance(carry[0], Tensor) else carry[-1][0]
                    output = _where(skip, a.multiply(output, 0.0) if zero else before, output)
                    new = pack_like(carry, [_where(skip, u, v) for u, v in zip(flatten(carry), flatten(new))])
                # the last output is one of the last states, unless masked steps give zeros
                wanted = self.return_sequences or position[-1] is None or zero
                return new, output if wanted else None

            last_states, outputs = scan(body, states, (parts, masks), reverse=self.go_backwards)
        if outputs is None:
            assert position[-1] is not None
            return flatten(last_states)[position[-1]], last_states
        if not self.return_sequences:
            return outputs[0] if self.go_backwards else outputs[_last_index(outputs)], last_states
        if self.go_backwards:  # outputs stand in the order in which they are made
            outputs = bind("reverse", outputs, axes=(0,))
        return _time_first(outputs), last_states

    @contextmanager
    def _step_function(self, steps: Any, batch: Any, training: bool) -> Iterator[tuple[Any, Any]]:
        """What is scanned, and the function of one step of it: for our cells without what needs no state."""
        cell = self.cell
        if isinstance(cell, GatedCell) and type(cell).call is GatedCell.call and isinstance(steps, Tensor):
            with scope(cell.name):
                masks = cell.draw_masks(batch) if training else DropoutMasks()
                yield cell.project(steps, masks), lambda x, states: cell.step(x, states, masks)
            return
        gated = [c for c in getattr(cell, "cells", [cell]) if isinstance(c, GatedCell)]
        for c in gated:  # one draw for all steps
            object.__setattr__(c, "_masks", c.draw_masks(batch) if training else None)
        try:
            yield steps, lambda x, states: _as_list(call_cell(cell, x, states, training))
        finally:
            for c in gated:
                object.__setattr__(c, "_masks", None)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        mask = _first_mask(previous_mask) if self.return_sequences else None
        return [mask, *[None] * len(self.state_size)] if self.return_state else mask

    # -- configs
    def get_config(self) -> dict[str, Any]:
        from ...saving import serialize_keras_object

        return {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "zero_output_for_mask": self.zero_output_for_mask,
            "cell": serialize_keras_object(self.cell),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        from ...saving import deserialize_keras_object

        config = dict(config)
        cell = deserialize_keras_object(config.pop("cell"), custom_objects=custom_objects)
        return cls(cell, **config)

    @property
    def output_size(self) -> int:
        """Features of the output."""
        return output_size(self.cell)


def _without_time(shape: Any) -> Any:
    """The shape of one step; `shape` is one, or a structure of them."""
    if shape and isinstance(shape[0], list | tuple):
        return [_without_time(s) for s in shape]
    return (shape[0], *shape[2:])


def _first_mask(mask: Any) -> Any:
    """All inputs share one mask."""
    return next(iter(flatten(mask)), None) if isinstance(mask, list | tuple) else mask


def _time_first(x: Any) -> Tensor:
    """The first two axes exchanged."""
    x = convert(x)
    return bind("transpose", x, permutation=(1, 0, *range(2, x.ndim)))  # type: ignore[no-any-return]


def _step_masks(mask: Any) -> Tensor:
    """For each step whether to skip it: (time, batch, 1)."""
    keep = cast(convert(mask), "bool")
    keep = ops.expand_dims(keep, -1) if keep.ndim == 2 else ops.any(keep, axis=-1, keepdims=True)
    return a.logical_not(_time_first(keep))  # type: ignore[no-any-return]


def _where(skip: Tensor, x: Any, y: Any) -> Any:
    skip = skip if skip.ndim == y.ndim else ops.reshape(skip, (*skip.dims[:1], *[1] * (y.ndim - 1)))
    return ops.where(skip, x, y)


def _as_list(made: tuple[Any, Any]) -> tuple[Any, Any]:
    output, states = made
    return output, list(states) if isinstance(states, list | tuple) else [states]


def _last_index(x: Tensor) -> int:
    size = x.dims[0]
    if not isinstance(size, int):
        raise ShapeError(
            "the last output of a cell that is none of its states needs sequences of a known length. "
            f"Received: shape {x.shape}"
        )
    return size - 1
