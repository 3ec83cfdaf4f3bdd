"""choose-rows: how many rows of a row-parallel model run together, so that what they make stays in the cache.

    plan.rows = 13         rows that go through the whole model before the next ones begin
    plan.least_rows = 1    fewer at a time would load large weights too often

Measured on the digits model (two convolutions, 160 kB a row): 47 us a row up to 64 rows at a time, 82 from 128 on.
"""

from __future__ import annotations

from kcompile.dialects.plan import one_dim
from kcompile.ir.core import Operation, find_function
from kcompile.ir.dims import evaluate
from kcompile.ir.passes import pass_

CACHED_BYTES = 2 << 20  # of the arena: stays in a usual L2 and a share of L3
MOST_ROWS = 4096
# Weights up to so many bytes stay in a worker's own cache or in L3 from one group of rows to the next, or come from
# memory: picoseconds a byte (112 and 10 GB/s measured), and the part of the time that this may take. From L3 much of it
# is hidden: 512x512 layers on two threads, 4 to 8 rows 1.3 to 1.5 times as fast together, 32 rows 1.05 slower.
LOADING = ((1 << 20, 0, 1), (4 << 20, 9, 4), (1 << 62, 100, 10))


@pass_("choose-rows", reads="plan", writes="plan", exact=True)
def choose_rows(module: Operation) -> bool:
    """Set plan.rows and plan.least_rows where @main is row-parallel."""
    main = find_function(module, "main")
    if "kernel.row_parallel" not in main.attributes or tuple(main["plan.symbols"]) != ("b",):
        return False
    arena, work = one_dim(main["plan.arena"]), one_dim(main["plan.work"])
    a_row = max(1, evaluate(arena, {"b": 2}) - evaluate(arena, {"b": 1}))
    time = max(1, evaluate(work, {"b": 2}) - evaluate(work, {"b": 1}))
    weights = weight_bytes(main)
    cost, part = next((cost, part) for most, cost, part in LOADING if weights <= most)
    least = max(1, min(MOST_ROWS, -(-weights * cost * part // time)))
    main["plan.rows"] = max(least, min(MOST_ROWS, max(1, CACHED_BYTES // a_row)))
    main["plan.least_rows"] = least
    return True


def weight_bytes(main: Operation) -> int:
    """Bytes of weights and other arguments without a batch."""
    from kcompile.transforms.plan.annotate_calls import tensor_bytes

    sizes = [tensor_bytes(port["type"]) for port in main["plan.inputs"]]
    return int(main["plan.weights_bytes"]) + sum(size for size in sizes if isinstance(size, int))
