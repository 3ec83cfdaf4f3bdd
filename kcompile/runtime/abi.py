"""The binary interface of compiled models (`kc.h`) in Python: its structs, its status codes, and calling a model.

model = query(address_of_kc_digits_query, environment())
bound = model.bind(environment())
frame = bound.frame({"b": 32})                     # pointers and arena for calls of this size
frame.run([x.ctypes.data], [y.ctypes.data])        # x and y: C-contiguous arrays of the model's dtypes
"""

from __future__ import annotations

import ctypes
import json
import math
from collections.abc import Mapping, Sequence
from ctypes import c_char_p, c_int32, c_int64, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass
from typing import Any, Protocol

from kcompile.errors import ArtifactError, KcompileError, ShapeError
from kcompile.runtime.memory import Memory

ABI = 1
SYMBOLIC_UNKNOWN = -(1 << 63)  # an extent that only the model can compute


class KcEnv(ctypes.Structure):
    """`kc_env`."""

    _fields_ = (
        ("size", c_uint32),
        ("flags", c_uint32),
        ("cpu", c_uint64 * 8),
        ("max_workers", c_int32),
        ("reserved", c_int32),
        ("run_on_workers", c_void_p),
        ("park", c_void_p),
        ("wake", c_void_p),
        ("pool", c_void_p),
    )


class KcTensor(ctypes.Structure):
    """`kc_tensor`."""

    _fields_ = (
        ("name", c_char_p),
        ("dtype_code", c_uint8),
        ("dtype_bits", c_uint8),
        ("ndim", c_uint16),
        ("reserved", c_uint32),
        ("shape", ctypes.POINTER(c_int64)),
        ("row_bytes", c_int64),
    )


class KcModel(ctypes.Structure):
    """`kc_model`."""

    _fields_ = (
        ("abi", c_uint32),
        ("size", c_uint32),
        ("name", c_char_p),
        ("metadata_json", c_char_p),
        ("uid_hex", c_char_p),
        ("n_in", c_uint32),
        ("n_out", c_uint32),
        ("inputs", ctypes.POINTER(KcTensor)),
        ("outputs", ctypes.POINTER(KcTensor)),
        ("n_sizes", c_uint32),
        ("reserved", c_uint32),
        ("size_names", ctypes.POINTER(c_char_p)),
        ("max_batch", c_int64),
        ("weights_bytes", c_int64),
        ("arena_bytes", c_void_p),
        ("bind", c_void_p),
        ("run", c_void_p),
        ("ctx_bytes", c_int64),
    )


_QUERY = ctypes.CFUNCTYPE(c_void_p, c_uint32, c_void_p)
_ARENA_BYTES = ctypes.CFUNCTYPE(c_int32, c_void_p, c_int32, c_void_p)
_BIND = ctypes.CFUNCTYPE(c_int32, c_void_p, c_int64, c_void_p, c_void_p, c_int64)
_RUN = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_int64)

OK, EABI, ECPU, EARG, ESHAPE, EARENA, EALIGN, EWEIGHTS, EINDEX, EOVERFLOW = range(10)

# name, what it says, the error class
STATUS: dict[int, tuple[str, str, type[KcompileError]]] = {
    EABI: ("KC_EABI", "the object and this program have no interface version in common", ArtifactError),
    ECPU: ("KC_ECPU", "the object has no code for this CPU; build it again with a lower CPU level", ArtifactError),
    EARG: ("KC_EARG", "a pointer is null, or an output overlaps another buffer", KcompileError),
    ESHAPE: (
        "KC_ESHAPE",
        "a size is negative or too large, or a buffer has not the bytes that the sizes ask for",
        ShapeError,
    ),
    EARENA: ("KC_EARENA", "the arena or the context is too small", KcompileError),
    EALIGN: ("KC_EALIGN", "a pointer is not aligned", KcompileError),
    EWEIGHTS: ("KC_EWEIGHTS", "the separate weights are missing or not of the right size", ArtifactError),
    EINDEX: ("KC_EINDEX", "an index in the input is out of range", KcompileError),
    EOVERFLOW: ("KC_EOVERFLOW", "a size computed from the input sizes does not fit in 64 bits", ShapeError),
}

_DTYPES = {
    **{(0, bits): f"int{bits}" for bits in (8, 16, 32, 64)},
    **{(1, bits): f"uint{bits}" for bits in (8, 16, 32, 64)},
    **{(2, bits): f"float{bits}" for bits in (16, 32, 64)},
    (4, 16): "bfloat16",
    **{(5, bits): f"complex{bits}" for bits in (64, 128)},
    (6, 8): "bool",
}


