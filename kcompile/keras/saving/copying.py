"""Copying and pickling of models: by the content of their `.keras` file."""

from __future__ import annotations

from typing import Any

from kcompile.tracing.structure import flatten

from .model_file import model_of_bytes, model_to_bytes
from .registry import custom_object_scope


def copy_of(model: Any) -> Any:
    """What `__reduce__` gives for a model: how to make its equal, with weights, optimizer and its state."""
    return _restored, (model_to_bytes(model), _own_objects(model))


def _restored(data: bytes, objects: dict[str, Any]) -> Any:
    with custom_object_scope(objects):
        return model_of_bytes(data, "a copied model")


def _own_objects(model: Any) -> dict[str, Any]:
    """Classes and functions of the user by name: they travel by reference, and need not be registered."""
    state = model._trainer
    parts = (
        []
        if state is None
        else flatten(
            [
                model.optimizer,
                state.compiled_loss.loss,
                state.compiled_metrics.user,
                state.compiled_metrics.user_weighted,
            ]
        )
    )
    found = [type(layer) for layer in model._flatten_layers()]
    found += [part if hasattr(part, "__name__") else type(part) for part in parts if part is not None]
    return {one.__name__: one for one in found if not one.__module__.startswith(("kcompile.", "builtins"))}
