"""The entry of a model: its plan as LLVM functions, and the table behind `kc_<name>_query` (runtime/include/kc.h).

    query -> table -> arena_bytes(sizes, workers, out)
                      bind(ctx, ..): chooses the body for this CPU
                      run(ctx, sizes, in, .., out, .., arena): checks, then body on one worker or on the team
    body(frame, tid, team): the plan: every worker calls every kernel, with barriers between

Everything is freestanding text. Sizes are bounded once, at compile time (`size_limit`): below it no product overflows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kcompile.codegen.entry_plan import PlanPrinter
from kcompile.codegen.entry_rows import FRAME_WORDS, arena_part, branch_to_rows, rows_text, start_team, team_size
from kcompile.codegen.entry_table import table_text
from kcompile.codegen.entry_text import CONTEXT_BYTES, FLAGS, Text, barrier_text, copy_text
from kcompile.codegen.interface import Interface, item_bytes
from kcompile.codegen.llvm import print_kernels
from kcompile.codegen.target import Target
from kcompile.codegen.text import LLVMModule
from kcompile.ir.core import Operation, find_function
from kcompile.ir.dims import Dim, evaluate, symbols_of

OK, EABI, ECPU, EARG, ESHAPE, EARENA, EALIGN, EWEIGHTS, EINDEX, EOVERFLOW = range(10)
ENV_BYTES = 112  # sizeof(kc_env) of version 1
# At the start of the arena: arrivals, generation, sleepers, and the workers' flags, each in a cache line of its own.
BARRIER_BYTES = (3 + FLAGS) * 64
MAGIC = 0x6B63637478763031
# Bits of kc_env.cpu[0] without which the code of a target cannot run.
_LEVEL_BITS = {2: 1 << 1, 3: 1 << 2, 4: 1 << 3}


BARRIER_COST = 1_000_000  # picoseconds: behind it a worker reads what lies in another's cache


def team_cost(interface: Interface) -> Dim:
    """Picoseconds of work below which a single thread is faster: waking a team that sleeps takes 6-8 us."""
    return 15_000_000 + BARRIER_COST * interface.barriers


def cost_of_team(text: Text, interface: Interface, team: str) -> str:
    """`team_cost` and the barriers that this team meets with these sizes."""
    cost = text.dim(team_cost(interface))
    for barriers, key in interface.uneven_barriers:
        even = text.divides_all(team, *key)
        more = text.new(f"select i1 {even}, i64 0, i64 {text.dim(BARRIER_COST * barriers)}")
        cost = text.new(f"add i64 {cost}, {more}")
    return cost


def required_bits(target: Target) -> int:
    """What kc_env.cpu[0] must hold for code of this target; a host target asks for its level only."""
    return _LEVEL_BITS.get(target.level, 0) if target.architecture == "x86_64" else 0


def entry_target(target: Target) -> Target:
    """What the entry itself is compiled for: it must answer KC_ECPU on a CPU that lacks the kernels' instructions."""
    return Target.get("x86-64") if target.architecture == "x86_64" else target


def print_model(
    versions: Sequence[tuple[Operation, Target]],
    name: str,
    *,
    uid: str,
    metadata: dict[str, Any] | None = None,
    embed_weights: bool = False,
) -> str:
    """The LLVM text of a whole model: kernels, plan and entry.

    versions: the module at plan stage for each target, best target first; bind takes the first that the CPU has.
    uid: names the content. metadata: kept in the object as JSON.
    embed_weights: reserve the weights in the object, as the symbol `<name>_weights`, to be filled in after emission.
    """
    targets = [target for _, target in versions]
    out = LLVMModule(targets[-1])  # what all versions share must run everywhere
    for i, (module, target) in enumerate(versions):
        print_kernels(module, target, out, suffix=f".{i}")
        out.functions.append(print_body(module, name, i, target, out))
    interface = Interface.joined([find_function(module, "main") for module, _ in versions])
    baseline = entry_target(targets[-1]).attributes
    if interface.rows:
        ports = interface.inputs, interface.outputs
        row_bytes = tuple(
            [evaluate(p.bytes, {"b": 1}) if "b" in symbols_of(p.bytes) else 0 for p in side] for side in ports
        )
        arena = interface.arena + BARRIER_BYTES + interface.scratch
        out.functions.append(rows_text(f"@{name}_rows", row_bytes, interface.rows, arena, baseline))
    out.functions += [
        _arena_bytes(interface, name, baseline),
        _bind(interface, name, targets, embed_weights),
        _run(interface, name, baseline),
        table_text(interface, name, uid, metadata or {}, embed_weights, baseline),
    ]
    return str(out)