def check(status: int, where: str) -> None:
    """Raises the error that a non-zero `kc_status` stands for."""
    if status == OK:
        return
    name, text, kind = STATUS.get(status, (f"status {status}", "the model returned an unknown status", KcompileError))
    raise kind(f"The compiled model refused the call: {text}. Received: {name}.", where=where)


def refuse(model: str, size_names: Sequence[str], status: int, sizes: Sequence[int]) -> None:
    """Raises the error of a status other than OK that a call of `model` at these sizes has answered."""
    check(status, f"model '{model}' at {dict(zip(size_names, sizes, strict=True))}")


class HasAddress(Protocol):
    """What a model is bound with: `kcompile.runtime.host.Environment`, or anything with the address of a kc_env."""

    @property
    def address(self) -> int: ...
    @property
    def threads(self) -> int: ...


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or output. An extent is a number, the name of a size, or None where only the model can compute it."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...]
    row_bytes: int
    item_bits: int

    def extents(self, sizes: Mapping[str, int]) -> tuple[int, ...] | None:
        """The shape at these sizes; None when an extent is not known outside the model."""
        extents = []
        for extent in self.shape:
            if extent is None:
                return None
            extents.append(sizes[extent] if isinstance(extent, str) else extent)
        return tuple(extents)

    def nbytes(self, sizes: Mapping[str, int]) -> int:
        """Bytes of the whole tensor at these sizes. Raises ShapeError when only the model can tell."""
        extents = self.extents(sizes)
        if extents is None:
            raise ShapeError(f"The shape of '{self.name}' follows from the sizes in a way that only the model knows.")
        return math.prod(extents) * self.item_bits // 8


def query(address: int, environment: HasAddress | None = None) -> Model:
    """The model behind the address of its `kc_<name>_query` function. The object must stay loaded.

    Raises ArtifactError when the object speaks no version of the interface that this program knows.
    """
    found = _QUERY(address)(ABI, environment.address if environment else None)
    if not found:
        raise ArtifactError(
            f"The object has no interface version up to {ABI}, or no code for this CPU. Received: a query that "
            "answered NULL. Build it again with this version of kcompile."
        )
    struct = KcModel.from_address(found)
    if struct.abi != ABI or struct.size < ctypes.sizeof(KcModel):
        raise ArtifactError(
            f"This program knows version {ABI} of the interface, with {ctypes.sizeof(KcModel)} bytes of description. "
            f"Received: version {struct.abi}, {struct.size} bytes."
        )
    return Model(struct)


