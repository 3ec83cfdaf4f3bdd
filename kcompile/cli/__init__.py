"""The `kcompile` command: one verb a module.

    kcompile opt stage.mlir -p 'canonicalize,cse' --verify-each

Exit codes: 0 done; 2 wrong usage; 3 an input that kcompile refuses, with the reason on standard error.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from kcompile.errors import KcompileError

# verb -> its one line in the help; the module of the same name is imported when the verb is used
VERBS = {
    "opt": "run passes on an IR text",
    "dump": "print a stage of a model: graph, kernel, linalg, loops, plan, llvm or asm",
    "explain": "list the kernels of a model: cost, strategy, and what was not fused and why",
    "build": "compile a model ahead of time into an artifact",
    "run": "run an artifact on the arrays of an .npz file",
    "bench": "time calls of a model or an artifact, for batches and threads",
    "passes": "list the passes",
}
USAGE_ERROR, REFUSED = 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit code. `arguments` are those after the program's name (sys.argv if None)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="kcompile", description="Compiles Keras models to native code.")
    parser.add_argument("--version", action="version", version=f"kcompile {_version()}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, line in VERBS.items():
        verb_parser = verbs.add_parser(verb, help=line, description=line.capitalize() + ".", add_help=verb in given)
        if verb in given:
            importlib.import_module(f"kcompile.cli.{verb}").add_arguments(verb_parser)
    try:
        parsed = parser.parse_args(given)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        return int(importlib.import_module(f"kcompile.cli.{parsed.verb}").run(parsed))
    except UsageError as error:
        print(f"kcompile {parsed.verb}: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KcompileError as error:
        print(f"kcompile.{type(error).__name__}: {error}", file=sys.stderr)
        return REFUSED
    except BrokenPipeError:  # `kcompile dump .. | head`
        return 0


class UsageError(Exception):
    """Arguments that cannot be followed: a file that is not there, an unknown stage."""


def _version() -> str:
    from kcompile import __version__

    return __version__
