"""CompiledFunction: a traced function as something to call on arrays.

run = CompiledFunction(traced)              # compiles at the first call
outputs = run(x, y)                         # reads weights and state from their variables, updates state in place
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from kcompile.options import Options
from kcompile.runtime.binding import Array, Parameter, Signature
from kcompile.runtime.memory import Memory

if TYPE_CHECKING:
    from kcompile.pipeline import CompiledModule
    from kcompile.runtime.call import NativeFunction
    from kcompile.tracing import TracedFunction


class CompiledFunction:
    """Call it with one array per input argument; gives the results that are not state, as new arrays.

    Weights and state are read straight from `variable._array` at every call, and state is written back in place: with
    the native engine by the kernels themselves. Any number of threads may call at once where there is no state.

    Raises ShapeError for inputs that do not fit. Example: `loss, = CompiledFunction(train_step)(x, y)`.
    """

    def __init__(self, traced: TracedFunction, options: Options | None = None, name: str = "main"):
        self.traced = traced
        self.options = options if options is not None else Options.of()
        self.name = name
        self.signature = Signature(
            name, [Parameter.of(a.name, a.type, "input") for a in traced.arguments if a.variable is None]
        )
        self.outputs = [i for i, result in enumerate(traced.results) if result.variable is None]
        self._native: NativeFunction | None = None
        self._lock = threading.Lock()

    def __call__(self, *inputs: Any) -> list[Array]:
        native = self._native
        if native is not None:
            return native(inputs)
        if self.options.engine == "interpreter":
            return self._interpret(self.signature.arrays(inputs))
        return self.prepare()(inputs)

    def prepare(self) -> NativeFunction:
        """Compile now, not at the first call."""
        with self._lock:
            if self._native is None:
                self._native = self._compile()
            return self._native

    @property
    def native_call(self) -> Any:
        """`NativeFunction.call`; None before anything is compiled, and where nothing is native."""
        return None if self._native is None else self._native.call

    @property
    def compiled(self) -> CompiledModule:
        """The compiled module, with the text of every stage. Compiles if that has not happened yet."""
        from kcompile.pipeline import compile_module

        if self._native is not None:
            return self._native.compiled
        return compile_module(self.traced.module, self.name, options=self.options)

    def _compile(self) -> NativeFunction:
        from kcompile.pipeline import compile_module
        from kcompile.runtime.call import NativeFunction
        from kcompile.runtime.host import thread_count

        compiled = compile_module(self.traced.module, self.name, options=self.options)
        variables = [a.variable for a in self.traced.arguments]
        results = [r.variable for r in self.traced.results]
        frozen = None
        if self.options.freeze:
            weights = [a.variable._array for a in self.traced.arguments if a.role == "weight"]
            frozen = Memory(compiled.record.weights_bytes)
            compiled.record.prepare(weights, frozen.view(), self.options.threads or thread_count())
        return NativeFunction(compiled, self.signature, variables, results, frozen)

    def _interpret(self, inputs: list[Array]) -> list[Array]:
        from kcompile.ir.interpreter import interpret

        self.signature.sizes([x.shape for x in inputs])
        given = iter(inputs)
        arguments = [next(given) if a.variable is None else a.variable._array for a in self.traced.arguments]
        results = interpret(self.traced.module, "main", arguments)
        outputs = []
        # All results exist before any variable changes: an error in the middle leaves the state whole.
        for result, spec in zip(results, self.traced.results, strict=True):
            if spec.variable is None:
                outputs.append(np.asarray(result))
        for result, spec in zip(results, self.traced.results, strict=True):
            if spec.variable is not None:
                spec.variable._array[...] = result
        return outputs
