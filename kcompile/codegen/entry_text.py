"""Pieces of LLVM text that entries are made of: a function writer with checks, the barrier, the copy."""

from __future__ import annotations

from collections.abc import Sequence

from kcompile.codegen.target import Target
from kcompile.codegen.text import LLVMModule
from kcompile.ir.dims import Dim, SymbolicDim

ABI = 1  # KC_ABI
CONTEXT_BYTES = 64  # of ctx: magic, env, weights, body, workers
EARG = 3
EALIGN = 6
# Rounds of waiting before a worker goes to sleep: about 100 us of `pause` (23 ns each, measured on Zen 5), more than
# the usual imbalance of a healthy run. A host may take a worker that sleeps here as a sign of a crowded machine.
SPIN_ROUNDS = 4000
FLAGS = 8  # workers that have a flag each in a barrier; more of them count themselves
COPY_GRAIN = 4096  # bytes: below this one worker copies faster than two


class Text:
    """A function being written: lines, fresh names, and checks that leave with a status."""

    def __init__(self, head: str):
        self.head = head
        self.lines: list[str] = ["entry:"]
        self.symbols: dict[str, str] = {}  # where each symbolic size has been loaded
        self._count = 0
        self._exits: dict[int, str] = {}
        self._dims: dict[Dim, str] = {}

    def name(self) -> str:
        self._count += 1
        return f"%v{self._count}"

    def line(self, text: str) -> None:
        self.lines.append(f"  {text}")

    def new(self, text: str) -> str:
        """A line with a result; gives its name."""
        name = self.name()
        self.line(f"{name} = {text}")
        return name

    def label(self, name: str) -> None:
        self.lines.append(f"{name}:")
        self.forget()  # what was computed before does not dominate everything after

    def enter(self, name: str) -> None:
        """A label that what was computed before does dominate."""
        self.lines.append(f"{name}:")

    def known(self) -> dict[Dim, str]:
        """The polynomials computed so far, for `restore` where what comes now does not dominate."""
        return dict(self._dims)

    def restore(self, known: dict[Dim, str]) -> None:
        self._dims = known

    def forget(self) -> None:
        """Compute polynomials anew from here on: a symbol has another value."""
        self._dims = {}

    def offset(self, pointer: str, offset: int) -> str:
        """`pointer` plus a fixed number of bytes."""
        return pointer if offset == 0 else self.new(f"getelementptr i8, ptr {pointer}, i64 {offset}")

    def dim(self, dim: Dim) -> str:
        """The value of a polynomial in the symbols."""
        if not isinstance(dim, SymbolicDim):
            return str(dim)
        if dim in self._dims:
            return self._dims[dim]
        total = ""
        for monomial, coefficient in dim.terms:
            term = str(coefficient)
            for name in monomial:
                term = self.symbols[name] if term == "1" else self.new(f"mul i64 {term}, {self.symbols[name]}")
            total = term if not total else self.new(f"add i64 {total}, {term}")
        self._dims[dim] = total
        return total

    def divides_all(self, team: str, numbers: Sequence[Dim], over: Sequence[int]) -> str:
        """Whether a team divides all of some numbers, each over its one of `over`, without a rest."""
        rests = []
        for number, below in zip(numbers, over, strict=True):
            divisor = team if below == 1 else self.new(f"mul i64 {team}, {below}")
            rests.append(self.new(f"urem i64 {self.dim(number)}, {divisor}"))
        rest = rests[0]
        for other in rests[1:]:
            rest = self.new(f"or i64 {rest}, {other}")
        return self.new(f"icmp eq i64 {rest}, 0")

    def check(self, condition: str, status: int) -> None:
        """Leave with `status` where the condition holds."""
        self.leave(condition, status)

    def leave(self, condition: str, status: int) -> None:
        bad = self.new(condition)
        target = self._exits.setdefault(status, f"leave_{status}")
        good = f"go{self._count}"
        self.line(f"br i1 {bad}, label %{target}, label %{good}")
        self.lines.append(f"{good}:")

    def aligned(self, pointer: str, alignment: int) -> None:
        """Leave with KC_EALIGN unless the pointer is a multiple of `alignment`."""
        number = self.new(f"ptrtoint ptr {pointer} to i64")
        rest = self.new(f"and i64 {number}, {alignment - 1}")
        self.check(f"icmp ne i64 {rest}, 0", EALIGN)

    def overlap(self, first: int, last: int, start: int | None, end: int) -> None:
        """Leave with KC_EARG where a buffer first..last overlaps one of start..end (None: those after it).

        Buffers are read from %pointers and %counts.
        """
        before = self.current()
        n = self._count = self._count + 1
        outer, inner, step, done = (f"{w}{n}" for w in ("outer", "inner", "step", "done"))
        self.line(f"br label %{outer}")
        self.lines.append(f"{outer}:")
        self.line(f"%i{n} = phi i64 [ {first}, %{before} ], [ %i_next{n}, %{step} ]")
        self.line(f"%i_next{n} = add i64 %i{n}, 1")
        self.line(f"%pa{n} = getelementptr i64, ptr %pointers, i64 %i{n}")
        self.line(f"%a{n} = load i64, ptr %pa{n}")
        self.line(f"%ca{n} = getelementptr i64, ptr %counts, i64 %i{n}")
        self.line(f"%an{n} = load i64, ptr %ca{n}")
        self.line(f"%ae{n} = add i64 %a{n}, %an{n}")
        self.line(f"br label %{inner}")
        self.lines.append(f"{inner}:")
        begin = str(start) if start is not None else f"%i_next{n}"
        self.line(f"%j{n} = phi i64 [ {begin}, %{outer} ], [ %j_next{n}, %{inner}_next ]")
        self.line(f"%more{n} = icmp slt i64 %j{n}, {end}")
        self.line(f"br i1 %more{n}, label %{inner}_test, label %{step}")
        self.lines.append(f"{inner}_test:")
        self.line(f"%pb{n} = getelementptr i64, ptr %pointers, i64 %j{n}")
        self.line(f"%b{n} = load i64, ptr %pb{n}")
        self.line(f"%cb{n} = getelementptr i64, ptr %counts, i64 %j{n}")
        self.line(f"%bn{n} = load i64, ptr %cb{n}")
        self.line(f"%be{n} = add i64 %b{n}, %bn{n}")
        self.line(f"%left{n} = icmp ult i64 %a{n}, %be{n}")
        self.line(f"%right{n} = icmp ult i64 %b{n}, %ae{n}")
        self.line(f"%both{n} = and i1 %left{n}, %right{n}")
        exit = self._exits.setdefault(EARG, f"leave_{EARG}")
        self.line(f"br i1 %both{n}, label %{exit}, label %{inner}_next")
        self.lines.append(f"{inner}_next:")
        self.line(f"%j_next{n} = add i64 %j{n}, 1")
        self.line(f"br label %{inner}")
        self.lines.append(f"{step}:")
        self.line(f"%again{n} = icmp slt i64 %i_next{n}, {last}")
        self.line(f"br i1 %again{n}, label %{outer}, label %{done}")
        self.lines.append(f"{done}:")

    def current(self) -> str:
        """The label of the block being written."""
        return next(line[:-1] for line in reversed(self.lines) if not line.startswith(" "))

    def finish(self, attributes: str) -> str:
        """The whole function."""
        exits = [f"{label}:\n  ret i32 {status}" for status, label in self._exits.items()]
        head = f"{self.head.removesuffix('{')}nounwind {attributes} {{"
        return "\n".join([head, *self.lines, *exits, "}", ""])


