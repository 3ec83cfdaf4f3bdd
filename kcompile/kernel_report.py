"""What a compiled model's kernels do and cost, one by one: the table of `kcompile explain`.

for line in kernel_report(compiled_module, {"b": 1}, measure=True):
    print(line.kernel, line.strategy, line.flops / line.seconds)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kcompile.dialects.graph.control import times_run
from kcompile.ir import types as t
from kcompile.ir.core import Operation, find_function, module_functions
from kcompile.ir.dims import Dim, evaluate
from kcompile.pipeline import PIPELINE, CompiledModule, run_stages
from kcompile.strategies.parts.structured import generic
from kcompile.transforms.kernel.fusion_report import Apart, kept_apart
from kcompile.transforms.plan.annotate_calls import tensor_bytes


@dataclass(frozen=True, slots=True)
class KernelLine:
    """One kernel of a model, for given sizes.

    calls     how often the model runs it
    flops     arithmetic operations of one call (a multiply-add counts 2)
    bytes     of the tensors that one call reads and writes
    seconds   one call, on one thread, from and to memory that it ran on before; None if it was not measured
    """

    kernel: str
    root: str
    layers: str
    result: str
    calls: int
    flops: int
    bytes: int
    strategy: str
    seconds: float | None = None


def kernel_report(model: CompiledModule, sizes: Mapping[str, int], measure: bool = False) -> list[KernelLine]:
    """The kernels in the order in which the model first calls them.

    sizes: a number for every symbolic dim, `{"b": 32}`. measure: compile each kernel by itself and time it.
    """
    linalg, loops = model.module("linalg"), model.module("loops")
    loop_functions = {f["sym_name"]: f for f in module_functions(loops)}
    counted: dict[str, KernelLine] = {}
    for call in find_function(loops, "main").walk():
        if call.name != "kernel.call":
            continue
        name, times = call["callee"], _number(times_run(call), sizes)
        if name in counted:
            counted[name] = replace(counted[name], calls=counted[name].calls + times)
            continue
        structured, emitted = find_function(linalg, name), loop_functions[name]
        values = (*structured.body.arguments, *structured.body.terminator.operands)
        counted[name] = KernelLine(
            name,
            str(structured.get("kernel.root", "elementwise")).removeprefix("graph."),
            str(call.location),
            _shape(structured.body.terminator.operands[0].type, sizes),
            times,
            _number(flops(structured), sizes),
            sum(_number(tensor_bytes(v.type), sizes) for v in values),
            str(emitted.get("kernel.strategy", "")),
        )
    if not measure:
        return list(counted.values())
    seconds = measure_kernels(loops, model, sizes)
    return [replace(line, seconds=seconds.get(line.kernel)) for line in counted.values()]


def flops(function: Operation) -> Dim:
    """Arithmetic operations of a kernel at the linalg level, as a polynomial in the symbols."""
    total: Dim = 0
    for op in function.walk():
        if op.name != "linalg.generic":
            continue
        view = generic(op)
        points: Dim = 1
        for extent in view.extents():
            points = points * extent
        total = total + points * sum(2 if o.name == "math.fma" else 1 for o in view.body.ops if _computes(o))
    return total


def _computes(op: Operation) -> bool:
    return op.dialect == "math" or (op.dialect == "arith" and op.name != "arith.constant")


def measure_kernels(loops: Operation, model: CompiledModule, sizes: Mapping[str, int]) -> dict[str, float]:
    """Seconds of each kernel of a loops-level module, alone on one thread."""
    from kcompile.codegen.kernels import compile_kernels
    from kcompile.codegen.timing import least_times

    kernels = compile_kernels(loops, model.targets[0])
    functions = {f["sym_name"]: f for f in module_functions(loops)}
    # one after the other, not in turn: a model's large buffers would not all fit in memory
    return {name: least_times([kernel], [functions[name]], sizes)[0] for name, kernel in kernels.items()}


def _number(dim: Dim, sizes: Mapping[str, int]) -> int:
    return evaluate(dim, dict(sizes))


def _shape(type: t.Type, sizes: Mapping[str, int]) -> str:
    return "x".join(str(_number(d, sizes)) for d in t.shape_of(type)) or "scalar"


def fusion_report(model: CompiledModule) -> list[Apart]:
    """Every value that goes from one kernel to the next through memory, and why."""
    stage = next(s for s in PIPELINE if s.name == "kernel")
    names = stage.passes[: stage.passes.index("outline-kernels")]
    module = model.module("graph").clone()
    run_stages(module, [replace(stage, passes=names)], model.options)
    return list(kept_apart(module))
