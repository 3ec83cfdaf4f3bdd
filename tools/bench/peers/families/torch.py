"""torch, on plain modules (`to_torch.py`): eager, and compiled by inductor; Adam is the fused one."""

from __future__ import annotations

from functools import partial
from typing import Any

from families import RATE, Array, Case, Infer, Train


def load(case: Case) -> tuple[Any, Any]:
    import torch
    from to_torch import to_torch

    torch.set_num_threads(case.threads)
    torch._dynamo.reset()
    return torch, to_torch(case.keras_file)


def infer(compiled: bool, case: Case) -> Infer:
    torch, module = load(case)
    module.eval()
    if compiled:
        import torch._inductor.config as settings

        settings.freezing = True
        module = torch.compile(module, dynamic=False)

    def run(x: Array) -> Array:
        with torch.no_grad():  # freezing does not work in inference mode
            result: Array = module(torch.from_numpy(x)).numpy()
            return result

    return run


def train(compiled: bool, case: Case) -> Train:
    torch, module = load(case)
    import torch._inductor.config as settings

    settings.freezing = False
    module.train()
    optimizer = torch.optim.Adam(module.parameters(), lr=RATE, eps=1e-7, fused=True)
    f = torch.nn.functional
    losses: dict[str, Any] = {
        "sparse_categorical_crossentropy": lambda p, y: f.nll_loss(p.clamp(1e-7, 1 - 1e-7).log(), y.long()),
        "binary_crossentropy": lambda p, y: f.binary_cross_entropy(p.clamp(1e-7, 1 - 1e-7), y),
        "mse": f.mse_loss,
    }

    def forward(x: Any, y: Any) -> Any:
        return losses[case.keras_loss](module(x), y)

    if compiled:
        forward = torch.compile(forward, dynamic=False)

    def run(x: Array, y: Array) -> float:
        value = forward(torch.from_numpy(x), torch.from_numpy(y))
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        return float(value)

    return run


INFER = {"torch": partial(infer, False), "torch-inductor": partial(infer, True)}
TRAIN = {"torch": partial(train, False), "torch-inductor": partial(train, True)}
