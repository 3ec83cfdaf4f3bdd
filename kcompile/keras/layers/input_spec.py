"""InputSpec: what a layer asks of its input, checked before every call."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ShapeError
from kcompile.tracing.structure import flatten


class InputSpec:
    """Rank, sizes of axes, dtype. None means anything.

    Example: layer.input_spec = InputSpec(min_ndim=2, axes={-1: 512})
    """

    def __init__(
        self, dtype: Any = None, shape: Any = None, ndim: int | None = None, max_ndim: int | None = None,
        min_ndim: int | None = None, axes: dict[int, int] | None = None, allow_last_axis_squeeze: bool = False,
        name: str | None = None, optional: bool = False,
    ):  # fmt: skip
        self.dtype, self.shape = dtype, None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {int(k): axes[k] for k in axes} if axes else {}
        self.allow_last_axis_squeeze, self.name, self.optional = allow_last_axis_squeeze, name, optional

    def __repr__(self) -> str:
        fields = {k: v for k, v in vars(self).items() if v not in (None, {}, False)}
        return f"InputSpec({', '.join(f'{k}={v}' for k, v in fields.items())})"

    def problem(self, shape: tuple[int | None, ...]) -> str | None:
        """What is wrong with an input of this shape; None when it fits."""
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim and not self._squeezes(shape):
            return f"needs an input of rank {self.ndim}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"needs an input of rank {self.max_ndim} or less"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"needs an input of rank {self.min_ndim} or more"
        for axis, size in self.axes.items():
            if size is not None and shape[axis] not in (size, None):
                place = "a last axis" if axis == -1 else f"axis {axis}"
                return f"needs {place} of {size}"
        if self.shape is not None and not self._squeezes(shape):
            for i, (wanted, got) in enumerate(zip(self.shape, shape)):
                if wanted is not None and got is not None and wanted != got:
                    return f"needs an input of shape {self.shape} (axis {i} differs)"
        return None

    def _squeezes(self, shape: tuple[int | None, ...]) -> bool:
        return (
            self.allow_last_axis_squeeze
            and self.shape is not None
            and (
                (shape[-1:] == (1,) and len(shape) == len(self.shape) + 1)
                or (self.shape[-1:] == (1,) and len(shape) == len(self.shape) - 1)
            )
        )


def check_inputs(spec: Any, inputs: Any, layer: Any) -> None:
    """Raise ShapeError where `inputs` do not fit the spec (or structure of specs) of `layer`."""
    specs = flatten(spec)
    tensors = flatten(inputs)
    kind, name = type(layer).__name__, layer.name
    if len(specs) != len(tensors):
        raise ShapeError(f"{kind} '{name}' takes {len(specs)} inputs. Received: {len(tensors)}")
    for one, x in zip(specs, tensors):
        if one is None or not hasattr(x, "shape"):
            continue
        shape = tuple(x.shape)
        problem = one.problem(shape)
        if problem is not None:
            raise ShapeError(f"{kind} '{name}' {problem}. Received: input of shape {shape}.{_advice(one, shape)}")


def _advice(spec: InputSpec, shape: tuple[int | None, ...]) -> str:
    size = spec.axes.get(-1)
    if size is not None and len(shape) > 2 and None not in shape[1:]:
        import math

        flat = math.prod(shape[1:])  # type: ignore[arg-type]
        if size in (flat, shape[-1]):
            return f" Flatten() before it makes (None, {flat})."
    if spec.ndim == 4 and len(shape) == 3:
        return " Images need an axis of channels: x[..., None] adds one."
    return ""


__all__ = ["InputSpec", "check_inputs"]
