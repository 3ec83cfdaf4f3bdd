"""insert-barriers: a barrier where a kernel touches memory that kernels since the last barrier have written, or writes
memory that they touch. Kernels that have nothing to do with one another run without waiting.

Nor do kernels wait that share out what they have in common alike (`worker_shares`): then each worker meets only
itself. Where that depends on sizes and on the team, the barrier tells: a run does not meet it if the team divides all
numbers of `unless` (each over its number of `over`). plan.barriers is how many every run meets,
plan.uneven_barriers those of the other runs.

Steps of one buffer in a loop are apart from one another; what a turn of the loop leaves meets the next turns.

    plan.call(%x, %h) {callee = @a, outputs = 1}      plan.call(%x, %h) ..
    plan.call(%h, %y) {callee = @b, outputs = 1}  =>  plan.barrier {unless = dims<["196*b", "14*b"]>, over = [1, 1]}
                                                      plan.call(%h, %y) ..
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from kcompile.codegen.entry_text import COPY_GRAIN
from kcompile.dialects.plan import BarrierKey, barrier_key, one_dim
from kcompile.ir.attributes import DimsAttr, IntArrayAttr, attribute
from kcompile.ir.builder import Builder
from kcompile.ir.core import Block, Operation, find_function
from kcompile.ir.dims import NOMINAL_SIZE, Dim, SymbolicDim
from kcompile.ir.passes import pass_
from kcompile.transforms.plan.index_terms import ONE, Term, UnknownIndexError
from kcompile.transforms.plan.packing import dim_of, terms_of
from kcompile.transforms.plan.places import Place, later, outside, place_of
from kcompile.transforms.plan.worker_shares import KernelShares, Share, Shares, together

Needs = frozenset[Term]  # what the team must divide
EVERY_RUN: BarrierKey = ((), ())
TURNS = 3  # of a loop in a row: what a turn leaves meets the next one, a buffer of two halves the one after that


@dataclass(frozen=True, slots=True)
class Touch:
    """A place that an operation reads or writes. Which part of it each worker touches is in `kernel`, if known."""

    place: Place
    kernel: KernelShares | None = None
    argument: int = 0
    alone: Shares = ()

    @property
    def shares(self) -> Shares:
        return self.alone if self.kernel is None else self.kernel.of(self.argument)

    def without(self, loop: Operation) -> Touch:
        """As code outside of the loop sees it."""
        return Touch(outside(self.place, loop), self.kernel, self.argument, self.alone)

    def later(self, loop: Operation, turns: int) -> Touch:
        """As a later turn of the loop sees it."""
        return Touch(later(self.place, loop, turns), self.kernel, self.argument, self.alone)

    def meets(self, other: Touch) -> Needs | None:
        """What the team must divide for no worker to meet another one here; None where nothing helps."""
        if not self.place.overlaps(other.place):
            return frozenset()
        some, others = self.shares, other.shares
        if not self.place.begins_with(other.place) and not all(share.alone for share in (*some, *others)):
            return None
        needs = together(some, others)
        return needs if needs is not None and _is_usual(needs) else None


def touched(op: Operation) -> tuple[list[Place], list[Place]]:
    """What a plan.call or plan.copy reads, and what it writes, of the memory that workers share."""
    places = [p for p in map(place_of, op.operands) if p.kind != "plan.scratch"]
    outputs = op["outputs"] if op.name == "plan.call" else 1
    split = len(places) - outputs
    return places[:split], places[split:]


@dataclass(slots=True)
class Stretch:
    """What is read and written up to a barrier that some runs do not meet."""

    read: list[Touch] = field(default_factory=list)
    written: list[Touch] = field(default_factory=list)
    barrier: Operation | None = None

    def needs(self, reads: Sequence[Touch], writes: Sequence[Touch]) -> Needs | None:
        """What the team must divide for what comes now to meet nothing of this; None where nothing helps."""
        found: Needs = frozenset()
        for mine, theirs in ((self.written, reads), (self.written, writes), (self.read, writes)):
            for a in mine:
                for b in theirs:
                    more = a.meets(b)
                    if more is None:
                        return None
                    found |= more
        return found

    def later(self, loop: Operation, turns: int) -> Stretch:
        read, written = ([touch.later(loop, turns) for touch in some] for some in (self.read, self.written))
        return Stretch(read, written, self.barrier)


@pass_("insert-barriers", reads="plan", writes="plan", exact=True)
def insert_barriers(module: Operation) -> bool:
    """Add plan.barrier operations to @main."""
    walk, main = _Walk(module), find_function(module, "main")
    walk.block(main.body)
    if walk.changed:
        found = barriers_of(main.body)
        main.attributes["plan.barriers"] = DimsAttr((found.pop(EVERY_RUN, 0),))
        uneven = [
            {"barriers": DimsAttr((n,)), "unless": DimsAttr(unless), "over": IntArrayAttr(over)}
            for (unless, over), n in found.items()
        ]
        if uneven:
            main.attributes["plan.uneven_barriers"] = attribute([attribute(x) for x in uneven])
    return walk.changed


def barriers_of(block: Block) -> dict[BarrierKey, Dim]:
    """How many barriers a plan's code has, those of a loop in each of its turns, by the runs that they are for."""
    total: dict[BarrierKey, Dim] = {}
    for op in block.ops:
        if op.name == "plan.barrier":
            total[barrier_key(op)] = total.get(barrier_key(op), 0) + 1
        elif op.name == "plan.loop":
            for key, n in barriers_of(op.body).items():
                total[key] = total.get(key, 0) + one_dim(op["length"]) * n
    return total


