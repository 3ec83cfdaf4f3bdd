"""Workers, one process a family, and timing in rounds: every peer runs a little in each, A B C A B C, so that what else
the machine does meets all alike."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from environments import interpreter
from models import MODELS

HERE = Path(__file__).parent
SLOW = 4.0  # a peer whose call takes so many times its share of a round is visited in two rounds only


class PeerFailedError(Exception):
    """A peer could not do what it was asked."""


@dataclass
class Process:
    """The worker of a family, pinned to as many cores as it has threads; started when first asked."""

    home: Path
    family: str
    threads: int
    process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        environment = {**os.environ, **dict.fromkeys(names, str(self.threads))}
        environment.setdefault("TORCHINDUCTOR_CACHE_DIR", str(self.home / "inductor"))
        cores = sorted(os.sched_getaffinity(0))[: self.threads]
        with open(self.home / f"{self.family}.log", "a") as log:
            command = [interpreter(self.home, self.family), str(HERE / "worker.py"), self.family]
            started = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
            )
        os.sched_setaffinity(started.pid, cores)  # before it has read its first line, thus before it has threads
        return started

    def ask(self, timeout: float, **request: Any) -> Any:
        """The worker's answer. Raises PeerFailedError; a worker that died or hung is started again by the next."""
        if self.process is None:
            self.process = self.start()
        assert self.process.stdin and self.process.stdout
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            ready = select.select([self.process.stdout], [], [], timeout)[0]
            line = self.process.stdout.readline() if ready else ""
        except BrokenPipeError:
            ready, line = [self.process], ""
        if not line:
            self.stop()
            raise PeerFailedError("the process ended" if ready else f"no answer within {timeout:.0f} s")
        answer = json.loads(line)
        if "failed" in answer:
            raise PeerFailedError(answer["failed"])
        return answer["value"]

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@dataclass
class Plan:
    """What to measure. seconds: of each peer in each round; loading: seconds until a peer that loads is given up."""

    home: Path
    families: list[str]
    rounds: int = 4
    seconds: float = 0.25
    loading: float = 600
    peers: set[str] = field(default_factory=set)  # of those only; all where empty

    def measure(self, workers: list[Process], mode: str, model: str, batch: int) -> dict[str, dict[str, Any]]:
        """Facts and times of every peer, or why it failed."""
        case = {"mode": mode, "folder": str(self.home / "models" / model), "model": model, "batch": batch}
        results: dict[str, dict[str, Any]] = {}
        running = []
        for worker in workers:
            try:
                names = worker.ask(self.loading, do="names", mode=mode)
            except PeerFailedError as reason:
                results[worker.family] = {"failed": str(reason)}
                continue
            for name in names:
                if self.peers and name not in self.peers:
                    continue
                try:
                    results[name] = worker.ask(self.loading, do="load", peer=name, threads=worker.threads, **case)
                    running.append((worker, name))
                except PeerFailedError as reason:
                    results[name] = {"failed": str(reason)}
                    print(f"  {name}: {reason}", file=sys.stderr, flush=True)
        for number in range(self.rounds):
            for worker, name in running:
                found = results[name]
                if "failed" in found or (number > 1 and found["median"] > SLOW * self.seconds):
                    continue
                time.sleep(0.02)  # a thread pool that spins after its last call has gone to sleep then
                try:
                    times = worker.ask(300, do="time", peer=name, seconds=self.seconds)
                except PeerFailedError as reason:
                    found["failed"] = str(reason)
                    continue
                for key in ("min", "median"):
                    found[key] = min(found.get(key, float("inf")), times[key])
        for worker in workers:
            with contextlib.suppress(PeerFailedError):
                worker.ask(self.loading, do="drop")
        return results

    def run(self, modes: list[str], models: list[str], threads: list[int], batches: list[int]) -> list[dict[str, Any]]:
        """A row for each configuration, with the facts of every peer."""
        rows = []
        for mode in modes:
            for count in threads:
                workers = [Process(self.home, family, count) for family in self.families]
                for model in models:
                    own = [MODELS[model].train] if mode == "train" else batches or [1, MODELS[model].train]
                    for batch in own:
                        peers = self.measure(workers, mode, model, batch)
                        rows.append({"mode": mode, "model": model, "batch": batch, "threads": count, "peers": peers})
                        best = sorted((p["min"], name) for name, p in peers.items() if "min" in p)[:3]
                        shown = ", ".join(f"{name} {1e3 * least:.3f} ms" for least, name in best)
                        print(f"{mode} {model} {batch} x{count}: {shown}", file=sys.stderr, flush=True)
                for worker in workers:
                    worker.stop()
        return rows
