"""Row-parallel models: `run` takes the batch apart into groups of rows, each of which runs through the plan alone.

    rows(frame, tid, team):  while there is a group that nobody has taken: body(frame of the group, 0, 1)

What a group makes stays in the cache, no worker waits for another, one that comes late leaves its groups to the others,
and the arena holds one group a worker instead of the whole batch. The next group is a counter in the arena's first
word. The body is the same as for a whole batch; only its pointers and its batch differ.
"""

from __future__ import annotations

from collections.abc import Sequence

from kcompile.codegen.entry_text import Text
from kcompile.ir.dims import Dim

# The frame that `run` makes: in, out, arena, weights, sizes, env; for rows also the number of groups, and the body.
FRAME_WORDS = 8
GROUPS, GROUP_BODY = 6, 7
MAX_TEAM = 64
IDLE_PARTS = 8  # workers may be idle for this part of the time: barriers, and shares of kernels, cost as much


def team_size(text: Text, workers: str) -> str:
    """How many workers a region asks for, as an i64 between 1 and MAX_TEAM."""
    many = text.new(f"icmp sgt i32 {workers}, {MAX_TEAM}")
    most = text.new(f"select i1 {many}, i32 {MAX_TEAM}, i32 {workers}")
    none = text.new(f"icmp slt i32 {most}, 1")
    size = text.new(f"select i1 {none}, i32 1, i32 {most}")
    return text.new(f"zext i32 {size} to i64")


def start_team(text: Text, env: str, workers: str, body: str, frame: str) -> None:
    """Run `body` on the workers of the host."""
    size = text.new(f"trunc i64 {team_size(text, workers)} to i32")
    pool = text.new(f"load ptr, ptr {text.offset(env, 104)}")
    start = text.new(f"load ptr, ptr {text.offset(env, 80)}")
    text.new(f"call i32 {start}(ptr {pool}, i32 {size}, ptr {body}, ptr {frame})")


def arena_part(text: Text, rows: int, arena: Dim) -> str:
    """Bytes of arena that one worker needs: for the batch, or for `rows` rows where that is less."""
    batch = text.symbols["b"]
    few = text.new(f"icmp slt i64 {batch}, {rows}")
    saved = text.symbols["b"]
    text.forget()
    text.symbols["b"] = text.new(f"select i1 {few}, i64 {batch}, i64 {rows}")
    part = text.dim(arena)
    text.forget()
    text.symbols["b"] = saved
    return part


def branch_to_rows(
    text: Text, rows: int, least: int, env: str, workers: str, inline: str, body: str, name: str
) -> None:
    """Leave for the groups of rows unless the batch is a single group.

    There are as many groups for every worker, of at most `rows` rows. Where one group for each worker would have less
    than `least` rows, or leave some idle (3 rows on two workers), all work on the whole batch together.
    """
    batch = text.symbols["b"]
    whole = team_size(text, workers)
    team = text.new(f"select i1 {inline}, i64 1, i64 {whole}")
    fewest = _divide_up(text, batch, str(rows))
    even = text.new(f"mul i64 {_divide_up(text, fewest, team)}, {team}")
    most = text.new(f"mul i64 {_divide_up(text, batch, even)}, {team}")
    few = text.new(f"icmp sle i64 {batch}, {text.new(f'mul i64 {team}, {least - 1}')}")
    missing = text.new(f"sub i64 {most}, {batch}")  # below 0 with several groups for a worker
    idle = text.new(f"icmp sgt i64 {text.new(f'mul i64 {missing}, {IDLE_PARTS}')}, {batch}")
    together = text.new(f"or i1 {few}, {idle}")
    fits = text.new(f"icmp slt i64 {even}, {batch}")
    apart = text.new(f"select i1 {fits}, i64 {even}, i64 {batch}")  # no group without rows
    groups = text.new(f"select i1 {together}, i64 1, i64 {apart}")
    text.line(f"br i1 {text.new(f'icmp sgt i64 {groups}, 1')}, label %by_rows, label %at_once")
    text.label("by_rows")
    text.line(f"store i64 {groups}, ptr {text.offset('%frame', 8 * GROUPS)}")
    text.line(f"store ptr {body}, ptr {text.offset('%frame', 8 * GROUP_BODY)}")
    text.line("store i64 0, ptr %arena")
    text.line(f"br i1 {inline}, label %rows_alone, label %rows_together")
    text.label("rows_alone")
    text.line(f"call void {name}(ptr %frame, i32 0, i32 1)")
    text.line("ret i32 0")
    text.label("rows_together")
    start_team(text, env, workers, name, "%frame")
    text.line("ret i32 0")
    text.label("at_once")


