"""kcompile run: run an artifact on arrays from an .npz file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from kcompile.cli import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("artifact", metavar="ARTIFACT", help="a directory that `kcompile build` wrote")
    parser.add_argument(
        "--inputs", required=True, metavar="X.npz", help="one array for each input, by name or in order; .npy for one"
    )
    parser.add_argument("--outputs", metavar="Y.npz", help="where the outputs go; without it a summary is printed")
    parser.add_argument("--threads", type=int, help="worker threads (as many as the process may use)")
    parser.add_argument(
        "--verify", default="first", choices=("first", "always", "never"), help="when files are checked"
    )


def run(arguments: argparse.Namespace) -> int:
    import kcompile

    inputs = read_arrays(arguments.inputs)
    if not Path(arguments.artifact).is_dir():
        raise UsageError(f"there is no artifact {arguments.artifact}")
    loaded = kcompile.load(arguments.artifact, verify=arguments.verify, threads=arguments.threads)
    names = [port["name"] for port in loaded.inputs]
    given = inputs if isinstance(inputs, dict) and set(names) <= set(inputs) else list(inputs.values())
    if len(given) != len(names):
        raise UsageError(
            f"the model takes {len(names)} inputs {names}. Received: {len(given)} arrays in {arguments.inputs}"
        )
    results = flat(loaded(given))
    outputs = dict(zip([port["name"] for port in loaded.outputs], results, strict=True))
    if arguments.outputs:
        np.savez(arguments.outputs, **outputs)
        return 0
    for name, array in outputs.items():
        with np.printoptions(precision=6, threshold=20):
            print(f"{name}: {array.dtype}{list(array.shape)}\n{array}")
    return 0


def read_arrays(path: str) -> dict[str, Any]:
    """The arrays of an .npz file by name, or the only one of an .npy file."""
    try:
        read = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    if isinstance(read, np.ndarray):
        return {"": read}
    with read:
        return {name: read[name] for name in read.files}


def flat(structure: Any) -> list[Any]:
    """The arrays of what a model returns, in order."""
    if isinstance(structure, dict):
        return [a for key in sorted(structure) for a in flat(structure[key])]
    if isinstance(structure, list | tuple):
        return [a for part in structure for a in flat(part)]
    return [structure]