def string_constant(data: bytes) -> str:
    r"""c"..." with every byte that is not plain as \XX."""
    shown = "".join(chr(c) if 32 <= c < 127 and c not in b'"\\' else f"\\{c:02X}" for c in data)
    return f'c"{shown}"'


def barrier_text(name: str, target: Target, out: LLVMModule) -> str:
    """void barrier(words, env, tid, team): nobody leaves before all have arrived.

    A few workers each have a flag in a cache line of its own, the number of barriers that they have reached, and wait
    until no flag is behind. That is one line that goes from core to core, and all go at once: 25 ns of waiting beside
    365 of one counter for two that arrive together (measured on Zen 5). Many workers count themselves at one place, and
    the last to arrive starts the next generation.

    Whoever waits too long sleeps by env.park, if there is one, on the word that it waits for. Counting the sleepers
    makes env.wake rare. Words and sleepers are sequentially consistent on both sides: either the sleeper sees the new
    word, or the waker sees the sleeper.
    """
    wait = ""
    if target.architecture == "x86_64":
        wait = f"call void {out.declare('llvm.x86.sse2.pause', 'void', '')}()"
    elif target.architecture == "aarch64":
        wait = f"call void {out.declare('llvm.aarch64.hint', 'void', 'i32')}(i32 1)"
    attributes = f"nounwind {target.attributes}"
    return f"""define internal void @{name}(ptr %words, ptr %env, i32 %tid, i32 %team) {attributes} {{
entry:
  %generation = getelementptr i8, ptr %words, i64 64
  %sleepers = getelementptr i8, ptr %words, i64 128
  %flags = getelementptr i8, ptr %words, i64 192
  %alone = icmp eq i32 %team, 1
  br i1 %alone, label %out, label %which
which:
  %few = icmp sle i32 %team, {FLAGS}
  br i1 %few, label %flag, label %count

flag:
  %line = zext i32 %tid to i64
  %skip = mul i64 %line, 64
  %mine = getelementptr i8, ptr %flags, i64 %skip
  %reached = load atomic i32, ptr %mine monotonic, align 4
  %number = add i32 %reached, 1
  %before = atomicrmw xchg ptr %mine, i32 %number seq_cst, align 4
  %dozing = load atomic i32, ptr %sleepers seq_cst, align 4
  %quiet = icmp eq i32 %dozing, 0
  br i1 %quiet, label %others, label %call_up
call_up:
  call void @{name}_wake(ptr %env, ptr %mine)
  br label %others
others:
  %k = phi i32 [ 0, %flag ], [ 0, %call_up ], [ %k1, %reached_too ]
  %left = icmp slt i32 %k, %team
  br i1 %left, label %other, label %out
other:
  %kw = zext i32 %k to i64
  %ks = mul i64 %kw, 64
  %theirs = getelementptr i8, ptr %flags, i64 %ks
  br label %look
look:
  %tries = phi i32 [ 0, %other ], [ %tries1, %once_more ], [ 0, %slept ]
  %there = load atomic i32, ptr %theirs acquire, align 4
  %enough = icmp sge i32 %there, %number
  br i1 %enough, label %reached_too, label %patience
patience:
  %spent = icmp sgt i32 %tries, {SPIN_ROUNDS}
  br i1 %spent, label %slept, label %once_more
once_more:
  {wait}
  %tries1 = add i32 %tries, 1
  br label %look
slept:
  call void @{name}_park(ptr %env, ptr %sleepers, ptr %theirs, i32 %there)
  br label %look
reached_too:
  %k1 = add i32 %k, 1
  br label %others

count:
  %seen = load atomic i32, ptr %generation monotonic, align 4
  %arrived = atomicrmw add ptr %words, i32 1 acq_rel, align 4
  %with_me = add i32 %arrived, 1
  %last = icmp eq i32 %with_me, %team
  br i1 %last, label %release, label %spin
release:
  store atomic i32 0, ptr %words monotonic, align 4
  %old = atomicrmw add ptr %generation, i32 1 seq_cst, align 4
  %asleep = load atomic i32, ptr %sleepers seq_cst, align 4
  %none = icmp eq i32 %asleep, 0
  br i1 %none, label %out, label %rouse
rouse:
  call void @{name}_wake(ptr %env, ptr %generation)
  br label %out
spin:
  %round = phi i32 [ 0, %count ], [ %next, %again ], [ 0, %sleep ]
  %now = load atomic i32, ptr %generation acquire, align 4
  %same = icmp eq i32 %now, %seen
  br i1 %same, label %again_or_sleep, label %out
again_or_sleep:
  %tired = icmp sgt i32 %round, {SPIN_ROUNDS}
  br i1 %tired, label %sleep, label %again
again:
  {wait}
  %next = add i32 %round, 1
  br label %spin
sleep:
  call void @{name}_park(ptr %env, ptr %sleepers, ptr %generation, i32 %seen)
  br label %spin
out:
  ret void
}}

define internal void @{name}_wake(ptr %env, ptr %word) noinline {attributes} {{
entry:
  %wakep = getelementptr i8, ptr %env, i64 96
  %wake = load ptr, ptr %wakep
  %poolp = getelementptr i8, ptr %env, i64 104
  %pool = load ptr, ptr %poolp
  call void %wake(ptr %pool, ptr %word)
  ret void
}}

define internal void @{name}_park(ptr %env, ptr %sleepers, ptr %word, i32 %seen) noinline {attributes} {{
entry:
  %parkp = getelementptr i8, ptr %env, i64 88
  %park = load ptr, ptr %parkp
  %nopark = icmp eq ptr %park, null
  br i1 %nopark, label %out, label %doze
doze:
  %poolp = getelementptr i8, ptr %env, i64 104
  %pool = load ptr, ptr %poolp
  %up = atomicrmw add ptr %sleepers, i32 1 seq_cst, align 4
  %late = load atomic i32, ptr %word seq_cst, align 4
  %still = icmp eq i32 %late, %seen
  br i1 %still, label %park_now, label %parked
park_now:
  call void %park(ptr %pool, ptr %word, i32 %seen)
  br label %parked
parked:
  %down = atomicrmw sub ptr %sleepers, i32 1 seq_cst, align 4
  br label %out
out:
  ret void
}}
"""


