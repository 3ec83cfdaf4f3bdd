"""Objects kept on disk, so that a kernel is compiled once a machine.

A file is named by the hash of all that its content depends on, holds the object and a checksum behind it, and appears
whole or not at all. A damaged file is compiled again and replaced; a directory that cannot be written is done without.
Where the files grow beyond a limit, those that nobody has used for longest are dropped.

KCOMPILE_CACHE is the directory, or "off"; the default is ~/.cache/kcompile/objects.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kcompile.codegen.object import compile_object, versions
from kcompile.codegen.target import Target

_MAGIC = b"kcobj\x01\0\0"
_DIGEST = 32
_MEMORY_LIMIT = 64 << 20  # bytes of objects that are also kept in this process
LIMIT_MIB = 1024  # of files
_TRIMMED_TO = 0.9  # of the limit: so that not each new object needs a look at all the others
_ABANDONED_SECONDS = 3600  # a file that a process did not finish writing since then is left over from a crash


@dataclass(slots=True)
class Counts:
    """What the cache did in this process."""

    hits: int = 0  # found in memory or on disk
    misses: int = 0  # compiled
    damaged: int = 0  # of the misses: a file was there and was not what had been written
    unwritable: int = 0  # objects that could not be stored
    dropped: int = 0  # files, to keep to the limit


counts = Counts()
_LOCK = threading.Lock()
_MEMORY: dict[str, bytes] = {}


def directory(setting: str = "") -> Path | None:
    """Where objects are kept; None when the cache is off. `setting` goes before KCOMPILE_CACHE."""
    given = setting or os.environ.get("KCOMPILE_CACHE", "")
    if given.lower() == "off":
        return None
    if given:
        return Path(given) / "objects"
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "kcompile" / "objects"


def key_of(text: str, target: Target) -> str:
    """The name of the object of this text on this target, by this version of LLVM."""
    digest = hashlib.sha256()
    for part in (versions(), target.key, text):
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()


def get_or_compile(text: str, target: Target, setting: str = "", limit_mib: int = LIMIT_MIB) -> bytes:
    """The object of `text`, from memory, from disk, or compiled now. Raises what `compile_object` raises.

    `setting` is a directory or "off", and goes before KCOMPILE_CACHE.

    >>> get_or_compile(text, target) is get_or_compile(text, target)                        # doctest: +SKIP
    True
    """
    key = key_of(text, target) if directory(setting) is not None else ""
    return get_or_make(f"{key}.o", lambda: compile_object(text, target), setting, limit_mib)


def get_or_make(name: str, make: Callable[[], bytes], setting: str = "", limit_mib: int = LIMIT_MIB) -> bytes:
    """The bytes kept under a name (the hash of all that they depend on, and a suffix), or what `make` gives.

    limit_mib: how many MiB the files may have together; 0 = no limit.
    """
    where = directory(setting)
    if where is None:
        with _LOCK:
            counts.misses += 1
        return make()
    path = where / name[:2] / name
    memory_key = str(path)
    with _LOCK:
        found = _MEMORY.get(memory_key)
        if found is not None:
            counts.hits += 1
            return found
    found, damaged = _read(path)
    if found is None:
        found = make()
        stored = _write(path, found)
        _trim_after(where, len(found), limit_mib << 20)
    with _LOCK:
        if damaged is None:
            counts.hits += 1
        else:
            counts.misses += 1
            counts.damaged += damaged
            counts.unwritable += not stored
        if sum(map(len, _MEMORY.values())) + len(found) > _MEMORY_LIMIT:
            _MEMORY.clear()
        _MEMORY[memory_key] = found
    return found


def forget() -> None:
    """Drop the objects kept in memory, not those on disk."""
    with _LOCK:
        _MEMORY.clear()


def _read(path: Path) -> tuple[bytes | None, bool | None]:
    """The object in a file, and: None if it is whole, else whether there was a damaged one."""
    try:
        data = path.read_bytes()
    except OSError:
        return None, False
    body, digest = data[len(_MAGIC) : -_DIGEST], data[-_DIGEST:]
    if data[: len(_MAGIC)] != _MAGIC or hashlib.sha256(body).digest() != digest:
        return None, True
    try:
        os.utime(path)  # used now: not the next to be dropped
    except OSError:
        pass
    return body, None


def _write(path: Path, body: bytes) -> bool:
    """Store an object; False where that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    except OSError:
        return False
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_MAGIC + body + hashlib.sha256(body).digest())
        os.replace(temporary, path)
    except OSError:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        return False
    return True


_UNTRIMMED: dict[Path, int] = {}  # bytes written by this process since it last looked at a directory


def _trim_after(where: Path, written: int, limit: int) -> None:
    """Trim at the first write of this process, and then whenever it has written a sixteenth of the limit."""
    with _LOCK:
        since = _UNTRIMMED.get(where, limit) + written
        due = 0 < limit <= 16 * since
        _UNTRIMMED[where] = 0 if due else since
    if due:
        dropped = trim(where, limit)
        with _LOCK:
            counts.dropped += dropped


def trim(where: Path, limit: int) -> int:
    """Drop the files used least recently until the rest has at most 0.9 * `limit` bytes, if all have more than `limit`.

    Any number of processes may do so, and read, at the same time: a file vanishes whole. Gives how many were dropped.
    """
    files: list[tuple[float, int, str]] = []
    dropped = 0
    old = time.time() - _ABANDONED_SECONDS
    for folder, _, names in os.walk(where):
        for name in names:
            path = os.path.join(folder, name)
            try:
                status = os.stat(path)
            except OSError:
                continue  # another process was faster
            if name.startswith(".new-"):
                dropped += status.st_mtime < old and _drop(path)
            else:
                files.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in files)
    if total <= limit:
        return dropped
    for _, size, path in sorted(files):
        if total <= _TRIMMED_TO * limit:
            break
        total -= size
        dropped += _drop(path)
    return dropped


def _drop(path: str) -> bool:
    try:
        os.unlink(path)
    except OSError:
        return False
    return True
