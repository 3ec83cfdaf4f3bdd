"""The step functions: train, test and predict of a model as traced and compiled functions, one for each input
signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kcompile.errors import ArgumentError, ShapeError
from kcompile.keras import ops
from kcompile.keras.changes import CHANGES
from kcompile.keras.metrics.metric import Metric
from kcompile.keras.trainer.outputs import Outputs
from kcompile.tracing.structure import flatten, map_structure, pack_like
from kcompile.tracing.trace import TensorSpec, current_trace, trace_function

Signature = tuple[Any, ...]


class Steps:
    """The compiled steps of one model. `train`, `test` and `predict` are called with structures of NumPy arrays."""

    def __init__(self, model: Any):
        self.model = model
        self._compiled: dict[Signature, Any] = {}
        self._quick: dict[str, Any] = {}  # kind -> straight into native code, of the last step on one x and one y
        self._zeros: list[Any] | None = None  # the arrays that reset_metrics fills with 0; None: call it
        self._fingerprint: Any = None
        self._checked = -1  # the count of changes when the fingerprint was last compared

    def refresh(self) -> None:
        """Forget compiled steps if the model's variables, or which of them train, have changed since."""
        if CHANGES.count == self._checked:
            return
        if self._compiled and self._fingerprint != fingerprint(self.model):
            self._compiled.clear()
            self._quick.clear()
        self._checked = CHANGES.count

    def train(self, x: Any, y: Any, sample_weight: Any) -> None:
        """One optimizer step on a batch; all state is updated in place."""
        self._step("train", x, y, sample_weight)

    def test(self, x: Any, y: Any, sample_weight: Any) -> None:
        """Losses and metrics of a batch."""
        self._step("test", x, y, sample_weight)

    def predict(self, x: Any) -> Any:
        """The outputs for a batch, as arrays in the structure that the model returns."""
        step, leaves = self.function("predict", (x,))
        return step.traced.unflatten(step(*leaves))

    def function(self, kind: str, parts: tuple[Any, ...]) -> tuple[Any, list[Any]]:
        """The compiled function for a "train", "test" or "predict" step on such arrays, and the arrays that it takes.

        parts: x, y and sample_weight, for "predict" only x; of how many rows does not matter.
        """
        leaves = [a for a in flatten(parts) if a is not None]
        key: Signature = (kind, structure_of(parts), tuple([(a.shape[1:], a.dtype.char) for a in leaves]))
        step = self._compiled.get(key)
        if step is None:
            step = self._compile(key, _STEPS[kind], parts)
        return step, leaves

    def _step(self, kind: str, x: Any, y: Any, sample_weight: Any) -> None:
        step, leaves = self.function(kind, (x, y, sample_weight))
        rows = leaves[0].shape[0]
        for a in leaves:
            if a.shape[0] != rows:
                raise ShapeError(
                    f"all arrays of a batch need the same number of rows. Received: shapes {[a.shape for a in leaves]}"
                )
        step(*leaves)
        if sample_weight is None and len(leaves) == 2 and leaves[0] is x and leaves[1] is y:
            self._quick[kind] = step.native_call
            self._zeros = zeros_of(self.model)

    def repeats(self, kind: str, x: Any, y: Any) -> bool:
        """Whether `again` may do: one array x and one y, as in the last step."""
        return self._quick.get(kind) is not None and type(x) is np.ndarray and type(y) is np.ndarray

    def again(self, kind: str, x: Any, y: Any) -> bool:
        """The metrics back at 0, then the last step on these arrays, with hardly any Python before; False where the
        arrays are not as they were then.
        """
        if self._zeros is None:
            self.model.reset_metrics()
        else:
            for array in self._zeros:
                array.fill(0)
        return self._quick[kind](x, y) is not None

    def _compile(self, key: Signature, function: Any, parts: tuple[Any, ...]) -> Any:
        model = self.model
        specs = [specs_of(part, name, model) for part, name in zip(parts, ("x", "y", "sample_weight"), strict=False)]
        flat = [s for s in flatten(specs) if s is not None]

        def run(*tensors: Any) -> Any:
            items = iter(tensors)
            return function(
                model, *(map_structure(lambda s: None if s is None else next(items), part) for part in specs)
            )

        # Weights change between calls, so every role is "state": nothing is folded or packed once and for all.
        traced = trace_function(run, flat, variable_role="state")
        step = self._compiled[key] = compile_step(traced, model)
        self._fingerprint = fingerprint(model)
        return step


