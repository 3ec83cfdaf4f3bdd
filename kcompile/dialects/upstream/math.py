# mypy: disable-error-code=misc
# (the functions of an op's class take no self: the class is a name space)
"""The `math` dialect: functions of floats, on scalars and vectors alike.

The machine code of these is ours (`codegen/mathematics.py`): within a few units in the last place of the references.
"""

from __future__ import annotations

import math as _math
from typing import Any

import numpy as np

from kcompile.dialects.upstream.elementwise import define, mask_like, same_floats, same_integers
from kcompile.ir.definition import Dialect
from kcompile.ir.types import Type

math = Dialect("math")

_erf = np.frompyfunc(_math.erf, 1, 1)


def _wide(function: Any) -> Any:
    """Computed in f64 and rounded once, where NumPy's float32 loops are less exact than our kernels may be."""
    return lambda *xs: function(*(np.asarray(x, np.float64) for x in xs))


def _rsqrt(x: Any) -> Any:
    """Two operations in f32, or wider."""
    x = np.asarray(x)
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    return np.ones((), wide.dtype) / np.sqrt(wide)


def fused_multiply_add(x: Any, y: Any, z: Any) -> Any:
    """x * y + z in the next wider float: for f32 the product is exact, for f64 it keeps 11 bits more."""
    wide = np.longdouble if np.asarray(x).dtype == np.float64 else np.float64
    x, y, z = (np.asarray(v, wide) for v in (x, y, z))
    return x * y + z


for _name, _doc, _reference in (
    ("exp", "e^x.", _wide(np.exp)),
    ("exp2", "2^x.", _wide(np.exp2)),
    ("expm1", "e^x - 1, exact near 0.", _wide(np.expm1)),
    ("log", "The natural logarithm.", _wide(np.log)),
    ("log2", "The logarithm to base 2.", _wide(np.log2)),
    ("log1p", "log(1 + x), exact near 0.", _wide(np.log1p)),
    ("sqrt", "The square root.", np.sqrt),
    ("rsqrt", "1 / sqrt(x).", _rsqrt),
    ("sin", "Sine.", _wide(np.sin)),
    ("cos", "Cosine.", _wide(np.cos)),
    ("tanh", "Hyperbolic tangent.", _wide(np.tanh)),
    ("erf", "The error function.", lambda x: np.asarray(_erf(np.asarray(x, np.float64)), np.float64)),
    ("absf", "|x|.", np.abs),
    ("floor", "Rounded down.", np.floor),
    ("ceil", "Rounded up.", np.ceil),
    ("trunc", "Rounded towards zero.", np.trunc),
    ("roundeven", "Rounded to the nearest integer, halves to even.", np.rint),
):
    define(math, _name, _doc, same_floats, _reference, 1)
define(math, "powf", "x^y.", same_floats, _wide(np.power), 2)
define(math, "atan2", "The angle of the point (y, x): operands are y, x.", same_floats, _wide(np.arctan2), 2)
define(math, "copysign", "|x| with the sign of y.", same_floats, np.copysign, 2)
define(math, "fma", "x * y + z, rounded once.", same_floats, fused_multiply_add, 3)
define(math, "absi", "|x|, wrapping.", same_integers, np.abs, 1)


def _mask(x: Type) -> Type:
    return mask_like(same_floats(x))


define(math, "isfinite", "Neither infinite nor NaN.", _mask, np.isfinite, 1)
define(math, "isnan", "Whether x is NaN.", _mask, np.isnan, 1)
define(math, "isinf", "Whether x is infinite.", _mask, np.isinf, 1)
