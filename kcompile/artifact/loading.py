"""Loading an artifact inside kcompile: the artifact's own loader, with this process's threads and LLVM as linker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kcompile.artifact import loader
from kcompile.codegen.jit import load_object
from kcompile.errors import ArtifactError, ShapeError
from kcompile.runtime.host import environment
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

    def __call__(self, inputs: Any) -> Any:
        """The outputs for one batch. Raises ShapeError for inputs that do not fit."""
        from kcompile.api import arrays_of

        arrays = arrays_of(inputs, [p["name"] for p in self.inputs])
        try:
            results = self._artifact.run(arrays)
        except loader.InputError as error:
            raise ShapeError(str(error), f"model '{self.name}'") from None
        return map_structure(lambda i: results[i] if isinstance(i, int) else i, self._structure)

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
