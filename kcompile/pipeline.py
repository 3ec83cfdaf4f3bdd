"""The stages from a traced model to machine code, and their passes in order.

compiled = compile_module(traced.module, "digits")
print(compiled.text("linalg"))          # any stage; the names are those of `kcompile dump --stage`
"""

from __future__ import annotations

import hashlib
import re
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kcompile.codegen.target import Target
from kcompile.errors import KcompileError, UnsupportedError
from kcompile.ir.core import Operation, find_function
from kcompile.ir.garbage import no_collection
from kcompile.ir.passes import Pass, PassManager, find_pass
from kcompile.options import Options

if TYPE_CHECKING:
    from kcompile.codegen.record import Record


@dataclass(frozen=True, slots=True)
class Stage:
    """A level of the module and the passes that lead to its end.

    A pass in `when` runs only with that option set; with "not" before it, only without.
    """

    name: str
    passes: tuple[str, ...]
    when: tuple[tuple[str, str], ...] = ()


SIMPLIFY = ("canonicalize", "fold-constants", "cse", "dce")

PIPELINE = (
    Stage("graph", (*SIMPLIFY, "simplify-scans", "hoist-scan-invariants", "join-pads", "fold-scale-into-weights",
                    "mask-pooled-gradients", "fold-upsampling", "dce", "skip-unread", "use-winograd",
                    "unstride-pointwise", "decompose-convolution", "pointwise-to-dot", "decompose-windows",
                    "split-reductions", "share-moments", "align-operands", "narrow-dots", "narrow-convolutions",
                    "split-products",
                    "hoist-scan-invariants", *SIMPLIFY,
                    "simplify-scans", "recompute-masks", "pack-weights", "pack-filters", "hoist-weights"),
          when=(("fold-scale-into-weights", "freeze"), ("pack-filters", "freeze"), ("hoist-weights", "freeze"),
                ("use-winograd", "not exact_conv"))),
    Stage("kernel", ("fuse-attention-gradient", "fuse-attention", "form-kernels", "fuse-cheap-producers",
                     "fuse-elementwise", "recompute-producers", "reshape-epilogues", "fuse-epilogues", "shed-results",
                     "keep-slopes", "join-products", "fuse-pads", "fuse-pools", "fuse-producers", "fuse-depthwise",
                     "fuse-sums", "read-parts", "fuse-row-chains", "fuse-siblings", "fuse-joins", "cse",
                     "outline-kernels", "dedupe-kernels")),
    Stage("linalg", ("lower-to-linalg", "find-row-parallel", "collapse-dimensions", "collapse-rows",
                     "annotate-calls", "order-kernels", "name-sizes")),
    Stage("loops", ("tune-strategies", "emit-loops", "hoist-scalars"), when=(("tune-strategies", "tune"),)),
    Stage("plan", ("plan-memory", "insert-barriers", "choose-rows", "stream-results")),
)  # fmt: skip

STAGES = (*(stage.name for stage in PIPELINE), "llvm", "asm")  # what `CompiledModule.text` knows
_NEEDS_TARGET = ("loops", "plan")  # from here on there is one module for each target


def passes_of(stage: Stage, options: Options, target: Target | None) -> list[Pass]:
    """The passes of a stage under these options."""
    disabled = {name.strip() for name in options.disable.split(",") if name.strip()}
    conditions = dict(stage.when)
    chosen = []
    for name in stage.passes:
        condition = conditions.get(name, "")
        if name in disabled or (condition and not _holds(condition, options)):
            continue
        found = find_pass(name)
        if name in ("emit-loops", "stream-results"):
            found = found.configured(target=target)
        elif name in ("plan-memory", "use-winograd"):
            found = found.configured(freeze=options.freeze)
        elif name == "pack-weights":
            found = found.configured(frozen=options.freeze)
        chosen.append(found)
    return chosen


def _holds(condition: str, options: Options) -> bool:
    return bool(getattr(options, condition.removeprefix("not "))) != condition.startswith("not ")


def run_stages(
    module: Operation, stages: Sequence[Stage], options: Options, target: Target | None = None
) -> list[tuple[str, float, bool]]:
    """Run stages on `module` in place; gives the time of every pass."""
    times = []
    for stage in stages:
        folder = f"{options.dump}/{STAGES.index(stage.name)}-{stage.name}" if options.dump else None
        # The plan has no tensors any more: it is checked by running it, not by the interpreter.
        interpret = options.interpret and stage.name != "plan"
        manager = PassManager(
            passes_of(stage, options, target),
            verify_each=options.verify,
            print_after_change=options.show,
            dump_dir=folder,
            interpret_each=interpret,
            reproducer=f"{folder}/reproducer.mlir" if folder else None,
        )
        manager.run(module)
        times += manager.times
        if options.timing:
            print(f"{stage.name}\n{manager.timing_table()}", file=sys.stderr)
    return times