class _Walk:
    """What has been touched since the last barrier that every run meets: `now`, and `before` others."""

    def __init__(self, module: Operation) -> None:
        self.module = module
        self.kernels: dict[str, KernelShares] = {}
        self.before: list[Stretch] = []
        self.now = Stretch()
        self.changed = False

    def block(self, block: Block) -> None:
        for op in block.ops:
            if op.name == "plan.barrier":
                self.passed(op)
            elif op.name in ("plan.call", "plan.copy"):
                self.touch(op, *self.touches(op))
            elif op.name == "plan.loop":
                self.loop(op)

    def touches(self, op: Operation) -> tuple[list[Touch], list[Touch]]:
        """What a call or a copy reads, and what it writes."""
        reads, writes = touched(op)
        if op.name == "plan.copy":
            nbytes = one_dim(op["bytes"])
            small = isinstance(nbytes, int) and 0 < nbytes <= COPY_GRAIN
            alone: Shares = (Share(ONE, 1, ONE, Term(nbytes), alone=True),) if small else ()  # type: ignore[arg-type]
            return [Touch(p, alone=alone) for p in reads], [Touch(p, alone=alone) for p in writes]
        name = op["callee"]
        if name not in self.kernels:
            self.kernels[name] = KernelShares(find_function(self.module, name))
        found = [Touch(p, self.kernels[name], i) for i, p in enumerate((*reads, *writes))]  # scratch comes last
        return found[: len(reads)], found[len(reads) :]

    def passed(self, barrier: Operation) -> None:
        """Everything before a barrier is over, if every run meets it."""
        if "unless" in barrier.attributes:
            self.now.barrier = barrier
            self.before.append(self.now)
        else:
            self.before = []
        self.now = Stretch()

    def touch(self, op: Operation, reads: list[Touch], writes: list[Touch]) -> None:
        """A barrier before `op` where it needs one; then what it touches counts."""
        needs = self.now.needs(reads, writes)
        if needs is None or (more := self.needs_before(reads, writes) | needs):
            self.wait(op, None if needs is None else more)
        self.now.read += reads
        self.now.written += writes

    def needs_before(self, reads: list[Touch], writes: list[Touch]) -> Needs:
        """What the team must divide because of what was before barriers that some runs do not meet."""
        found: Needs = frozenset()
        known: Needs = frozenset()  # holds in a run that has met no barrier since
        for stretch in reversed(self.before):
            assert stretch.barrier is not None
            if "unless" not in stretch.barrier.attributes:
                break
            known |= _needs_of(stretch.barrier)
            more = stretch.needs(reads, writes)
            if more is None:  # the nearest barrier is for every run then: not one barrier more
                _mark(self.before[-1].barrier, None)
                self.before = []
                return frozenset()
            if not more <= known:
                found |= more
        return found

    def wait(self, op: Operation, needs: Needs | None) -> None:
        """A barrier before `op`, or more needs for the one that is there."""
        self.changed = True
        if needs is not None and not self.now.read and not self.now.written:
            barrier = self.before[-1].barrier
            assert barrier is not None
            _mark(barrier, _needs_of(barrier) | needs)
            return
        barrier = Builder.before_op(op).create("plan.barrier", (), None, ())
        _mark(barrier, needs)
        self.passed(barrier)

    def loop(self, op: Operation) -> None:
        """A barrier before the loop where any of its steps waits for what was before; then those of the body, which is
        looked at as several turns in a row."""
        found = [self.touches(inner) for inner in op.walk() if inner.name in ("plan.call", "plan.copy")]
        reads = [touch.without(op) for r, _ in found for touch in r]
        writes = [touch.without(op) for _, w in found for touch in w]
        self.touch(op, reads, writes)
        before = [*self.before, self.now]
        self.before, self.now = [], Stretch()
        reach = max((abs(s.slot) for r, w in found for t in (*r, *w) for s in t.place.steps), default=0)
        for _ in range(TURNS + reach):
            self.block(op.body)
            forward = -1 if op["reverse"] else 1
            self.before = [stretch.later(op, forward) for stretch in self.before]
            self.now = self.now.later(op, forward)
        length = one_dim(op["length"])
        every = [*self.before, self.now]
        if isinstance(length, SymbolicDim) or length == 0 or not _has_barrier(op):  # the body may not run
            every = [*before, *every]
        self.before = []
        self.now = Stretch(
            [touch.without(op) for stretch in every for touch in stretch.read],
            [touch.without(op) for stretch in every for touch in stretch.written],
        )


