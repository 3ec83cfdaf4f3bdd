"""Loading an artifact inside kcompile: the artifact's own loader, with this process's threads and LLVM as linker."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kcompile.artifact import loader
from kcompile.codegen.jit import load_object
from kcompile.errors import ArtifactError, ShapeError
from kcompile.runtime import abi
from kcompile.runtime.host import environment
from kcompile.runtime.native import call_type
from kcompile.tracing.structure import map_structure


class LoadedModel:
    """A model from an artifact; call it as the CompiledModel that was saved.

    Attributes: name, inputs, outputs, manifest.
    """

    def __init__(self, artifact: loader.Artifact):
        self._artifact = artifact
        self.name: str = artifact.manifest["model"]
        self.manifest = artifact.manifest
        self.inputs = artifact.inputs
        self.outputs = artifact.outputs
        self._structure = artifact.manifest["structure"]
        self._call = self._make_call()
        plain = len(self.inputs) == 1 and self._structure == 0  # one array in, one out
        self._one: Any = self._call.one if self._call is not None and plain else None

    def _make_call(self) -> Any:
        """The short way for arrays that kernels can read as they are, once such arrays have taken the long one."""
        native = call_type()
        if native is None:
            return None
        artifact, sides = self._artifact, (self.inputs, self.outputs)
        inputs, outputs = (tuple([np.dtype(p["dtype"]) for p in side]) for side in sides)
        refused = partial(abi.refuse, self.name, self.manifest["sizes"])
        context = artifact._context.address
        return native(artifact._model.run, context, inputs, outputs, False, refused, artifact)

    def __call__(self, inputs: Any) -> Any:
        """The outputs for one batch. Raises ShapeError for inputs that do not fit."""
        if self._one is not None:
            result = self._one(inputs)
            if result is not None:
                return result
        from kcompile.api import arrays_of

        arrays = arrays_of(inputs, [p["name"] for p in self.inputs])
        results = None if self._call is None else self._call(*arrays)
        if results is None:
            try:
                results = self._artifact.run(arrays)
            except loader.InputError as error:
                raise ShapeError(str(error), f"model '{self.name}'") from None
            self._learn(arrays, results)
        return map_structure(lambda i: results[i] if isinstance(i, int) else i, self._structure)

    def _learn(self, arrays: Sequence[Any], results: Sequence[Any]) -> None:
        """Calls with arrays of these shapes may go the short way from now on."""
        if self._call is None or not all(isinstance(x, np.ndarray) for x in arrays):
            return
        sizes = self._artifact._sizes(arrays)
        ordered = tuple([sizes[name] for name in self.manifest["sizes"]])
        in_bytes, out_bytes = (
            tuple([x.size * np.dtype(p["dtype"]).itemsize for x, p in zip(side, ports, strict=True)])
            for side, ports in ((arrays, self.inputs), (results, self.outputs))
        )
        shapes, made = (tuple([x.shape for x in side]) for side in (arrays, results))
        self._call.learn(shapes, ordered, in_bytes, out_bytes, made, self._artifact.arena_bytes(sizes), True)

    def predict(self, x: Any, batch_size: int | None = None) -> Any:
        """The outputs for any number of rows; `batch_size` is accepted as `CompiledModel.predict` takes it."""
        return self(x)


def load_model(path: Path, *, verify: str = "first", threads: int | None = None) -> LoadedModel:
    """See `kcompile.load`."""

    def open_object(data: bytes, symbol: str) -> tuple[int, Any]:
        loaded = load_object(data, (symbol,))
        return loaded.address(symbol), loaded

    try:
        return LoadedModel(loader.Artifact(path, verify, environment(threads), open_object))
    except loader.ArtifactError as error:
        raise ArtifactError(str(error), str(path)) from None
