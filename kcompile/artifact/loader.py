"""Loads a compiled model from the directory that this file lies in, with the standard library and NumPy alone.

    from loader import Artifact
    model = Artifact("digits.kc")
    scores, = model.run([images])

    python digits.kc/loader.py          # checks the files and runs the self-test

The code of an artifact is native code: load only what you trust. The manifest's hashes protect against damage.
"""

import ctypes
import hashlib
import json
import math
import os
import platform
import re
import threading
from pathlib import Path

import numpy as np

FORMAT = 1
ABI = 1
_VERIFIED: set = set()  # manifests whose files this process has checked
_STATUS = {
    1: "the object and this loader have no interface version in common",
    2: "the object has no code for this CPU",
    3: "a null pointer, or buffers that overlap",
    4: "a size or a byte count that does not fit",
    5: "the arena is too small",
    6: "a pointer is not aligned",
    7: "the weights are missing",
    8: "an index in the input is out of range",
    9: "a size is too large",
}
_V2 = "cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3"
_V3 = "avx avx2 bmi1 bmi2 f16c fma abm movbe"
_V4 = "avx512f avx512bw avx512cd avx512dq avx512vl"


class ArtifactError(RuntimeError):
    """The artifact is damaged, incomplete, or not for this machine."""


class InputError(ValueError):
    """Inputs that do not fit the model."""


class _Env(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("cpu", ctypes.c_uint64 * 8),
        ("max_workers", ctypes.c_int32), ("reserved", ctypes.c_int32), ("run_on_workers", ctypes.c_void_p),
        ("park", ctypes.c_void_p), ("wake", ctypes.c_void_p), ("pool", ctypes.c_void_p),
    ]  # fmt: skip


class _Model(ctypes.Structure):
    _fields_ = [
        ("abi", ctypes.c_uint32), ("size", ctypes.c_uint32), ("name", ctypes.c_char_p), ("metadata", ctypes.c_char_p),
        ("uid", ctypes.c_char_p), ("n_in", ctypes.c_uint32), ("n_out", ctypes.c_uint32), ("inputs", ctypes.c_void_p),
        ("outputs", ctypes.c_void_p), ("n_sizes", ctypes.c_uint32), ("reserved", ctypes.c_uint32),
        ("size_names", ctypes.c_void_p), ("max_batch", ctypes.c_int64), ("weights_bytes", ctypes.c_int64),
        ("arena_bytes", ctypes.c_void_p), ("bind", ctypes.c_void_p), ("run", ctypes.c_void_p),
        ("ctx_bytes", ctypes.c_int64),
    ]  # fmt: skip


class _SingleThread:
    """The environment of a host that has no workers: this loader's own."""

    def __init__(self):
        self._env = _Env(size=ctypes.sizeof(_Env), max_workers=1)
        self._env.cpu[0] = cpu_bits()
        self.address = ctypes.addressof(self._env)
        self.threads = 1


