"""Kernels one by one, for tests and tuning: compile the functions of a loops-level module, call them on arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kcompile.codegen.jit import load_object
from kcompile.codegen.llvm import is_kernel, print_llvm
from kcompile.codegen.object import compile_object
from kcompile.codegen.target import Target
from kcompile.codegen.text import element_bytes, symbol_name
from kcompile.errors import IRError
from kcompile.ir import types as t
from kcompile.ir.core import Operation, find_function, module_functions
from kcompile.ir.interpreter import undefined
from kcompile.ir.types import MemRefType

Array = np.ndarray[Any, Any]
Kernel = Callable[..., None]  # has `scratch`, the buffers that the kernel wants for each worker


def compile_kernels(module: Operation, target: Target | None = None) -> dict[str, Kernel]:
    """The kernels of a module, by name, as functions of (arrays, *indices); arrays are written in place.

    Scratch memory may be given as the last arrays; else it is made for the call.

    >>> compile_kernels(module)["relu"]([x, y], 4, 0, 1)        # symbols, then tid, team       # doctest: +SKIP
    """
    target = target or Target.host()
    loaded = load_object(compile_object(print_llvm(module, target), target))
    return {
        function["sym_name"]: _callable(function, loaded.address(symbol_name(function["sym_name"])), loaded)
        for function in module_functions(module)
        if is_kernel(function)
    }


def _callable(function: Operation, address: int, keep: Any) -> Kernel:
    types = [a.type for a in function.body.arguments]
    memrefs = [x for x in types if isinstance(x, MemRefType)]
    native = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p if isinstance(x, MemRefType) else ctypes.c_int64 for x in types])(
        address
    )
    name = function["sym_name"]
    scratch = memrefs[len(memrefs) - function.get("kernel.scratch", 0) :]

    def call(arrays: Sequence[Array], *indices: int) -> None:
        if len(arrays) == len(memrefs) - len(scratch):
            arrays = [*arrays, *map(undefined, scratch)]
        if len(arrays) != len(memrefs) or len(indices) != len(types) - len(memrefs):
            raise IRError(
                f"@{name} takes {len(memrefs)} arrays and {len(types) - len(memrefs)} indices. "
                f"Received: {len(arrays)} and {len(indices)}"
            )
        for array, type in zip(arrays, memrefs, strict=True):
            fits = array.flags.c_contiguous and array.itemsize == element_bytes(type.element)
            if not fits or len(array.shape) != len(type.shape):
                raise IRError(f"@{name} takes a dense {type}. Received: {array.dtype}{list(array.shape)}")
        native(*[a.ctypes.data for a in arrays], *indices)

    call.__name__ = name
    call.loaded = keep  # type: ignore[attr-defined]
    call.scratch = scratch  # type: ignore[attr-defined]
    return call


def run_kernel(
    module: Operation,
    name: str,
    arrays: Sequence[Array],
    sizes: Mapping[str, int] | None = None,
    tid: int = 0,
    team: int = 1,
    target: Target | None = None,
) -> None:
    """Compile `@name` of a module (or of the module around a function) and run it once, as worker `tid` of `team`.

    `arrays` are the inputs, then the outputs (written in place); `sizes` are those of its symbols.
    """
    while module.parent_op is not None:
        module = module.parent_op
    function = find_function(module, name)
    symbols = [(sizes or {})[s] for s in function.get("kernel.symbols", ())]
    extra = [a for a in function.body.arguments if a.type is t.index][len(symbols) :]
    kernel = compile_kernels(module, target)[name]
    kernel(arrays, *symbols, *(tid, team)[: len(extra)])
