"""NativeFunction: a compiled module bound to this process: arrays in, one native call, arrays out.

The call itself is made by the extension module `_kc_call` (runtime/kc_call.c), or without a C compiler by
PortableCall. Both take arrays that kernels read as they are; what else a caller gives is checked and converted here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kcompile.errors import KcompileError, UnsupportedError
from kcompile.ir import types as t
from kcompile.ir.dims import evaluate, symbol
from kcompile.runtime import abi
from kcompile.runtime.binding import Array, Parameter, Signature
from kcompile.runtime.host import environment
from kcompile.runtime.memory import Memory, address_of
from kcompile.runtime.native import call_type
from kcompile.runtime.portable_call import PortableCall

if TYPE_CHECKING:
    from kcompile.pipeline import CompiledModule

# Other Python threads may run during a call from here on: the estimate at which a model asks for a team.
RELEASE_PICOSECONDS = 15_000_000
# How long one call goes on over many batches: Ctrl-C is heard between two calls, and a progress bar is redrawn.
CHUNK_SECONDS = 0.05
TRIES = 8  # another thread may make room for its own shapes between learning and calling


class NativeFunction:
    """A compiled module bound to this process.

    signature   of the arguments that the caller gives
    variables   one per argument of the traced function: the variable that holds it, or None for a caller's array
    results     one per result: the variable that it updates in place, or None for an output
    frozen      the block of prepared weights, when the weights are inside the compiled module

    `call` is the way in for arrays that need no check: call(*arrays), call.one(array), call.steps(..); they answer None
    where the arrays are of other dtypes, strides or yet unknown shapes.
    Raises ShapeError for arrays that do not fit, KcompileError for a status of the model.
    """

    def __init__(
        self,
        compiled: CompiledModule,
        signature: Signature,
        variables: Sequence[Any],
        results: Sequence[Any],
        frozen: Memory | None = None,
    ):
        from kcompile.codegen.interface import Interface
        from kcompile.codegen.jit import load_object

        if not any(target.runs_here() for target in compiled.targets):
            names = ", ".join(target.name for target in compiled.targets)
            raise UnsupportedError(
                f"this machine cannot run code for {names}. Compile for the target 'host', or save an artifact and run "
                "it where it belongs",
                f"model '{signature.model}'",
            )
        self.compiled = compiled
        self.signature = signature
        record = compiled.record
        interface = Interface.of(record.main)
        for port in (*interface.inputs, *interface.outputs):
            if port.type.element is t.bf16:
                raise UnsupportedError(
                    f"'{port.name}' is bfloat16, which NumPy arrays cannot hold. Give the model float32 inputs, "
                    "variables and outputs (a last layer with dtype='float32'); bfloat16 inside is fine",
                    f"model '{signature.model}'",
                )
        symbol = f"kc_{compiled.name}_query"
        self._loaded = load_object(record.object, (symbol,))
        env = environment(compiled.options.threads or None)
        model = abi.query(self._loaded.address(symbol), env)
        if model.weights_bytes and (frozen is None or frozen.nbytes != model.weights_bytes):
            raise KcompileError(
                f"the model needs {model.weights_bytes} bytes of weights. Received: {frozen and frozen.nbytes}"
            )
        self._bound = model.bind(env, frozen if model.weights_bytes else None)
        if frozen is not None:
            variables = [v for v, a in zip(variables, _roles(compiled), strict=True) if a != "weight"]
        self._interface = interface
        self._outputs = [
            Parameter.of(p.name, p.type, "output") for p, r in zip(interface.outputs, results, strict=True) if r is None
        ]
        self.call = self._make_call(variables, results)

    def _make_call(self, variables: Sequence[Any], results: Sequence[Any]) -> Any:
        # A variable's array stays where it is for as long as the variable lives, so its address is taken once.
        given = iter(p.dtype for p in self.signature.parameters)
        made = iter(p.dtype for p in self._outputs)
        inputs = tuple([next(given) if v is None else address_of(v._array) for v in variables])
        outputs = tuple([next(made) if v is None else address_of(v._array) for v in results])
        alone = any(v is not None for v in results)
        native = call_type()
        if native is None:
            self._variables = [v for v in (*variables, *results) if v is not None]
            return PortableCall(self._bound, inputs, outputs, alone)
        keep = (self._loaded, self._bound, [v for v in (*variables, *results) if v is not None])
        model, context = self._bound.model, self._bound.context
        refused = partial(abi.refuse, model.name, model.size_names)
        return native(model.struct.run, context.address, inputs, outputs, alone, refused, keep)

    def __call__(self, inputs: Sequence[Any]) -> list[Array]:
        results: list[Array] | None = self.call(*inputs)
        return results if results is not None else self._after_checks(inputs)

    def _after_checks(self, inputs: Sequence[Any]) -> list[Array]:
        arrays = self.signature.arrays(inputs)
        for _ in range(TRIES):
            self.learn([x.shape for x in arrays])
            results: list[Array] | None = self.call(*arrays)
            if results is not None:
                return results
        raise KcompileError("the arrays of this call were refused after they had been checked: a fault of kcompile")

    def learn(self, shapes: Sequence[tuple[int, ...]]) -> dict[str, int]:
        """Let `call` know what it needs for arrays of these shapes, after checking them; gives their sizes."""
        found = self.signature.sizes(shapes)
        model, interface = self._bound.model, self._interface
        sizes = {name: found.get(name, 1) for name in model.size_names}
        ordered = model.sizes_in_order(sizes)
        self.call.learn(
            tuple([tuple(shape) for shape in shapes]),
            ordered,
            tuple([evaluate(p.bytes, sizes) for p in interface.inputs]),
            tuple([evaluate(p.bytes, sizes) for p in interface.outputs]),
            tuple([p.extents(sizes) for p in self._outputs]),
            model.arena_bytes(ordered, self._bound.environment.threads),
            evaluate(interface.work, sizes) >= RELEASE_PICOSECONDS,
        )
        return sizes

    def in_batches(
        self, arrays: Sequence[Array], rows: int, heard: Callable[[int], Any] | None = None
    ) -> list[Array] | None:
        """The results for all rows of arrays, `rows` at a time; None where the arrays are not such that kernels can
        read them as they are, and where a result has no row for each row.

        heard: called now and then with the number of batches done.
        """
        if any(p.shape[:1] != (symbol("b"),) for p in (*self.signature.parameters, *self._outputs)):
            return None
        sizes = self.learn([(rows, *x.shape[1:]) for x in arrays])
        total = len(arrays[0])
        into = [np.empty(p.extents({**sizes, "b": total}), p.dtype) for p in self._outputs]
        whole, rest = divmod(total, rows)
        at = 0
        while at < whole + bool(rest):
            each, count = (rows, whole - at) if at < whole else (rest, 1)
            done = self.steps(arrays, None, at * rows, each, count, CHUNK_SECONDS, into)
            if done is None:
                return None
            at += done
            if heard is not None:
                heard(at)
        return into

    def steps(
        self,
        arrays: Sequence[Array],
        order: Array | None,
        first: int,
        rows: int,
        count: int,
        seconds: float = 0.0,
        into: Sequence[Array] = (),
    ) -> int | None:
        """Run `count` batches one after the other in one native call: rows first .. of the arrays, or of their rows in
        `order`. Results go to the same rows of `into`. Ends after about `seconds` (0: no limit).

        Gives the number of batches done; None where the arrays are not such that kernels can read them as they are.
        Raises ShapeError for shapes that do not fit, IndexError for a row number out of range.
        """
        given, made = tuple(arrays), tuple(into)
        done: int | None = self.call.steps(given, order, first, rows, count, seconds, made)
        if done is None:
            self.learn([(rows, *x.shape[1:]) for x in arrays])
            done = self.call.steps(given, order, first, rows, count, seconds, made)
        return done


def _roles(compiled: CompiledModule) -> list[str]:
    from kcompile.ir.core import find_function

    main = find_function(compiled.source, "main")
    return [a.get("kernel.role", "input") for a in main["arg_attrs"]]