def cpu_bits():
    """kc_env.cpu[0] from /proc/cpuinfo, where Linux lists only what it has enabled; 0 where that is not there."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return 0
    if platform.machine() not in ("x86_64", "AMD64"):
        return 1
    match = re.search(r"^flags\s*:(.*)$", text, re.M)
    flags = set(match[1].split()) if match else set()
    bits = 1
    for bit, names in ((2, _V2), (4, _V3), (8, _V4)):
        if not flags.issuperset(names.split()):
            break
        bits |= bit
    return bits


class _Memory:
    """Zeroed bytes at a 64-byte aligned address."""

    def __init__(self, nbytes):
        self._owner = ctypes.create_string_buffer(max(nbytes, 1) + 64)
        start = ctypes.addressof(self._owner)
        self.address = start + -start % 64
        self.nbytes = nbytes


class Artifact:
    """A model ready to run; any number of threads may call `run`.

    verify       "first": check all files and run the self-test once a process; "always"; "never"
    environment  an object with `address` (of a kc_env) and `threads`; None = one thread
    open_object  used where there is no shared library: (bytes, symbol) -> (address, owner)

    Attributes: manifest, inputs and outputs (lists of {name, dtype, shape}).
    """

    def __init__(self, path=None, verify="first", environment=None, open_object=None):
        if verify not in ("first", "always", "never"):
            raise ValueError(f"verify is 'first', 'always' or 'never'. Received: {verify!r}")
        self.root = Path(path) if path is not None else Path(__file__).parent
        text = _read_manifest(self.root)
        self.manifest = check_manifest(text)
        check = verify == "always" or (verify == "first" and (str(self.root.resolve()), text) not in _VERIFIED)
        if check:
            check_files(self.root, self.manifest)
        self.inputs = self.manifest["inputs"]
        self.outputs = self.manifest["outputs"]
        self._env = environment if environment is not None else _SingleThread()
        self._bind(*self._open(open_object))
        self._free = []
        self._lock = threading.Lock()
        if check:
            self.self_test()
            _VERIFIED.add((str(self.root.resolve()), text))

    def _open(self, open_object):
        machine = {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
        targets = [t for t in self.manifest["targets"] if t["triple"].split("-")[0] == machine]
        if not targets:
            have = [t["triple"] for t in self.manifest["targets"]]
            raise ArtifactError(f"the artifact has no code for this machine ({machine}). It has: {have}")
        symbol = f"kc_{self.manifest['name']}_query"
        library = targets[0]["library"]
        if library is not None:
            try:
                self._library = ctypes.CDLL(str(_inside(self.root, library).resolve()))
                return ctypes.cast(getattr(self._library, symbol), ctypes.c_void_p).value, self._library
            except (OSError, AttributeError) as error:
                raise ArtifactError(f"the library cannot be loaded: {error}") from None
        if open_object is None:
            raise ArtifactError(
                "the artifact has an object but no shared library, as there was no linker when it was made. Link it: "
                f"cc -shared -nostdlib -o {targets[0]['object'].removesuffix('.o')}.so {targets[0]['object']}"
            )
        return open_object(_inside(self.root, targets[0]["object"]).read_bytes(), symbol)

    def _bind(self, address, owner):
        self._owner = owner
        query = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p)(address)
        found = query(ABI, self._env.address)
        if not found:
            raise ArtifactError(f"the object speaks no version of the interface up to {ABI}; build it again")
        self._model = _Model.from_address(found)
        if self._model.abi != ABI or self._model.size < ctypes.sizeof(_Model):
            raise ArtifactError(f"this loader knows interface version {ABI}. Received: version {self._model.abi}")
        integer, pointer = ctypes.c_int64, ctypes.c_void_p
        bind = ctypes.CFUNCTYPE(ctypes.c_int32, pointer, integer, pointer, pointer, integer)(self._model.bind)
        self._arena_bytes = ctypes.CFUNCTYPE(ctypes.c_int32, pointer, ctypes.c_int32, pointer)(self._model.arena_bytes)
        run = [pointer] * 7 + [integer]
        self._run = ctypes.CFUNCTYPE(ctypes.c_int32, *run)(self._model.run)
        self._context = _Memory(self._model.ctx_bytes)
        _check(bind(self._context.address, self._context.nbytes, self._env.address, None, 0), ArtifactError)

    def run(self, inputs):
        """The outputs for one batch, as a list of arrays. Raises InputError for inputs that do not fit."""
        if len(inputs) != len(self.inputs):
            names = ", ".join(p["name"] for p in self.inputs)
            raise InputError(f"the model takes {len(self.inputs)} inputs ({names}). Received: {len(inputs)}")
        arrays = [_as_array(x, port) for x, port in zip(inputs, self.inputs)]
        sizes = self._sizes(arrays)
        outputs = [np.empty([extent(e, sizes) for e in p["shape"]], p["dtype"]) for p in self.outputs]
        values = (ctypes.c_int64 * max(len(sizes), 1))(*(sizes[s] for s in self.manifest["sizes"]))
        need = self.arena_bytes(sizes)
        with self._lock:
            arena = self._free.pop() if self._free else _Memory(0)
        if arena.nbytes < need:
            arena = _Memory(need)
        tables = [_table(side) for side in (arrays, outputs)]
        status = self._run(
            self._context.address, ctypes.addressof(values), *(ctypes.addressof(t) for pair in tables for t in pair),
            arena.address, arena.nbytes,
        )  # fmt: skip
        with self._lock:
            self._free.append(arena)
        _check(status, InputError)
        return outputs

    def arena_bytes(self, sizes):
        """Bytes of memory that `run` works in at these sizes. Raises InputError for sizes that the model refuses."""
        values = (ctypes.c_int64 * max(len(sizes), 1))(*(sizes[s] for s in self.manifest["sizes"]))
        need = ctypes.c_int64()
        _check(self._arena_bytes(ctypes.addressof(values), self._env.threads, ctypes.addressof(need)), InputError)
        return need.value

    def _sizes(self, arrays):
        sizes: dict = {}
        for array, port in zip(arrays, self.inputs):
            if array.ndim == len(port["shape"]):
                for size, e in zip(array.shape, port["shape"]):
                    if e in self.manifest["sizes"]:
                        sizes.setdefault(e, size)
        for array, port in zip(arrays, self.inputs):
            known = [extent(e, sizes) if _known(e, sizes) else None for e in port["shape"]]
            if array.ndim != len(known) or any(k != n for k, n in zip(known, array.shape)):
                shown = str(tuple(e if isinstance(e, int) else None for e in port["shape"]))
                raise InputError(f"input '{port['name']}' needs shape {shown}. Received: shape {array.shape}")
        return {name: sizes.get(name, 1) for name in self.manifest["sizes"]}

    def self_test(self):
        """Run the inputs that the artifact carries; ArtifactError when something else than expected comes out."""
        test = self.manifest["selftest"]
        data = _inside(self.root, "selftest.bin").read_bytes()
        inputs, expected = ([_unpack(data, place) for place in test[side]] for side in ("inputs", "outputs"))
        for port, got, wanted in zip(self.outputs, self.run(inputs), expected):
            tolerance = test["tolerance"].get(str(wanted.dtype), 0)
            scale = float(np.max(np.abs(wanted.astype(np.float64)), initial=1.0, where=np.isfinite(wanted)))
            if not np.allclose(got, wanted, rtol=tolerance, atol=tolerance * scale, equal_nan=True):
                raise ArtifactError(f"the self-test failed: output '{port['name']}' is not what was expected")


def extent(e, sizes):
    """The number behind an extent of the manifest: a number, or a polynomial such as '2*b+1'."""
    if isinstance(e, int):
        return e
    total = 0
    for sign, term in re.findall(r"([+-]?)([^+-]+)", e):
        factors = [int(f) if f.isdigit() else sizes[f] for f in term.split("*")]
        total += math.prod(factors) * (-1 if sign == "-" else 1)
    return total


def _known(e, sizes):
    return isinstance(e, int) or all(f.isdigit() or f in sizes for f in re.findall(r"\w+", e))


def _as_array(x, port):
    array = np.asarray(x)
    wanted = np.dtype(port["dtype"])
    if array.dtype != wanted and (array.dtype.kind not in "fiub" or (array.dtype.kind == "f" and wanted.kind != "f")):
        raise InputError(f"input '{port['name']}' needs dtype {wanted}. Received: dtype {array.dtype}")
    array = np.array(array, wanted) if array.ndim == 0 else np.ascontiguousarray(array, wanted)
    return array if array.flags.aligned else array.copy()


def _table(arrays):
    count = max(len(arrays), 1)
    return (ctypes.c_int64 * count)(*(a.ctypes.data for a in arrays)), (ctypes.c_int64 * count)(
        *(a.nbytes for a in arrays)
    )


def _unpack(data, place):
    dtype, shape = np.dtype(place["dtype"]), place["shape"]
    count = math.prod(shape)
    return np.frombuffer(data, dtype, count, place["offset"]).reshape(shape)


def _check(status, kind):
    if status:
        raise kind(f"the compiled model refused: {_STATUS.get(status, f'status {status}')}")


def _read_manifest(root):
    try:
        return (root / "manifest.json").read_bytes()
    except FileNotFoundError:
        what = "the artifact is incomplete: it has no manifest.json" if root.is_dir() else "there is no such directory"
        raise ArtifactError(f"{what}. Received: {root}") from None
    except OSError as error:
        raise ArtifactError(f"the manifest cannot be read: {error}") from None


_FIELDS = {"format": int, "abi": int, "name": str, "model": str, "sizes": list, "inputs": list, "outputs": list,
           "targets": list, "selftest": dict, "files": dict}  # fmt: skip


def check_manifest(text):
    """The manifest as a dict, when this loader can use it. Raises ArtifactError."""
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"manifest.json is damaged: {error}") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), int):
        raise ArtifactError("manifest.json is not the manifest of an artifact")
    if manifest["format"] != FORMAT or manifest.get("abi") != ABI:
        found = f"format {manifest['format']}, interface {manifest.get('abi')}"
        raise ArtifactError(f"this loader reads format {FORMAT} with interface {ABI}. Received: {found}")
    for field, kind in _FIELDS.items():
        if not isinstance(manifest.get(field), kind):
            raise ArtifactError(f"manifest.json is damaged: it has no {field}")
    if not re.fullmatch(r"[A-Za-z_]\w*", manifest["name"], re.A):
        raise ArtifactError(f"manifest.json is damaged: {manifest['name']!r} is no name")
    for target in manifest["targets"]:
        for field in ("object", "library"):
            if target.get(field) is not None and target[field] not in manifest["files"]:
                raise ArtifactError(f"manifest.json is damaged: {target[field]!r} is not among its files")
    for name in manifest["files"]:
        _check_name(name)
    return manifest


def _check_name(name):
    parts = name.split("/")
    if not name or "\\" in name or "\0" in name or ":" in name or any(p in ("", ".", "..") for p in parts):
        raise ArtifactError(f"the manifest names a file outside the artifact. Received: {name!r}")


def _inside(root, name):
    """The path of a file of the artifact; links are refused, as they may lead anywhere."""
    _check_name(name)
    path = root
    for part in name.split("/"):
        path = path / part
        if path.is_symlink():
            raise ArtifactError(f"a file of the artifact is a link. Received: {name!r}")
    return path


def check_files(root, manifest):
    """Compare every file with the manifest. Raises ArtifactError for one that is missing, cut or changed."""
    for name, expected in manifest["files"].items():
        path = _inside(root, name)
        try:
            size = os.stat(path).st_size
            if size != expected["size"]:
                raise ArtifactError(f"{name} is damaged: it has {size} bytes, not {expected['size']}")
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            raise ArtifactError(f"the artifact is incomplete: {name} is missing") from None
        except (KeyError, TypeError):
            raise ArtifactError(f"manifest.json is damaged at {name!r}") from None
        if digest != expected["sha256"]:
            raise ArtifactError(f"{name} is damaged: its content is not what the manifest says")


if __name__ == "__main__":
    import sys

    artifact = Artifact(sys.argv[1] if len(sys.argv) > 1 else None, "always")
    print(f"{artifact.manifest['model']}: {len(artifact.manifest['files'])} files and the self-test are fine")
