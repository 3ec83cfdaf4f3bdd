"""The peer benchmark: Keras models on every engine that a compiler of Keras models competes with, in one run.

    python tools/bench/peers                                 # everything: environments, files, 40 + 20 rows, the table
    python tools/bench/peers --models tiny,lstm --modes infer --threads 1 --out quick.json
    python tools/bench/peers/table.py results.json           # the table again

The first run installs the peers (several GB) and converts the models, into `--home`; later ones start at once. The same
weights, numpy in and numpy out, the least time of calls in interleaved rounds; errors are against the model in f64.
Linux, for workers are pinned to cores. What a peer prints is in HOME/<family>.log.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))

from ceiling import multiply_adds  # noqa: E402
from environments import FAMILIES, REQUIREMENTS, install, interpreter  # noqa: E402
from models import MODELS  # noqa: E402
from rounds import Plan  # noqa: E402
from table import print_table  # noqa: E402


def prepare(home: Path, models: list[str]) -> dict[str, Any]:
    """Make the files of the models that have none; gives the facts of each."""
    facts = {}
    for model in models:
        folder = home / "models" / model
        done = folder / "facts.json"
        if not done.exists():
            print(f"files of {model}", file=sys.stderr, flush=True)
            with open(home / "prepare.log", "a") as log:
                for family, script in (("tensorflow", "prepare.py"), ("torch", "to_torch.py")):
                    command = [interpreter(home, family), str(HERE / script), str(folder), model]
                    subprocess.run(command, check=True, stdout=log, stderr=log)
            (folder / "facts.unfinished").rename(done)
        facts[model] = json.loads(done.read_text())
    return facts


def machine() -> dict[str, Any]:
    names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return {"cpu": names[0] if names else platform.machine(), "system": platform.platform()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)

    def names(text: str) -> list[str]:
        return text.split(",")

    def numbers(text: str) -> list[int]:
        return [int(number) for number in text.split(",")]

    parser.add_argument("--home", type=Path, default=Path.home() / ".cache" / "kcompile-bench")
    parser.add_argument("--models", type=names, default=list(MODELS), help="separated by commas, as every list here")
    parser.add_argument("--families", type=names, default=list(FAMILIES), help=", ".join(FAMILIES))
    parser.add_argument("--peers", type=names, default=[], help="only these, such as torch-inductor")
    parser.add_argument("--modes", type=names, default=["infer", "train"])
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--batches", type=numbers, default=[], help="of inference, instead of 1 and the train batch")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=0.25, help="of a peer in a round")
    parser.add_argument("--loading", type=float, default=600, help="seconds until a peer that loads is given up")
    parser.add_argument("--out", type=Path, default=Path("results.json"))
    wanted = parser.parse_args()
    for given, known in ((wanted.models, MODELS), (wanted.families, FAMILIES)):
        if unknown := [name for name in given if name not in known]:
            parser.error(f"there is no {', '.join(unknown)}. Received: {','.join(given)}. Known: {', '.join(known)}")

    wanted.home.mkdir(parents=True, exist_ok=True)
    missing = any(not (wanted.home / "models" / model / "facts.json").exists() for model in wanted.models)
    install(wanted.home, [*wanted.families, *(("tensorflow", "torch") if missing else ())])
    results: dict[str, Any] = {"machine": machine(), "versions": REQUIREMENTS}
    results["models"] = prepare(wanted.home, wanted.models)
    results["peak"] = {str(count): multiply_adds(count) for count in wanted.threads}
    plan = Plan(wanted.home, wanted.families, wanted.rounds, wanted.seconds, wanted.loading, set(wanted.peers))
    results["rows"] = plan.run(wanted.modes, wanted.models, wanted.threads, wanted.batches)
    wanted.out.write_text(json.dumps(results, indent=1))
    print_table([results])


if __name__ == "__main__":
    main()
