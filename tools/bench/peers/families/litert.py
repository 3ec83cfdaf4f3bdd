"""LiteRT with XNNPACK, its default delegate."""

from __future__ import annotations

from families import Array, Case, Infer, Train


def interpreter(case: Case) -> Infer:
    from ai_edge_litert.interpreter import Interpreter

    made = Interpreter(model_path=str(case.folder / f"{case.batch}.tflite"), num_threads=case.threads)
    made.allocate_tensors()
    source, result = made.get_input_details()[0]["index"], made.get_output_details()[0]["index"]

    def run(x: Array) -> Array:
        made.set_tensor(source, x)
        made.invoke()
        return made.get_tensor(result)

    return run


INFER = {"litert": interpreter}
TRAIN: dict[str, Train] = {}
