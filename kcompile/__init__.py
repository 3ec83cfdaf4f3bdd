"""kcompile: a compiler for Keras models.

    import kcompile
    fast = kcompile.compile(model)      # a model of kcompile.keras, a live keras.Model, or a saved .keras / .h5 file
    y = fast(x)                         # runs generated native code

`from kcompile import keras` is the Keras API itself, trained and served by generated kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcompile.lazy_names import lazy_names

if TYPE_CHECKING:
    from kcompile import keras as keras
    from kcompile.api import CompiledModel as CompiledModel
    from kcompile.api import compile as compile
    from kcompile.api import load as load
    from kcompile.errors import ArtifactError as ArtifactError
    from kcompile.errors import FormatError as FormatError
    from kcompile.errors import IRError as IRError
    from kcompile.errors import KcompileError as KcompileError
    from kcompile.errors import ShapeError as ShapeError
    from kcompile.errors import UnsupportedError as UnsupportedError

__version__ = "0.1.0"

# Where each public name lives. Resolved on first use (PEP 562), so that `import kcompile` costs next to nothing.
_HOMES = {
    "compile": "api",
    "load": "api",
    "CompiledModel": "api",
    "KcompileError": "errors",
    "IRError": "errors",
    "ShapeError": "errors",
    "ArgumentError": "errors",
    "UnsupportedError": "errors",
    "FormatError": "errors",
    "ArtifactError": "errors",
}
_SUBPACKAGES = ("keras",)

__all__ = ["__version__", *_HOMES, *_SUBPACKAGES]

_get, __dir__ = lazy_names(__name__, _HOMES, _SUBPACKAGES)


def __getattr__(name: str) -> Any:
    return _get(name)
