"""fuse-attention: scores, softmax (or what else is done along their rows) and the product with the values: one kernel.

Reads graph, writes kernel. It runs before the other kernels are formed. A block of rows of the scores stays in the
cache, the whole of them never exists. The division by the sum of the exponentials is done on the results, which are
fewer than the weights.

    s = dot(q, k); p = softmax(s * scale); y = transpose(dot(p, v))    =>    one dispatch, root "attention":
        e = exp(s * scale - max); y = transpose(dot(e, v) / sum(e))
"""

from __future__ import annotations

from kcompile.dialects.graph import GraphBuilder
from kcompile.dialects.graph.control import code_blocks
from kcompile.ir.attributes import Attribute, StringAttr
from kcompile.ir.core import Block, Operation, Region, Value, find_function
from kcompile.ir.location import fuse
from kcompile.ir.passes import pass_
from kcompile.transforms.graph.attention_pattern import Attention, attention_of
from kcompile.transforms.kernel.kinds import tensor_type

ROOT = "attention"
FEWEST_ROWS = 4  # of queries: packing the keys costs as much as about two rows (1 row of 512 keys: 107 us, unfused 52)


@pass_("fuse-attention", reads="graph", writes="kernel")
def fuse_attention(module: Operation) -> bool:
    changed = False
    for block in code_blocks(find_function(module, "main")):
        for op in list(block.ops):
            found = attention_of(op) if op.parent is not None else None
            if found is not None and found.rows >= FEWEST_ROWS:
                form_dispatch(found)
                changed = True
    return changed


def form_dispatch(found: Attention) -> Operation:
    """The dispatch in the place of the result; ops that only it used are gone."""
    ops = found.ops
    body = Block()
    mapping: dict[Value, Value] = {}
    operands: list[Value] = []
    made = {r for op in ops for r in op.results}
    for value in (v for op in ops for v in op.operands):
        if value not in made and value not in mapping:
            mapping[value] = body.add_argument(value.type)
            operands.append(value)
    share = found.share
    for op in ops:
        if share is not None and (op is share[0] or op.results[0].users == [share[0]]):
            continue  # the division, and the total spread for it
        body.append(op.clone(mapping))
        if share is not None and op is found.result:
            mapping[op.result] = _over(body, mapping[op.result], mapping[share[2]])
        elif share is not None and op.results[0] is share[1]:
            mapping[share[0].result] = mapping[share[1]]
    last = ops[-1]
    body.append(Operation("kernel.yield", [mapping[last.result]]))
    location = fuse(*dict.fromkeys(op.location for op in (found.scores, found.result)))
    attributes: dict[str, Attribute] = {"kernel.root": StringAttr(ROOT)}
    dispatch = Operation("kernel.dispatch", operands, [last.result.type], attributes, [Region([body])], location)
    last.parent.insert_before(last, dispatch)  # type: ignore[union-attr]
    dispatch.results[0].hint = last.result.hint
    last.replace_by(dispatch.results)
    for op in reversed(ops):
        if op.parent is not None and not any(r.uses for r in op.results):
            op.erase()
    return dispatch


def _over(body: Block, result: Value, total: Value) -> Value:
    """`result`, each row over its total."""
    b: GraphBuilder = GraphBuilder(body)
    shape = tensor_type(result).shape
    spread = b.broadcast_in_dim(total, shape=shape, dims=tuple(range(len(shape) - 1)))
    made: Value = b.div(result, spread)
    return made
