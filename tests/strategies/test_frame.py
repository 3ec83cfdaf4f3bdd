"""Frame: which worker does which part of a loop."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.dialects.upstream.builder import LoopBuilder
from kcompile.ir import types as t
from kcompile.ir.interpreter import interpret
from kcompile.ir.types import MemRefType
from kcompile.strategies.parts.frame import Frame


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 13), st.integers(1, 6), st.lists(st.integers(1, 4), max_size=2), st.integers(1, 5))
def test_groups_give_each_place_to_one_worker_and_none_more_than_its_part(
    total: int, group: int, extents: list[int], team: int
) -> None:
    """Places are visited group by group; a last group that lacks some is no reason for shares that differ."""
    count = total * int(np.prod(extents, initial=1))
    b = LoopBuilder.function("f", [MemRefType((count, len(extents) + 2), t.index), t.index, t.index])
    frame = Frame.__new__(Frame)
    memory, frame.tid, frame.team = b.block.arguments
    frame.b = b
    with frame.parallel_groups(total, group, extents) as at:
        place = b.add(b.mul(at[0], group), at[-1])
        number = frame.b.index(0)
        for index, extent in zip([place, *at[1:-1]], [total, *extents], strict=True):
            number = b.add(b.mul(number, extent), index)
        for column, value in enumerate(at):
            b.store(b.add(value, 1), memory, [number, column])
    module = b.ret().parent_op
    assert module is not None
    places = np.array([(g, *at, i) for g in range(-(-total // group)) for at in np.ndindex(*extents)
                       for i in range(min(group, total - g * group))])  # fmt: skip
    done = []
    for worker in range(team):
        visited = np.zeros((count, len(extents) + 2), np.int64)
        interpret(module, "f", [visited, worker, team])
        mine = visited[visited[:, 0] > 0] - 1
        assert len(mine) <= -(-count // team)
        done += sorted(map(tuple, mine))
    assert done == list(map(tuple, places))
