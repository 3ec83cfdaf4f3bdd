"""kcompile explain: the kernels of a model, what each costs, by which strategy, and what was not fused and why."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from kcompile.cli.model import HELP, add_compile_arguments, compile_options, find_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help=HELP)
    parser.add_argument("--batch", type=int, default=1, help="rows of a call; other unknown sizes count the same (1)")
    parser.add_argument("--target", default=None, help="the CPU to compile for (host)")
    parser.add_argument("--measure", action="store_true", help="time each kernel alone on one thread of this machine")
    add_compile_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    import kcompile
    from kcompile.cli import UsageError

    if arguments.batch < 1:
        raise UsageError(f"--batch counts rows, from 1. Received: {arguments.batch}")
    model = kcompile.compile(
        find_model(arguments.model), target=arguments.target, engine="interpreter", **compile_options(arguments)
    )
    if arguments.measure and not model.target_runs_here:
        raise UsageError(f"code for {arguments.target} does not run on this machine: leave out --measure")
    print_kernels(model.kernels(arguments.batch, arguments.measure))
    apart = model.not_fused()
    if apart:
        print("\nNot one kernel:")
    for line in apart:
        print(f"  {_name(line.producer)} -> {_name(line.consumer)}: {line.reason}")
    return 0


def print_kernels(lines: Sequence[Any]) -> None:
    """The table, and its sums."""
    head = ("kernel", "calls", "root", "result", "MFLOP", "MB", "µs", "GFLOP/s", "strategy", "from")
    rows = [head]
    for line in lines:
        measured = line.seconds is not None and line.seconds > 0
        rows.append(
            (
                line.kernel,
                str(line.calls),
                line.root,
                line.result,
                f"{line.flops / 1e6:.3g}",
                f"{line.bytes / 1e6:.3g}",
                f"{line.seconds * 1e6:.1f}" if measured else "",
                f"{line.flops / line.seconds / 1e9:.0f}" if measured else "",
                _short(line.strategy, 64),
                _short(line.layers, 48),
            )
        )
    empty = [k for k in range(len(head)) if not any(row[k] for row in rows[1:])]
    kept = [k for k in range(len(head)) if k not in empty]
    widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
    for row in rows:
        print("  ".join(row[k].ljust(widths[k]) for k in kept).rstrip())
    calls, work = sum(line.calls for line in lines), sum(line.calls * line.flops for line in lines)
    total = f"{len(lines)} kernels, {calls} calls, {work / 1e6:.4g} MFLOP"
    if lines and all(line.seconds is not None for line in lines):
        total += f", {sum(line.calls * line.seconds for line in lines) * 1e6:.1f} µs one after the other"
    print(total)


def _name(dispatch: Any) -> str:
    return f"{str(dispatch['kernel.root']).removeprefix('graph.')} ({_short(str(dispatch.location), 40)})"


def _short(text: str, limit: int) -> str:
    text = text.removeprefix("loc(").removesuffix(")").replace('"', "")
    return text if len(text) <= limit else text[: limit - 1] + "…"
