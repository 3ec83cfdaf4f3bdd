"""Passes: a registry by name, pipelines as text, and the manager that runs, checks, times and dumps them.

@pass_("cse", reads="graph", writes="graph", exact=True)
def cse(module: Operation) -> bool:          # options are keyword arguments; True when something changed
    ...

run_pipeline(module, "canonicalize,fuse-epilogues{max=4},cse", verify_each=True)
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from kcompile.errors import IRError
from kcompile.ir.core import Operation
from kcompile.ir.garbage import no_collection

PassFunction = Callable[..., bool]
REPRODUCER_PREFIX = "// RUN: kcompile opt --run-reproducer %s -p "


@dataclass(frozen=True, slots=True)
class Pass:
    """A named change of a module.

    reads, writes   the levels it takes and leaves ("graph", "kernel", "linalg", "loops", "plan")
    run             run(module, **options) -> whether it changed something
    options         keyword arguments given to `run`
    exact           the results of the module stay bitwise the same
    """

    name: str
    run: PassFunction
    reads: str
    writes: str
    options: dict[str, Any] = field(default_factory=dict)
    exact: bool = False

    def __call__(self, module: Operation, **options: Any) -> bool:
        return bool(self.run(module, **{**self.options, **options}))

    def configured(self, **options: Any) -> Pass:
        """This pass with other options; unknown ones are refused."""
        accepted = inspect.signature(self.run).parameters
        takes_any = any(p.kind is p.VAR_KEYWORD for p in accepted.values())
        for option in options:
            if option not in accepted and not takes_any:
                known = [n for n in list(accepted)[1:]]
                raise IRError(f"the pass {self.name} has no option '{option}'. It has: {known}")
        return replace(self, options={**self.options, **options})

    def __str__(self) -> str:
        shown = " ".join(f"{k}={_option_text(v)}" for k, v in self.options.items())
        return f"{self.name}{{{shown}}}" if shown else self.name

    @property
    def doc(self) -> str:
        """The first line of what the pass says about itself."""
        doc = inspect.getdoc(self.run) or inspect.getdoc(inspect.getmodule(self.run)) or ""
        return doc.splitlines()[0] if doc else ""


_REGISTRY: dict[str, Pass] = {}
_PACKAGES = ("kcompile.transforms", "kcompile.strategies")


def register(new: Pass) -> Pass:
    """Make a pass known by its name."""
    if new.name in _REGISTRY and _REGISTRY[new.name].run is not new.run:
        raise IRError(f"the pass {new.name} is defined twice")
    _REGISTRY[new.name] = new
    return new


def pass_(name: str, *, reads: str, writes: str, exact: bool = False) -> Callable[[PassFunction], Pass]:
    """Decorator: register a function `f(module, **options) -> changed` as a pass."""
    return lambda function: register(Pass(name, function, reads, writes, exact=exact))


def find_pass(name: str) -> Pass:
    """The pass called `name`; its module, which has the same name, is imported at first need."""
    if name not in _REGISTRY:
        _import_pass(name)
    if name not in _REGISTRY:
        load_all_passes()
    if name not in _REGISTRY:
        import difflib

        close = difflib.get_close_matches(name, _REGISTRY, 3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(sorted(_REGISTRY)) or 'none'}"
        raise IRError(f"there is no pass '{name}'; {hint}")
    return _REGISTRY[name]


def _import_pass(name: str) -> None:
    module = name.replace("-", "_")
    for level in ("graph", "kernel", "loops", "plan"):
        full = f"kcompile.transforms.{level}.{module}"
        try:
            importlib.import_module(full)
        except ModuleNotFoundError as error:
            if error.name is None or not full.startswith(error.name):
                raise


def load_all_passes() -> list[Pass]:
    """Import every module that may register a pass; all passes by name."""
    for package in _PACKAGES:
        try:
            root = importlib.import_module(package)
        except ModuleNotFoundError as error:
            if error.name != package:
                raise
            continue
        for found in pkgutil.walk_packages(root.__path__, f"{package}."):
            importlib.import_module(found.name)
    return [_REGISTRY[n] for n in sorted(_REGISTRY)]


# -- pipelines as text
_PIPELINE_ITEM = re.compile(r"\s*([A-Za-z][\w-]*)\s*(?:\{([^{}]*)\})?\s*(,|$)")
_OPTION = re.compile(r"\s*([A-Za-z][\w-]*)\s*=\s*(\"[^\"]*\"|[^\s,]+)\s*,?")


def parse_pipeline(text: str) -> list[Pass]:
    """The passes of a text such as `canonicalize,fuse-epilogues{max=4 deep=true},cse`."""
    passes = []
    at = 0
    text = text.strip()
    while at < len(text):
        match = _PIPELINE_ITEM.match(text, at)
        if match is None:
            raise IRError(f"a pipeline reads 'name{{option=value}},name'. Received: {text!r}, wrong from {text[at:]!r}")
        found = find_pass(match[1])
        options = _parse_options(match[2], match[1]) if match[2] else {}
        passes.append(found.configured(**options) if options else found)
        at = match.end()
    return passes


def _parse_options(text: str, name: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    at = 0
    while at < len(text.rstrip()):
        match = _OPTION.match(text, at)
        if match is None:
            raise IRError(f"the options of {name} read 'name=value name=value'. Received: {text!r}")
        options[match[1].replace("-", "_")] = _option_value(match[2])
        at = match.end()
    return options


def _option_value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text.strip('"')


def _option_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(getattr(value, "name", value))  # a target is given by its name
    return (
        f'"{text}"'
        if isinstance(value, str) and (not re.fullmatch(r"[\w./-]+", text) or _option_value(text) != text)
        else text
    )


def pipeline_text(passes: Sequence[Pass]) -> str:
    """The text that `parse_pipeline` reads back."""
    return ",".join(map(str, passes))


# -- running
@dataclass
class PassManager:
    """Runs passes in order, with the checks that are asked for.

    verify_each          verify the module before the first pass and after each one
    print_after_change   print the module to `output` after each pass that changed it
    dump_dir             write `NN-pass.mlir` there after each pass that changed it (00-input.mlir first)
    timing               record seconds per pass in `times`; `timing_table()` shows them
    interpret_each       run the module before and after each pass on random inputs and compare
    reproducer           when a pass raises, write the module before it there, its pipeline in line 1
    """

    passes: Sequence[Pass]
    verify_each: bool = False
    print_after_change: bool = False
    dump_dir: str | Path | None = None
    timing: bool = False
    interpret_each: bool = False
    reproducer: str | Path | None = None
    seed: int = 0
    output: TextIO | None = None
    times: list[tuple[str, float, bool]] = field(default_factory=list)

    def run(self, module: Operation) -> bool:
        """Run all passes on `module` in place; gives whether any changed it."""
        with no_collection():
            return self._run(module)

    def _run(self, module: Operation) -> bool:
        from kcompile.ir.printer import print_operation

        changed_any = False
        self._verify(module, None)
        self._dump(module, 0, "input")
        for number, current in enumerate(self.passes, 1):
            text = print_operation(module, resources=True, locations=True) if self.reproducer is not None else None
            before = module.clone() if self.interpret_each else None
            start = time.perf_counter()
            try:
                changed = current(module)
                self.times.append((str(current), time.perf_counter() - start, changed))
                if changed or self.verify_each:
                    self._verify(module, current)
                if changed and before is not None:
                    self._validate(before, module, current)
            except Exception as error:
                if text is not None:
                    self._write_reproducer(text, number - 1, error)
                raise
            if changed:
                changed_any = True
                self._dump(module, number, current.name)
                if self.print_after_change:
                    print(f"// after {current}\n{module}", file=self.output or sys.stderr)
        return changed_any

    def timing_table(self) -> str:
        """Milliseconds per pass, slowest first."""
        total = sum(seconds for _, seconds, _ in self.times) or 1e-12
        rows = sorted(self.times, key=lambda row: -row[1])
        lines = [f"{s * 1e3:9.2f} ms {100 * s / total:5.1f} %  {n}{'' if c else '  (no change)'}" for n, s, c in rows]
        return "\n".join([*lines, f"{total * 1e3:9.2f} ms 100.0 %  total"])

    def _verify(self, module: Operation, after: Pass | None) -> None:
        if not self.verify_each:
            return
        from kcompile.ir.verifier import verify

        try:
            verify(module)
        except IRError as error:
            if after is None:
                raise
            raise IRError(f"the pass {after} left a module that breaks a rule: {error.message}", error.where) from error

    def _validate(self, before: Operation, after: Operation, current: Pass) -> None:
        from kcompile.ir.validation import compare_modules

        difference = compare_modules(before, after, exact=current.exact, seed=self.seed)
        if difference is not None:
            raise IRError(f"the pass {current} changed what the module computes: {difference}")

    def _dump(self, module: Operation, number: int, name: str) -> None:
        if self.dump_dir is None:
            return
        folder = Path(self.dump_dir)
        folder.mkdir(parents=True, exist_ok=True)
        from kcompile.ir.printer import print_operation

        (folder / f"{number:02d}-{name}.mlir").write_text(print_operation(module, locations=True) + "\n")

    def _write_reproducer(self, text: str, start: int, error: Exception) -> None:
        assert self.reproducer is not None
        rest = pipeline_text(self.passes[start:])
        verify_each = " --verify-each" if self.verify_each else ""
        interpret_each = " --interpret-each" if self.interpret_each else ""
        first = f"{REPRODUCER_PREFIX}'{rest}'{verify_each}{interpret_each}"
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        Path(self.reproducer).parent.mkdir(parents=True, exist_ok=True)
        Path(self.reproducer).write_text(f"{first}\n// {type(error).__name__}: {reason}\n{text}\n")


def run_pipeline(module: Operation, pipeline: str | Sequence[Pass], **options: Any) -> bool:
    """Run a pipeline on `module` in place; `options` are PassManager's. Gives whether it changed anything."""
    passes = parse_pipeline(pipeline) if isinstance(pipeline, str) else pipeline
    return PassManager(passes, **options).run(module)


def run_reproducer(path: str | Path) -> Operation:
    """Run the pipeline in line 1 of a reproducer on the module below; gives the module, or raises as the pass did."""
    from kcompile.ir.parser import parse_module

    text = Path(path).read_text()
    match = re.match(re.escape(REPRODUCER_PREFIX) + r"'([^']*)'(.*)", text)
    if match is None:
        raise IRError(f"{path} is no reproducer: line 1 needs to read \"{REPRODUCER_PREFIX}'pipeline'\"")
    module = parse_module(text, str(path))
    run_pipeline(
        module, match[1], verify_each="--verify-each" in match[2], interpret_each="--interpret-each" in match[2]
    )
    return module


def passes_of(names: Sequence[str]) -> Iterator[Pass]:
    """The passes with these names."""
    return (find_pass(name) for name in names)
