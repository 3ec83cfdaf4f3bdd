"""keras.config: defaults of the session."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError
from kcompile.tracing.dtypes import DEFAULT_FLOAT

_SETTINGS: dict[str, Any] = {
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "dtype_policy": None,
    "interactive": True,
}


def floatx() -> str:
    """The default float dtype."""
    return DEFAULT_FLOAT[0]


def set_floatx(value: str) -> None:
    """Let `value` be the default float dtype."""
    known = ("bfloat16", "float16", "float32", "float64")
    if value not in known:
        raise ArgumentError(f"floatx is one of {known}. Received: {value!r}")
    DEFAULT_FLOAT[0] = value


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite."""
    return float(_SETTINGS["epsilon"])


def set_epsilon(value: float) -> None:
    _SETTINGS["epsilon"] = float(value)


def image_data_format() -> str:
    """ "channels_last" or "channels_first"."""
    return str(_SETTINGS["image_data_format"])


def set_image_data_format(data_format: str) -> None:
    _SETTINGS["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """`data_format` checked, the default for None."""
    if data_format is None:
        return image_data_format()
    if data_format not in ("channels_last", "channels_first"):
        raise ArgumentError(f"data_format is 'channels_last' or 'channels_first'. Received: {data_format!r}")
    return data_format


def dtype_policy() -> Any:
    """The policy of layers that are given no dtype."""
    from .dtype_policies import DTypePolicy

    if _SETTINGS["dtype_policy"] is None:
        return DTypePolicy(floatx())
    return _SETTINGS["dtype_policy"]


def set_dtype_policy(policy: Any) -> None:
    from .dtype_policies import get

    _SETTINGS["dtype_policy"] = None if policy is None else get(policy)


def backend() -> str:
    """The name of what executes models."""
    return "kcompile"


def is_interactive_logging_enabled() -> bool:
    return bool(_SETTINGS["interactive"])


def enable_interactive_logging() -> None:
    _SETTINGS["interactive"] = True


def disable_interactive_logging() -> None:
    _SETTINGS["interactive"] = False
