"""lower-to-linalg: the kernels' graph ops become `linalg.generic`, `tensor` and scalar operations.

Reads kernel (outlined), writes linalg. Integers are signless from here on. An op that has no structured form stays as
it is, alone in its kernel, for the strategy that knows it.

    relu(dot(x, w) + bias)  =>  %0 = linalg.generic (m, n, k) { mul, add };  %1 = linalg.generic (m, n) { add, max }
"""

from __future__ import annotations

from collections.abc import Callable

from kcompile.dialects.kernel import signless
from kcompile.ir.core import Operation, module_functions
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.kernel_lowering import KernelLowering
from kcompile.transforms.kernel.kinds import is_kernel_function
from kcompile.transforms.kernel.lower_contraction import lower_dot_general
from kcompile.transforms.kernel.lower_convolution import lower_convolution
from kcompile.transforms.kernel.lower_indexing import lower_gather
from kcompile.transforms.kernel.lower_movement import lower_concatenate, lower_pad
from kcompile.transforms.kernel.lower_reduction import lower_arg_reduce, lower_reduce, lower_reduce_window

LOWERINGS: dict[str, Callable[[KernelLowering, Operation], None]] = {
    "graph.dot_general": lower_dot_general,
    "graph.convolution": lower_convolution,
    "graph.reduce": lower_reduce,
    "graph.arg_reduce": lower_arg_reduce,
    "graph.reduce_window": lower_reduce_window,
    "graph.pad": lower_pad,
    "graph.concatenate": lower_concatenate,
    "graph.gather": lower_gather,
}


@pass_("lower-to-linalg", reads="kernel", writes="linalg")
def lower_to_linalg(module: Operation) -> bool:
    changed = False
    for function in list(module_functions(module)):
        if is_kernel_function(function) and "kernel.outputs" not in function.attributes:
            lowered = KernelLowering(function).run(_lower)
            module.body.insert_before(function, lowered)
            function.erase()
            changed = True
    return changed


def _lower(kernel: KernelLowering, op: Operation) -> None:
    lowering = LOWERINGS.get(op.name)
    if lowering is not None:
        lowering(kernel, op)
        return
    operands = [kernel.tensor(v) for v in op.operands]
    kept = Operation(op.name, operands, [signless(r.type) for r in op.results], dict(op.attributes), (), op.location)
    kernel.b.insert(kept)
    kernel.stored.update(zip(op.results, kept.results, strict=True))
