"""FileCheck, as LLVM's: match a text against CHECK lines.

CHECK, CHECK-NEXT, CHECK-SAME, CHECK-NOT, CHECK-DAG, CHECK-LABEL, CHECK-EMPTY, CHECK-COUNT-<n>; a pattern may hold
`{{regex}}`, `[[NAME:regex]]` defines a variable and `[[NAME]]` uses it. Runs of blanks match any blanks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PART = re.compile(r"\{\{(.*?)\}\}(?!\})|\[\[([A-Za-z_]\w*)(?::(.*?))?\]\](?!\])|([ \t]+)")


class CheckError(AssertionError):
    """A directive that does not hold."""


@dataclass(frozen=True)
class Directive:
    kind: str  # "", NEXT, SAME, NOT, DAG, LABEL, EMPTY
    pattern: str
    line: int  # in the check file


def parse_directives(checks: str, prefix: str = "CHECK") -> list[Directive]:
    """The directives of a check file, in order."""
    found = []
    matcher = re.compile(rf"(?:^|[^\w-]){re.escape(prefix)}(?:-(NEXT|SAME|NOT|DAG|LABEL|EMPTY|COUNT-(\d+)))?:(.*)")
    for number, line in enumerate(checks.splitlines(), 1):
        match = matcher.search(line)
        if match is None:
            continue
        pattern = match[3].strip()
        if not pattern and match[1] != "EMPTY":
            raise CheckError(f"line {number}: the check has no pattern")
        kind = match[1] or ""
        if match[2]:
            found += [Directive("", pattern, number)] * int(match[2])
        else:
            found.append(Directive(kind, pattern, number))
    return found


def compile_pattern(pattern: str, variables: dict[str, str]) -> re.Pattern[str]:
    """The regular expression of a pattern; values of known variables stand in it literally."""
    out, at = "", 0
    defined: set[str] = set()
    for part in _PART.finditer(pattern):
        out += re.escape(pattern[at : part.start()])
        if part[1] is not None:
            out += f"(?:{part[1]})"
        elif part[2] is not None and part[3] is not None:
            out += f"(?P<{part[2]}>{part[3]})"
            defined.add(part[2])
        elif part[2] is not None:
            if part[2] in defined:
                out += f"(?P={part[2]})"
            elif part[2] in variables:
                out += re.escape(variables[part[2]])
            else:
                raise CheckError(f"the variable {part[2]} is not defined before '{pattern}'")
        else:
            out += r"[ \t]+"
        at = part.end()
    return re.compile(out + re.escape(pattern[at:]))


def check(text: str, checks: str, prefix: str = "CHECK") -> None:
    """Raise CheckError where `text` does not fulfil the directives in `checks`."""
    directives = parse_directives(checks, prefix)
    if not directives:
        raise CheckError(f"there is no {prefix} line")
    if not any(d.kind != "NOT" for d in directives) and not text.strip():
        raise CheckError("the output is empty, so CHECK-NOT alone says nothing")
    _Checker(text, checks).run(directives)


class _Checker:
    def __init__(self, text: str, checks: str):
        self.text = text
        self.checks = checks.splitlines()
        self.variables: dict[str, str] = {}

    def run(self, directives: Sequence[Directive]) -> None:
        # labels first: they cut the text into sections, so that an error in one is not blamed on the next
        sections: list[tuple[int, int, list[Directive]]] = []
        start, group = 0, []
        at = 0
        for directive in directives:
            if directive.kind != "LABEL":
                group.append(directive)
                continue
            match = self.search(directive, at, len(self.text))
            if match is None:
                raise self.error(directive, "is not found", at)
            sections.append((start, match.start(), group))
            start, group, at = match.end(), [], match.end()
        sections.append((start, len(self.text), group))
        for begin, end, section in sections:
            self.section(begin, end, section)

    def section(self, at: int, end: int, directives: Sequence[Directive]) -> None:
        absent: list[Directive] = []
        i = 0
        while i < len(directives):
            directive = directives[i]
            if directive.kind == "NOT":
                absent.append(directive)
                i += 1
                continue
            if directive.kind == "DAG":
                group = []
                while i < len(directives) and directives[i].kind == "DAG":
                    group.append(directives[i])
                    i += 1
                first, last = self.unordered(group, at, end)
                self.none_of(absent, at, first)
                absent, at = [], last
                continue
            match = self.search(directive, at, end)
            if match is None:
                raise self.error(directive, "is not found", at)
            lines = self.text.count("\n", at, match.start())
            if directive.kind in ("NEXT", "EMPTY") and lines != 1:
                raise self.error(directive, f"is not on the next line but {lines} lines on", at)
            if directive.kind == "SAME" and lines:
                raise self.error(directive, f"is not on the same line but {lines} lines on", at)
            self.none_of(absent, at, match.start())
            self.variables.update({k: v for k, v in match.groupdict().items() if v is not None})
            absent, at = [], match.end()
            i += 1
        self.none_of(absent, at, end)

    def unordered(self, group: Sequence[Directive], at: int, end: int) -> tuple[int, int]:
        taken: list[tuple[int, int]] = []
        for directive in group:
            position = at
            while True:
                match = self.search(directive, position, end)
                if match is None:
                    raise self.error(directive, "is not found", at)
                overlap = [b for a, b in taken if a < match.end() and match.start() < b]
                if not overlap:
                    break
                position = max(overlap)
            taken.append(match.span())
            self.variables.update({k: v for k, v in match.groupdict().items() if v is not None})
        return min(a for a, _ in taken), max(b for _, b in taken)

    def none_of(self, directives: Sequence[Directive], at: int, end: int) -> None:
        for directive in directives:
            match = self.search(directive, at, end)
            if match is not None:
                raise self.error(directive, "is there, and should not be", match.start())

    def search(self, directive: Directive, at: int, end: int) -> re.Match[str] | None:
        if directive.kind == "EMPTY":
            return re.compile(r"(?<=\n)(?=\n)").search(self.text, at, end)
        return compile_pattern(directive.pattern, self.variables).search(self.text, at, end)

    def error(self, directive: Directive, problem: str, at: int) -> CheckError:
        kind = f"-{directive.kind}" if directive.kind else ""
        line = self.text.count("\n", 0, at)
        context = "\n".join(f"  {n + 1:4} | {s}" for n, s in list(enumerate(self.text.splitlines()))[line : line + 14])
        known = "".join(f"\n  with {k} = {v}" for k, v in self.variables.items())
        return CheckError(
            f"CHECK{kind} of line {directive.line} {problem}: {directive.pattern}{known}\nscanning from\n{context}"
        )
