"""Which part of a buffer each worker touches when it runs its share of a kernel, read off the kernel's loops.

    share of a buffer      workers cut `total` units; from unit u on a worker touches bytes step * (u // every) and on,
                           fewer than `step` of them
    together(a, b)         what must be multiples of the team for no worker to touch what another one does: where all
                           parts are alike, worker w has the w-th part of the buffer's bytes in both kernels

A product over rows of 14, three column tiles each, and a normalization of single rows meet in one buffer of 196 b rows:

    Share(total=42 b, every=3, step=14 rows), Share(total=196 b, every=1, step=1 row)   ->   {14 b, 196 b}
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kcompile.dialects.upstream.scalar_builder import constant_value
from kcompile.ir import types as t
from kcompile.ir.core import Operation, Value
from kcompile.ir.dims import Dim, Monomial
from kcompile.transforms.plan.index_sums import Sums
from kcompile.transforms.plan.index_terms import (
    ONE,
    Atom,
    Number,
    Sum,
    Term,
    Units,
    UnknownIndexError,
    add,
    constant,
    is_size,
    never_negative,
    one_term,
    scale,
    scale_one,
    size_of,
    units_of,
)

# where the buffer stands among an access's operands
_ACCESSES = {"memref.load": 0, "vector.load": 0, "vector.maskedload": 0, "memref.store": 1, "vector.store": 1,
             "vector.maskedstore": 0}  # fmt: skip
_NO_ACCESSES = ("memref.prefetch", "memref.extract_aligned_pointer_as_index")
_MOST_SHARES = 4  # of a buffer in one kernel: more are not worth comparing


@dataclass(frozen=True, slots=True)
class Share:
    """See the head of this file. With one unit worker 0 touches all that is touched: `step` bytes from `start` on."""

    total: Term
    grain: int
    every: Term
    step: Term
    start: int = 0
    alone: bool = False
    assumed: frozenset[Term] = frozenset()

    @property
    def end(self) -> Sum:
        """Where the last part ends."""
        if self.alone:
            return add(scale_one(self.step), constant(self.start))
        return scale_one(self.step.times(self.total).over(self.every))

    @property
    def parts(self) -> Term:
        """How many parts the buffer has that are never cut, where they can be dealt out evenly."""
        if self.every == ONE:
            return self.total.over(Term(self.grain))
        if self.grain > 1:
            raise UnknownIndexError
        return self.total.over(self.every)


Shares = tuple[Share, ...]


def together(some: Shares, others: Shares) -> frozenset[Term] | None:
    """What the team must divide for no worker to touch what another touches through the other shares; None: nothing
    helps, or nothing is known of one of them."""
    if not some or not others:
        return None
    needed: set[Term] = set()
    for a in some:
        for b in others:
            try:
                needed |= a.assumed | b.assumed | _pair(a, b)
            except UnknownIndexError:
                return None
    return frozenset(needed)


def _pair(a: Share, b: Share) -> set[Term]:
    if a.alone and b.alone:
        return set()
    if b.alone:
        a, b = b, a
    if a.alone:  # behind all of the others' parts, or inside the first one
        if never_negative(add(constant(a.start), b.end, -1)):
            return set()
        if not never_negative(add(scale_one(b.step), a.end, -1)):
            raise UnknownIndexError
        return set() if b.every == ONE else {b.parts}
    if (a.total, a.grain, a.step) == (b.total, b.grain, b.step) and a.every == b.every == ONE:
        return set()
    if a.step.times(a.total).over(a.every) != b.step.times(b.total).over(b.every):
        raise UnknownIndexError
    return {a.parts, b.parts}


class KernelShares:
    """The shares of the buffers of a kernel function at loops level."""

    def __init__(self, function: Operation):
        self.function = function
        self.sums = Sums(function)
        self.found: dict[int, Shares] = {}

    def of(self, argument: int) -> Shares:
        """The shares of a buffer: each worker touches no more of it than some share gives it. () where unknown."""
        if argument not in self.found:
            try:
                self.found[argument] = self._shares(self.function.body.arguments[argument], argument)
            except UnknownIndexError:
                self.found[argument] = ()
        return self.found[argument]

    def _shares(self, buffer: Value, argument: int) -> Shares:
        if not buffer.uses:
            raise UnknownIndexError
        dims: tuple[Dim, ...] = self.function["kernel.dims"][argument]
        item = -(-t.bitwidth(buffer.type) // 8)
        strides = [constant(item)]
        for dim in reversed(dims[1:]):
            strides.append(scale(strides[-1], size_of(dim)))
        strides.reverse()
        # what differs only by a number lies side by side: an unrolled tile's accesses are one
        wide: dict[tuple[Units, frozenset[tuple[tuple[Atom, Monomial], Number]]], tuple[Number, Number]] = {}
        for op in buffer.users:
            if op.name in _NO_ACCESSES:
                continue
            position = _ACCESSES.get(op.name)
            if position is None or op.operands[position] is not buffer or list(op.operands).count(buffer) > 1:
                raise UnknownIndexError
            alive, units = self._around(op)
            if not alive:
                continue
            if units is None:
                raise UnknownIndexError
            at: Sum = {}
            for index, stride in zip(op.operands[position + 1 :], strides[: len(dims)], strict=False):
                at = add(at, scale(self.sums.of(index), stride))
            first = at.pop((None, ()), 0)
            last = first + self._lanes(op) * item - 1
            low, high = wide.get((units, frozenset(at.items())), (first, last))
            wide[units, frozenset(at.items())] = min(low, first), max(high, last)
        found: dict[Share, None] = {}
        for (units, moving), (first, last) in wide.items():
            found[self._share(dict(moving), first, last, units)] = None
            if len(found) > _MOST_SHARES:
                raise UnknownIndexError
        assumed = frozenset(self.sums.assumed)
        return tuple(replace(share, assumed=assumed) for share in found)

    @staticmethod
    def _lanes(op: Operation) -> int:
        """Elements of an access; under a mask of a known number, as many."""
        value = op.operands[-1] if op.name == "vector.maskedstore" else None
        kind = op.results[0].type if op.results else (value or op.operands[0]).type
        if op.name.startswith("memref"):
            return 1
        lanes: int = kind.shape[0]  # type: ignore[attr-defined]
        if op.name.startswith("vector.masked"):
            mask = op.operands[-2].defining_op
            count = constant_value(mask.operands[0]) if mask is not None and mask.name == "vector.create_mask" else None
            return min(lanes, count) if isinstance(count, int) else lanes
        return lanes

    def _around(self, op: Operation) -> tuple[bool, Units | None]:
        """Whether an operation runs at all, as far as sizes tell, and in whose units."""
        block, parent = op.parent, op.parent_op
        units = None
        while parent is not None and parent is not self.function:
            if parent.name == "scf.if":
                size = self._least_size(parent.operands[0])
                if size is not None:  # rows enough for a tile: the smaller tiles are for fewer
                    self.sums.whole(size)
                    if block is parent.regions[1].blocks[0]:
                        return False, None
            elif parent.name == "scf.for" and units is None:
                units = self.sums.shared(parent)
            block, parent = parent.parent, parent.parent_op
        return True, units

    def _least_size(self, condition: Value) -> Term | None:
        """size / n of a condition `size >= n`."""
        op = condition.defining_op
        if op is None or op.name != "arith.cmpi" or op["predicate"] != 5:
            return None
        try:
            size, number = (self.sums.of(v) for v in op.operands)
            return one_term(size).over(one_term(number)) if is_size(size) else None
        except UnknownIndexError:
            return None

    def _share(self, at: Sum, first: Number, last: Number, units: Units) -> Share:
        """The share of accesses from `at + first` to `at + last`, in bytes."""
        low, high = self.sums.bounds(at)
        low, high = add(low, constant(first)), add(high, constant(last))
        if units.total == ONE or (units.total.symbols == () and units.total.number <= units.grain):
            start, most = self.sums.range(low)[0], self.sums.range(high)[1]
            least = start.get((None, ()), 0) if len(start) <= 1 and is_size(start) else 0
            begin = least if isinstance(least, int) and least > 0 else 0
            end = add(add(most, constant(1)), constant(begin), -1)
            return Share(units.total, units.grain, ONE, one_term(end), begin, alone=True)
        if units_of((low, high)) != {units}:
            raise UnknownIndexError
        every, step = self._step(low, units)
        other_every, other_step = self._step(high, units)
        if (every, step) != (other_every, other_step):
            raise UnknownIndexError
        start = scale({(units.digit(every), ()): 1}, scale_one(step))
        if not never_negative(self.sums.range(add(low, start, -1))[0]):
            raise UnknownIndexError
        most = self.sums.range(add(high, start, -1))[1]
        if not never_negative(add(add(scale_one(step), most, -1), constant(1), -1)):
            raise UnknownIndexError
        return Share(units.total, units.grain, every, step)

    def _step(self, a: Sum, units: Units) -> tuple[Term, Term]:
        """The digit that moves the place, and how far: the others lie within a step of it."""
        steps = self.sums.digits(a, units).steps
        if not steps:
            raise UnknownIndexError
        every, step, _ = steps[-1]
        return every, one_term(step)
