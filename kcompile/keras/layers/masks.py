"""Masks: which steps of a sequence count. They go from layer to layer with the tensors, as `_keras_mask`.

A layer that makes a mask gives it in `compute_mask`; one that has a `mask` argument receives that of its first input
(`<name>_mask`: that of the argument `name`); one with `supports_masking` passes it on.
"""

from __future__ import annotations

import warnings
from copy import copy
from typing import Any

from kcompile.tracing.structure import flatten, map_structure

from .call_context import CallSignature


def get_mask(x: Any) -> Any:
    """The mask that a tensor carries, or None."""
    return getattr(x, "_keras_mask", None)


def set_mask(x: Any, mask: Any) -> Any:
    """`x`, carrying `mask` from here on."""
    x._keras_mask = mask
    return x


def keep_mask(x: Any, made: Any) -> Any:
    """`made` with the mask of the `x` that it was made from."""
    mask = get_mask(x)
    return made if mask is None or made is x else set_mask(made, mask)


def unmasked(x: Any) -> Any:
    """The same tensor without its mask, for layers that use the mask themselves."""
    return x if get_mask(x) is None else set_mask(copy(x), None)


def masks_of(structure: Any) -> Any:
    """The masks of tensors, in their structure; None where there is no mask at all."""
    found = map_structure(get_mask, structure)
    return found if any(m is not None for m in flatten(found)) else None


def with_masks(signature: CallSignature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """`kwargs` with the masks of the arguments, where `call` takes them and the caller gave none."""
    given = {**dict(zip(signature.names, args)), **kwargs}
    added: dict[str, Any] = {}
    for i, (name, value) in enumerate(list(given.items())):
        wanted = "mask" if i == 0 and signature.has_mask else f"{name}_mask"
        if wanted in signature.names and given.get(wanted) is None and value is not None:
            mask = masks_of(value)
            if mask is not None:
                added[wanted] = mask
    return {**kwargs, **added} if added else kwargs


def pass_on(layer: Any, inputs: Any, outputs: Any, previous: Any) -> None:
    """Give the outputs of a layer their masks."""
    if not layer.supports_masking:
        if any(m is not None for m in flatten(previous)):
            warnings.warn(
                f"Layer '{layer.name}' (of type {type(layer).__name__}) was passed an input with a mask attached to "
                "it. However, this layer does not support masking and will therefore destroy the mask information. "
                "Downstream layers will not see the mask.",
                stacklevel=4,
            )
        return
    tensors = flatten(outputs)
    if all(get_mask(x) is not None for x in tensors):
        return
    made = layer.compute_mask(inputs, previous)
    if made is None:
        return
    for x, mask in zip(tensors, flatten(made)):
        if mask is not None and get_mask(x) is None and hasattr(x, "dims"):
            set_mask(x, mask)
