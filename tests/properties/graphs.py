"""Random well-typed graphs: the input of property tests of every stage.

    @given(graphs())
    def test_a_pass_keeps_the_meaning(graph): ...

A graph is `func.func @main` of graph ops over a few inputs; values stay near 1 in size (a sum is divided by its count,
an exponential only sees what is bounded), so that a chain of 40 ops is still well conditioned. Choices come from
hypothesis, which shrinks them; `random_graph` draws them from a NumPy generator instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.sampling import values
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import SymbolicDim, evaluate, symbol
from kcompile.ir.types import TensorType, Type

Choose = Callable[[int, int], int]  # choose(low, high): an integer in [low, high]


@dataclass
class Graph:
    """A module with @main, and how to make arrays for its arguments."""

    module: Operation
    inputs: list[TensorType]
    roles: list[str]

    def arrays(self, seed: int = 0, sizes: dict[str, int] | None = None) -> list[np.ndarray]:
        """Random arguments; symbols have the sizes given (b is 3 unless said)."""
        rng = np.random.default_rng(seed)
        sizes = {"b": 3, **(sizes or {})}
        return [values(rng, tuple(evaluate(d, sizes) for d in x.shape), x.element, -1.5, 1.5) for x in self.inputs]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self.module))


@st.composite
def graphs(
    draw: Any,
    max_ops: int = 25,
    element: Type = t.f32,
    symbolic: bool | None = None,
    smooth: bool = False,
    scalar_result: bool = False,
    rowwise: bool = False,
) -> Graph:
    """Graphs of 1 to about `max_ops` ops; see `random_graph` for the rest."""
    symbolic = draw(st.booleans()) if symbolic is None else symbolic
    choose = lambda low, high: draw(st.integers(low, high))
    return make_graph(choose, max_ops, element, symbolic, smooth, scalar_result, rowwise)


def random_graph(
    rng: np.random.Generator,
    max_ops: int = 25,
    element: Type = t.f32,
    symbolic: bool = False,
    smooth: bool = False,
    scalar_result: bool = False,
    rowwise: bool = False,
) -> Graph:
    """One random graph.

    element        of all floats in it
    symbolic       whether the batch dim is the symbol b
    smooth         leave out what jumps (floor, sign, comparing computed values), so that a rounding difference stays
                   small, and what stops gradients
    scalar_result  end in one number, for gradients
    rowwise        row i of a result depends on row i of the inputs only
    """
    choose = lambda low, high: int(rng.integers(low, high + 1))
    return make_graph(choose, max_ops, element, symbolic, smooth, scalar_result, rowwise)


def make_graph(
    choose: Choose, max_ops: int, element: Type, symbolic: bool, smooth: bool, scalar_result: bool, rowwise: bool
) -> Graph:
    maker = _Maker(choose, element, symbolic, smooth, rowwise)
    for _ in range(choose(1, max_ops)):
        maker.step()
    return maker.finish(scalar_result)


@dataclass
class _Maker:
    choose: Choose
    element: Type
    symbolic: bool
    smooth: bool
    rowwise: bool
    pool: list[Value] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.b = GraphBuilder.function("main", [])
        self.batch: Any = symbol("b") if self.symbolic else self.choose(1, 4)
        small = lambda: self.choose(1, 5)
        shapes = [(self.batch, small()), (self.batch, small(), small(), small()), (self.batch, small(), small())]
        for shape in shapes[: self.choose(1, 3)]:
            self.pool.append(self.argument(shape, "input"))
        self.steps: list[Callable[[], Value | None]] = [
            self.unary, self.binary, self.binary, self.select, self.slice, self.pad, self.concatenate, self.reverse,
            self.reduce, self.normalise, self.dense, self.pairs, self.convolution, self.window, self.cast, self.gather,
        ]  # fmt: skip
        if not self.rowwise:
            self.steps += [self.broadcast, self.reshape, self.transpose, self.source, self.scatter]

    # -- the frame
    def step(self) -> None:
        made = self.steps[self.choose(0, len(self.steps) - 1)]()
        if made is not None and made.type.size != 0:
            self.pool.append(made)

    def argument(self, shape: Sequence[Any], role: str) -> Value:
        self.roles.append(role)
        return self.b.block.add_argument(TensorType(tuple(shape), self.element))

    def finish(self, scalar_result: bool) -> Graph:
        b = self.b
        if scalar_result:
            total = None
            for value in self.pool[-3:]:
                mean = self.mean(value, tuple(range(len(shape_of(value)))))
                total = mean if total is None else b.add(total, mean)
            results = [total]
        else:
            unused = [v for v in self.pool if not v.uses and v.defining_op is not None]
            results = unused[-3:] or [self.pool[-1]]
        function = b.ret(*results)
        function["arg_attrs"] = tuple(
            {"kernel.role": role, "kernel.name": f"x{i}"} for i, role in enumerate(self.roles)
        )
        function["res_attrs"] = tuple({"kernel.name": f"output_{i}"} for i in range(len(results)))
        return Graph(b.module, [v.type for v in b.block.arguments], self.roles)

    # -- choices
    def pick(self, accept: Callable[[tuple[Any, ...]], bool] = lambda shape: True) -> Value | None:
        """A value of the pool whose shape is accepted; later ones more often, so that chains grow."""
        fits = [v for v in self.pool if accept(shape_of(v))]
        if not fits:
            return None
        return fits[-1 - min(self.choose(0, len(fits) - 1), self.choose(0, len(fits) - 1))]

    def one_of(self, *options: Any) -> Any:
        return options[self.choose(0, len(options) - 1)]

    def any_value(self) -> Value:
        found = self.pick()
        assert found is not None
        return found

    def like(self, x: Value) -> Value:
        """Another value of the type of x: one of the pool, or a new one."""
        same = [v for v in self.pool if v.type is x.type and v is not x]
        kind = self.choose(0, 3)
        if same and kind < 2:
            return same[self.choose(0, len(same) - 1)]
        if kind == 2 or not shape_of(x):
            return self.b.full(self.one_of(0.5, -1.0, 0.25, 2.0), x.type)
        axis = self.choose(0, len(shape_of(x)) - 1)
        if isinstance(shape_of(x)[axis], SymbolicDim):
            return self.b.tanh(x)
        bias = self.argument((shape_of(x)[axis],), "weight")
        return self.b.broadcast_in_dim(bias, shape=shape_of(x), dims=(axis,))

    def mean(self, x: Value, axes: tuple[int, ...]) -> Value:
        count = math.prod(d for i, d in enumerate(shape_of(x)) if i in axes and not isinstance(d, SymbolicDim))
        return self.b.mul(self.b.reduce(x, axes=axes, kind="add"), 1.0 / count)

    # -- one op (and what keeps it tame)
    def unary(self) -> Value:
        b, x = self.b, self.any_value()
        positive = lambda: b.add(b.abs(x), 0.5)
        tame = [
            lambda: b.exp(b.neg(b.abs(x))), lambda: b.expm1(b.tanh(x)), lambda: b.log(positive()),
            lambda: b.log1p(b.abs(x)), lambda: b.sqrt(positive()), lambda: b.rsqrt(positive()), lambda: b.sin(x),
            lambda: b.cos(x), lambda: b.tanh(x), lambda: b.logistic(x), lambda: b.erf(x), lambda: b.neg(x),
            lambda: b.gelu(x), lambda: b.abs(x), lambda: b.max(x, 0.0),
        ]  # fmt: skip
        jumps = [
            lambda: b.stop_gradient(x), lambda: b.floor(x), lambda: b.ceil(x), lambda: b.round_even(x),
            lambda: b.sign(x),
            lambda: b.convert(b.convert(x, dtype=t.i32), dtype=self.element),
            lambda: b.convert(b.is_finite(x), dtype=self.element),
        ]  # fmt: skip
        options = tame if self.smooth else tame + jumps
        return options[self.choose(0, len(options) - 1)]()

    def binary(self) -> Value:
        b, x = self.b, self.any_value()
        y = self.like(x)
        options = [
            lambda: b.add(x, y), lambda: b.sub(x, y), lambda: b.mul(b.tanh(x), y), lambda: b.max(x, y),
            lambda: b.min(x, y), lambda: b.div(x, b.add(b.abs(y), 1.0)),
            lambda: b.pow(b.add(b.abs(b.tanh(x)), 0.5), b.tanh(y)),
        ]  # fmt: skip
        return options[self.choose(0, len(options) - 1)]()

    def select(self) -> Value:
        b = self.b
        if self.smooth:  # a comparison of what is exact: an argument
            x = b.block.arguments[self.choose(0, 0)]
        else:
            x = self.any_value()
        condition = b.compare(x, self.one_of(0.0, 0.25), direction=self.one_of("lt", "ge", "gt", "le", "ne"))
        if self.choose(0, 1):
            condition = b.not_(condition)
        return b.select(condition, self.like(x), x)

    def broadcast(self) -> Value | None:
        x = self.pick(lambda s: len(s) < 4)
        if x is None:
            return None
        shape = list(shape_of(x))
        at, size = self.choose(0, len(shape)), self.choose(1, 3)
        made = [*shape[:at], size, *shape[at:]]
        dims = tuple(i for i in range(len(made)) if i != at)
        grown = tuple(self.choose(2, 3) if d == 1 and self.choose(0, 1) else d for d in made)
        return self.b.broadcast_in_dim(x, shape=grown, dims=dims)

    def reshape(self) -> Value | None:
        x = self.pick(lambda s: len(s) >= 2)
        if x is None:
            return None
        shape = shape_of(x)
        at = self.choose(0, len(shape) - 2)
        merged = (*shape[:at], shape[at] * shape[at + 1], *shape[at + 2 :])
        flat = (shape[0], math.prod(shape[1:])) if not any(isinstance(d, SymbolicDim) for d in shape[1:]) else merged
        return self.b.reshape(x, shape=self.one_of(merged, flat, (*shape[:at], 1, *shape[at:])))

    def transpose(self) -> Value:
        x = self.any_value()
        axes = list(range(len(shape_of(x))))
        for i in reversed(range(1, len(axes))):
            j = self.choose(0, i)
            axes[i], axes[j] = axes[j], axes[i]
        return self.b.transpose(x, permutation=tuple(axes))

    def slice(self) -> Value:
        x = self.any_value()
        start, limit, strides = [], [], []
        for d in shape_of(x):
            cut = not isinstance(d, SymbolicDim) and d > 1 and self.choose(0, 1)
            start.append(self.choose(0, d - 1) if cut else 0)
            limit.append(self.choose(start[-1] + 1, d) if cut else d)
            strides.append(self.choose(1, 2) if cut else 1)
        return self.b.slice(x, start=tuple(start), limit=tuple(limit), strides=tuple(strides))

    def pad(self) -> Value:
        x = self.any_value()
        ints = lambda low, high: tuple(
            0 if isinstance(d, SymbolicDim) or d > 12 or self.choose(0, 1) else self.choose(low if d > 1 else 0, high)
            for d in shape_of(x)
        )
        low, interior = ints(-1, 2), ints(0, 1)
        high = tuple(0 if p < 0 else q for p, q in zip(low, ints(-1, 2), strict=True))  # at least one stays
        return self.b.pad(x, self.one_of(0.0, 1.0), low=low, high=high, interior=interior)

    def concatenate(self) -> Value | None:
        x = self.pick(lambda s: any(not isinstance(d, SymbolicDim) and d < 10 for d in s))
        if x is None:
            return None
        axes = [i for i, d in enumerate(shape_of(x)) if not isinstance(d, SymbolicDim) and d < 10]
        others = [self.like(x) for _ in range(self.choose(0, 2))]
        return self.b.concatenate(x, *others, axis=axes[self.choose(0, len(axes) - 1)])

    def reverse(self) -> Value:
        x = self.any_value()  # a symbolic axis is not turned: no affine map with constant terms says where it ends
        axes = tuple(i for i, d in enumerate(shape_of(x)) if not isinstance(d, SymbolicDim) and self.choose(0, 1))
        return self.b.reverse(x, axes=axes)

    def indexed(self) -> tuple[Value, int] | None:
        """A value and an axis of it of a fixed size."""
        x = self.pick(lambda s: any(not isinstance(d, SymbolicDim) for d in s))
        if x is None:
            return None
        axes = [i for i, d in enumerate(shape_of(x)) if not isinstance(d, SymbolicDim)]
        return x, axes[self.choose(0, len(axes) - 1)]

    def places(self, size: int, shape: Sequence[Any]) -> Value:
        """Indices, some of them outside of an axis of `size`: of constants, or where values fall."""
        b = self.b
        fixed = all(not isinstance(d, SymbolicDim) for d in shape)
        source = None if self.smooth else self.pick(lambda s: s == tuple(shape))
        if source is not None:
            made = b.convert(b.mul(b.tanh(source), float(size)), dtype=t.i32)
        elif fixed:
            made = b.constant([self.choose(-1, size) for _ in range(math.prod(shape))], t.i32)
        else:
            made = b.iota(shape=tuple(shape), axis=len(shape) - 1, dtype=t.i32)
        return b.reshape(made, shape=(*shape, 1))

    def gather(self) -> Value | None:
        found = self.indexed()
        if found is None:
            return None
        x, axis = found
        lead = shape_of(x)[:axis]  # each row of the batch has places of its own
        count = (shape_of(x)[axis],) if self.choose(0, 1) else (self.choose(1, 3),)
        places = self.places(shape_of(x)[axis], (*lead, *count))
        attributes = {"axes": (axis,), "batch_axes": tuple(range(axis)), "clamp": bool(self.choose(0, 1))}
        return self.b.gather(x, places, **attributes)

    def scatter(self) -> Value | None:
        found = self.indexed()
        if found is None:
            return None
        x, axis = found
        size, rest = shape_of(x)[axis], [d for i, d in enumerate(shape_of(x)) if i != axis]
        count = self.choose(1, 3)
        updates = self.like(x)
        if axis != 0 or count != size:
            updates = self.b.full(0.5, TensorType((count, *rest), self.element))
        places = self.places(size, (count,))
        kind = self.one_of("add", "add", "set") if self.smooth else self.one_of("add", "set", "min", "max")
        return self.b.scatter(x, places, updates, axes=(axis,), kind=kind, clamp=bool(self.choose(0, 1)))

    def reduce(self) -> Value | None:
        x = self.pick(lambda s: len(s) > 0)
        if x is None:
            return None
        axes = tuple(i for i, d in enumerate(shape_of(x)) if not isinstance(d, SymbolicDim) and self.choose(0, 1))
        kind = self.one_of("add", "add", "max", "min")
        if kind == "add":
            return self.mean(x, axes)
        if not self.smooth and self.choose(0, 3) == 0 and axes:
            found = self.b.arg_reduce(x, axis=axes[0], kind=kind, dtype=t.i32)
            return self.b.convert(found, dtype=self.element)
        return self.b.reduce(x, axes=axes, kind=kind)

    def normalise(self) -> Value | None:
        """A softmax over the last axis."""
        x = self.pick(lambda s: len(s) > 0 and not isinstance(s[-1], SymbolicDim))
        if x is None:
            return None
        b, axes = self.b, (len(shape_of(x)) - 1,)
        top = b.expand(b.reduce(x, axes=axes, kind="max"), axes, shape_of(x))
        e = b.exp(b.sub(x, top if self.smooth else b.stop_gradient(top)))
        return b.div(e, b.expand(b.reduce(e, axes=axes, kind="add"), axes, shape_of(x)))

    def dense(self) -> Value | None:
        x = self.pick(lambda s: len(s) >= 2 and not isinstance(s[-1], SymbolicDim))
        if x is None:
            return None
        depth, units = shape_of(x)[-1], self.choose(1, 6)
        transposed = self.choose(0, 1)
        w = self.argument((units, depth) if transposed else (depth, units), "weight")
        axes = {
            "lhs_batch": (),
            "rhs_batch": (),
            "lhs_contract": (len(shape_of(x)) - 1,),
            "rhs_contract": (transposed,),
        }
        return self.b.mul(self.b.dot_general(x, w, **axes), 1.0 / depth)

    def pairs(self) -> Value | None:
        """A batched product of a value with itself: rows with rows."""
        x = self.pick(lambda s: len(s) == 3 and not any(isinstance(d, SymbolicDim) for d in s[1:]) and max(s[1:]) < 12)
        if x is None:
            return None
        axes = {"lhs_batch": (0,), "rhs_batch": (0,), "lhs_contract": (2,), "rhs_contract": (2,)}
        made = self.b.dot_general(x, self.b.tanh(x), **axes)
        return self.b.mul(made, 1.0 / shape_of(x)[2])

    def convolution(self) -> Value | None:
        fits = lambda s: len(s) == 4 and not any(isinstance(d, SymbolicDim) for d in s[1:]) and max(s[1:]) < 12
        x = self.pick(fits)
        if x is None:
            return None
        _, height, width, features = shape_of(x)
        groups = features if self.choose(0, 3) == 0 else 1
        outputs = groups * self.choose(1, 3)
        kernel = tuple(self.choose(1, min(3, d)) for d in (height, width))
        w = self.argument((*kernel, features // groups, outputs), "weight")
        same = self.choose(0, 1)
        dilation = (1, 1) if self.choose(0, 3) else (2, 2)
        reach = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
        if not same and any(r >= d for r, d in zip(reach, (height, width), strict=True)):
            dilation, reach = (1, 1), [k - 1 for k in kernel]
        made = self.b.convolution(
            x, w, strides=(self.choose(1, 2), self.choose(1, 2)), rhs_dilation=dilation,
            lhs_dilation=(1, 1) if self.choose(0, 3) else (2, 1), feature_groups=groups,
            padding_low=tuple(r // 2 for r in reach) if same else (0, 0),
            padding_high=tuple(r - r // 2 for r in reach) if same else (0, 0),
            lhs_spec=(0, 3, 1, 2), rhs_spec=(3, 2, 0, 1), out_spec=(0, 3, 1, 2),
        )  # fmt: skip
        return self.b.mul(made, 1.0 / (math.prod(kernel) * features // groups))

    def window(self) -> Value | None:
        x = self.pick(lambda s: len(s) >= 3 and not any(isinstance(d, SymbolicDim) for d in s[1:]))
        if x is None:
            return None
        shape = shape_of(x)
        moves = [0 < i < len(shape) - 1 for i in range(len(shape))]
        window = tuple(self.choose(1, min(3, d)) if m else 1 for d, m in zip(shape, moves, strict=True))
        strides = tuple(self.choose(1, 3) if m else 1 for m in moves)
        low = tuple(self.choose(0, w - 1) for w in window)
        high = tuple(self.choose(0, w - 1) for w in window)
        kind = self.one_of("add", "max", "min")
        made = self.b.reduce_window(x, window=window, strides=strides, padding_low=low, padding_high=high, kind=kind)
        return self.b.mul(made, 1.0 / math.prod(window)) if kind == "add" else made

    def source(self) -> Value:
        """Numbers from nowhere: random bits made uniform, a ramp, a constant."""
        b, shape = self.b, (self.batch, self.choose(1, 5))
        kind = self.choose(0, 2)
        if kind == 0:
            key = b.constant(np.array([1, self.choose(0, 9)], np.uint32), t.ui32)
            noise = b.convert(b.shr_logical(b.rng_bits(key, shape=shape), 8), dtype=t.f32)  # past the range of f16
            return b.convert(b.mul(noise, 2.0**-24), dtype=self.element)
        if kind == 1:
            return b.mul(b.iota(shape=shape, axis=1, dtype=self.element), 0.25)
        row = b.constant(np.linspace(-1, 1, shape[1]), self.element)
        return b.broadcast_in_dim(row, shape=shape, dims=(1,))

    def cast(self) -> Value:
        """Through another float type and back; through a wider one where roundings must stay small."""
        b, x = self.b, self.any_value()
        other = self.one_of(t.f64) if self.smooth else self.one_of(t.f64, t.f16, t.bf16)
        return b.convert(b.tanh(b.convert(x, dtype=other)), dtype=self.element)


def shape_of(x: Value) -> tuple[Any, ...]:
    return t.shape_of(x.type)
