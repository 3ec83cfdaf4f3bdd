"""kcompile passes: all passes, what they read and write, and what they do in one line."""

from __future__ import annotations

import argparse

from kcompile.ir.passes import load_all_passes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--level", help="only passes that read this level")


def run(arguments: argparse.Namespace) -> int:
    for found in load_all_passes():
        if arguments.level in (None, found.reads):
            levels = found.reads if found.reads == found.writes else f"{found.reads} -> {found.writes}"
            print(f"{found.name:28} {levels:18} {found.doc}")
    return 0
