"""No garbage collection while operations are made.

Operations, values and blocks refer to each other, so the collector tracks them all, and each full collection walks all
of them to find nothing: measured, a third to a half of the time of a compile (tools/bench/ir.py, passes.py).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Pause the garbage collector for the length of a `with`; one inside another changes nothing.

    Example: `with no_collection(): manager.run(module)`
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
