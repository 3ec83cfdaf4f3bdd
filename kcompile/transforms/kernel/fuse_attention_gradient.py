"""fuse-attention-gradient: what attention gives back to its queries, keys and values in training: one kernel.

Reads graph, writes kernel; it runs before fuse-attention. The scores are computed again, block by block, from what is
in the cache, so that neither they nor the weights are ever in memory as a whole; the forward part, of which nothing is
kept, then is a kernel as at inference.

    s = dot(q, k); p = softmax(s); dv = dot(p, dy); dp = dot(dy, v); ds = softmax_gradient(p, dp)
    dq = dot(ds, k); dk = dot(ds, q)                            =>    one dispatch of three results, root "attention"

Source of the idea: Dao et al., "FlashAttention", 2022. At 128 keys of 32 features the scores and their exponentials
take as long again as it takes to write the weights to memory and to read them. In the kernel a row is divided by its
total as it is multiplied by the inverse: one division a row.
"""

from __future__ import annotations

from typing import Any

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.control import code_blocks
from kcompile.ir.attributes import StringAttr
from kcompile.ir.core import Block, Operation, Region, Value, find_function
from kcompile.ir.location import fuse
from kcompile.ir.passes import pass_
from kcompile.ir.rewriting import Match, RewriteDriver, capture, op, rule
from kcompile.transforms.graph.attention_gradient_pattern import AttentionGradient, Sum, attention_gradient_of
from kcompile.transforms.graph.attention_pattern import attention_of
from kcompile.transforms.kernel.fuse_attention import FEWEST_ROWS, ROOT
from kcompile.transforms.kernel.kinds import tensor_type

x, e, total, rows = capture("x"), capture("e"), capture("total"), capture("rows")


def _canonical(b: Any, m: Match) -> Value:
    """(x / t + spread(-sum(x / t * p))) * e with p = e / t, as (x - spread(sum(x * p))) * p."""
    p = b.div(m["e"], m["total"])
    joined = b.reduce(b.mul(m["x"], p), axes=m["sum"]["axes"], kind="add")
    spread = b.broadcast_in_dim(joined, shape=tensor_type(p).shape, dims=m["spread"]["dims"])
    made: Value = b.mul(b.sub(m["x"], spread), p)
    return made


def _times_inverse(b: Any, m: Match) -> Value | None:
    shape = tensor_type(m["x"]).shape
    if tensor_type(m["rows"]).shape != shape[:-1]:
        return None
    inverse = b.broadcast_in_dim(b.div(1.0, m["rows"]), shape=shape, dims=tuple(range(len(shape) - 1)))
    made: Value = b.mul(m["x"], inverse)
    return made


_SHARE = op("graph.div", x, total)
_JOINED = op(
    "graph.reduce", op("graph.neg", op("graph.mul", _SHARE, op("graph.div", e, total))), kind="add", bind="sum"
)
canonical = RewriteDriver("softmax-gradient", [
    rule("softmax-gradient",
         op("graph.mul", op("graph.add", _SHARE, op("graph.broadcast_in_dim", _JOINED, bind="spread")), e), _canonical),
])  # fmt: skip
inverses = RewriteDriver("inverses", [
    rule("divide-by-row", op("graph.div", x, op("graph.broadcast_in_dim", rows)), _times_inverse),
])  # fmt: skip


@pass_("fuse-attention-gradient", reads="graph", writes="kernel")
def fuse_attention_gradient(module: Operation) -> bool:
    changed = False
    for block in code_blocks(find_function(module, "main")):
        for result in [o for o in block.ops if o.name == "graph.dot_general"]:
            if result.parent is None:
                continue
            forward, found = attention_of(result, shared=True), attention_gradient_of(result)
            if forward is not None and found is not None and forward.rows >= FEWEST_ROWS:
                changed |= form_dispatch(found) is not None
    return changed


def form_dispatch(found: AttentionGradient) -> Operation | None:
    """The dispatch in the place of the products; ops that only they used are gone. None if one needs another."""
    late = _late([s.last for s in found.sums])
    body = Block()
    mapping: dict[Value, Value] = {}
    operands: list[Value] = []
    before = [*found.products, *found.chain]
    made = {r for o in (*before, *(s.product for s in found.sums)) for r in o.results}
    for value in (v for o in (*before, *(s.product for s in found.sums)) for v in o.operands):
        if value not in made and value not in mapping:
            mapping[value] = body.add_argument(value.type)
            operands.append(value)
    if any(value.defining_op in late for value in operands):
        return None
    for o in before:
        body.append(o.clone(mapping))
    results = [_sum_inside(body, mapping, s) for s in found.sums]
    body.append(Operation("kernel.yield", results))
    location = fuse(*dict.fromkeys(o.location for o in (*found.products, *(s.product for s in found.sums))))
    types = [s.last.result.type for s in found.sums]
    dispatch = Operation(
        "kernel.dispatch", operands, types, {"kernel.root": StringAttr(ROOT)}, [Region([body])], location
    )
    canonical(dispatch)
    inverses(dispatch)
    block = found.sums[0].last.parent
    assert block is not None
    order = {o: i for i, o in enumerate(block.ops)}
    block.insert_before(max((s.last for s in found.sums), key=order.__getitem__), dispatch)
    for o in reversed(late):
        o.move_after(dispatch)
    for s, result in zip(found.sums, dispatch.results, strict=True):
        result.hint = s.last.result.hint
        s.last.result.replace_by(result)
    for o in reversed([*before, *(o for s in found.sums for o in dict.fromkeys((s.product, s.last)))]):
        if o.parent is not None and not any(r.uses for r in o.results):
            o.erase()
    return dispatch


def _sum_inside(body: Block, mapping: dict[Value, Value], found: Sum) -> Value:
    """The product with the rows of the scores on its left, and what turns it."""
    b: GraphBuilder = GraphBuilder(body)
    product = found.product
    sides = ("lhs", "rhs") if found.operand == 0 else ("rhs", "lhs")
    left, right = (mapping[product.operands[i]] for i in (found.operand, 1 - found.operand))
    attributes = {
        f"{new}_{kind}": product[f"{old}_{kind}"]
        for new, old in zip(("lhs", "rhs"), sides, strict=True)
        for kind in ("batch", "contract")
    }
    value: Value = b.dot_general(left, right, **attributes)
    if found.turned is None:
        return value
    permutation = list(found.turned["permutation"])
    if found.operand == 1:  # the last two axes are the other way round
        last = len(permutation) - 1
        permutation = [{last: last - 1, last - 1: last}.get(axis, axis) for axis in permutation]
    turned: Value = b.transpose(value, permutation=tuple(permutation))
    return turned


def _late(replaced: list[Operation]) -> list[Operation]:
    """What stands before the last of these ops and needs another of them, in order."""
    block = replaced[0].parent
    assert block is not None
    order = {o: i for i, o in enumerate(block.ops)}
    limit = max(order[o] for o in replaced)
    late: set[Operation] = set()
    pending = list(replaced)
    while pending:
        for user in pending.pop().result.users:
            if user not in late and order[user] < limit:
                late.add(user)
                pending.append(user)
    return sorted(late, key=order.__getitem__)
