"""kcompile build: compile a model ahead of time."""

from __future__ import annotations

import argparse

from kcompile.cli.model import HELP, add_compile_arguments, compile_options, find_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help=HELP)
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="the directory of the artifact")
    parser.add_argument(
        "--target",
        action="append",
        metavar="CPU",
        help="x86-64, x86-64-v3, x86-64-v4, aarch64 or host; several make one object that chooses at load",
    )
    parser.add_argument("--name", help="the name in the C symbols (the model's)")
    add_compile_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    import kcompile

    model = find_model(arguments.model)
    first = arguments.target[0] if arguments.target else None
    compiled = kcompile.compile(model, name=arguments.name, target=first, **compile_options(arguments))
    path = compiled.save(arguments.output, targets=arguments.target)
    files = sorted(p for p in path.rglob("*") if p.is_file())
    for file in files:
        print(f"{file.stat().st_size:10} {file.relative_to(path)}")
    return 0
