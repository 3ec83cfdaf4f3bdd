"""ONNX Runtime, on the graph of tf2onnx and on that of the torch module."""

from __future__ import annotations

from functools import partial

from families import Case, Infer, Train


def session(source: str, case: Case) -> Infer:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = case.threads, 1
    path = case.folder / f"{source}_{case.batch}.onnx"
    made = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = made.get_inputs()[0].name
    return lambda x: made.run(None, {name: x})[0]


INFER = {"onnxruntime-tf": partial(session, "tf"), "onnxruntime-torch": partial(session, "torch")}
TRAIN: dict[str, Train] = {}
