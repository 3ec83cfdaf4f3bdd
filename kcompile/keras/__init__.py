"""The Keras API: `from kcompile import keras`, with Keras 3's names and signatures.

Everything loads on first use, so that importing this costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcompile.lazy_names import lazy_names

if TYPE_CHECKING:
    from . import activations as activations
    from . import applications as applications
    from . import backend as backend
    from . import callbacks as callbacks
    from . import config as config
    from . import initializers as initializers
    from . import layers as layers
    from . import losses as losses
    from . import metrics as metrics
    from . import models as models
    from . import ops as ops
    from . import optimizers as optimizers
    from . import random as random
    from . import regularizers as regularizers
    from . import saving as saving
    from . import utils as utils
    from .dtype_policies import DTypePolicy as DTypePolicy
    from .initializers import Initializer as Initializer
    from .layers import Input as Input
    from .layers import InputSpec as InputSpec
    from .layers import Layer as Layer
    from .losses import Loss as Loss
    from .metrics import Metric as Metric
    from .models import Model as Model
    from .models import Sequential as Sequential
    from .operation import Operation as Operation
    from .optimizers import Optimizer as Optimizer
    from .regularizers import Regularizer as Regularizer
    from .tensor import KerasTensor as KerasTensor
    from .variable import Variable as Variable

_SUBPACKAGES = (
    "activations", "applications", "backend", "callbacks", "config", "constraints", "dtype_policies", "initializers",
    "layers", "losses",
    "metrics", "models", "ops", "optimizers", "random", "regularizers", "saving", "tree", "utils",
)  # fmt: skip
_HOMES = {
    "DTypePolicy": "dtype_policies", "FloatDTypePolicy": "dtype_policies", "Initializer": "initializers",
    "Input": "layers", "InputSpec": "layers",
    "Layer": "layers", "Loss": "losses", "Metric": "metrics", "Model": "models", "Sequential": "models",
    "Function": "models", "Operation": "operation", "Optimizer": "optimizers", "Regularizer": "regularizers",
    "KerasTensor": "tensor", "Variable": "variable",
}  # fmt: skip

__version__ = "3.15.1"  # the version of Keras whose API and files this follows
__all__ = [*_SUBPACKAGES, *_HOMES, "version"]


def version() -> str:
    """The version of Keras whose API and files this follows."""
    return __version__


_get, __dir__ = lazy_names(__name__, _HOMES, _SUBPACKAGES)


def __getattr__(name: str) -> Any:
    return _get(name)
