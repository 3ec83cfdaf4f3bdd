"""NativeFunction: arrays in, one native call, arrays out, with as little Python as possible in between.

A call looks up what it needs by the shapes of its arrays: pointer tables, byte counts and arena are made once for each
set of shapes and each thread that is inside at the same moment (a `Workspace`).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kcompile.errors import KcompileError, UnsupportedError
from kcompile.ir import types as t
from kcompile.runtime import abi
from kcompile.runtime.binding import Array, Parameter, Signature
from kcompile.runtime.host import environment
from kcompile.runtime.memory import Memory, address_of

if TYPE_CHECKING:
    from kcompile.pipeline import CompiledModule

PLAIN = 0x101  # NumPy's flags C_CONTIGUOUS and ALIGNED
MOST_SHAPES = 256  # what calls with more different shapes have learned is forgotten, not kept forever
Shapes = tuple[tuple[int, ...], ...]


class Workspace:
    """What one thread at a time works with: an arena, and a frame for every set of shapes seen."""

    __slots__ = ("arena", "frames")

    def __init__(self) -> None:
        self.arena = Memory(0)
        self.frames: dict[Shapes, abi.Frame] = {}

    def frame(self, shapes: Shapes, bound: abi.BoundModel, sizes: dict[str, int], counts: tuple[Any, Any]) -> abi.Frame:
        """The frame for these shapes; all frames of a workspace share its arena, which grows as needed."""
        model = bound.model
        need = model.arena_bytes(model.sizes_in_order(sizes), bound.environment.threads)
        if need > self.arena.nbytes:
            self.arena = Memory(need)
            self.frames = {}
        made = self.frames[shapes] = bound.frame(sizes, *counts, arena=self.arena)
        return made


class NativeFunction:
    """A compiled module bound to this process.

    signature   of the arguments that the caller gives
    variables   one per argument of the traced function: the variable that holds it, or None for a caller's array
    results     one per result: the variable that it updates in place, or None for an output
    frozen      the block of weights, when the weights are inside the compiled module

    Raises ShapeError for arrays that do not fit, KcompileError for a status of the model.
    """

    def __init__(
        self,
        compiled: CompiledModule,
        signature: Signature,
        variables: Sequence[Any],
        results: Sequence[Any],
        frozen: bytes | bytearray | None = None,
    ):
        from kcompile.codegen.interface import Interface
        from kcompile.codegen.jit import load_object
        from kcompile.ir.core import find_function

        if not any(target.runs_here() for target in compiled.targets):
            names = ", ".join(target.name for target in compiled.targets)
            raise UnsupportedError(
                f"this machine cannot run code for {names}. Compile for the target 'host', or save an artifact and run "
                "it where it belongs",
                f"model '{signature.model}'",
            )
        self.compiled = compiled
        self.signature = signature
        interface = Interface.of(find_function(compiled.module("plan"), "main"))
        for port in (*interface.inputs, *interface.outputs):
            if port.type.element is t.bf16:
                raise UnsupportedError(
                    f"'{port.name}' is bfloat16, which NumPy arrays cannot hold. Give the model float32 inputs, "
                    "variables and outputs (a last layer with dtype='float32'); bfloat16 inside is fine",
                    f"model '{signature.model}'",
                )
        symbol = f"kc_{compiled.name}_query"
        self._loaded = load_object(compiled.object, (symbol,))
        env = environment(compiled.options.threads or None)
        model = abi.query(self._loaded.address(symbol), env)
        weights = Memory(model.weights_bytes) if model.weights_bytes else None
        if weights is not None:
            if frozen is None or len(frozen) != model.weights_bytes:
                raise KcompileError(
                    f"the model needs {model.weights_bytes} bytes of weights. Received: {frozen and len(frozen)}"
                )
            weights.view()[:] = frozen
        self._bound = model.bind(env, weights)
        if frozen is not None:
            variables = [v for v, a in zip(variables, _roles(compiled), strict=True) if a != "weight"]
        # A variable's array stays where it is for as long as the variable lives, so its address is taken once.
        self._variables = [v for v in (*variables, *results) if v is not None]
        self._pointers = [0 if v is None else address_of(v._array) for v in variables]
        self._targets = [0 if v is None else address_of(v._array) for v in results]
        self._input_places = [i for i, v in enumerate(variables) if v is None]
        self._output_places = [i for i, v in enumerate(results) if v is None]
        self._outputs = [
            Parameter.of(p.name, p.type, "output") for p, r in zip(interface.outputs, results, strict=True) if r is None
        ]
        self._inputs = interface.inputs
        self._all_outputs = interface.outputs
        self._dtypes = [p.dtype for p in signature.parameters]
        self._known: dict[Shapes, tuple[dict[str, int], list[tuple[tuple[int, ...], Any]], tuple[Any, Any]]] = {}
        self._free: list[Workspace] = []
        # Variables are updated in place: two calls at once would mix their states.
        self._state_lock = threading.Lock() if any(r is not None for r in results) else None

    def __call__(self, inputs: Sequence[Any]) -> list[Array]:
        try:
            # What a kernel can read as it is: arrays of the right dtypes, contiguous and aligned.
            fits = [x.dtype for x in inputs] == self._dtypes and all([x.flags.num & PLAIN == PLAIN for x in inputs])
        except AttributeError:
            fits = False
        if not fits:
            inputs = self.signature.arrays(inputs)
        shapes = tuple([x.shape for x in inputs])
        if self._state_lock is None:
            return self._call(inputs, shapes)
        with self._state_lock:
            return self._call(inputs, shapes)

    def _call(self, inputs: Sequence[Array], shapes: Shapes) -> list[Array]:
        known = self._known.get(shapes)
        if known is None:
            known = self._learn(shapes)
        sizes, made, counts = known
        outputs = [np.empty(shape, dtype) for shape, dtype in made]
        try:
            workspace = self._free.pop()
        except IndexError:
            workspace = Workspace()
        frame = workspace.frames.get(shapes)
        if frame is None:
            frame = workspace.frame(shapes, self._bound, sizes, counts)
        if self._variables:
            pointers, targets = self._pointers.copy(), self._targets.copy()
            for i, x in zip(self._input_places, inputs, strict=True):
                pointers[i] = address_of(x)
            for i, y in zip(self._output_places, outputs, strict=True):
                targets[i] = address_of(y)
            frame.run(pointers, targets)
        else:
            frame.run([address_of(x) for x in inputs], [address_of(y) for y in outputs])
        self._free.append(workspace)
        return outputs

    def _learn(self, shapes: Shapes) -> Any:
        """What calls with these shapes need, after checking them."""
        sizes = self.signature.sizes(shapes)
        symbols = self._bound.model.size_names
        sizes = {name: sizes.get(name, 1) for name in symbols}
        made = [(p.extents(sizes), p.dtype) for p in self._outputs]
        counts = [_nbytes(p, sizes) for p in self._inputs], [_nbytes(p, sizes) for p in self._all_outputs]
        if len(self._known) >= MOST_SHAPES:
            self._known = {}
            self._free = []
        known = self._known[shapes] = (sizes, made, counts)
        return known


def _nbytes(port: Any, sizes: dict[str, int]) -> int:
    from kcompile.ir.dims import evaluate

    return evaluate(port.bytes, sizes)


def _roles(compiled: CompiledModule) -> list[str]:
    from kcompile.ir.core import find_function

    main = find_function(compiled.source, "main")
    return [a.get("kernel.role", "input") for a in main["arg_attrs"]]
