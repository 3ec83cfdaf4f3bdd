"""What stayed apart after the fusion passes, and why: for people, read by `kcompile explain`.

It asks the same questions as the passes (`legality.py`, `cost_model.py`), of the module between fusion and outlining.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kcompile.dialects.graph.control import code_blocks
from kcompile.ir.core import Operation, find_function
from kcompile.transforms.kernel import cost_model
from kcompile.transforms.kernel.dispatches import iteration_shape, reads_of
from kcompile.transforms.kernel.kinds import root_of
from kcompile.transforms.kernel.legality import EPILOGUE_ROOTS, is_elementwise_dispatch, is_epilogue, is_prologue


@dataclass(frozen=True, slots=True)
class Apart:
    """A value that goes through memory from one kernel to the next."""

    producer: Operation
    consumer: Operation
    reason: str


def kept_apart(module: Operation) -> Iterator[Apart]:
    """Every pair of dispatches of @main with a value between them, in order."""
    for consumer in (op for block in code_blocks(find_function(module, "main")) for op in block.ops):
        if consumer.name != "kernel.dispatch":
            continue
        for producer in dict.fromkeys(v.defining_op for v in consumer.operands):
            if producer is not None and producer.name == "kernel.dispatch":
                yield Apart(producer, consumer, reason(producer, consumer))


def reason(producer: Operation, consumer: Operation) -> str:
    """Why these two are not one kernel."""
    above, below = (root_of(d).removeprefix("graph.") for d in (producer, consumer))
    if is_elementwise_dispatch(producer) and not is_elementwise_dispatch(consumer):
        if is_prologue(producer, consumer):
            readers = len({u for r in producer.results for u in r.users})
            return f"its result has {readers} readers, and computing it for each costs more than loading it"
        return f"{below} reads an element many times, so it would be computed many times"
    if is_elementwise_dispatch(consumer):
        if f"graph.{above}" not in EPILOGUE_ROOTS and above != "elementwise":
            return f"nothing is done at the stores of {above}"
        if reads_of(consumer) is None:
            return "the reader does not read at affine places"
        if iteration_shape(producer) != iteration_shape(consumer):
            return f"shapes differ: {_shape(producer)} and {_shape(consumer)}"
        if above == "elementwise":
            size = cost_model.nominal_size(consumer.results[0])
            if not cost_model.pays_to_inline(producer, size):
                return "the reader would compute it more than once an element, which costs more than storing it"
            return "its result has other readers, that run before this one could"
        if not is_epilogue(producer, consumer):
            return "an element needs more than its own element of the result before"
        return "another kernel between them needs the first and is needed by the second"
    return f"both {above} and {below} need loops of their own"


def _shape(dispatch: Operation) -> str:
    return "x".join(map(str, iteration_shape(dispatch)))
