"""kcompile opt: run passes on an IR text, as mlir-opt does.

kcompile opt FILE -p 'canonicalize,fuse-epilogues{max=4},cse' --verify-each --interpret-each
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from kcompile.cli import UsageError
from kcompile.ir.parser import parse_module
from kcompile.ir.passes import REPRODUCER_PREFIX, PassManager, parse_pipeline
from kcompile.ir.printer import print_operation
from kcompile.ir.verifier import verify

SEPARATOR = re.compile(r"^// -----[^\n]*\n", re.MULTILINE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="an IR text in generic form; - reads standard input; '// -----' separates modules")
    parser.add_argument("-p", "--passes", default="", help="the pipeline: name{option=value},name")
    parser.add_argument("-o", "--output", default="-", help="where the result goes (standard output)")
    parser.add_argument("--verify-each", action="store_true", help="verify the module after each pass")
    parser.add_argument("--no-verify", action="store_true", help="do not verify what is read and what is printed")
    parser.add_argument(
        "--interpret-each", action="store_true", help="compare the results of the module around each pass"
    )
    parser.add_argument(
        "--print-ir-after-change", action="store_true", help="print the module after passes that change it"
    )
    parser.add_argument("--time-passes", action="store_true", help="print the time of each pass")
    parser.add_argument("--dump-stages", metavar="DIR", help="write NN-pass.mlir after passes that change the module")
    parser.add_argument("--reproducer", metavar="FILE", help="where a pass that fails leaves its input")
    parser.add_argument("--run-reproducer", action="store_true", help="run the pipeline in the first line of the file")
    parser.add_argument("--resources", action="store_true", help="print the bytes of large constants")
    parser.add_argument("--locations", action="store_true", help="print the locations of operations")


def run(arguments: argparse.Namespace) -> int:
    text = read(arguments.file)
    if arguments.run_reproducer:
        head = re.match(re.escape(REPRODUCER_PREFIX) + r"'([^']*)'(.*)", text)
        if head is None:
            raise UsageError(f"{arguments.file} is no reproducer: its line 1 reads \"{REPRODUCER_PREFIX}'pipeline'\"")
        arguments.passes = arguments.passes or head[1]
        arguments.verify_each |= "--verify-each" in head[2]
        arguments.interpret_each |= "--interpret-each" in head[2]
    passes = parse_pipeline(arguments.passes)
    printed = []
    for number, (chunk, first_line) in enumerate(split_input(text)):
        module = parse_module("\n" * first_line + chunk, arguments.file)
        if not arguments.no_verify:
            verify(module)
        manager = PassManager(
            passes,
            verify_each=arguments.verify_each,
            print_after_change=arguments.print_ir_after_change,
            dump_dir=_numbered(arguments.dump_stages, number),
            interpret_each=arguments.interpret_each,
            reproducer=arguments.reproducer,
        )
        manager.run(module)
        if arguments.time_passes:
            print(manager.timing_table(), file=sys.stderr)
        if not arguments.no_verify:
            verify(module)
        printed.append(print_operation(module, resources=arguments.resources, locations=arguments.locations) + "\n")
    write(arguments.output, "// -----\n".join(printed))
    return 0


def split_input(text: str) -> list[tuple[str, int]]:
    """The modules between `// -----` lines, each with the number of lines before it."""
    chunks, at = [], 0
    for separator in [*SEPARATOR.finditer(text), None]:
        end = len(text) if separator is None else separator.start()
        chunks.append((text[at:end], text.count("\n", 0, at)))
        at = end if separator is None else separator.end()
    return chunks


def read(path: str) -> str:
    """The text of a file; - is standard input."""
    if path == "-":
        return sys.stdin.read()
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None


def write(path: str, text: str) -> None:
    """Write a file; - is standard output."""
    if path == "-":
        sys.stdout.write(text)
    else:
        Path(path).write_text(text)


def _numbered(folder: str | None, number: int) -> str | None:
    return folder if folder is None or number == 0 else str(Path(folder) / str(number))
