"""keras.initializers: first values of variables."""

from __future__ import annotations

from typing import Any

from kcompile.errors import ArgumentError

from ..by_name import by_name
from .constant import Constant, Identity, Ones, Zeros
from .initializer import Initializer
from .random import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)

# Second names, as Keras has them.
IdentityInitializer = Identity
OrthogonalInitializer = Orthogonal
constant, identity, ones, zeros = Constant, Identity, Ones, Zeros
glorot_normal, glorot_uniform, he_normal, he_uniform = GlorotNormal, GlorotUniform, HeNormal, HeUniform
lecun_normal, lecun_uniform, orthogonal = LecunNormal, LecunUniform, Orthogonal
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling = VarianceScaling

_ALL = (
    Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, LecunNormal, LecunUniform, Ones, Orthogonal,
    RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, Zeros,
)  # fmt: skip
_BY_NAME: dict[str, type[Initializer]] = {}
for _cls in _ALL:
    from ..naming import to_snake_case

    _BY_NAME[_cls.__name__] = _BY_NAME[to_snake_case(_cls.__name__)] = _cls
_BY_NAME |= {
    "uniform": RandomUniform, "normal": RandomNormal, "one": Ones, "zero": Zeros, "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
}  # fmt: skip


def get(identifier: Any) -> Any:
    """The initializer of a name, a config, a class, an array, or any function of (shape, dtype); None stays None."""
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        found = by_name("initializer", identifier, _BY_NAME)
        return found() if isinstance(found, type) else found
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    if hasattr(identifier, "shape") or isinstance(identifier, int | float):
        return Constant(identifier)
    raise ArgumentError(
        f"an initializer is a name, a config, or a function of (shape, dtype). Received: {identifier!r}"
    )


def serialize(initializer: Any) -> Any:
    from ..saving import serialize_keras_object

    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    from ..saving import deserialize_keras_object

    if isinstance(config, dict) and config.get("class_name") in _BY_NAME and "module" not in config:
        return _BY_NAME[config["class_name"]].from_config(config.get("config", {}))
    return deserialize_keras_object(config, custom_objects=custom_objects)
