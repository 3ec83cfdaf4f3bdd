"""Learning rates that fall smoothly with the step: exponential, cosine, polynomial, inverse time; and in steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kcompile.errors import ArgumentError
from kcompile.keras import ops
from kcompile.keras.optimizers.schedules.schedule import LearningRateSchedule, finite


def _step(step: Any) -> Any:
    return ops.cast(ops.convert_to_tensor(step), "float32")


class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate * decay_rate ^ (step / decay_steps); staircase floors the exponent."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ):
        finite(self, initial_learning_rate=initial_learning_rate, decay_steps=decay_steps, decay_rate=decay_rate)
        if decay_steps <= 0:
            raise ArgumentError(f"ExponentialDecay needs decay_steps > 0. Received: decay_steps={decay_steps}")
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name

    def __call__(self, step: Any) -> Any:
        exponent = _step(step) / float(self.decay_steps)
        if self.staircase:
            exponent = ops.floor(exponent)
        return self.initial_learning_rate * ops.power(ops.convert_to_tensor(self.decay_rate, "float32"), exponent)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate, "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate, "staircase": self.staircase, "name": self.name,
        }  # fmt: skip


class InverseTimeDecay(LearningRateSchedule):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps); staircase floors the quotient."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):
        finite(self, initial_learning_rate=initial_learning_rate, decay_steps=decay_steps, decay_rate=decay_rate)
        if decay_steps <= 0:
            raise ArgumentError(f"InverseTimeDecay needs decay_steps > 0. Received: decay_steps={decay_steps}")
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name

    def __call__(self, step: Any) -> Any:
        quotient = _step(step) / float(self.decay_steps)
        if self.staircase:
            quotient = ops.floor(quotient)
        return self.initial_learning_rate / (1.0 + self.decay_rate * quotient)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate, "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate, "staircase": self.staircase, "name": self.name,
        }  # fmt: skip


class PolynomialDecay(LearningRateSchedule):
    """From initial to end rate over decay_steps by (1 - step / decay_steps) ^ power; `cycle` starts again, longer."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        finite(
            self,
            initial_learning_rate=initial_learning_rate,
            decay_steps=decay_steps,
            end_learning_rate=end_learning_rate,
            power=power,
        )
        if decay_steps <= 0:
            raise ArgumentError(f"PolynomialDecay needs decay_steps > 0. Received: decay_steps={decay_steps}")
        self.initial_learning_rate, self.decay_steps, self.end_learning_rate = (
            initial_learning_rate,
            decay_steps,
            end_learning_rate,
        )
        self.power, self.cycle, self.name = power, cycle, name

    def __call__(self, step: Any) -> Any:
        at, length = _step(step), float(self.decay_steps)
        if self.cycle:
            total = length * ops.maximum(ops.ceil(at / length), 1.0)
            fraction = at / total
        else:
            fraction = ops.minimum(at, length) / length
        exponent = ops.convert_to_tensor(self.power, "float32")
        return (self.initial_learning_rate - self.end_learning_rate) * ops.power(
            1.0 - fraction, exponent
        ) + self.end_learning_rate

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate, "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate, "power": self.power, "cycle": self.cycle, "name": self.name,
        }  # fmt: skip


class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial rate to alpha times it, after an optional linear warm-up to warmup_target."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ):
        finite(
            self,
            initial_learning_rate=initial_learning_rate,
            decay_steps=decay_steps,
            alpha=alpha,
            warmup_steps=warmup_steps,
        )
        if decay_steps <= 0:
            raise ArgumentError(f"CosineDecay needs decay_steps > 0. Received: decay_steps={decay_steps}")
        self.initial_learning_rate, self.decay_steps, self.alpha = initial_learning_rate, decay_steps, alpha
        self.warmup_target, self.warmup_steps, self.name = warmup_target, warmup_steps, name

    def _decay(self, at: Any, start: float) -> Any:
        fraction = at / float(self.decay_steps)
        cosine = 0.5 * (1.0 + ops.cos(math.pi * fraction))
        return ((1.0 - self.alpha) * cosine + self.alpha) * start

    def __call__(self, step: Any) -> Any:
        at, length = _step(step), float(self.decay_steps)
        if self.warmup_target is None:
            return self._decay(ops.minimum(at, length), self.initial_learning_rate)
        warm = float(self.warmup_steps)
        at = ops.minimum(at, length + warm)
        rising = self.initial_learning_rate + (self.warmup_target - self.initial_learning_rate) * (at / max(warm, 1.0))
        return ops.where(at < warm, rising, self._decay(at - warm, self.warmup_target))

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate, "decay_steps": self.decay_steps, "alpha": self.alpha,
            "name": self.name, "warmup_target": self.warmup_target, "warmup_steps": self.warmup_steps,
        }  # fmt: skip


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to step boundaries[0], values[1] up to boundaries[1], .. and the last value after that."""

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ArgumentError(
                f"PiecewiseConstantDecay needs one value more than boundaries. Received: {len(boundaries)} "
                f"boundaries, {len(values)} values"
            )
        for i, value in enumerate(values):
            finite(self, **{f"values_{i}": value})
        if list(boundaries) != sorted(boundaries):
            raise ArgumentError(f"PiecewiseConstantDecay needs rising boundaries. Received: boundaries={boundaries}")
        self.boundaries, self.values, self.name = list(boundaries), list(values), name

    def __call__(self, step: Any) -> Any:
        at = _step(step)
        rate = ops.convert_to_tensor(self.values[-1], "float32")
        for boundary, value in zip(reversed(self.boundaries), reversed(self.values[:-1]), strict=True):
            rate = ops.where(at <= float(boundary), ops.convert_to_tensor(value, "float32"), rate)
        return rate

    def get_config(self) -> dict[str, Any]:
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}