def print_body(module: Operation, name: str, index: int, target: Target, out: LLVMModule) -> str:
    """The plan function of one target: `<name>_body_<index>`, its constants, the barrier and the copy that it calls."""
    function = find_function(module, "main")
    interface = Interface.of(function)
    text = Text(f"define internal void @{name}_body_{index}(ptr %frame, i32 %tid32, i32 %team32) {{")
    for k, field in enumerate(("in", "out", "arena", "weights", "sizes", "env")):
        text.line(f"%{field} = load ptr, ptr {text.offset('%frame', 8 * k)}")
    for k, symbol in enumerate(interface.symbols):
        text.symbols[symbol] = text.new(f"load i64, ptr {text.offset('%sizes', 8 * k)}")
    text.line("%tid = zext i32 %tid32 to i64")
    text.line("%team = zext i32 %team32 to i64")
    text.line(f"%base = getelementptr i8, ptr %arena, i64 {BARRIER_BYTES}")
    if interface.scratch:  # behind the arena, one part a worker
        text.line(f"%skip = mul i64 %tid, {interface.scratch}")
        text.line(f"%shared_end = getelementptr i8, ptr %base, i64 {text.dim(interface.arena)}")
        text.line("%scratch = getelementptr i8, ptr %shared_end, i64 %skip")
    printer = PlanPrinter(module, name, index, text)
    printer.plan(function)
    out.globals += printer.constants
    attributes = target.attributes
    helpers = barrier_text(f"{name}_barrier_{index}", target, out) + copy_text(f"{name}_copy_{index}", attributes)
    return text.finish(attributes) + helpers


def _check_sizes(text: Text, interface: Interface) -> None:
    """Load the sizes; leave with a status for a negative one and for one above the limit."""
    limit = interface.size_limit()
    if not interface.symbols:
        return
    text.check("icmp eq ptr %sizes, null", EARG)
    for k, symbol in enumerate(interface.symbols):
        size = text.new(f"load i64, ptr {text.offset('%sizes', 8 * k)}")
        text.symbols[symbol] = size
        text.check(f"icmp slt i64 {size}, 0", ESHAPE)
        text.check(f"icmp sgt i64 {size}, {limit}", EOVERFLOW)


def _arena_need(text: Text, interface: Interface, workers: str) -> str:
    """Bytes of the whole arena, with the scratch of every worker behind it.

    A row-parallel model has a part for each worker, of the rows that run together and the scratch of that worker.
    """
    shared = interface.arena + BARRIER_BYTES
    if interface.rows:
        part = arena_part(text, interface.rows, shared + interface.scratch)
        return text.new(f"mul i64 {part}, {team_size(text, workers)}")
    if not interface.scratch:
        return text.dim(shared)
    private = text.new(f"mul i64 {team_size(text, workers)}, {interface.scratch}")
    return text.new(f"add i64 {text.dim(shared)}, {private}")


def _arena_bytes(interface: Interface, name: str, attributes: str) -> str:
    text = Text(f"define internal i32 @{name}_arena_bytes(ptr %sizes, i32 %workers, ptr %out) {{")
    text.check("icmp eq ptr %out, null", EARG)
    _check_sizes(text, interface)
    text.line(f"store i64 {_arena_need(text, interface, '%workers')}, ptr %out")
    text.line(f"ret i32 {OK}")
    return text.finish(attributes)


