"""Every rewrite rule is applied in some golden test: a rule that no test applies may be wrong, or dead."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from kcompile.cli.opt import split_input
from kcompile.errors import KcompileError
from kcompile.ir.parser import parse_module
from kcompile.ir.passes import load_all_passes, parse_pipeline, run_pipeline
from kcompile.ir.rewriting import RewriteDriver

GOLDEN = sorted(Path(__file__).parent.rglob("*.mlir"))


def test_every_rule_is_applied_by_a_golden_test() -> None:
    drivers = [p.run for p in load_all_passes() if isinstance(p.run, RewriteDriver)]
    before = {driver.name: dict(driver.hits) for driver in drivers}
    for path in GOLDEN:
        text = path.read_text()
        for line in re.findall(r"^// RUN:(.*)$", text, re.MULTILINE):
            words = shlex.split(line.partition("|")[0])
            if "-p" not in words:
                continue
            passes = parse_pipeline(words[words.index("-p") + 1])
            for chunk, _ in split_input(text):
                try:
                    run_pipeline(parse_module(chunk, path.name), passes)
                except KcompileError:
                    continue  # a module that has to be refused
    missing = {d.name: [n for n, c in d.hits.items() if c == before[d.name][n]] for d in drivers}
    assert drivers, "there are passes made of rules"
    assert not any(missing.values()), f"rules that no golden test applies: {missing}"
