"""kcompile build: compile a model ahead of time."""

from __future__ import annotations

import argparse

from kcompile.cli.model import HELP, find_model


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


def run(arguments: argparse.Namespace) -> int:
    import kcompile

    model = find_model(arguments.model)
    compiled = kcompile.compile(model, name=arguments.name, target=arguments.target[0] if arguments.target else None)
    path = compiled.save(arguments.output, targets=arguments.target)
    files = sorted(p for p in path.rglob("*") if p.is_file())
    for file in files:
        print(f"{file.stat().st_size:10} {file.relative_to(path)}")
    return 0
