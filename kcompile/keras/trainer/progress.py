"""Progbar: a progress line for the terminal, as Keras draws it.

3/10 ━━━━━━━━━━━━━━━━━━━━ 1s 100ms/step - accuracy: 0.7500 - loss: 0.7878
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import Any

WIDTH = 20


class Progbar:
    """`update(current, values)` redraws at most every `interval` seconds; `finalize=True` ends the line.

    target: the number of steps, or None when it is not known. verbose: 1 = a bar, 2 = one line at the end, 0 = nothing.
    values: a dict or a list of pairs (name, number), or a function that gives one, called only when it is drawn.
    Where the output is no terminal the bar is written once, at the end, without colours.
    """

    def __init__(
        self,
        target: int | None,
        width: int = WIDTH,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Any = None,
        unit_name: str = "step",
    ):
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.stateful_metrics = stateful_metrics
        self.unit_name = unit_name
        self._dynamic = bool(getattr(sys.stdout, "isatty", lambda: False)())
        self._start = time.perf_counter()
        self._after_first = self._start
        self._first = 1  # steps at the first update: several may run before anybody looks
        self._last_draw = -math.inf
        self._last_length = 0
        self._seen = 0

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        if finalize is None:
            finalize = self.target is not None and current >= self.target and self.stateful_metrics is not None
        now = time.perf_counter()
        if self._seen == 0 and current > 0:
            self._after_first, self._first = now, current
        self._seen = current
        if not self.verbose or (not finalize and (self.verbose != 1 or not self._dynamic)):
            return
        if not finalize and now - self._last_draw < self.interval:
            return
        self._last_draw = now
        self._write(self._line(current, values, now, finalize), finalize)

    def add(self, n: int, values: Any = None) -> None:
        self.update(self._seen + n, values)

    def _write(self, line: str, finalize: bool) -> None:
        if self.verbose == 2:
            sys.stdout.write(line + "\n")
        elif self._dynamic:
            visible = len(_plain(line))
            sys.stdout.write("\r" + line + " " * max(0, self._last_length - visible) + ("\n" if finalize else ""))
            self._last_length = visible
        else:
            sys.stdout.write(_plain(line) + "\n")
        sys.stdout.flush()

    def _line(self, current: int, values: Any, now: float, finalize: bool) -> str:
        # The first step compiles, so the first update is left out of the estimate when there are more.
        several = current > self._first and not finalize
        steps = current - self._first if several else current
        elapsed = now - (self._after_first if several else self._start)
        each = elapsed / steps if steps else 0.0
        if self.verbose == 2:
            head = f"{current}/{self.target} - {now - self._start:.0f}s - {_duration(each)}/{self.unit_name}"
        else:
            remaining = None if finalize or not self.target else each * (self.target - current)
            shown = _clock(now - self._start if remaining is None else remaining)
            head = f"{self._bar(current)} \x1b[1m{shown}\x1b[0m {_duration(each)}/{self.unit_name}"
        return head + "".join(f" - {name}: {_number(value)}" for name, value in _pairs(values))

    def _bar(self, current: int) -> str:
        if not self.target:
            return f"{current:>7d}/Unknown"
        filled = int(self.width * min(1.0, current / self.target))
        count = f"{current:>{len(str(self.target))}d}/{self.target}"
        return f"\x1b[1m{count}\x1b[0m \x1b[32m{'━' * filled}\x1b[0m\x1b[37m{'━' * (self.width - filled)}\x1b[0m"


def _pairs(values: Any) -> list[tuple[str, Any]]:
    if isinstance(values, Callable):  # type: ignore[arg-type]
        values = values()
    if not values:
        return []
    return list(values.items() if isinstance(values, dict) else values)


def _number(value: Any) -> str:
    value = float(value)
    return f"{value:.4f}" if abs(value) > 1e-3 or value == 0 else f"{value:.4e}"


def _duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def _clock(seconds: float) -> str:
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole >= 60 else f"{whole}s"


def _plain(line: str) -> str:
    """The line without colour codes."""
    for code in ("\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"):
        line = line.replace(code, "")
    return line
