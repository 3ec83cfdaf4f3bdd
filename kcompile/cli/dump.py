"""kcompile dump: print a stage of a model."""

from __future__ import annotations

import argparse

from kcompile.cli.model import HELP, add_compile_arguments, compile_options, find_model
from kcompile.cli.opt import write

STAGES = ("graph", "kernel", "linalg", "loops", "plan", "llvm", "asm")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help=HELP)
    parser.add_argument("--stage", default="graph", choices=STAGES, help="which level (graph)")
    parser.add_argument("--target", default=None, help="the CPU to compile for (host)")
    parser.add_argument("-o", "--output", default="-", help="where the text goes (standard output)")
    add_compile_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    import kcompile

    model = find_model(arguments.model)
    # nothing is run, so nothing below the stage has to be compiled
    compiled = kcompile.compile(model, target=arguments.target, engine="interpreter", **compile_options(arguments))
    text = compiled.ir(arguments.stage)
    write(arguments.output, text if text.endswith("\n") else text + "\n")
    return 0
