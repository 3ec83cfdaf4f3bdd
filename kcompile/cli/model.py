"""The MODEL argument of the verbs: a .keras file, or module:name of a model or of a function that returns one."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import Any

from kcompile.cli import UsageError

HELP = "a .keras file, or module:name of a model, or of a function without arguments that returns one"


def add_compile_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of the verbs that compile a model: what to check and to show on the way."""
    parser.add_argument("--verify-each", action="store_true", default=None, help="verify the module after each pass")
    parser.add_argument("--interpret-each", action="store_true", default=None, help="compare results around each pass")
    parser.add_argument("--print-ir-after-change", action="store_true", default=None, help="print what passes change")
    parser.add_argument("--time-passes", action="store_true", default=None, help="print the time of each pass")
    parser.add_argument("--dump-stages", metavar="DIR", help="write the module after each pass that changes it")
    parser.add_argument("--disable", metavar="PASSES", help="comma-separated passes to leave out")


def compile_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options of `kcompile.compile` for those flags; None where a flag is not given."""
    return {
        "verify": arguments.verify_each,
        "interpret": arguments.interpret_each,
        "show": arguments.print_ir_after_change,
        "timing": arguments.time_passes,
        "dump": arguments.dump_stages,
        "disable": arguments.disable,
    }


def find_model(text: str) -> Any:
    """What `kcompile.compile` takes, from the text of a MODEL argument; UsageError when there is nothing there."""
    if ":" not in text or os.path.exists(text):
        if not Path(text).is_file():
            raise UsageError(f"there is no file {text}; MODEL is {HELP}")
        return text
    module_name, _, name = text.partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")  # as `python -m` does: the user's modules are in the current directory
    try:
        module = importlib.import_module(module_name.removesuffix(".py").replace("/", "."))
    except ModuleNotFoundError as error:
        raise UsageError(f"cannot import {module_name}: {error}") from None
    if not hasattr(module, name):
        raise UsageError(f"the module {module_name} has no '{name}'; MODEL is {HELP}")
    found = getattr(module, name)
    # a model is callable too: only functions and classes are called
    return found() if callable(found) and not hasattr(found, "layers") else found
