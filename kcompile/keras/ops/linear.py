"""keras.ops: products of matrices and tensors."""

from __future__ import annotations

from typing import Any

from kcompile.tracing import arithmetic, contraction
from kcompile.tracing.bind import bind, convert, promote

from .operation_class import operation


@operation("numpy.Matmul")
def matmul(x1: Any, x2: Any) -> Any:
    """The matrix product; axes before the last two broadcast."""
    return contraction.matmul(x1, x2)


@operation("numpy.Dot")
def dot(x1: Any, x2: Any) -> Any:
    """NumPy's dot: the last axis of x1 with the second last of x2."""
    x, y = promote(x1, x2)
    if not x.ndim or not y.ndim:
        return arithmetic.multiply(x, y)
    if y.ndim <= 2:
        return contraction.matmul(x, y)
    return contraction.tensordot(x, y, ([x.ndim - 1], [y.ndim - 2]))


@operation("numpy.Tensordot", "axes")
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """The sum over products along `axes`."""
    return contraction.tensordot(x1, x2, axes)


@operation("numpy.Einsum", "subscripts")
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Einstein summation: einsum("bij,bjk->bik", x, y)."""
    return contraction.einsum(subscripts, *operands)


@operation("numpy.Outer")
def outer(x1: Any, x2: Any) -> Any:
    """All products of an element of x1 and one of x2."""
    x, y = promote(x1, x2)
    from .shaping import ravel

    x, y = ravel(x), ravel(y)
    return arithmetic.multiply(bind("reshape", x, shape=(*x.dims, 1)), y)


@operation("numpy.Inner")
def inner(x1: Any, x2: Any) -> Any:
    """The sum of products along both last axes."""
    x, y = promote(x1, x2)
    if not x.ndim or not y.ndim:
        return arithmetic.multiply(x, y)
    return contraction.tensordot(x, y, ([x.ndim - 1], [y.ndim - 1]))


@operation("numpy.Vdot")
def vdot(x1: Any, x2: Any) -> Any:
    """The sum of products of all elements."""
    from .shaping import ravel

    return contraction.matmul(ravel(convert(x1)), ravel(convert(x2)))