def _bind(interface: Interface, name: str, targets: Sequence[Target], embedded: bool) -> str:
    text = Text(
        f"define internal i32 @{name}_bind(ptr %ctx, i64 %ctx_bytes, ptr %env, ptr %weights, i64 %weights_bytes) {{"
    )
    text.check("icmp eq ptr %ctx, null", EARG)
    text.check(f"icmp slt i64 %ctx_bytes, {CONTEXT_BYTES}", EARENA)
    text.aligned("%ctx", 64)
    text.check("icmp eq ptr %env, null", EARG)
    size = text.new("load i32, ptr %env")
    text.check(f"icmp ult i32 {size}, {ENV_BYTES}", EABI)
    expected = 0 if embedded else interface.weights_bytes
    text.check(f"icmp ne i64 %weights_bytes, {expected}", EWEIGHTS)
    weights = "%weights"
    if expected:
        text.check("icmp eq ptr %weights, null", EWEIGHTS)
        text.aligned("%weights", 64)
    elif embedded and interface.weights_bytes:
        weights = f"@{name}_weights"
    bits = text.new(f"load i64, ptr {text.offset('%env', 8)}")
    body = "null"
    for i, target in reversed(list(enumerate(targets))):
        need = required_bits(target)
        if need == 0:
            body = f"@{name}_body_{i}"
            continue
        masked = text.new(f"and i64 {bits}, {need}")
        has = text.new(f"icmp eq i64 {masked}, {need}")
        body = text.new(f"select i1 {has}, ptr @{name}_body_{i}, ptr {body}")
    text.check(f"icmp eq ptr {body}, null", ECPU)
    workers = text.new(f"load i32, ptr {text.offset('%env', 72)}")
    text.check(f"icmp slt i32 {workers}, 1", EARG)
    for value, offset in ((f"i64 {MAGIC}", 0), ("ptr %env", 8), (f"ptr {weights}", 16), (f"ptr {body}", 24)):
        text.line(f"store {value}, ptr {text.offset('%ctx', offset)}")
    text.line(f"store i32 {workers}, ptr {text.offset('%ctx', 32)}")
    text.line(f"ret i32 {OK}")
    return text.finish(entry_target(targets[-1]).attributes)


def _run(interface: Interface, name: str, attributes: str) -> str:
    text = Text(
        f"define internal i32 @{name}_run(ptr %ctx, ptr %sizes, ptr %in, ptr %in_bytes, ptr %out, ptr %out_bytes, "
        "ptr %arena, i64 %arena_bytes) {"
    )
    tables = (("in", len(interface.inputs)), ("out", len(interface.outputs)))
    ports = len(interface.inputs) + len(interface.outputs)
    text.line(f"%pointers = alloca [{ports + 1} x i64], align 16")
    text.line(f"%counts = alloca [{ports + 1} x i64], align 16")
    text.line(f"%frame = alloca [{FRAME_WORDS} x i64], align 16")
    text.check("icmp eq ptr %ctx, null", EARG)
    text.aligned("%ctx", 64)
    magic = text.new("load i64, ptr %ctx")
    text.check(f"icmp ne i64 {magic}, {MAGIC}", EARG)
    for table, count in tables:
        if count:
            text.check(f"icmp eq ptr %{table}, null", EARG)
            text.check(f"icmp eq ptr %{table}_bytes, null", EARG)
    _check_sizes(text, interface)
    if "b" in interface.symbols:
        text.leave(f"icmp eq i64 {text.symbols['b']}, 0", OK)
    workers = text.new(f"load i32, ptr {text.offset('%ctx', 32)}")
    need = _arena_need(text, interface, workers)
    text.check("icmp eq ptr %arena, null", EARG)
    text.check(f"icmp slt i64 %arena_bytes, {need}", EARENA)
    text.aligned("%arena", 64)
    _check_ports(text, interface, need)
    for k, field in enumerate(("in", "out", "arena")):
        text.line(f"store ptr %{field}, ptr {text.offset('%frame', 8 * k)}")
    env = text.new(f"load ptr, ptr {text.offset('%ctx', 8)}")
    weights = text.new(f"load ptr, ptr {text.offset('%ctx', 16)}")
    body = text.new(f"load ptr, ptr {text.offset('%ctx', 24)}")
    for value, k in ((weights, 3), ("%sizes", 4), (env, 5)):
        text.line(f"store ptr {value}, ptr {text.offset('%frame', 8 * k)}")
    few = text.new(f"icmp slt i32 {workers}, 2")
    cost = cost_of_team(text, interface, team_size(text, workers))
    small = text.new(f"icmp slt i64 {text.dim(interface.work)}, {cost}")
    inline = text.new(f"or i1 {few}, {small}")
    if interface.rows:
        branch_to_rows(text, interface.rows, interface.least_rows, env, workers, inline, body, f"@{name}_rows")
    text.line(f"br i1 {inline}, label %alone, label %together")
    text.label("alone")
    text.line(f"call void {body}(ptr %frame, i32 0, i32 1)")
    text.line(f"ret i32 {OK}")
    text.label("together")
    for offset in range(0, BARRIER_BYTES, 64):
        text.line(f"store i64 0, ptr {text.offset('%arena', offset)}")
    start_team(text, env, workers, body, "%frame")
    text.line(f"ret i32 {OK}")
    return text.finish(attributes)


