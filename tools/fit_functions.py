"""Fit the polynomials of `kcompile/codegen/mathematics.py` and write them to `kcompile/codegen/coefficients.py`.

    python tools/fit_functions.py

Method: weighted least squares whose weights are moved until the largest error is as small as it gets (Lawson).
For f32 the coefficients are rounded one by one, lowest degree first, and the rest is fitted again to what is left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
LINES: list[str] = []


def chebyshev(low: float, high: float, count: int = 3001) -> Array:
    """Points that are dense at both ends, where the error of a polynomial is largest."""
    return (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * (np.arange(count) + 0.5) / count)


def lawson(columns: list[Array], target: Array, weight: Array, rounds: int = 80) -> Array:
    """c that makes max |weight * (columns @ c - target)| about as small as possible."""
    matrix = np.stack(columns, 1)
    scale = np.abs(matrix * weight[:, None]).max(0)
    emphasis = np.ones(len(target))
    best, least = np.zeros(len(columns)), np.inf
    for _ in range(rounds):
        w = weight * emphasis
        c = np.linalg.lstsq(matrix / scale * w[:, None], target * w, rcond=None)[0] / scale
        error = np.abs((matrix @ c - target) * weight)
        if error.max() < least:
            best, least = c, error.max()
        if error.max() == 0:
            break
        emphasis *= (error / error.max()) ** 0.3 + 1e-3
        emphasis /= emphasis.max()
    return best


def fit(columns: list[Array], target: Array, weight: Array, dtype: Any = np.float32) -> list[float]:
    """Coefficients rounded to `dtype`, lowest column first."""
    out: list[float] = []
    rest = np.array(target, np.float64)
    for k in range(len(columns)):
        value = float(dtype(lawson(columns[k:], rest, weight)[0]))
        out.append(value)
        rest = rest - columns[k] * value
    return out


def write(name: str, values: list[float], note: str, error: float) -> None:
    """A row of the table: `name` with its measured largest error (of the polynomial computed exactly)."""
    body = ",\n    ".join(repr(v) for v in values)
    LINES.append(f"{name} = (  # {note}; error {error:.1e}\n    {body},\n)")
    print(f"{name:10s} {len(values)} coefficients, error {error:.1e}")


def polynomial(values: list[float], x: Array) -> Array:
    return np.polynomial.polynomial.polyval(x, values)


def relative(made: Array, exact: Array) -> float:
    return float(np.abs(made / exact - 1).max())


def fit_all() -> None:
    half = math.log(2) / 2 * 1.0001
    x = chebyshev(-half, half)
    c = fit([x ** (k + 2) / np.exp(x) for k in range(5)], (np.exp(x) - 1 - x) / np.exp(x), np.ones_like(x))
    write("EXP", c, "e^x = 1 + x + x^2 q(x) for |x| <= ln(2)/2", relative(1 + x + x * x * polynomial(c, x), np.exp(x)))

    x = x[np.abs(x) > 1e-4]
    e = np.expm1(x)
    c = fit([x ** (k + 2) / e for k in range(5)], (e - x) / e, np.ones_like(x))
    write("EXPM1", c, "e^x - 1 = x + x^2 q(x) for |x| <= ln(2)/2", relative(x + x * x * polynomial(c, x), e))

    x = chebyshev(math.sqrt(0.5) - 1, math.sqrt(2) - 1)
    x = x[np.abs(x) > 1e-4]
    e = np.log1p(x)
    c = fit([x ** (k + 3) / e for k in range(9)], (e - x + x * x / 2) / e, np.ones_like(x))
    write(
        "LOG", c, "log(1 + x) = x - x^2 / 2 + x^3 q(x) for sqrt(1/2) <= 1 + x <= sqrt(2)",
        relative(x - x * x / 2 + x**3 * polynomial(c, x), e),
    )  # fmt: skip

    fit_tanh()

    x = chebyshev(1e-3, 4.0)
    erf, erfc = np.vectorize(math.erf)(x), np.vectorize(math.erfc)(x)
    c = fit([x**k for k in range(9)], np.log2(erfc) / x, erfc * math.log(2) * x / erf)
    error = float(np.abs((np.exp2(x * polynomial(c, x)) - erfc) / erf).max())
    write("ERFC", c, "erfc(x) = 2^(x q(x)) for x <= 4, relative to erf(x)", error)

    x = chebyshev(-0.50005, 0.50005)
    x = x[np.abs(x) > 1e-4]
    e = np.exp2(x) - 1
    c = fit([x ** (k + 1) / e for k in range(6)], np.ones_like(x), np.ones_like(x))
    write("EXP2M1", c, "2^x - 1 = x q(x) for |x| <= 1/2", relative(x * polynomial(c, x), e))

    x = chebyshev(1.0, 6.0, 6001)
    u = (x - 2) / (x + 2)
    e = np.asarray(np.vectorize(math.erfc)(x) * np.exp(np.asarray(x, np.longdouble) ** 2) * x, np.float64)
    c = fit([u**k for k in range(17)], e, 1 / e, np.float64)
    write(
        "ERFC_WIDE",
        c,
        "erfc(x) = e^(-x^2) / x q((x - 2) / (x + 2)) for 1 <= x <= 6, f64",
        relative(polynomial(c, u), e),
    )

    x = chebyshev(1e-3, math.tan(math.pi / 8) * 1.0001)
    e = np.arctan(x)
    c = fit([x ** (2 * k + 3) / e for k in range(12)], (e - x) / e, np.ones_like(x), np.float64)
    write("ATAN", c, "atan(x) = x + x^3 q(x^2) for |x| <= tan(pi/8), f64", relative(x + x**3 * polynomial(c, x * x), e))


def fit_tanh(numerator: int = 6, denominator: int = 3, limit: float = 9.02) -> None:
    """x P(x^2) / Q(x^2): linear in both for a fixed weight 1 / Q, which is repeated until Q stands still."""
    x = chebyshev(1e-3, limit, 8001)
    s, e = (x / limit) ** 2, np.tanh(x)
    scale = np.array([limit ** (-2.0 * k) for k in range(max(numerator, denominator) + 1)])
    q_values = np.ones_like(x)
    for _ in range(40):
        columns = [x * s**k for k in range(numerator + 1)] + [-e * s**k for k in range(1, denominator + 1)]
        c = lawson(columns, e, 1 / (e * q_values), 40)
        p, q = c[: numerator + 1], np.concatenate([[1.0], c[numerator + 1 :]])
        q_values = polynomial(list(q), s)
    p, q = p * scale[: numerator + 1], q * scale[: denominator + 1]
    p32, q32 = [float(np.float32(v)) for v in p], [float(np.float32(v)) for v in q]
    error = relative(x * polynomial(p32, x * x) / polynomial(q32, x * x), e)
    write("TANH_OVER", p32, f"tanh(x) = x p(x^2) / q(x^2) for |x| <= {limit}: p", error)
    write("TANH_UNDER", q32, "and q", error)


HEAD = '''"""Coefficients of the polynomials in `mathematics.py`, lowest degree first. See tools/fit_functions.py."""

'''


def main(report: Callable[[str], None] = print) -> None:
    fit_all()
    path = Path(__file__).resolve().parent.parent / "kcompile" / "codegen" / "coefficients.py"
    path.write_text(HEAD + "\n".join(LINES) + "\n")
    report(f"written to {path.name}")


if __name__ == "__main__":
    main()
