"""Threads and CPU features for compiled models: makes the `kc_env` that every model is bound with.

    env = environment()          # as many threads as this process may use
    env.address, env.threads, env.cpu_level

Without the host library (installed where no C compiler was) there is one thread and one warning; the CPU's features are
known all the same. No thread is started before a model runs a parallel region.
"""

from __future__ import annotations

import ctypes
import operator
import os
import threading
import warnings

from kcompile.errors import KcompileError
from kcompile.runtime import cpu
from kcompile.runtime.abi import KcEnv
from kcompile.runtime.native import host_library_path

HOST_VERSION = 1  # KC_HOST_VERSION of kc_host.h
MAX_WORKERS = 256  # KC_HOST_MAX_WORKERS of kc_host.h

_SIGNATURES: dict[str, tuple[type | None, list[type]]] = {
    "kc_host_version": (ctypes.c_int32, []),
    "kc_host_env": (ctypes.c_int32, [ctypes.c_void_p, ctypes.c_int32]),
    "kc_host_cpu": (None, [ctypes.c_void_p]),
    "kc_host_thread_count": (ctypes.c_int32, []),
    "kc_host_usable_cpus": (ctypes.c_int32, []),
    "kc_host_cgroup_cpus": (ctypes.c_int32, [ctypes.c_char_p, ctypes.c_char_p]),
    "kc_host_run_on_workers": (ctypes.c_int32, [ctypes.c_void_p, ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p]),
    "kc_host_park": (None, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32]),
    "kc_host_wake": (None, [ctypes.c_void_p, ctypes.c_void_p]),
    "kc_host_set_spin_us": (None, [ctypes.c_int64]),
    "kc_host_workers": (ctypes.c_int32, []),
    "kc_host_parked": (ctypes.c_int32, []),
    "kc_host_close": (ctypes.c_int32, []),
    "kc_host_status_text": (ctypes.c_char_p, [ctypes.c_int32]),
}


def open_library(path: os.PathLike[str] | str) -> ctypes.CDLL:
    """Opens a host library and declares its functions.

    Raises KcompileError when the file cannot be loaded or is of another version.
    """
    try:
        library = ctypes.CDLL(os.fspath(path))
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
        version = library.kc_host_version()
    except (OSError, AttributeError) as error:
        raise KcompileError(f"Not a usable host library. Received: {error}.", where=os.fspath(path)) from error
    if version != HOST_VERSION:
        raise KcompileError(
            f"This kcompile needs version {HOST_VERSION} of the host library. Received: version {version}. "
            "Reinstall kcompile.",
            where=os.fspath(path),
        )
    return library


class Environment:
    """A `kc_env` in memory: what a model gets from this process. It must live as long as a model bound with it."""

    __slots__ = ("_struct", "address", "cpu_bits", "cpu_level", "threads")

    def __init__(self, struct: KcEnv):
        self._struct = struct
        self.address: int = ctypes.addressof(struct)
        self.threads: int = struct.max_workers
        self.cpu_bits: int = struct.cpu[0]
        self.cpu_level: str = cpu.level_of(struct.cpu[0])

    def __repr__(self) -> str:
        return f"Environment(threads={self.threads}, cpu_level={self.cpu_level!r})"


class _State:
    """What this process has decided: the library, the threads wished for, the environments made."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.looked = False
        self.library: ctypes.CDLL | None = None
        self.threads: int | None = None
        self.environments: dict[tuple[int, int], Environment] = {}


_state = _State()


def library() -> ctypes.CDLL | None:
    """The host library, opened at the first call; None (and one RuntimeWarning) when there is none that works."""
    if _state.looked:
        return _state.library
    with _state.lock:
        if not _state.looked:
            problem = "it was not built, because no C compiler was found when kcompile was installed"
            path = host_library_path()
            if path is not None:
                try:
                    _state.library = open_library(path)
                except KcompileError as error:
                    problem = str(error)
            _state.looked = True
            if _state.library is None:
                warnings.warn(
                    f"kcompile runs on one thread: the host library is missing ({problem}). "
                    "Install a C compiler, then install kcompile again.",
                    RuntimeWarning,
                    stacklevel=2,
                )
    return _state.library


def thread_count() -> int:
    """How many threads a model gets unless told otherwise: `set_threads`, else `KCOMPILE_THREADS`, else the CPUs that
    this process may use (affinity, cgroup quota). 1 without the host library.

    Raises KcompileError when KCOMPILE_THREADS is not a whole number; 0 means: not set.
    """
    if _state.threads is not None:
        return _state.threads
    wanted = os.environ.get("KCOMPILE_THREADS", "")
    if wanted and not (wanted.isascii() and wanted.isdecimal()):
        raise KcompileError(f"KCOMPILE_THREADS must be a whole number, 0 for automatic. Received: {wanted!r}.")
    host = library()
    return 1 if host is None else int(host.kc_host_thread_count())


def set_threads(threads: int | None) -> None:
    """Sets what `thread_count()` answers in this process; None goes back to the default. Bound models keep theirs.

    More than 256 count as 256. Raises KcompileError for anything but None or a whole number above 0.
    """
    _state.threads = None if threads is None else _checked(threads)


def environment(threads: int | None = None, cpu_level: str | None = None) -> Environment:
    """The `kc_env` to bind a model with; equal requests give the same object.

    threads: how many workers a region may use, with the caller; None = `thread_count()`. Without the host library
    always 1. cpu_level: no better code than this level, for tests and comparisons (`"x86-64-v3"`); None = the best.
    Raises KcompileError for a thread count below 1 and for a level that this CPU does not have.

    Example: `bound = model.bind(environment(threads=2))`.
    """
    count = thread_count() if threads is None else _checked(threads)
    host = library()
    if host is None:
        count = 1
        bits = cpu.detect_without_library()
    else:
        found = (ctypes.c_uint64 * 8)()
        host.kc_host_cpu(ctypes.addressof(found))
        bits = found[0]
    if cpu_level is not None:
        available = cpu.levels_up_to(bits)
        if cpu_level not in available:
            raise KcompileError(f"This CPU has the levels {', '.join(available)}. Received: cpu_level={cpu_level!r}.")
        bits = cpu.restrict(bits, cpu_level)
    with _state.lock:
        known = _state.environments.get((count, bits))
        if known is None:
            known = _state.environments[count, bits] = Environment(_make_struct(host, count, bits))
    return known


def _make_struct(host: ctypes.CDLL | None, threads: int, bits: int) -> KcEnv:
    struct = KcEnv()
    if host is None:
        struct.size = ctypes.sizeof(KcEnv)
        struct.max_workers = 1
    else:
        host.kc_host_env(ctypes.addressof(struct), threads)
    struct.cpu[0] = bits
    return struct


def _checked(threads: int) -> int:
    try:
        count = operator.index(threads)
    except TypeError:
        count = 0
    if isinstance(threads, bool) or count < 1:
        raise KcompileError(f"A thread count must be a whole number above 0. Received: {threads!r}.")
    return min(count, MAX_WORKERS)
