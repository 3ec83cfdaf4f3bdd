"""When fusing pays: the only place with numbers. Legality is in `legality.py`.

Work is counted in simple vector operations an element. One f32 element read or written beyond the first-level cache
costs about as much as 4 of them (a core does 32 f32 operations a cycle and moves 4-8 elements a cycle from the second
level).
"""

from __future__ import annotations

from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import nominal, product
from kcompile.transforms.kernel.kinds import MOVEMENT, tensor_type

ELEMENT_TRAFFIC = 4.0  # operations that one element of memory traffic is worth
RECOMPUTE_LIMIT = 8.0  # operations an element that may be done twice instead of being stored
LEAST_STORED = 1 << 12  # elements worth not storing; less stays in the first-level cache
MOST_PLACES, LARGE_TABLE = 1 << 15, 1 << 21  # of a scatter in blocks; four such tables of f32 fill 32 MiB of L3
SMALL_OPERAND = 8  # an operand this many times smaller than the result is read from the cache
_WORK = {
    **dict.fromkeys(("exp", "expm1", "log", "log1p", "erf", "gelu", "tanh", "logistic", "sin", "cos"), 12.0),
    **dict.fromkeys(("pow", "atan2"), 30.0),
    **dict.fromkeys(("div", "sqrt", "rsqrt", "rem"), 6.0),
    "rng_bits": 80.0,
}  # polynomial degrees and divider throughput, rounded


def work(op: Operation) -> float:
    """Simple operations an element of the result."""
    if op.name in MOVEMENT or op.name in ("graph.constant", "graph.reshape", "kernel.yield"):
        return 0.0
    return _WORK.get(op.name.removeprefix("graph."), 1.0)


def dispatch_work(dispatch: Operation) -> float:
    """Operations an element that an elementwise dispatch does."""
    return sum(work(op) for op in dispatch.body.ops)


def nominal_size(value: Value) -> int:
    return nominal(tensor_type(value).size)


def large_operands(producer: Operation) -> list[Value]:
    """The operands of a dispatch with one result that its readers would have to load from memory in place of it."""
    size = nominal_size(producer.results[0])
    return [v for v in producer.operands if nominal_size(v) * SMALL_OPERAND > size]


def traffic(values: tuple[Value, ...] | list[Value]) -> float:
    """The cost of moving these tensors once, in operations."""
    return sum(nominal_size(v) * ELEMENT_TRAFFIC * t.bitwidth(v.type) / 32 for v in dict.fromkeys(values))


def pays_to_copy(producer: Operation, consumer: Operation, reader_size: int) -> bool:
    """Whether a reader of `reader_size` elements does better to compute the producer's results itself than to load
    them.

    The producer stays for its other users, so only the load is saved, against loads of its operands and the work again.
    """
    extra = dispatch_work(producer)
    if extra > RECOMPUTE_LIMIT:
        return False
    loaded = [r for r in producer.results if r in consumer.operands]
    fresh = [v for v in producer.operands if v not in consumer.operands]
    return traffic(fresh) + extra * reader_size <= traffic(loaded)


def pays_to_inline(producer: Operation, reader_size: int) -> bool:
    """Whether the only reader, which reads each element about reader_size / size times, does better to compute it."""
    repeated = reader_size / max(1, nominal_size(producer.results[0]))
    again = dispatch_work(producer) * max(0.0, repeated - 1.0) * nominal_size(producer.results[0])
    return again <= 2 * traffic(list(producer.results))


def pays_in_blocks(scatter: Operation) -> bool:
    """Whether the targets of a scatter are better made some at a time, for their reader, than written and read.

    All places are gone through for every block of half an L2, 2 or 3 cycles each, which may be more than it takes to
    write and read 512 KiB at 12 bytes a cycle. In the cache nothing is saved by it (Adam of 10000 x 128: 0.41 ms, and
    0.44 in blocks; of 50000 x 256 19 ms, and 11).
    """
    places = nominal(product(tensor_type(scatter.operands[1]).shape[:-1]))
    return places <= MOST_PLACES and nominal_size(scatter.result) >= LARGE_TABLE