class Model:
    """A compiled model, not yet bound. Attributes: name, uid, size_names, inputs, outputs (tuples of TensorSpec),
    max_batch (0 = no limit), weights_bytes (0 = inside), ctx_bytes."""

    def __init__(self, struct: KcModel):
        self.struct = struct
        self.name: str = struct.name.decode()
        self.uid: str = (struct.uid_hex or b"").decode()
        self.size_names: tuple[str, ...] = tuple(struct.size_names[i].decode() for i in range(struct.n_sizes))
        self.inputs = tuple(self._spec(struct.inputs[i]) for i in range(struct.n_in))
        self.outputs = tuple(self._spec(struct.outputs[i]) for i in range(struct.n_out))
        self.max_batch: int = struct.max_batch
        self.weights_bytes: int = struct.weights_bytes
        self.ctx_bytes: int = struct.ctx_bytes
        self.run_function = _RUN(struct.run)
        self._arena_bytes = _ARENA_BYTES(struct.arena_bytes)
        self._bind = _BIND(struct.bind)

    def _spec(self, tensor: KcTensor) -> TensorSpec:
        shape: list[int | str | None] = []
        for axis in range(tensor.ndim):
            extent = tensor.shape[axis]
            if extent == SYMBOLIC_UNKNOWN:
                shape.append(None)
            else:
                shape.append(extent if extent >= 0 else self.size_names[-1 - extent])
        key = (tensor.dtype_code, tensor.dtype_bits)
        dtype = _DTYPES.get(key)
        if dtype is None:
            raise ArtifactError(f"A tensor of model '{self.name}' has an unknown dtype. Received: code, bits = {key}.")
        return TensorSpec(tensor.name.decode(), dtype, tuple(shape), tensor.row_bytes, tensor.dtype_bits)

    @property
    def metadata(self) -> dict[str, Any]:
        """What the compiler wrote about the model."""
        loaded = json.loads(self.struct.metadata_json or b"{}")
        return loaded if isinstance(loaded, dict) else {}

    def sizes_in_order(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The values in the order of `size_names`. Raises ShapeError when one is missing or unknown."""
        if set(sizes) != set(self.size_names):
            raise ShapeError(
                f"Model '{self.name}' has the sizes {', '.join(self.size_names) or '(none)'}. Received: {dict(sizes)}."
            )
        return tuple(sizes[name] for name in self.size_names)

    def arena_bytes(self, sizes: Sequence[int], workers: int) -> int:
        """Bytes that `run` needs at these sizes (in the order of size_names) on up to `workers` workers."""
        values = (c_int64 * len(sizes))(*sizes)
        out = c_int64()
        check(self._arena_bytes(ctypes.addressof(values), workers, ctypes.addressof(out)), f"model '{self.name}'")
        return out.value

    def bind(self, environment: HasAddress, weights: Memory | None = None) -> BoundModel:
        """Prepares the model (packs its weights) for this environment. weights: only when `weights_bytes` is not 0."""
        context = Memory(self.ctx_bytes)
        address, nbytes = (weights.address, weights.nbytes) if weights is not None else (None, 0)
        status = self._bind(context.address, self.ctx_bytes, environment.address, address, nbytes)
        check(status, f"model '{self.name}' (bind)")
        return BoundModel(self, environment, context, weights)


class BoundModel:
    """A model with its context, ready to run from any number of threads, each with frames of its own."""

    def __init__(self, model: Model, environment: HasAddress, context: Memory, weights: Memory | None):
        self.model = model
        self.environment = environment
        self.context = context
        self.weights = weights  # kept alive: the context points into it

    def frame(
        self,
        sizes: Mapping[str, int],
        in_bytes: Sequence[int] | None = None,
        out_bytes: Sequence[int] | None = None,
        arena: Memory | None = None,
    ) -> Frame:
        """What calls at these sizes need. in_bytes, out_bytes: byte counts, where they do not follow from the specs;
        arena: memory to use instead of new (shared by frames that never run at the same time)."""
        return Frame(self, sizes, in_bytes, out_bytes, arena)


class Frame:
    """Pointers, byte counts and arena for calls at fixed sizes; for one thread at a time.

    Raises ShapeError for sizes that the model refuses.
    """

    __slots__ = ("_arguments", "_function", "_in", "_keep", "_out", "arena", "bound", "sizes")

    def __init__(
        self,
        bound: BoundModel,
        sizes: Mapping[str, int],
        in_bytes: Sequence[int] | None = None,
        out_bytes: Sequence[int] | None = None,
        arena: Memory | None = None,
    ):
        model = bound.model
        ordered = model.sizes_in_order(sizes)
        self.bound = bound
        self.sizes = dict(sizes)
        # First, because the model refuses sizes that it cannot have, with its own status.
        need = model.arena_bytes(ordered, bound.environment.threads)
        self.arena = arena if arena is not None else Memory(need)
        if self.arena.nbytes < need:
            check(EARENA, f"model '{model.name}' at {self.sizes}")
        counts_in = in_bytes if in_bytes is not None else [spec.nbytes(sizes) for spec in model.inputs]
        counts_out = out_bytes if out_bytes is not None else [spec.nbytes(sizes) for spec in model.outputs]
        # A pointer is 64 bits here, and c_int64 items are set faster than c_void_p ones.
        self._in = (c_int64 * len(model.inputs))()
        self._out = (c_int64 * len(model.outputs))()
        size_values = (c_int64 * len(ordered))(*ordered)
        in_counts = (c_int64 * len(counts_in))(*counts_in)
        out_counts = (c_int64 * len(counts_out))(*counts_out)
        self._keep = (size_values, in_counts, out_counts)
        self._function = model.run_function
        self._arguments = (
            bound.context.address,
            ctypes.addressof(size_values),
            ctypes.addressof(self._in),
            ctypes.addressof(in_counts),
            ctypes.addressof(self._out),
            ctypes.addressof(out_counts),
            self.arena.address,
            self.arena.nbytes,
        )

    def run(self, inputs: list[int], outputs: list[int]) -> None:
        """Runs the model on buffers at these addresses (lists: a ctypes array copies those fastest). Raises the error
        of the model's status."""
        self._in[:] = inputs  # type: ignore[assignment]
        self._out[:] = outputs  # type: ignore[assignment]
        status = self._function(*self._arguments)
        if status:
            check(status, f"model '{self.bound.model.name}' at {self.sizes}")
