"""A table of the peer benchmark's results: the least time of each family, and ours beside the best of them.

    python tools/bench/peers/table.py results.json [later.json ...]      # rows of later files take the place of earlier

Ratio: the time of the best peer over ours. % of peak: matrix work done in our time, of what the machine's multiply-add
units could do (three forward passes a train step). Error: the largest difference to the model in f64, relative to its
largest value, ours and that of the fastest peer. The last lines are geometric means of the ratios.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import geometric_mean
from typing import Any

FAMILIES = {
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
    "litert": "LiteRT",
    "jax": "JAX",
    "torch": "torch",
    "torch-inductor": "inductor",
    "tensorflow": "TensorFlow",
    "kcompile": "kcompile",
}
WRONG = 2e-3  # of an error in f32: such a peer computes something else, and its time does not count

Fact = dict[str, Any]


def family_of(peer: str) -> str:
    return peer if peer in FAMILIES else peer.split("-")[0]


def fastest(peers: dict[str, Fact], family: str) -> Fact | None:
    """The peer of a family with the least time."""
    sound = [p for name, p in peers.items() if family_of(name) == family and "min" in p and p.get("error", 0) < WRONG]
    return min(sound, default=None, key=lambda peer: peer["min"])


def time_text(peer: Fact | None) -> str:
    if peer is None:
        return "–"
    return f"{peer['min'] * 1e6:.1f} µs" if peer["min"] < 1e-3 else f"{peer['min'] * 1e3:.2f} ms"


def error_text(peer: Fact | None) -> str:
    return f"{peer['error']:.0e}" if peer and "error" in peer else "–"


def share_of_peak(results: Fact, row: Fact, seconds: float) -> str:
    passes = 3 if row["mode"] == "train" else 1
    flops = passes * results["models"][row["model"]]["flops"] * row["batch"]
    return f"{flops / seconds / results['peak'][str(row['threads'])] / 1e7:.0f} %"


def print_table(several: list[Fact]) -> None:
    """Print rows of all results, the last of equal configurations."""
    rows = {}
    for results in several:
        for row in results["rows"]:
            rows[row["mode"], row["threads"], row["model"], row["batch"]] = (results, row)
    head = ["", "model", "batch", "threads", *FAMILIES.values(), "ratio", "% of peak", "error", "peer's error"]
    print(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    ratios: dict[str, list[float]] = {}
    for results, row in rows.values():
        found = {family: fastest(row["peers"], family) for family in FAMILIES}
        ours = found.pop("kcompile")
        best = min((peer for peer in found.values() if peer), default=None, key=lambda peer: peer["min"])
        cells = [row["mode"], row["model"], row["batch"], row["threads"], *map(time_text, (*found.values(), ours))]
        if best and ours:
            ratios.setdefault(row["mode"], []).append(best["min"] / ours["min"])
            cells.append(f"{best['min'] / ours['min']:.2f}")
        else:
            cells.append("–")
        cells += [share_of_peak(results, row, ours["min"]) if ours else "–", error_text(ours), error_text(best)]
        print(f"| {' | '.join(map(str, cells))} |")
    for mode, values in ratios.items():
        print(f"\n{mode}: geometric mean {geometric_mean(values):.2f}, least {min(values):.2f}, of {len(values)} rows")


if __name__ == "__main__":
    print_table([json.loads(Path(path).read_text()) for path in sys.argv[1:]])
