"""A process that runs the peers of one family: JSON lines on standard input ask, lines on standard output answer.

python worker.py FAMILY            # by the family's interpreter; `rounds.py` starts it
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from families import Case


class Worker:
    def __init__(self, family: str) -> None:
        self.family = importlib.import_module(f"families.{family}")
        self.calls: dict[str, Callable[[], Any]] = {}

    def names(self, mode: str) -> list[str]:
        """The peers of the family that can do this."""
        return list(self.table(mode))

    def table(self, mode: str) -> dict[str, Callable[[Case], Callable[..., Any]]]:
        return self.family.INFER if mode == "infer" else self.family.TRAIN

    def load(self, peer: str, mode: str, folder: str, model: str, batch: int, threads: int) -> dict[str, Any]:
        """Make the peer ready; gives its error at inference, its first losses in training, and the seconds it took."""
        case = Case(Path(folder), model, batch, threads)
        with np.load(case.folder / f"data_{batch}.npz") as data:
            x, exact, target = data["x"], data["exact"], data["target"]
        start = time.perf_counter()
        run = self.table(mode)[peer](case)
        if mode == "infer":
            result = np.asarray(run(x))
            if result.shape != exact.shape:
                raise ValueError(f"the result should be {exact.shape}. Received: {result.shape}")
            facts = {"error": float(np.abs(result - exact).max() / np.abs(exact).max())}
            self.calls[peer] = lambda: run(x)
        else:
            facts = {"losses": [run(x, target) for _ in range(4)]}
            self.calls[peer] = lambda: run(x, target)
        return {**facts, "load": time.perf_counter() - start}

    def time(self, peer: str, seconds: float) -> dict[str, Any]:
        """Seconds of one call, over at least `seconds` and two calls, after one that is not counted."""
        call, times = self.calls[peer], []
        call()
        end = time.perf_counter() + seconds
        while len(times) < 2 or time.perf_counter() < end:
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        return {"min": min(times), "median": median(times)}

    def drop(self) -> None:
        self.calls.clear()
        gc.collect()


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a framework prints goes to the log
    worker = Worker(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"value": getattr(worker, request.pop("do"))(**request)}
        except Exception as error:
            traceback.print_exc()
            answer = {"failed": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