def copy_text(name: str, attributes: str) -> str:
    """void copy(target, source, bytes, tid, team): this worker's share, in whole pages; 64 bytes at a time, then 1."""
    arguments = "ptr %to, ptr %from, i64 %bytes, i64 %tid, i64 %team"
    return f"""define internal void @{name}({arguments}) nounwind "no-builtins" {attributes} {{
entry:
  %a = add i64 %bytes, {COPY_GRAIN - 1}
  %grains = udiv i64 %a, {COPY_GRAIN}
  %b = add i64 %grains, %team
  %c = sub i64 %b, 1
  %each = udiv i64 %c, %team
  %chunk = mul i64 %each, {COPY_GRAIN}
  %start = mul i64 %tid, %chunk
  %above = icmp ugt i64 %start, %bytes
  %lo = select i1 %above, i64 %bytes, i64 %start
  %end = add i64 %lo, %chunk
  %beyond = icmp ugt i64 %end, %bytes
  %hi = select i1 %beyond, i64 %bytes, i64 %end
  br label %wide
wide:
  %i = phi i64 [ %lo, %entry ], [ %i64, %block ]
  %i64 = add i64 %i, 64
  %fits = icmp ule i64 %i64, %hi
  br i1 %fits, label %block, label %narrow
block:
  %p = getelementptr i8, ptr %to, i64 %i
  %q = getelementptr i8, ptr %from, i64 %i
  %line = load <8 x i64>, ptr %q, align 1
  store <8 x i64> %line, ptr %p, align 1
  br label %wide
narrow:
  %j = phi i64 [ %i, %wide ], [ %j1, %byte ]
  %left = icmp ult i64 %j, %hi
  br i1 %left, label %byte, label %out
byte:
  %p1 = getelementptr i8, ptr %to, i64 %j
  %q1 = getelementptr i8, ptr %from, i64 %j
  %one = load i8, ptr %q1
  store i8 %one, ptr %p1
  %j1 = add i64 %j, 1
  br label %narrow
out:
  ret void
}}
"""
