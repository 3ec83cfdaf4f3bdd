"""The outputs of a model beside the losses, metrics, targets and weights that belong to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kcompile.errors import ArgumentError, ShapeError
from kcompile.tracing.structure import flatten


class Outputs:
    """`values`: the outputs flat; `names`: one for each; `kind`: how the model returns them ("one", "list", "dict")."""

    def __init__(self, y_pred: Any, names: Sequence[str] | None = None):
        self.values = flatten(y_pred)
        if isinstance(y_pred, Mapping):
            self.kind = "dict"
            self.names = [str(k) for k in sorted(y_pred)]
            if len(self.names) != len(self.values):
                raise ArgumentError("outputs that are dicts of lists cannot be trained; return a flat dict of tensors")
        elif isinstance(y_pred, list | tuple):
            self.kind = "list"
            known = list(names) if names is not None and len(names) == len(self.values) else None
            self.names = known or [f"output_{i}" for i in range(len(self.values))]
        else:
            self.kind = "one"
            self.names = [str(n) for n in names] if names is not None and len(names) == 1 else ["output"]

    def __len__(self) -> int:
        return len(self.values)

    def match(self, given: Any, what: str, share: bool) -> list[Any]:
        """What was given, one item for each output. A single item serves all outputs if `share`."""
        if given is None:
            return [None] * len(self)
        if isinstance(given, Mapping) and not _is_config(given):
            unknown = sorted(set(given) - set(self.names))
            if unknown and not (self.kind == "one" and len(given) == 1):
                raise ArgumentError(
                    f"{what} names outputs that the model lacks. Received: {', '.join(unknown)}. The outputs: "
                    f"{', '.join(self.names)}"
                )
            return [given[n] for n in given] if unknown else [given.get(n) for n in self.names]
        if isinstance(given, list | tuple):
            if len(given) != len(self):
                raise ArgumentError(
                    f"{what} needs one item for each of the {len(self)} outputs ({', '.join(self.names)}). Received: "
                    f"{len(given)} items"
                )
            return list(given)
        if not share:
            raise ArgumentError(
                f"{what} needs a list or dict with one item for each of the {len(self)} outputs. Received: {given!r}"
            )
        return [given] * len(self)

    def targets(self, y_true: Any) -> list[Any]:
        """One target (or None) for each output."""
        return self._spread(y_true, "y")

    def weights(self, sample_weight: Any) -> list[Any]:
        """One sample weight (or None) for each output; a single one serves all."""
        if sample_weight is None or hasattr(sample_weight, "shape"):
            return [sample_weight] * len(self)
        return self._spread(sample_weight, "sample_weight")

    def _spread(self, given: Any, what: str) -> list[Any]:
        if given is None:
            return [None] * len(self)
        if isinstance(given, Mapping):
            unknown = sorted(set(given) - set(self.names))
            if unknown:
                raise ArgumentError(
                    f"{what} names outputs that the model lacks. Received: {', '.join(unknown)}. The outputs: "
                    f"{', '.join(self.names)}"
                )
            return [given.get(n) for n in self.names]
        if isinstance(given, list | tuple):
            if self.kind == "dict":
                raise ArgumentError(
                    f"the model returns a dict, so {what} must be a dict of {', '.join(self.names)}. Received: a "
                    f"{type(given).__name__}"
                )
            if len(given) != len(self):
                raise ShapeError(f"{what} needs one array for each of the {len(self)} outputs. Received: {len(given)}")
            return list(given)
        if len(self) != 1:
            raise ShapeError(
                f"{what} needs one array for each of the {len(self)} outputs ({', '.join(self.names)}). Received: "
                f"one array"
            )
        return [given]


def _is_config(given: Mapping[Any, Any]) -> bool:
    """Whether a dict is the config of one object rather than one item for each output."""
    return "class_name" in given and "config" in given