def zeros_of(model: Any) -> list[Any] | None:
    """What `reset_metrics` fills with 0; None where something of it is overridden."""
    from kcompile.keras.trainer.trainer import Trainer

    if type(model).reset_metrics is not Trainer.reset_metrics or type(model).metrics is not Trainer.metrics:
        return None
    if any(type(metric).reset_state is not Metric.reset_state for metric in model.metrics):
        return None
    return [variable._array for metric in model.metrics for variable in metric.variables]


def compile_step(traced: Any, model: Any) -> Any:
    """The traced step as something to call on arrays."""
    from kcompile.options import Options
    from kcompile.runtime.executable import CompiledFunction

    eager = getattr(model, "run_eagerly", False)
    return CompiledFunction(traced, Options.of(engine="interpreter") if eager else None)


def _forward(model: Any, x: Any, training: bool) -> Any:
    return model(x, training=training)


def batch_size_of(x: Any) -> Any:
    """The number of rows of a batch, as a scalar tensor (a symbol has no value while tracing)."""
    first = flatten(x)[0]
    return ops.cast(ops.sum(ops.ones((first.dims[0],), "float32")), "float32")


def _scored(model: Any, x: Any, y: Any, sample_weight: Any, training: bool) -> tuple[Any, Outputs]:
    state = model._trainer
    y_pred = _forward(model, x, training)
    outputs = Outputs(y_pred, output_names(model))
    state.outputs, state.count = outputs, batch_size_of(x)
    loss = model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training)
    if loss is None or len(loss.shape) != 0:
        shown = None if loss is None else tuple(loss.shape)
        raise ShapeError(
            f"compute_loss must return one number. Received: {'None' if loss is None else f'a tensor of shape {shown}'}"
        )
    state.loss_tracker.update_state(loss, sample_weight=state.count)
    return loss, outputs


def _train_step(model: Any, x: Any, y: Any, sample_weight: Any) -> None:
    loss, outputs = _scored(model, x, y, sample_weight, training=True)
    variables = model.trainable_variables
    if not variables:
        raise ArgumentError(
            f"model '{model.name}' has no trainable weights, so there is nothing to fit. Set layer.trainable = True, "
            f"or evaluate instead."
        )
    trace = current_trace()
    assert trace is not None
    model.optimizer.apply(trace.gradients(loss, variables), variables)
    model._trainer.compiled_metrics.update_state(outputs, y, sample_weight)


def _test_step(model: Any, x: Any, y: Any, sample_weight: Any) -> None:
    _, outputs = _scored(model, x, y, sample_weight, training=False)
    model._trainer.compiled_metrics.update_state(outputs, y, sample_weight)


def _predict_step(model: Any, x: Any) -> Any:
    return _forward(model, x, training=False)


_STEPS = {"train": _train_step, "test": _test_step, "predict": _predict_step}


def output_names(model: Any) -> Sequence[str] | None:
    """The names of the outputs of a functional model; None where the model has none."""
    names = getattr(model, "output_names", None)
    return None if names is None else [str(n) for n in names]


def structure_of(value: Any) -> Any:
    """A hashable form of the structure of arrays: dict keys, lengths, where None stands."""
    if value is None:
        return None
    if hasattr(value, "dtype"):
        return 1
    if isinstance(value, dict):
        return tuple(sorted((k, structure_of(v)) for k, v in value.items()))
    return (type(value).__name__, *(structure_of(v) for v in value))


def specs_of(value: Any, name: str, model: Any) -> Any:
    """A TensorSpec with a symbolic batch axis for each array (a fixed one in a model that keeps states of its rows);
    inputs are named as the model names them."""
    rows = rows_of_states(model)
    leaves = flatten(value)
    known = list(getattr(model, "input_names", None) or ()) if name == "x" else []
    names = (
        known
        if len(known) == len(leaves)
        else [name]
        if len(leaves) == 1
        else [f"{name}_{i}" for i in range(len(leaves))]
    )
    specs = [
        None if a is None else TensorSpec((rows, *a.shape[1:]), a.dtype.name, n)
        for a, n in zip(leaves, names, strict=True)
    ]
    return pack_like(value, specs)


def rows_of_states(model: Any) -> int | None:
    """The batch size of a model whose recurrent layers are stateful."""
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False) and getattr(layer, "states", None) is not None:
            return int(flatten(layer.states)[0].shape[0])
    return None


def fingerprint(model: Any) -> Any:
    """What the traced steps depend on besides the code: the variables, and which of them train."""
    return tuple([(id(v), v.trainable) for v in model.variables]), tuple(
        [layer.trainable for layer in model._flatten_layers()]
    )
