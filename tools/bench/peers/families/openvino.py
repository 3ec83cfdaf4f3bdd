"""OpenVINO, on the graph of tf2onnx and on that of the torch module: f32, one stream, for latency."""

from __future__ import annotations

from functools import partial

from families import Case, Infer, Train


def request(source: str, case: Case) -> Infer:
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": case.threads,
        "NUM_STREAMS": "1",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    model = core.read_model(case.folder / f"{source}_{case.batch}.onnx")
    made = core.compile_model(model, "CPU", settings).create_infer_request()
    return lambda x: made.infer([x], share_inputs=True)[0]


INFER = {"openvino-tf": partial(request, "tf"), "openvino-torch": partial(request, "torch")}
TRAIN: dict[str, Train] = {}
