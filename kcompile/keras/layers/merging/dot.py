"""Dot."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError, ShapeError

from ... import ops
from .base_merge import Merge


class Dot(Merge):
    """Sums of products of two inputs along one axis of each, sample by sample.

    Example: Dot(axes=1)([x, y])   # (b, n), (b, n) -> (b, 1)
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        pair = [axes, axes] if isinstance(axes, int) else list(axes)
        if len(pair) != 2 or any(not isinstance(a, int) for a in pair):
            raise ArgumentError(f"Dot: axes is an integer or two. Received: axes={axes!r}")
        self.axes, self.normalize = axes, normalize
        self._pair = pair

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, list | tuple) or len(inputs) != 2:
            raise ArgumentError(f"Dot '{self.name}' is called on a list of two inputs. Received: {inputs!r}")
        x, y = inputs
        i, j = self._pair[0] % x.ndim, self._pair[1] % y.ndim
        if x.shape[i] != y.shape[j] or 0 in (i, j):
            raise ShapeError(
                f"Dot '{self.name}' needs equal sizes along axes {self.axes}. Received: {[x.shape, y.shape]}"
            )
        if self.normalize:
            x, y = ops.normalize(x, axis=i), ops.normalize(y, axis=j)
        letters = [chr(ord("c") + k) for k in range(x.ndim + y.ndim)]
        left = ["a" if k == 0 else "b" if k == i else letters[k] for k in range(x.ndim)]
        right = ["a" if k == 0 else "b" if k == j else letters[x.ndim + k] for k in range(y.ndim)]
        kept = [c for c in left + right[1:] if c != "b"]
        out = ops.einsum(f"{''.join(left)},{''.join(right)}->{''.join(kept)}", x, y)
        return ops.expand_dims(out, -1) if out.ndim == 1 else out

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}