def _is_usual(needs: Needs) -> bool:
    """Whether a usual batch on two workers meets the needs: the test takes a few ns in vain where it never holds."""
    return all(Fraction(term.at(NOMINAL_SIZE)) % 2 == 0 for term in needs)


def _implied(needs: Needs) -> Needs:
    """Without what follows from the others: a team that divides b divides 14 b."""
    return frozenset(x for x in needs if not any(y != x and _divides(y, x) for y in needs))


def _divides(a: Term, b: Term) -> bool:
    try:
        return isinstance(b.over(a).number, int)
    except UnknownIndexError:
        return False


def _mark(barrier: Operation | None, needs: Needs | None) -> None:
    """Set which runs do not meet a barrier; None: all meet it."""
    assert barrier is not None
    if needs is None:
        for name in ("unless", "over"):
            barrier.attributes.pop(name, None)
        return
    fractions = sorted((t.symbols, Fraction(t.number)) for t in _implied(needs))
    barrier.attributes["unless"] = DimsAttr(tuple(dim_of({s: n.numerator}) for s, n in fractions))
    barrier.attributes["over"] = IntArrayAttr(tuple(n.denominator for _, n in fractions))


def _needs_of(barrier: Operation) -> Needs:
    """The needs that `_mark` has set."""
    found = set()
    for dim, over in zip(barrier["unless"], barrier["over"], strict=True):
        ((symbols, number),) = terms_of(dim).items()
        found.add(Term(number, symbols).over(Term(over)))
    return frozenset(found)


def _has_barrier(op: Operation) -> bool:
    return any(inner.name == "plan.barrier" and "unless" not in inner.attributes for inner in op.walk())