@dataclass
class CompiledModule:
    """A module on its way to machine code; what is not asked for is not computed.

    name      a C identifier: the object exports kc_<name>_query
    targets   best first; the first that the CPU has is used
    """

    name: str
    source: Operation
    targets: tuple[Target, ...]
    options: Options
    embed_weights: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._modules: dict[tuple[str, str], Operation] = {}
        self._llvm: str | None = None
        self._object: bytes | None = None
        self._record: Record | None = None
        self.times: list[tuple[str, float, bool]] = []

    def module(self, stage: str, target: Target | None = None) -> Operation:
        """The module at the end of a stage, for a target (the best one unless given) where the stage depends on it."""
        names = [s.name for s in PIPELINE]
        if stage not in names:
            raise KcompileError(f"there is no stage '{stage}' with a module. Stages: {', '.join(names)}")
        with self._lock:
            chosen = target or self.targets[0]
            key = self._key(stage, chosen)
            if key not in self._modules:
                number = names.index(stage)
                # Stages between are not kept, as copies of the loops cost more than the passes after them.
                made = self._modules
                kept = [n for n in range(number) if names[n] == "linalg" or self._key(names[n], chosen) in made]
                start = kept[-1] + 1 if kept else 0
                before = self.module(names[start - 1], chosen) if start else self.source
                with no_collection():
                    module = before.clone()
                    self.times += run_stages(module, PIPELINE[start : number + 1], self.options, chosen)
                self._modules[key] = module
            return self._modules[key]

    @staticmethod
    def _key(stage: str, target: Target) -> tuple[str, str]:
        return stage, target.name if stage in _NEEDS_TARGET else ""

    @property
    def llvm(self) -> str:
        """The LLVM text of kernels, plan and entry, for all targets."""
        from kcompile.codegen.entry import print_model

        with self._lock:
            if self._llvm is None:
                versions = [(self.module("plan", target), target) for target in self.targets]
                embed, about = self.embed_weights, self.metadata
                draft = print_model(versions, self.name, uid="0" * 32, metadata=about, embed_weights=embed)
                uid = hashlib.sha256(draft.encode()).hexdigest()[:32]
                self._llvm = draft.replace(f'c"{"0" * 32}\\00"', f'c"{uid}\\00"')
            return self._llvm

    @property
    def object(self) -> bytes:
        """The object file, from the cache where it is there; embedded weights are still zeros."""
        from kcompile.codegen.cache import get_or_compile

        with self._lock:
            if self._object is None:
                options = self.options
                self._object = get_or_compile(self.llvm, self.targets[-1], options.cache, options.cache_mib)
            return self._object

    @property
    def record(self) -> Record:
        """The object and what its callers must know, from the cache where it is there: then no pass is run."""
        from kcompile.codegen.cache import get_or_make
        from kcompile.codegen.record import Record

        def make() -> bytes:
            self._record = Record.of(self.module("plan"), self.module("linalg"), self.object)
            return self._record.to_bytes() if name else b""

        with self._lock, no_collection():
            if self._record is None:
                name = self._record_name()
                options = self.options
                if name is None:
                    make()
                else:
                    kept = get_or_make(name, make, options.cache, options.cache_mib)
                    if self._record is None:
                        self._record = Record.from_bytes(kept)
            assert self._record is not None
            return self._record

    def _record_name(self) -> str | None:
        """What the record is called in the cache; None where the passes are to be run all the same."""
        from kcompile.codegen.cache import directory
        from kcompile.codegen.record import key_of_model

        options = self.options
        if directory(options.cache) is None or self.embed_weights:  # an artifact is a file of its own
            return None
        if not options.reuse or options.verify or options.interpret or options.dump or options.show or options.timing:
            return None
        settings = (self.name, options.code_key(), str(self.embed_weights), repr(self.metadata), repr(PIPELINE))
        key = key_of_model(self.source, self.targets, *settings)
        return None if key is None else f"{key}.model"

    @property
    def symbols(self) -> tuple[str, ...]:
        """The names of the sizes that may vary; the batch is first."""
        from kcompile.transforms.plan.plan_memory import main_symbols

        return main_symbols(find_function(self.source, "main"))

    def text(self, stage: str) -> str:
        """The text of a stage: graph, kernel, linalg, loops, plan, llvm or asm."""
        if stage == "llvm":
            return self.llvm
        if stage == "asm":
            from kcompile.codegen.object import emit_assembly

            return emit_assembly(self.llvm, self.targets[-1])
        if stage not in STAGES:
            raise KcompileError(f"there is no stage '{stage}'. Stages: {', '.join(STAGES)}")
        return str(self.module(stage))

    def prepared_weights(self, weights: Sequence[np.ndarray[Any, Any]]) -> bytearray:
        """The block of weights that the object wants, from the weight arguments of the traced function, in order."""
        block = bytearray(self.record.weights_bytes)
        self.record.prepare(weights, block)
        return block


def identifier(name: str) -> str:
    """`name` as a C identifier: other characters become '_'."""
    made = re.sub(r"[^A-Za-z0-9_]", "_", name) or "model"
    return f"m{made}" if made[0].isdigit() else made


def compile_module(
    module: Operation,
    name: str = "main",
    target: str | Target | Sequence[str | Target] | None = None,
    options: Options | None = None,
    **more: Any,
) -> CompiledModule:
    """Compile a traced module; `module` itself stays as it is.

    target: one target, or several that one object holds side by side, in any order; None = `options.target`.
    Raises UnsupportedError for a target that is not known, and for targets of different architectures.

    Example: `compile_module(traced.module, "digits", "x86-64-v3").text("llvm")`.
    """
    options = options if options is not None else Options.of()
    wanted = target if target is not None else options.target
    listed = [wanted] if isinstance(wanted, str | Target) else list(wanted)
    targets = [Target.get(one) if isinstance(one, str) else one for one in listed]
    if not targets or len({t.architecture for t in targets}) != 1:
        raise UnsupportedError(f"one object holds targets of one architecture. Received: {[t.name for t in targets]}")
    targets = sorted(dict.fromkeys(targets), key=lambda t: (-t.level, -t.vector_bits))
    return CompiledModule(identifier(name), module, tuple(targets), options, **more)
