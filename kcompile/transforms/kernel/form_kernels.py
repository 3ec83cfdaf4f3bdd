"""form-kernels: every graph op of @main goes into a dispatch of its own; reshapes and constants stay between them, and
scans stay around those of their bodies.

Reads graph, writes kernel. Constants of one element are copied into the dispatches that use them.

    %y = graph.exp(%x)      =>      %y = kernel.dispatch(%x) {kernel.root = "elementwise"} { ^bb0(%0): yield
    graph.exp(%0) }
"""

from __future__ import annotations

from kcompile.dialects.graph.contraction import free_axes
from kcompile.ir.core import Block, Operation
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel.dispatches import in_each_block, make_dispatch
from kcompile.transforms.kernel.kinds import is_alias, is_inline_constant, root_of, tensor_type


@pass_("form-kernels", reads="graph", writes="kernel", exact=True)
def form_kernels(module: Operation) -> bool:
    return in_each_block(module, _form)


def _form(body: Block) -> bool:
    changed = False
    made: list[Operation] = []
    for op in body.ops:
        if op.dialect != "graph" or is_alias(op) or op.has_trait("control"):
            continue
        changed = True
        if op.name == "graph.stop_gradient":
            op.replace_by(op.operands)
            continue
        constants = [
            d for d in dict.fromkeys(v.defining_op for v in op.operands) if d is not None and is_inline_constant(d)
        ]
        made.append(make_dispatch(op, constants))
    for op in list(body.ops):
        if op.name == "graph.constant" and not op.results[0].uses:
            op.erase()
    for dispatch in made:
        _take_reshape(dispatch)
    return changed


def _take_reshape(dispatch: Operation) -> None:
    """The product with packed weights has panels and the columns of each; in its kernel they are one axis again."""
    users = dispatch.results[0].users if len(dispatch.results) == 1 else []
    if root_of(dispatch) != "graph.dot_general" or len(users) != 1 or users[0].name != "graph.reshape":
        return
    (reshape,) = users
    panels, whole = tensor_type(reshape.operands[0]).shape, tensor_type(reshape.result).shape
    dot = next(op for op in dispatch.body.ops if op.name == "graph.dot_general")
    weights = tensor_type(dot.operands[1]).rank
    if len(whole) + 1 != len(panels) or whole[:-1] != panels[:-2]:
        return
    if len(free_axes(weights, dot["rhs_batch"], dot["rhs_contract"])) < 2:
        return  # one of the two axes is the left operand's: rows
    end = dispatch.body.terminator
    inner = reshape.clone({reshape.operands[0]: end.operands[0]})
    dispatch.body.insert_before(end, inner)
    end.set_operands(inner.results)
    made = dispatch.add_result(reshape.result.type)
    made.hint = reshape.result.hint
    reshape.replace_by([made])
    dispatch.results = [made]
    made.index = 0
