"""A table of the peer benchmark's JSON: the least time of each family, and ours beside the best of them.

python tools/bench/table.py results.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

FAMILIES = {
    "ONNX Runtime": "ort-",
    "OpenVINO": "ov-",
    "LiteRT": "litert",
    "JAX": "jax-",
    "torch": "torch-",
    "kcompile": "kcompile",
}


def fastest(peers: dict[str, dict[str, float]], prefix: str) -> float | None:
    """The least time of a family, in seconds."""
    times = [p["min"] for name, p in peers.items() if name.startswith(prefix) and "min" in p]
    return min(times, default=None)


def show(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def main() -> None:
    results = json.loads(Path(sys.argv[1]).read_text())
    head = ["", "model", "batch", "threads", *FAMILIES, "best peer / ours"]
    print(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for row in results["configs"]:
        times = {name: fastest(row["peers"], prefix) for name, prefix in FAMILIES.items()}
        ours = times["kcompile"]
        others = [t for name, t in times.items() if name != "kcompile" and t is not None]
        ratio = f"{min(others) / ours:.2f}" if ours and others else "–"
        cells = [row["mode"], row["model"], row["batch"], row["threads"], *map(show, times.values()), ratio]
        print(f"| {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    main()
