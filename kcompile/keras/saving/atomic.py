"""Writing a file so that a reader, a crash or a full disk never sees half of it."""

from __future__ import annotations

import contextlib
import os
import tempfile

from kcompile.errors import KcompileError


def write_atomically(path: str, data: bytes | memoryview) -> None:
    """Put `data` at `path`: a temporary file in the same directory, flushed to the disk, takes its place in one step.

    Raises KcompileError when that fails (no space, no permission); whatever was at `path` is untouched then.
    """
    directory = os.path.dirname(os.path.abspath(path))
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", suffix=".tmp", dir=directory)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; a saved model gets the permissions that open() would have given it.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise KcompileError(
            f"the file could not be written: {error.strerror or error}. What was there before, if anything, is "
            f"unchanged. "
            f"Received: filepath={path}"
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
    _sync_directory(directory)


def _sync_directory(directory: str) -> None:
    """Make the renaming itself durable, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
