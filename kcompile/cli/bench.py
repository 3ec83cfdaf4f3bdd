"""kcompile bench: the time of a call of a model or an artifact, numpy in and numpy out, for batches and threads."""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kcompile.cli.model import HELP, find_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help=f"{HELP}; or an artifact")
    parser.add_argument("--batch", default="1,32", help="rows of a call; other unknown sizes count the same (1,32)")
    parser.add_argument("--threads", default="", help="worker threads (1, and as many as the process may use)")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each thread count, all batches in turns (1)")


def run(arguments: argparse.Namespace) -> int:
    from kcompile.codegen.timing import in_turns

    batches = numbers("--batch", arguments.batch)
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    teams = numbers("--threads", arguments.threads) if arguments.threads else sorted({1, here})
    rows = [f"{'threads':>7} {'batch':>6} {'µs a call':>11} {'rows a second':>14} {'ready in s':>11}"]
    for threads in teams:
        start = time.perf_counter()
        model = runnable(arguments.model, threads)
        calls = [partial(model, example_inputs(model.inputs, batch)) for batch in batches]
        for call in calls:
            call()
        ready = time.perf_counter() - start
        for batch, least in zip(batches, in_turns(calls, 3, arguments.seconds), strict=True):
            rows.append(f"{threads:7d} {batch:6d} {least * 1e6:11.1f} {batch / least:14.0f} {ready:11.2f}")
    print("\n".join(rows))
    return 0


def runnable(text: str, threads: int) -> Any:
    """The artifact, or the compiled model."""
    import kcompile

    if Path(text).is_dir():
        return kcompile.load(text, threads=threads)
    return kcompile.compile(find_model(text), threads=threads)


def example_inputs(ports: list[Any], batch: int) -> Any:
    """Random numbers for every float input, zeros for others: 0 is always a place in a table."""
    random = np.random.default_rng(0)
    made = []
    for port in ports:
        facts = port if isinstance(port, dict) else asdict(port)
        sizes = [size if isinstance(size, int) else batch for size in facts["shape"]]
        kind = np.dtype(facts["dtype"])
        made.append(random.random(sizes).astype(kind) if kind.kind == "f" else np.zeros(sizes, kind))
    return made[0] if len(made) == 1 else made


def numbers(flag: str, text: str) -> list[int]:
    """Counts from 1, separated by commas."""
    from kcompile.cli import UsageError

    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = [0]
    if min(found) < 1:
        raise UsageError(f"{flag} takes counts from 1, separated by commas. Received: {text}")
    return found