def _divide_up(text: Text, dividend: str, divisor: str) -> str:
    above = text.new(f"add i64 {dividend}, {divisor}")
    return text.new(f"udiv i64 {text.new(f'sub i64 {above}, 1')}, {divisor}")


def rows_text(name: str, row_bytes: Sequence[list[int]], rows: int, arena: Dim, attributes: str) -> str:
    """The function that every worker runs. row_bytes: of every input and output; 0 for one without a batch."""
    text = Text(f"define internal void {name}(ptr %frame, i32 %tid32, i32 %team32) {{")
    for i, table in enumerate(("in", "out")):
        text.line(f"%{table}_group = alloca [{len(row_bytes[i]) + 1} x ptr], align 16")
    text.line("%sizes_group = alloca i64, align 16")
    text.line(f"%group = alloca [{FRAME_WORDS} x i64], align 16")
    for k, field in enumerate(("in", "out", "arena", "weights", "sizes", "env")):
        text.line(f"%{field} = load ptr, ptr {text.offset('%frame', 8 * k)}")
    groups = text.new(f"load i64, ptr {text.offset('%frame', 8 * GROUPS)}")
    body = text.new(f"load ptr, ptr {text.offset('%frame', 8 * GROUP_BODY)}")
    text.symbols["b"] = text.new("load i64, ptr %sizes")
    text.line("%tid = zext i32 %tid32 to i64")
    skip = text.new(f"mul i64 %tid, {arena_part(text, rows, arena)}")
    mine = text.new(f"getelementptr i8, ptr %arena, i64 {skip}")
    fields = ("%in_group", "%out_group", mine, "%weights", "%sizes_group", "%env")
    for k, field in enumerate(fields):
        text.line(f"store ptr {field}, ptr {text.offset('%group', 8 * k)}")
    text.line("br label %next")
    text.label("next")
    text.line("%at = atomicrmw add ptr %arena, i64 1 monotonic, align 8")
    more = text.new(f"icmp ult i64 %at, {groups}")
    text.line(f"br i1 {more}, label %work, label %done")
    text.label("work")
    batch = text.symbols["b"]
    following = text.new("add i64 %at, 1")
    starts = [text.new(f"mul i64 {at}, {batch}") for at in ("%at", following)]
    low, high = (text.new(f"udiv i64 {start}, {groups}") for start in starts)  # sizes differ by one row at most
    text.line(f"store i64 {text.new(f'sub i64 {high}, {low}')}, ptr %sizes_group")
    for table, counts in zip(("in", "out"), row_bytes, strict=True):
        for i, count in enumerate(counts):
            pointer = text.new(f"load ptr, ptr {text.offset(f'%{table}', 8 * i)}")
            if count:
                pointer = text.new(f"getelementptr i8, ptr {pointer}, i64 {text.new(f'mul i64 {low}, {count}')}")
            text.line(f"store ptr {pointer}, ptr {text.offset(f'%{table}_group', 8 * i)}")
    text.line(f"call void {body}(ptr %group, i32 0, i32 1)")
    text.line("br label %next")
    text.label("done")
    text.line("ret void")
    return text.finish(attributes)
