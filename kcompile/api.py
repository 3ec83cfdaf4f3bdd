"""The public functions: compile a model, call it, look at its code, save it ahead of time, load it again.

fast = kcompile.compile(model)
y = fast(x)
print(fast.ir("linalg"))
fast.save("digits.kc")
again = kcompile.load("digits.kc")
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kcompile.errors import ArgumentError, ShapeError, UnsupportedError
from kcompile.options import Options
from kcompile.pipeline import CompiledModule, compile_module, identifier
from kcompile.runtime.binding import Array, Parameter
from kcompile.runtime.executable import CompiledFunction

if TYPE_CHECKING:
    from kcompile.artifact.loading import LoadedModel
    from kcompile.codegen.target import Target
    from kcompile.kernel_report import KernelLine
    from kcompile.runtime.call import NativeFunction
    from kcompile.transforms.kernel.fusion_report import Apart

# Rows of one call of `predict` unless it is told otherwise: enough to share out among threads, little memory.
PREDICT_ROWS = 256


def compile(
    model: Any, *, name: str | None = None, target: str | None = None, threads: int | None = None, **options: Any
) -> CompiledModel:
    """Compile the forward pass of a model to native code.

    model     a `kcompile.keras` model that is built, or the path of a `.keras` file
    name      of the compiled model, and of its C symbols; default the model's own
    target    "host" (the default), "x86-64", "x86-64-v3", "x86-64-v4", "aarch64"
    threads   worker threads of one call; None = as many as the process may use
    options   the other fields of `kcompile.options.Options`

    The weights are copied, folded and packed: training the model afterwards does not change the compiled one.
    Raises UnsupportedError for models that cannot be compiled, with what can.

    Example: `kcompile.compile(model)(x)`.
    """
    chosen = Options.of(target=target, threads=threads, **{"freeze": True, **options})
    if isinstance(model, str | os.PathLike):
        from kcompile.keras.models import load_model

        model = load_model(os.fspath(model))
    _check_model(model)
    from kcompile.tracing.model import input_specs, trace_predict

    structure = input_specs(model)
    return CompiledModel(trace_predict(model, specs=structure), name or model.name, chosen, structure)


def load(path: str | os.PathLike[str], *, verify: str = "first", threads: int | None = None) -> LoadedModel:
    """Load an artifact that `CompiledModel.save` has written.

    verify: "first" checks every file and runs the self-test once a process, "always" at every load, "never" not at all.
    Raises ArtifactError when the artifact is damaged, incomplete, or not for this machine.

    Example: `kcompile.load("digits.kc")(x)`.
    """
    from kcompile.artifact.loading import load_model

    return load_model(Path(path), verify=verify, threads=threads)


def _check_model(model: Any) -> None:
    home = type(model).__module__
    if home == "keras" or home.startswith("keras.") or home.startswith("tf_keras."):
        raise UnsupportedError(
            "a live keras.Model cannot be compiled yet. Save it with model.save('model.keras') and compile the file: "
            f"kcompile.compile('model.keras'). Received: {type(model).__name__} of module {home}"
        )
    if not hasattr(model, "layers") or not hasattr(model, "name"):
        raise ArgumentError(
            "compile takes a kcompile.keras model or the path of a .keras file. "
            f"Received: {model if isinstance(model, type) else type(model).__name__}"
        )


@dataclass(frozen=True, slots=True)
class PortSpec:
    """An input or output of a compiled model; None in `shape` is a size that may vary."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    @classmethod
    def of(cls, parameter: Parameter) -> PortSpec:
        shape = tuple(d if isinstance(d, int) else None for d in parameter.shape)
        return cls(parameter.name, shape, str(parameter.dtype))


