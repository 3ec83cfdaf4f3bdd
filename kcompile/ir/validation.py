"""Translation validation: two modules, before and after a pass, compared by running both on the same random inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kcompile.ir import types as t
from kcompile.ir.core import Operation, find_function, module_functions
from kcompile.ir.dims import SymbolicDim, symbols_of
from kcompile.ir.interpreter import Interpreter
from kcompile.ir.types import MemRefType, TensorType, Type

TEAM = 3  # workers of a loops-level kernel, so that its partition is tried too
SIZES = (3, 5, 2, 7, 4, 6)  # small and unlike, so that two swapped symbols show

Array = np.ndarray[Any, Any]


def compare_modules(before: Operation, after: Operation, *, exact: bool = False, seed: int = 0) -> str | None:
    """How the results of `after` differ from those of `before` on random inputs; None where they agree.

    Compared is @main, or without one every function on tensors that both have. With `exact` the bits agree; without,
    floats may differ by 256 rounding errors of the largest value in the tensor.
    """
    for name in _entry_points(before):
        old = find_function(before, name)
        if not any(f.get("sym_name") == name for f in module_functions(after)):
            if name == "main":
                return "@main is gone"
            continue  # a private function may be inlined away
        sizes = symbol_sizes([a.type for a in old.body.arguments])
        rng = np.random.default_rng(seed)
        arrays = [random_array(a.type, sizes, rng) for a in old.body.arguments]
        expected = run_function(before, name, arrays, sizes)
        if not _same_interface(old, find_function(after, name)):
            if name == "main":
                return "the arguments of @main changed"
            continue
        received = run_function(after, name, arrays, sizes, old)
        difference = compare_arrays(expected, received, exact)
        if difference is not None:
            return f"@{name}: {difference}"
    return None


def compare_arrays(expected: Sequence[Array], received: Sequence[Array], exact: bool = False) -> str | None:
    """The first difference between two lists of arrays, in words."""
    if len(expected) != len(received):
        return f"{len(expected)} results became {len(received)}"
    for i, (old, new) in enumerate(zip(expected, received, strict=True)):
        if old.shape != new.shape or old.dtype != new.dtype:
            return f"result {i} was {old.dtype}{list(old.shape)}, it is {new.dtype}{list(new.shape)}"
        if old.size == 0:
            continue
        if exact or old.dtype.kind not in "fc":
            wrong = np.asarray(old != new) & ~(np.asarray(old != old) & np.asarray(new != new))
        else:
            finite = np.abs(old[np.isfinite(old)])
            scale = max(float(finite.max()) if finite.size else 0.0, 1.0)
            allowed = 256 * float(np.finfo(old.dtype).eps) * scale
            with np.errstate(invalid="ignore"):
                wrong = ~((np.abs(old - new) <= allowed) | (old == new) | (np.isnan(old) & np.isnan(new)))
        if wrong.any():
            at = tuple(int(n) for n in np.argwhere(wrong)[0])
            count = f"{int(wrong.sum())} of {wrong.size}"
            return f"result {i} differs in {count} elements, at {at}: {old[at]} became {new[at]}"
    return None


def run_function(
    module: Operation, name: str, arrays: Sequence[Array], sizes: dict[str, int], original: Operation | None = None
) -> list[Array]:
    """Run a function; weights that @prepare makes are computed first, from the `original` function's arguments."""
    function = find_function(module, name)
    attributes = function.get("arg_attrs", ())
    interpreter = Interpreter(module, sizes, TEAM)
    with np.errstate(all="ignore"):
        if original is not None and _is_prepared(function) and not _is_prepared(original):
            arrays = _prepared_arguments(interpreter, attributes, original, arrays)
        return [np.asarray(a) for a in interpreter.call(name, list(arrays))]


def _prepared_arguments(
    interpreter: Interpreter, attributes: Sequence[dict[str, Any]], original: Operation, arrays: Sequence[Array]
) -> list[Array]:
    """The arguments of a @main whose weights come from @prepare: prepared ones by number, others by their name."""
    named = {a["kernel.name"]: array for a, array in zip(original["arg_attrs"], arrays, strict=True)}
    prepare = find_function(interpreter.module, "prepare")
    prepared = interpreter.call("prepare", [named[a["kernel.name"]] for a in prepare["arg_attrs"]])
    return [prepared[a["kernel.prepared"]] if "kernel.prepared" in a else named[a["kernel.name"]] for a in attributes]


def random_array(type: Type, sizes: dict[str, int], rng: np.random.Generator) -> Any:
    """A random argument of `type`: floats around 0, small integers, either truth value."""
    element = t.element_of(type)
    if not isinstance(type, TensorType):
        return 2 if isinstance(type, t.IndexType) else random_array(TensorType((), element), sizes, rng)[()]
    shape = Interpreter(Operation("builtin.module"), sizes).dims(type.shape)
    dtype = t.to_numpy(element)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    if dtype.kind in "iu":
        return rng.integers(0, 4, shape).astype(dtype)
    values = rng.standard_normal(shape)
    if dtype.kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    from kcompile.ir.interpreter import round_bf16

    return round_bf16(values.astype(dtype)) if element is t.bf16 else values.astype(dtype)


def symbol_sizes(types: Sequence[Type]) -> dict[str, int]:
    """A small size for each symbol in `types`, in order of appearance."""
    names: dict[str, None] = {}
    for type in types:
        for dim in t.shape_of(type):
            if isinstance(dim, SymbolicDim):
                names.update(dict.fromkeys(sorted(symbols_of(dim))))
    return {name: SIZES[i % len(SIZES)] + len(SIZES) * (i // len(SIZES)) for i, name in enumerate(names)}


def _entry_points(module: Operation) -> list[str]:
    """@main, or every function that takes no memory."""
    functions = module_functions(module)
    names = [f.get("sym_name") for f in functions]
    if "main" in names:
        return [n for n in ("prepare", "main") if n in names]
    return [
        f["sym_name"]
        for f in functions
        if f.regions[0].blocks and not any(isinstance(a.type, MemRefType) for a in f.body.arguments)
    ]


def _is_prepared(main: Operation) -> bool:
    """Whether some arguments come from @prepare."""
    return any("kernel.prepared" in a for a in main.get("arg_attrs", ()))


def _same_interface(old: Operation, new: Operation) -> bool:
    if _is_prepared(new) and not _is_prepared(old):
        return True
    return [a.type for a in old.body.arguments] == [a.type for a in new.body.arguments]
