"""Follow one Dense layer through every level of the compiler, from tensors to assembly.

python examples/follow_one_layer.py [graph|kernel|linalg|loops|plan|llvm|asm ...]
"""

from __future__ import annotations

import sys

import kcompile
from kcompile import keras

STAGES = {
    "graph": "tensors: what is computed",
    "kernel": "dispatches: what is one kernel",
    "linalg": "iteration space, affine maps, scalar body",
    "loops": "tiles, vectors, memory",
    "plan": "the order of kernels over buffers",
    "llvm": "LLVM IR, with the entry function",
    "asm": "machine code",
}


def main() -> None:
    model = keras.Sequential([keras.Input((20,)), keras.layers.Dense(32, activation="relu", name="hidden")], name="one")
    compiled = kcompile.compile(model)
    for stage in sys.argv[1:] or STAGES:
        text = compiled.ir(stage)
        lines = text.splitlines()
        print(f"==== {stage}: {STAGES[stage]} ({len(lines)} lines)")
        print("\n".join(lines if sys.argv[1:] else lines[:24]))


if __name__ == "__main__":
    main()
