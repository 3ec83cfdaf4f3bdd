"""keras.dtype_policies: which dtype a layer computes in, and which its variables have."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError
from kcompile.tracing.dtypes import standardize_dtype

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


class DTypePolicy:
    """A policy by name: a dtype for both, or "mixed_bfloat16" / "mixed_float16": that compute dtype, float32 variables.

    Example: DTypePolicy("mixed_bfloat16").compute_dtype == "bfloat16"
    """

    def __init__(self, name: str | None = None):
        if name is None:
            from .config import dtype_policy

            name = dtype_policy().name
        self._name: str = name if name in _MIXED else standardize_dtype(name)

    @property
    def name(self) -> str:
        return self._name

    @property
    def compute_dtype(self) -> str:
        return _MIXED.get(self._name, self._name)

    @property
    def variable_dtype(self) -> str:
        return "float32" if self._name in _MIXED else self._name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'

    def get_config(self) -> dict[str, Any]:
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        return cls(config["name"])


FloatDTypePolicy = DTypePolicy


def get(identifier: Any) -> DTypePolicy:
    """The policy of a name, a dtype, a config or a policy; None is the default one."""
    from .config import dtype_policy

    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        name = identifier.get("config", identifier).get("name")
        if not isinstance(name, str):
            raise ArgumentError(f"a dtype policy is given by its name. Received: {identifier}")
        return DTypePolicy(name)
    return DTypePolicy(identifier if isinstance(identifier, str) else standardize_dtype(identifier))


def serialize(dtype_policy: DTypePolicy) -> Any:
    from .saving import serialize_keras_object

    return serialize_keras_object(dtype_policy)


def deserialize(config: Any, custom_objects: Any = None) -> DTypePolicy:
    return get(config)
