"""Index arithmetic of a kernel at loops level as sums of terms, in the number of the unit that a worker is at.

A worker's loop over its share of range(total) gives units u. What is computed from u by floor divisions is a sum of
`Digit`s u // m; the loops inside are `Counter`s between bounds. So the places that an access may reach are a range
that depends on u alone (`Sums.bounds`).

    row = u // 3, lane = u - u // 3 * 3, at = row * 14 * 96 + lane * 32       1344 (u // 3) + 32 (u - 3 (u // 3))

Sizes are polynomials in the symbols. Where a division by a number is not known to be exact, it is assumed to be, and
the quotient is put down in `assumed`: whoever uses the result sees to it that all of them are whole numbers.
"""

from __future__ import annotations

from fractions import Fraction

from kcompile.dialects.upstream.scalar_builder import constant_value
from kcompile.ir import types as t
from kcompile.ir.core import Block, Operation, Value
from kcompile.transforms.plan.index_terms import (
    Counter,
    Digit,
    Digits,
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
    unit,
    units_of,
)


class Sums:
    """The sums of the indices of one kernel function."""

    def __init__(self, function: Operation):
        names = tuple(function.get("kernel.symbols", ()))
        *_, self.tid, self.team = function.body.arguments
        self.body = function.body
        first = len(function.body.arguments) - 2 - len(names)
        self.symbols = dict(zip(function.body.arguments[first:-2], names, strict=True))
        self.known: dict[Value, Sum | None] = {}
        self.ranges: dict[Counter, tuple[Sum, Sum]] = {}
        self.assumed: set[Term] = set()
        self.found: dict[tuple[Value, Value], Units | None] = {}

    def of(self, value: Value) -> Sum:
        """The sum of an index; raises UnknownIndexError."""
        if value not in self.known:
            try:
                self.known[value] = self._argument(value) if value.defining_op is None else self._result(value)
            except UnknownIndexError:
                self.known[value] = None
        found = self.known[value]
        if found is None:
            raise UnknownIndexError
        return found

    def whole(self, term: Term) -> Term:
        """A term that must be a whole number."""
        if isinstance(term.number, Fraction):
            self.assumed.add(term)
        return term

    def _result(self, value: Value) -> Sum:
        op = value.defining_op
        assert op is not None
        number = constant_value(value)
        if number is not None:
            if not isinstance(number, int):
                raise UnknownIndexError
            return constant(number)
        if op.name == "arith.select" and value.type is t.index:
            return self._either(value, *(self.of(v) for v in op.operands[1:]))
        if value.type is not t.index or op.dialect != "arith" or len(op.operands) != 2:
            raise UnknownIndexError
        a, b = (self.of(v) for v in op.operands)
        if op.name in ("arith.addi", "arith.subi"):
            return add(a, b, 1 if op.name == "arith.addi" else -1)
        if op.name == "arith.muli":
            if not is_size(a) and not is_size(b):
                raise UnknownIndexError
            return scale(a, b) if is_size(b) else scale(b, a)
        if op.name == "arith.floordivsi":
            return self.floor(a, one_term(b))
        if op.name in ("arith.minsi", "arith.maxsi"):
            least, other = (a, b) if op.name == "arith.minsi" else (b, a)
            if never_negative(self.range(add(b, a, -1))[0]):
                return least
            if never_negative(self.range(add(a, b, -1))[0]):
                return other
        raise UnknownIndexError

    def _either(self, value: Value, a: Sum, b: Sum) -> Sum:
        """One of two: a counter between them."""
        if never_negative(self.range(add(b, a, -1))[0]):
            first, last = a, b
        elif never_negative(self.range(add(a, b, -1))[0]):
            first, last = b, a
        else:
            raise UnknownIndexError
        op = value.defining_op
        assert op is not None
        counter = Counter(value, _depth(op))
        self.ranges[counter] = first, last
        return {(counter, ()): 1}

    def floor(self, a: Sum, by: Term) -> Sum:
        """a // by: what is divided exactly, and of the rest what is known of a unit's digit."""
        divided: Sum = {}
        rest: Sum = {}
        for (atom, symbols), number in a.items():
            try:
                quotient = Term(number, symbols).over(by)
            except UnknownIndexError:
                quotient = None
            if quotient is not None and atom is None and symbols:
                divided = add(divided, {(None, quotient.symbols): self.whole(quotient).number})
            elif quotient is not None and isinstance(quotient.number, int):
                divided = add(divided, {(atom, quotient.symbols): quotient.number})
            else:
                rest[atom, symbols] = number
        low, high = self.range(rest)
        if never_negative(low) and never_negative(add(scale_one(by), add(high, constant(1)), -1)):
            return divided
        digits = [(atom, symbols, n) for (atom, symbols), n in rest.items() if isinstance(atom, Digit)]
        others = {key: n for key, n in rest.items() if not isinstance(key[0], Digit)}
        if len(digits) != 1:
            raise UnknownIndexError
        ((digit, symbols, number),) = digits
        step = Term(number, symbols)
        low, high = self.range(others)
        if number <= 0 or not never_negative(low):
            raise UnknownIndexError
        if not never_negative(add(scale_one(step), add(high, constant(1)), -1)):
            raise UnknownIndexError
        every = self.whole(by.over(step)).times(digit.every)
        if every == digit.units.total:
            return divided
        return add(divided, {(digit.units.digit(every), ()): 1})

    def _argument(self, value: Value) -> Sum:
        """What a block argument is: a size, a worker's unit, or the counter of another loop."""
        if value.owner is self.body:
            if value not in self.symbols:
                raise UnknownIndexError
            return {(None, (self.symbols[value],)): 1}
        block = value.owner
        loop = block.parent_op if isinstance(block, Block) else None
        if loop is None or loop.name != "scf.for" or value.index != 0 or value.type is not t.index:
            raise UnknownIndexError
        low, high, step = loop.operands[:3]
        units = self.units(low, high)
        if units is not None:
            if constant_value(step) != 1:
                raise UnknownIndexError
            return unit(units)
        shared = self._part_of_units(low, high) or self._digit_of_units(low, high)
        if shared is not None:
            return shared
        every = constant_value(step)
        first, end = self.of(low), self.of(high)
        last = add(end, constant(1), -1)
        if every != 1:
            numbers = constant_value(low), constant_value(high)
            if not isinstance(every, int) or not all(isinstance(n, int) for n in numbers):
                raise UnknownIndexError
            begin, stop = numbers
            last = constant(begin + (stop - 1 - begin) // every * every)
        counter = Counter(value, _depth(loop))
        self.ranges[counter] = first, last
        return {(counter, ()): 1}

    def units(self, low: Value, high: Value) -> Units | None:
        """The units of a worker's share, as LoopBuilder.partition makes it; None for other bounds."""
        if (low, high) not in self.found:
            self.found[low, high] = self._units(low, high)
        return self.found[low, high]

    def _units(self, low: Value, high: Value) -> Units | None:
        first, second = _operands(low, "arith.minsi"), _operands(high, "arith.minsi")
        if first is None or second is None or first[1] is not second[1]:
            return None
        start, end = _operands(first[0], "arith.muli"), _operands(second[0], "arith.addi")
        if start is None or end is None or end[0] is not first[0] or start[0] is not self.tid or end[1] is not start[1]:
            return None
        chunk, grain = start[1], 1
        scaled = _operands(chunk, "arith.muli")
        if scaled is not None:
            factor = constant_value(scaled[1])
            if not isinstance(factor, int):
                return None
            chunk, grain = scaled[0], factor
        cut = _operands(chunk, "arith.ceildivsi")
        if cut is None or cut[1] is not self.team:
            return None
        try:
            total = one_term(self.of(first[1]))
        except UnknownIndexError:
            return None
        if grain > 1:
            pieces = _operands(cut[0], "arith.ceildivsi")
            number = constant_value(cut[0])
            if pieces is None and number is not None and total == Term(total.number):
                if number != -(-total.number // grain):
                    return None
            elif pieces is None or pieces[0] is not first[1] or constant_value(pieces[1]) != grain:
                return None
        elif cut[0] is not first[1] and constant_value(cut[0]) != total.number:
            return None
        return Units(low, high, self.whole(total), grain)

    def shared(self, loop: Operation) -> Units | None:
        """Whose units a loop goes through, one by one or by the row."""
        low, high = loop.operands[:2]
        whole = self.units(low, high)
        if whole is not None:
            return whole
        found = units_of(f for f in (self._part_of_units(low, high), self._digit_of_units(low, high)) if f is not None)
        return found.pop() if found else None

    def _digit_of_units(self, low: Value, high: Value) -> Sum | None:
        """A loop over low // n .. ceil(high / n) of a worker's share: some unit of it, divided by n."""
        first, second = _operands(low, "arith.floordivsi"), _operands(high, "arith.floordivsi")
        if first is None or second is None or first[1] is not second[1]:
            return None
        above = _operands(second[0], "arith.addi")
        units = self.units(first[0], above[0]) if above is not None else None
        if units is None or above is None:
            return None
        by = one_term(self.of(first[1]))
        if add(self.of(above[1]), add(scale_one(by), constant(1), -1), -1):
            return None
        return self.floor(unit(units), by)

    def _part_of_units(self, low: Value, high: Value) -> Sum | None:
        """A loop from max(low - n, 0) to min(high - n, size) of a worker's share, n what the loop around is at."""
        first, second = _operands(low, "arith.maxsi"), _operands(high, "arith.minsi")
        if first is None or second is None or constant_value(first[1]) != 0:
            return None
        start, end = _operands(first[0], "arith.subi"), _operands(second[0], "arith.subi")
        units = self.units(start[0], end[0]) if start is not None and end is not None else None
        if units is None or start is None or end is None or start[1] is not end[1]:
            return None
        around, size = self.of(start[1]), one_term(self.of(second[1]))
        inside = add(unit(units), around, -1)  # the sum of both is a unit, and `around` its part of whole sizes
        if add(scale(self.floor(unit(units), size), scale_one(size)), around, -1):
            return None
        return inside

    def bounds(self, a: Sum) -> tuple[Sum, Sum]:
        """The least and the greatest that a sum can be, in digits of units and sizes."""
        return self._eliminate(a, False), self._eliminate(a, True)

    def _eliminate(self, a: Sum, up: bool) -> Sum:
        """Without counters: each at the end of its range that makes the sum large, or small."""
        while True:
            counters = [atom for atom, _ in a if isinstance(atom, Counter)]
            if not counters:
                return a
            inner = max(counters, key=lambda c: c.depth)
            factor: Sum = {(None, symbols): n for (atom, symbols), n in a.items() if atom is inner}
            if not (all(n > 0 for n in factor.values()) or all(n < 0 for n in factor.values())):
                raise UnknownIndexError
            first, last = self.ranges[inner]
            rest = {key: n for key, n in a.items() if key[0] is not inner}
            a = add(rest, scale(last if up == (next(iter(factor.values())) > 0) else first, factor))

    def range(self, a: Sum) -> tuple[Sum, Sum]:
        """The least and the greatest that a sum can be, as sizes."""
        if is_size(a):
            return a, a
        found = []
        for up in (False, True):
            bound = self._eliminate(a, up)
            for units in {atom.units for atom, _ in bound if isinstance(atom, Digit)}:
                bound = add(self.without(bound, units), self.digits(bound, units).ends(up))
            found.append(bound)
        return found[0], found[1]

    @staticmethod
    def without(a: Sum, units: Units) -> Sum:
        return {key: n for key, n in a.items() if not (isinstance(key[0], Digit) and key[0].units == units)}

    def digits(self, a: Sum, units: Units) -> Digits:
        """The digits of `units` in a sum, each with what it counts for."""
        counts: dict[Term, Sum] = {}
        for (atom, symbols), number in a.items():
            if isinstance(atom, Digit) and atom.units is units:
                found = counts.setdefault(atom.every, {})
                counts[atom.every] = add(found, {(None, symbols): number})
        order = sorted(counts, key=lambda e: e.at(64))
        steps: list[tuple[Term, Sum]] = []
        for every in order:
            step = counts[every]
            if steps:
                ratio = self.whole(every.over(steps[-1][0]))
                if ratio.at(1) < 1:
                    raise UnknownIndexError
                step = add(step, scale(steps[-1][1], scale_one(ratio)))
            steps.append((every, step))
        tops = [*order[1:], units.total]
        sizes = [self.whole(above.over(every)) for every, above in zip(order, tops, strict=True)]
        return Digits(tuple((e, s, n) for (e, s), n in zip(steps, sizes, strict=True)))


def _operands(value: Value, name: str) -> tuple[Value, Value] | None:
    op = value.defining_op
    return (op.operands[0], op.operands[1]) if op is not None and op.name == name else None


def _depth(op: Operation) -> int:
    depth = 0
    parent = op.parent_op
    while parent is not None:
        depth, parent = depth + 1, parent.parent_op
    return depth