class CompiledModel:
    """A model as native code. Call it on arrays: one, a list of them, or a dict by input name.

    Any number of threads may call it at the same time. Attributes: name, inputs and outputs (lists of PortSpec).
    """

    def __init__(self, traced: Any, name: str, options: Options, structure: Any = None):
        self.name = name
        self._keys = sorted(structure) if isinstance(structure, dict) else None
        self.options = options
        self._traced = traced
        self._weights = [np.array(a.variable._array) for a in traced.arguments if a.role == "weight"]
        self._function = CompiledFunction(traced, options, identifier(name))
        self._function.signature.model = name
        signature = self._function.signature
        self.inputs = [PortSpec.of(p) for p in signature.parameters]
        outputs = [Parameter.of(r.name, r.type, "output") for r in traced.results if r.variable is None]
        self.outputs = [PortSpec.of(p) for p in outputs]
        self._plain = len(self.inputs) == 1 and traced.outputs == 0  # one array in, one out
        self._batched = all(p.shape[:1] == (None,) for p in (*self.inputs, *self.outputs))
        self._native: NativeFunction | None = None
        self._one: Callable[[Any], Any] = _unknown
        if options.engine == "native" and self.target_runs_here:
            self._native = self._function.prepare()
            if self._plain:
                self._one = self._native.call.one

    @property
    def target_runs_here(self) -> bool:
        """Whether this machine can run the code."""
        from kcompile.codegen.target import Target

        return Target.get(self.options.target).runs_here()

    def __call__(self, inputs: Any) -> Any:
        """The outputs for one batch, in the structure that the model returns.

        Raises ShapeError for inputs that do not fit, naming the input.
        """
        result = self._one(inputs)
        if result is not None:
            return result
        return self._traced.unflatten(self._function(*self._arrays(inputs)))

    def _arrays(self, inputs: Any) -> list[Any]:
        if isinstance(inputs, dict) and self._keys is not None and sorted(inputs) == self._keys:
            return [inputs[key] for key in self._keys]
        return arrays_of(inputs, [p.name for p in self.inputs])

    def predict(self, x: Any, batch_size: int | None = None) -> Any:
        """The outputs for any number of rows, computed `batch_size` rows at a time (256 unless said).

        A row's result does not depend on the batch that it is in.
        """
        rows = PREDICT_ROWS if batch_size is None else batch_size
        if rows < 1:
            raise ArgumentError(f"batch_size must be at least 1. Received: {batch_size}")
        if type(x) is np.ndarray and x.ndim and len(x) <= rows:
            result = self._one(x)
            if result is not None:
                return result
        arrays = self._function.signature.arrays(self._arrays(x))
        if not self._batched or not arrays or any(a.ndim == 0 for a in arrays) or len(arrays[0]) <= rows:
            return self._traced.unflatten(self._function(*arrays))
        self._function.signature.sizes([a.shape for a in arrays])
        results = None if self._native is None else self._native.in_batches(arrays, rows)
        if results is not None:
            return self._traced.unflatten(results)
        parts = [self._function(*(a[i : i + rows] for a in arrays)) for i in range(0, len(arrays[0]), rows)]
        return self._traced.unflatten([np.concatenate(column) for column in zip(*parts, strict=True)])

    def ir(self, stage: str = "graph") -> str:
        """The text of the module at a stage: graph, kernel, linalg, loops, plan, llvm or asm."""
        return self._function.compiled.text(stage)

    def kernels(self, batch: int = 1, measure: bool = False) -> list[KernelLine]:
        """The kernels with their work, memory traffic and strategy, in order; `measure` times each on one thread.

        Example: `max(fast.kernels(32, measure=True), key=lambda k: k.seconds).layers`.
        """
        from kcompile.kernel_report import kernel_report

        module = self._function.compiled
        return kernel_report(module, dict.fromkeys(module.symbols, batch), measure)

    def not_fused(self) -> list[Apart]:
        """Every value that goes through memory from one kernel to the next, and why they are two."""
        from kcompile.kernel_report import fusion_report

        return fusion_report(self._function.compiled)

    def save(
        self, path: str | os.PathLike[str], *, targets: Sequence[str] | None = None, name: str | None = None
    ) -> Path:
        """Write an artifact: a directory with objects, header, shared libraries, loader and self-test.

        targets: CPUs that it shall run on; those of one architecture share an object, which chooses at load. None means
        x86-64, x86-64-v3 and x86-64-v4, or aarch64 on such a machine. name: for the C symbols; default the model's.

        Raises ArtifactError when the path exists and is no artifact. Example: `fast.save("digits.kc")`.
        """
        from kcompile.artifact.writing import write_artifact

        changed = sorted({r.name for r in self._traced.results if r.variable is not None})
        if changed:
            raise UnsupportedError(
                "an artifact keeps no state between calls, but this model updates variables when it is called. "
                f"Received: {', '.join(changed)}",
                f"model '{self.name}'",
            )
        return write_artifact(self, Path(path), targets, identifier(name or self.name))

    def compiled_for(self, targets: Sequence[Target], name: str) -> CompiledModule:
        """The module for other targets, with room for the weights inside the object."""
        options = self.options.replace(freeze=True)
        metadata = {"name": self.name, "options": options.code_key()}
        return compile_module(self._traced.module, name, targets, options, embed_weights=True, metadata=metadata)

    @property
    def weights(self) -> list[Array]:
        """Copies of the weights at the time of compilation, in the order of the traced arguments."""
        return self._weights

    @property
    def traced(self) -> Any:
        """The traced function behind this model."""
        return self._traced


def _unknown(inputs: Any) -> None:
    """What there is instead of a way straight into native code."""


def arrays_of(inputs: Any, names: Sequence[str]) -> list[Any]:
    """The arrays of a call in the order of the inputs.

    Raises ShapeError for a dict that lacks an input.
    """
    if isinstance(inputs, dict):
        missing = [n for n in names if n not in inputs]
        if missing:
            raise ShapeError(f"the inputs lack {missing}. Received: a dict with {sorted(inputs)}")
        return [inputs[n] for n in names]
    if isinstance(inputs, list | tuple) and (len(names) != 1 or (len(inputs) == 1 and hasattr(inputs[0], "shape"))):
        return list(inputs)
    return [inputs]
