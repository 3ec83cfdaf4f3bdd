"""A table of the peer benchmark's JSON: the least time of each family, and ours beside the best of them.

    python tools/bench/table.py results.json

% of peak: matrix work done in our time, of what the machine's multiply-add units could do. Error: the largest
difference to the stored reference, relative to its largest value, ours and that of the fastest peer; the reference
should be the f64 result (`tools/bench/reference64.py`). The last lines are geometric means of the ratios.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import geometric_mean
from typing import Any

FAMILIES = {
    "ONNX Runtime": "ort-",
    "OpenVINO": "ov-",
    "LiteRT": "litert",
    "JAX": "jax-",
    "torch": "torch-",
    "TensorFlow": "tf-",
    "kcompile": "kcompile",
}


def fastest(peers: dict[str, dict[str, float]], prefix: str) -> tuple[float, float | None] | None:
    """The least time of a family in seconds, and the error of the peer that reached it."""
    times = [(p["min"], p.get("err")) for name, p in peers.items() if name.startswith(prefix) and "min" in p]
    return min(times, default=None, key=lambda pair: pair[0])


def show(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def show_error(found: tuple[float, float | None] | None) -> str:
    return "–" if found is None or found[1] is None else f"{found[1]:.0e}"


def share_of_peak(results: dict[str, Any], row: dict[str, Any], seconds: float) -> str:
    """Matrix work of the forward pass, three times that for a train step, over what the units could do meanwhile."""
    passes = 3 if row["mode"] == "train" else 1
    flops = passes * results["meta"][row["model"]]["flops"] * row["batch"]
    peak = results.get("ceilings", {}).get(f"fma_gflops_t{row['threads']}", {}).get("best")
    return f"{flops / seconds / peak / 1e7:.0f} %" if peak else "–"


def main() -> None:
    results = json.loads(Path(sys.argv[1]).read_text())
    ratios = []
    head = ["", "model", "batch", "threads", *FAMILIES, "best peer / ours", "% of peak", "error", "peer's error"]
    print(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for row in results["configs"]:
        found = {name: fastest(row["peers"], prefix) for name, prefix in FAMILIES.items()}
        ours = found["kcompile"]
        best = min((f for name, f in found.items() if name != "kcompile" and f), default=None, key=lambda f: f[0])
        cells = [row["mode"], row["model"], row["batch"], row["threads"]]
        cells += [show(f[0] if f else None) for f in found.values()]
        ratio = best[0] / ours[0] if best and ours else None
        ratios += [(row["mode"], ratio)] if ratio else []
        cells += [f"{ratio:.2f}" if ratio else "–", share_of_peak(results, row, ours[0]) if ours else "–"]
        print(f"| {' | '.join(map(str, [*cells, show_error(ours), show_error(best)]))} |")
    for mode in dict.fromkeys(mode for mode, _ in ratios):
        chosen = [ratio for m, ratio in ratios if m == mode]
        print(f"\n{mode}: geometric mean {geometric_mean(chosen):.2f}, least {min(chosen):.2f}, of {len(chosen)} rows")


if __name__ == "__main__":
    main()
