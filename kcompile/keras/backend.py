"""keras.backend: the few names of Keras's backend module that user code calls."""

from __future__ import annotations

from typing import Any

from kcompile.tracing.dtypes import is_float as is_float_dtype
from kcompile.tracing.dtypes import is_int as is_int_dtype
from kcompile.tracing.dtypes import result_type, standardize_dtype

from .config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from .naming import get_uid


def clear_session(free_memory: bool = True) -> None:
    """Forget the counters of names and the global seed generator. Models that exist stay usable."""
    from .naming import reset_names
    from .random.seed_generator import forget_global_generator

    reset_names()
    forget_global_generator()


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic input or output of layers."""
    return bool(getattr(x, "is_symbolic", False))


__all__ = [
    "backend", "clear_session", "epsilon", "floatx", "get_uid", "image_data_format", "is_float_dtype", "is_int_dtype",
    "is_keras_tensor", "result_type", "set_epsilon", "set_floatx", "set_image_data_format", "standardize_dtype",
]  # fmt: skip
