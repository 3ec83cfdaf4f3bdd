"""Cursor over an IR text: takes tokens by regular expression, and reports errors with the line and a caret."""

from __future__ import annotations

import re

from kcompile.errors import IRError

SPACE = re.compile(r"(?:\s+|//[^\n]*)*")
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
IDENTIFIER = re.compile(r"[A-Za-z_][\w$.]*", re.ASCII)
SYMBOL = re.compile(r'@(?:([A-Za-z_][\w$.]*)|"((?:[^"\\\n]|\\.)*)")', re.ASCII)
_ESCAPE = re.compile(rb'\\(?:([0-9A-Fa-f]{2})|([nt"\\]))')
_BRACKETS = re.compile(r'"(?:[^"\\\n]|\\.)*"|->|[<>(){}\[\]]')
_CLOSING = {"<": ">", "(": ")", "[": "]", "{": "}"}


def unescape(text: str) -> str:
    """The string that a literal with `text` between its quotes stands for; the inverse of `location.escape`."""
    if "\\" not in text:
        return text
    named = {b"n": b"\n", b"t": b"\t", b'"': b'"', b"\\": b"\\"}
    data = _ESCAPE.sub(lambda m: bytes([int(m[1], 16)]) if m[1] else named[m[2]], text.encode("utf-8", "surrogatepass"))
    return data.decode("utf-8", "surrogatepass")


class Cursor:
    """A place in `text`."""

    def __init__(self, text: str, filename: str = "<text>", at: int = 0):
        self.text = text
        self.filename = filename
        self.at = at

    def skip(self) -> int:
        """Pass over white space and comments; gives the place of the next token."""
        match = SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return self.at

    def peek(self, literal: str) -> bool:
        """Whether the next token starts with `literal`."""
        return self.text.startswith(literal, self.skip())

    def take(self, literal: str) -> bool:
        """Pass over `literal` if it is next."""
        if self.text.startswith(literal, self.skip()):
            self.at += len(literal)
            return True
        return False

    def expect(self, literal: str, what: str = "") -> None:
        """Pass over `literal`, which has to be next."""
        if not self.take(literal):
            raise self.error(f"expected '{literal}'{f' {what}' if what else ''}")

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Pass over `pattern` if it is next."""
        found = pattern.match(self.text, self.skip())
        if found is not None:
            self.at = found.end()
        return found

    def expect_match(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        found = self.match(pattern)
        if found is None:
            raise self.error(f"expected {what}")
        return found

    def string(self) -> str:
        """A string literal."""
        return unescape(self.expect_match(STRING, "a string")[1])

    def integer(self) -> int:
        return int(self.expect_match(re.compile(r"-?\d+"), "an integer")[0])

    def balanced(self, what: str) -> str:
        """The text from the bracket that is next up to the one that closes it, both included."""
        start = at = self.skip()
        stack = []
        while True:
            found = _BRACKETS.search(self.text, at)
            if found is None:
                raise self.error(f"{what} is not closed", start)
            token = found[0]
            if token in _CLOSING:
                stack.append(_CLOSING[token])
            elif token in ")>]}":
                if not stack or stack.pop() != token:
                    raise self.error(f"'{token}' closes nothing", found.start())
                if not stack:
                    self.at = found.end()
                    return self.text[start : self.at]
            at = found.end()

    def place(self, at: int) -> tuple[int, int]:
        """Line and column, from 1."""
        return self.text.count("\n", 0, at) + 1, at - (self.text.rfind("\n", 0, at) + 1) + 1

    def error(self, message: str, at: int | None = None) -> IRError:
        """An IRError at `at` (the next token if None), with the line and a caret."""
        at = min(self.skip() if at is None else at, len(self.text))
        line, column = self.place(at)
        end = self.text.find("\n", at)
        shown = self.text[at - column + 1 : end if end >= 0 else len(self.text)]
        start = max(0, column - 100)  # a line with a large constant would bury the message
        if at >= len(self.text) and not shown:
            message += "; the text ends here"
        caret = " " * (column - 1 - start) + "^"
        return IRError(f"{message}\n  {shown[start : start + 160]}\n  {caret}", f"{self.filename}:{line}:{column}")
