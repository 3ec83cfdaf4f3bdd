"""Bidirectional."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from ... import ops
from ..call_context import call_signature
from ..layer import Layer

_MODES = ("sum", "mul", "ave", "concat", None)


class Bidirectional(Layer):
    """A recurrent layer over the steps in both directions; `merge_mode` says how the two outputs become one.

    merge_mode      concat (features side by side), sum, mul, ave; None gives both
    backward_layer  the layer for the way back; unless given, one like `layer`

    Example: Bidirectional(LSTM(64))(x)   # (batch, time, features) -> (batch, 128)
    """

    def __init__(
        self, layer: Any, merge_mode: str | None = "concat", weights: Any = None, backward_layer: Any = None,
        **kwargs: Any,
    ):  # fmt: skip
        for given in (layer, backward_layer):
            if not isinstance(given, Layer) and (given is None) <= (given is layer):
                raise ArgumentError(f"Bidirectional takes recurrent layers. Received: {given!r}")
        if merge_mode not in _MODES:
            raise ArgumentError(
                f"Bidirectional: merge_mode is one of {', '.join(map(repr, _MODES))}. Received: {merge_mode!r}"
            )
        super().__init__(**kwargs)
        self.forward_layer = _copy(layer, f"forward_{layer.name.removeprefix('forward_')}")
        if backward_layer is None:
            backward_layer = _copy(layer, f"backward_{layer.name.removeprefix('backward_')}", go_backwards=True)
        self.backward_layer = backward_layer
        self._check_layers()
        for one in (self.forward_layer, self.backward_layer):
            if getattr(one, "zero_output_for_mask", None) is not None:
                one.zero_output_for_mask = one.return_sequences
        self.merge_mode = merge_mode
        if weights:
            raise ArgumentError("Bidirectional: give weights by set_weights once the layer is built")
        self.stateful, self.return_sequences = layer.stateful, layer.return_sequences
        self.return_state = layer.return_state
        self.supports_masking = True
        self.input_spec = layer.input_spec

    def _check_layers(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ArgumentError(
                "Bidirectional: one of the two layers goes backwards. "
                f"Received: go_backwards={forward.go_backwards} for both"
            )
        for name in ("stateful", "return_sequences", "return_state"):
            if getattr(forward, name) != getattr(backward, name):
                raise ArgumentError(
                    f"Bidirectional: both layers have the same {name}. "
                    f"Received: {getattr(forward, name)} and {getattr(backward, name)}"
                )

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
                layer.built = True

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None) -> Any:
        states: list[Any] = [None, None]
        if initial_state is not None:
            half = len(initial_state) // 2
            states = [initial_state[:half], initial_state[half:]]
        made = []
        for layer, start in zip((self.forward_layer, self.backward_layer), states):
            signature = call_signature(type(layer).call)
            kwargs = {"initial_state": start} if start is not None else {}
            if signature.has_training:
                kwargs["training"] = training
            if signature.has_mask:
                kwargs["mask"] = mask
            made.append(layer(sequences, **kwargs))
        final: tuple[Any, ...] = ()
        if self.return_state:
            final = (*made[0][1:], *made[1][1:])
            made = [made[0][0], made[1][0]]
        forward, backward = (ops.cast(x, self.compute_dtype) for x in made)
        if self.return_sequences:
            backward = ops.flip(backward, axis=1)
        outputs = self._merge(forward, backward)
        if self.merge_mode is None:
            return (*outputs, *final)
        return (outputs, *final) if self.return_state else outputs

    def _merge(self, forward: Any, backward: Any) -> Any:
        match self.merge_mode:
            case "concat":
                return ops.concatenate([forward, backward], axis=-1)
            case "sum":
                return ops.add(forward, backward)
            case "ave":
                return ops.divide(ops.add(forward, backward), 2)
            case "mul":
                return ops.multiply(forward, backward)
        return forward, backward

    def reset_state(self) -> None:
        """Set the states of stateful layers to zeros."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """`reset_state`."""
        self.reset_state()

    @property
    def states(self) -> Any:
        """The states of both layers, if they are stateful."""
        own = self.forward_layer.states
        return None if own is None else (*own, *self.backward_layer.states)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        mask = previous_mask[0] if isinstance(previous_mask, list) else previous_mask
        if not self.return_sequences:
            return None
        return mask if self.merge_mode is not None else (mask, mask)

    def get_config(self) -> dict[str, Any]:
        from ...saving import serialize_keras_object

        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        from ...saving import deserialize_keras_object

        config = dict(config)
        for key in ("layer", "backward_layer"):
            if config.get(key) is not None:
                config[key] = deserialize_keras_object(config[key], custom_objects=custom_objects)
        return cls(**config)


def _copy(layer: Any, name: str, **changes: Any) -> Any:
    """A layer of the same config, without weights."""
    from ...saving.serialization import alone, deserialize_keras_object, serialize_keras_object

    with alone():  # also while a model is read from a file: the copy is a layer of its own
        config = serialize_keras_object(layer)
        config.pop("build_config", None)
        config["config"] = {**config["config"], "name": name, **changes}
        return deserialize_keras_object(config)