def _check_ports(text: Text, interface: Interface, need: str) -> None:
    """Byte counts, alignment and overlap of all buffers. Order: results, then inputs, then state.

    A result may overlap nothing; an input may not overlap state. States are not compared with one another, as they are
    many and belong to one owner. A donated result must be the buffer of its state.
    """
    results = [("out", i, p) for i, p in enumerate(interface.outputs) if p.donates is None]
    donated = {p.donates for p in interface.outputs if p.donates is not None}
    plain = [("in", i, p) for i, p in enumerate(interface.inputs) if i not in donated]
    state = [("in", i, p) for i, p in enumerate(interface.inputs) if i in donated]
    ordered = [*results, *plain, *state]
    for k, (table, i, port) in enumerate(ordered):
        pointer = text.new(f"load i64, ptr {text.offset('%' + table, 8 * i)}")
        count = text.new(f"load i64, ptr {text.offset(f'%{table}_bytes', 8 * i)}")
        text.check(f"icmp ne i64 {count}, {text.dim(port.bytes)}", ESHAPE)
        text.check(f"icmp eq i64 {pointer}, 0", EARG)
        item = item_bytes(port.type)
        if item > 1:
            rest = text.new(f"and i64 {pointer}, {item - 1}")
            text.check(f"icmp ne i64 {rest}, 0", EALIGN)
        text.line(f"store i64 {pointer}, ptr {text.offset('%pointers', 8 * k)}")
        text.line(f"store i64 {count}, ptr {text.offset('%counts', 8 * k)}")
    total = len(ordered)
    arena = text.new("ptrtoint ptr %arena to i64")
    text.line(f"store i64 {arena}, ptr {text.offset('%pointers', 8 * total)}")
    text.line(f"store i64 {need}, ptr {text.offset('%counts', 8 * total)}")
    for i, port in enumerate(interface.outputs):
        if port.donates is not None:
            mine = text.new(f"load i64, ptr {text.offset('%out', 8 * i)}")
            theirs = text.new(f"load i64, ptr {text.offset('%in', 8 * port.donates)}")
            text.check(f"icmp ne i64 {mine}, {theirs}", EARG)
            count = text.new(f"load i64, ptr {text.offset('%out_bytes', 8 * i)}")
            text.check(f"icmp ne i64 {count}, {text.dim(port.bytes)}", ESHAPE)
    if results:
        text.overlap(0, len(results), None, total + 1)
    if plain and state:
        text.overlap(len(results), len(results) + len(plain), len(results) + len(plain), total)
    if plain or state:
        text.overlap(len(results), total, total, total + 1)
