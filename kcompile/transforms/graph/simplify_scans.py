"""simplify-scans: scans carry, read and stack only what something needs.

Reads graph, writes graph. A carry that never changes is a constant of the body, what a body stacks unchanged from a
sequence is that sequence, and equal operands, and equal stacks, are one. Constants of one number go into the body.

    %a, %b, %s = scan(%x, %y) { ^bb(%c, %d): yield(f(%c), %d, %c) }        and only %a is used
    =>  %a = scan(%x) { ^bb(%c): yield(f(%c)) }
"""

from __future__ import annotations

from collections.abc import Sequence

from kcompile.dialects.graph.control import ScanView
from kcompile.ir.core import Operation, Value
from kcompile.ir.passes import pass_
from kcompile.ir.rewriting import splat_of


@pass_("simplify-scans", reads="graph", writes="graph", exact=True)
def simplify_scans(module: Operation) -> bool:
    changed = False
    for op in [op for op in module.walk(reverse=True) if op.name == "graph.scan"]:
        steps = (_fixed_carries, _passed_on, _equal_stacks, _equal_operands, _sink_constants, _dead_results, _unread)
        changed |= any([step(op) for step in steps])
    return changed


def _fixed_carries(op: Operation) -> bool:
    """A carry that the body yields as it is becomes a constant."""
    view = ScanView(op)
    fixed = [i for i, (before, after) in enumerate(zip(view.carried, view.next, strict=True)) if before is after]
    if not fixed:
        return False
    for i in fixed:
        view.finals[i].replace_by(view.carries[i])
    kept = [i for i in range(len(view.carries)) if i not in fixed]
    arguments = [view.carried[i] for i in kept] + [*view.steps, *view.inner] + [view.carried[i] for i in fixed]
    operands = [view.carries[i] for i in kept] + [*view.xs, *view.consts] + [view.carries[i] for i in fixed]
    _rebuild(op, operands, arguments, kept, len(view.xs))
    return True


def _passed_on(op: Operation) -> bool:
    """A stack of a sequence's own steps is that sequence."""
    view = ScanView(op)
    changed = False
    for value, stack in zip(view.emitted, view.stacks, strict=True):
        if value in view.steps and stack.uses:
            stack.replace_by(view.xs[view.steps.index(value)])
            changed = True
    return changed


def _equal_stacks(op: Operation) -> bool:
    view = ScanView(op)
    return _first_for_all(view.emitted, view.stacks)


def _first_for_all(sources: Sequence[Value], names: Sequence[Value]) -> bool:
    """Of the names that one source has, the first is used for all."""
    first: dict[Value, Value] = {}
    changed = False
    for source, name in zip(sources, names, strict=True):
        kept = first.setdefault(source, name)
        if kept is not name and name.uses:
            name.replace_by(kept)
            changed = True
    return changed


def _equal_operands(op: Operation) -> bool:
    """One argument for each sequence and constant; the others are left unread."""
    view = ScanView(op)
    sequences = _first_for_all(view.xs, view.steps)
    return _first_for_all(view.consts, view.inner) or sequences


def _sink_constants(op: Operation) -> bool:
    """Numbers are known to the kernels of the body when they stand in it."""
    view = ScanView(op)
    changed = False
    for value, argument in zip(view.consts, view.inner, strict=True):
        if not argument.uses or splat_of(value) is None:
            continue
        chain = []
        maker = value.defining_op
        while maker is not None:
            chain.append(maker)
            maker = maker.operands[0].defining_op if maker.operands else None
        mapping: dict[Value, Value] = {}
        first = op.body.first
        assert first is not None
        for maker in reversed(chain):
            op.body.insert_before(first, maker.clone(mapping))
        argument.replace_by(mapping[value])
        changed = True
    return changed


def _dead_results(op: Operation) -> bool:
    """Stacks that nobody uses, and carries that reach nothing that is used."""
    view = ScanView(op)
    count = len(view.carries)
    used = {i for i, r in enumerate(op.results) if r.uses}
    if len(used) == len(op.results):
        return False
    pending = list(used)
    reached: set[Value] = set()
    while pending:
        stack = [op.body.terminator.operands[pending.pop()]]
        while stack:
            value = stack.pop()
            if value in reached:
                continue
            reached.add(value)
            if value.defining_op is not None:
                stack += value.defining_op.operands
            elif value.index < count and value.index not in used:
                used.add(value.index)
                pending.append(value.index)
    if len(used) == len(op.results):
        return False
    kept = [i for i in range(count) if i in used]
    stacked = [i for i in range(count, len(op.results)) if i in used]
    operands = [*(view.carries[i] for i in kept), *view.xs, *view.consts]
    arguments = [*(view.carried[i] for i in kept), *view.steps, *view.inner]
    _rebuild(op, operands, arguments, kept, len(view.xs), stacked)
    return True


def _unread(op: Operation) -> bool:
    """Sequences and constants that the body does not read."""
    view = ScanView(op)
    xs = [j for j, a in enumerate(view.steps) if a.uses]
    consts = [k for k, a in enumerate(view.inner) if a.uses]
    if len(xs) == len(view.steps) and len(consts) == len(view.inner):
        return False
    operands = [*view.carries, *(view.xs[j] for j in xs), *(view.consts[k] for k in consts)]
    arguments = [*view.carried, *(view.steps[j] for j in xs), *(view.inner[k] for k in consts)]
    _rebuild(op, operands, arguments, list(range(len(view.carries))), len(xs))
    return True


def _rebuild(
    op: Operation,
    operands: list[Value],
    arguments: list[Value],
    carries: list[int],
    xs: int,
    stacked: list[int] | None = None,
) -> None:
    """Give the scan other operands and arguments; of its carries and results only these stay."""
    count = op["carries"]
    end = op.body.terminator
    kept = [*carries, *(stacked if stacked is not None else range(count, len(op.results)))]
    end.set_operands([end.operands[i] for i in kept])
    op.results = [op.results[i] for i in kept]
    for i, result in enumerate(op.results):
        result.index = i
    _erase_dead(op)  # what fed only the results that went; it may read arguments that go, too
    op.body.arguments = arguments
    for i, argument in enumerate(arguments):
        argument.index = i
    op.set_operands(operands)
    op["carries"] = len(carries)
    op["xs"] = xs


def _erase_dead(op: Operation) -> None:
    inner = op.body.last
    while inner is not None:
        before = inner.prev
        if inner.has_trait("pure") and inner.results and not any(r.uses for r in inner.results):
            inner.erase()
        inner = before
