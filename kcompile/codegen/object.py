"""LLVM text to an object file in memory, or to assembly; what the assembly says about spilled registers."""

from __future__ import annotations

import re
import threading
from functools import cache
from typing import Any

from kcompile.codegen.elf import undefined_symbols
from kcompile.codegen.target import Target
from kcompile.errors import KcompileError

_LOCK = threading.Lock()


def compile_object(text: str, target: Target) -> bytes:
    """The object file of a module.

    Raises KcompileError when LLVM refuses the text, or when the object would need a symbol from outside.

    >>> compile_object(print_llvm(module, target), target)[:4]                              # doctest: +SKIP
    b'\\x7fELF'
    """
    made: bytes = _machine(target).emit_object(_parse(text, target))
    missing = undefined_symbols(made)
    if missing:
        raise KcompileError(
            f"the object needs {', '.join(sorted(missing))} from outside, but kernels must stand alone: "
            "an operation has no machine code of ours on this target",
            target.name,
        )
    return made


def emit_assembly(text: str, target: Target) -> str:
    """The assembly of a module."""
    made: str = _machine(target).emit_assembly(_parse(text, target))
    return made


def spills(assembly: str, function: str) -> int:
    """How many instructions of `function` store a vector register to the stack.

    >>> spills(emit_assembly(text, target), "kc.dispatch_3")                                # doctest: +SKIP
    0
    """
    body = _body(assembly, function)
    x86 = re.findall(
        r"^\s*v?mov\w+\s+%[xyz]mm\d+, -?\d*\(%r[sb]p\).*Spill|^\s*v?mov[au]p[sd]\s+%[xyz]mm\d+, -?\d*\(%rsp\)",
        body,
        re.M,
    )
    arm = re.findall(r"^\s*st[rp]\s+q\d+.*\[sp", body, re.M)
    return len(x86) + len(arm)


def loop_spills(assembly: str, function: str) -> int:
    """How many instructions in the innermost loops of `function` move a vector register to or from the stack.

    >>> loop_spills(emit_assembly(text, target), "kc.dispatch_3")                           # doctest: +SKIP
    0
    """
    blocks = re.split(r"^(\.LBB\d+_\d+):.*$", _body(assembly, function), flags=re.M)
    total = 0
    for label, block in zip(blocks[1::2], blocks[2::2], strict=True):
        # a block that jumps to its own start
        if re.search(rf"^\s*(?:j\w+|b\.?\w*|cbn?z\s+\w+,|tbn?z\s.*,)\s+{re.escape(label)}\s*$", block, re.M):
            stack = re.findall(r"^.*(?:\(%rsp[,)]|\[sp[],]).*$", block, re.M)
            total += sum(1 for line in stack if re.search(r"%[xyz]mm\d|\bq\d", line))
    return total


def _body(assembly: str, function: str) -> str:
    body = re.search(rf"^{re.escape(function)}:\n(.*?)^\.Lfunc_end", assembly, re.M | re.S)
    if body is None:
        raise KcompileError(f"the assembly has no function {function}")
    return body[1]


def _parse(text: str, target: Target) -> Any:
    import llvmlite.binding as llvm

    initialize()
    try:
        module = llvm.parse_assembly(text)
        module.verify()
    except RuntimeError as error:
        raise KcompileError(f"LLVM refuses the generated text: {error}", target.name) from None
    return module


@cache
def _machine(target: Target) -> Any:
    import llvmlite.binding as llvm

    initialize()
    # the default code model of llvmlite is for its own loader; small and position independent suits all users
    return llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu, features=target.features, opt=3, reloc="pic", codemodel="small"
    )


@cache
def initialize() -> None:
    """Make LLVM's targets known, once a process."""
    import llvmlite.binding as llvm

    with _LOCK:
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()


def versions() -> str:
    """What machine code depends on besides its text and target."""
    import llvmlite
    import llvmlite.binding as llvm

    return f"llvmlite {llvmlite.__version__} LLVM {'.'.join(map(str, llvm.llvm_version_info))}"
