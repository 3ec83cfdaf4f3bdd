"""fuse-sums: reductions over the same axes run in one sweep, and with what they read where that is stored.

Reads kernel, writes kernel; after the reductions took in what they alone read. Both gradients of a batch norm's scale
and shift are sums over the same tensor; the gradient of a bias is a sum over a tensor that is being stored.

    %s = dispatch(%dy) {reduce add}; %t = dispatch(%dy, %x) {reduce add of dy * x}  =>  one dispatch, root column_sums
    %d = dispatch(..) {elementwise}; %s = dispatch(%d) {reduce add}                 =>  one dispatch, root column_sums
    %y = dispatch(..) {dot_general}; %s, %t = dispatch(%y) {column_sums}            =>  one dispatch, root dot_general

With the last the statistics of a batch norm are made where its input is.
"""

from __future__ import annotations

from dataclasses import dataclass

from kcompile.ir.affine import identity_map
from kcompile.ir.core import Block, Operation, Value
from kcompile.ir.dims import Dim, SymbolicDim, nominal
from kcompile.ir.passes import pass_
from kcompile.transforms.kernel import cost_model
from kcompile.transforms.kernel.access import reads
from kcompile.transforms.kernel.dispatches import Dispatches, argument_of, in_each_block, root_op, yielded
from kcompile.transforms.kernel.fuse_pads import inside_shape
from kcompile.transforms.kernel.kinds import CONTRACTIONS, root_of, tensor_type
from kcompile.transforms.kernel.product_rows import sums_along_tiles

ROOT = "column_sums"
MOST_RESULTS = 8  # of a kernel: each is a stream of stores
LARGE = 1 << 12  # elements; less stays in the first-level cache between two kernels
SHARES = 8  # pieces of work that the axes which stay give at least


@dataclass(frozen=True, slots=True)
class Space:
    """What is reduced, and the axes over which: all but some leading ones and the last."""

    shape: tuple[Dim, ...]
    axes: tuple[int, ...]


@pass_("fuse-sums", reads="kernel", writes="kernel", exact=True)
def fuse_sums(module: Operation) -> bool:
    return in_each_block(module, _fuse)


def _fuse(block: Block) -> bool:
    dispatches = Dispatches(block)
    changed = False
    for op in list(dispatches.all("graph.reduce")):
        current = op if op.parent is not None else None
        while current is not None:
            current = _join_one(dispatches, current)
            changed = changed or current is not None
    return any([_join_product(dispatches, op) for op in list(dispatches.all("graph.reduce", ROOT))]) or changed


def _join_one(dispatches: Dispatches, sums: Operation) -> Operation | None:
    """Merge one dispatch with these sums, if there is one; gives the result."""
    space = space_of(sums)
    if space is None:
        return None
    for value in sums.operands:
        if tensor_type(value).shape != space.shape:
            continue
        maker = value.defining_op
        others = [u for u in value.users if u is not sums and u.parent is sums.parent and u.name == "kernel.dispatch"]
        for other in ([maker] if maker is not None else []) + others:
            if not _joins(other, space, sums):
                continue
            first, second = sorted((other, sums), key=dispatches.position.__getitem__)
            depends = any(u is second for r in first.results for u in r.users)
            if dispatches.is_between(first, second) or (depends and not _reads_in_place(first, second, space)):
                continue
            return dispatches.merge(first, second, ROOT)
    return None


def _join_product(dispatches: Dispatches, sums: Operation) -> bool:
    """Merge the product that makes what these sums read, if there is one, with them."""
    space = space_of(sums)
    large = [v for v in sums.operands if space is not None and tensor_type(v).shape == space.shape]
    for product in dict.fromkeys(v.defining_op for v in large):
        if product is not None and space is not None and _sums_up(product, space, sums):
            if not dispatches.is_between(product, sums) and _reads_in_place(product, sums, space):
                dispatches.merge(product, sums, root_of(product))
                return True
    return False


def space_of(dispatch: Operation) -> Space | None:
    """The space of the sums of a dispatch; None if it is not made of sums over one, or they are too few to share."""
    found: set[Space] = set()
    if root_of(dispatch) not in ("graph.reduce", ROOT):
        return None
    for op in dispatch.body.ops:
        if op.name == "graph.reduce":
            found.add(Space(tensor_type(op.operands[0]).shape, tuple(sorted(op["axes"]))))
    if len(found) != 1:
        return None
    (space,) = found
    rank, axes = len(space.shape), space.axes
    if not axes or rank - 1 in axes or axes != tuple(range(rank - 1 - len(axes), rank - 1)):
        return None
    outer, last = space.shape[: axes[0]], space.shape[-1]
    shares = 1
    for n in outer:
        shares *= nominal(n)
    plain = all(_made_by(v, "graph.reduce") or inside_shape(v) == space.shape for v in yielded(dispatch))
    return space if plain and shares >= SHARES and not isinstance(last, SymbolicDim) else None


def _made_by(value: Value, *names: str) -> bool:
    return value.defining_op is not None and value.defining_op.name in names


def _joins(other: Operation | None, space: Space, sums: Operation) -> bool:
    """Whether a dispatch works on the same space: sums, or results of its shape."""
    if other is None or other is sums or other.name != "kernel.dispatch" or other.parent is not sums.parent:
        return False
    size = 1
    for n in space.shape:
        size *= nominal(n)
    if size < LARGE or len(other.results) + len(sums.results) > MOST_RESULTS:
        return False
    if root_of(other) in ("graph.reduce", ROOT):
        fits = space_of(other) == space
    else:
        inside = [inside_shape(v) == space.shape for v in yielded(other)]
        fits = root_of(other) in ("elementwise", "graph.pad") and all(inside)
    return fits and _runs_along_lanes(other) and _runs_along_lanes(sums)


def _sums_up(product: Operation, space: Space, sums: Operation) -> bool:
    """Whether sums of what a product stores can be made tile by tile: it has whole tiles of rows inside an image."""
    root = root_op(product) if product.name == "kernel.dispatch" else None
    if root is None or root.name not in CONTRACTIONS or product.parent is not sums.parent:
        return False
    if any(tensor_type(v).shape != space.shape for v in yielded(product)):
        return False
    others = [v for v in sums.operands if tensor_type(v).shape == space.shape and v not in product.results]
    if any(v not in product.operands for v in others):
        return False  # loaded all the same, and its work hides behind that in a sweep only (MobileNetV2 2-5 % slower)
    if not all(_made_by(v, "graph.reduce") for v in yielded(sums)) or not sums_along_tiles(root, space.shape):
        return False
    # what is dear is done by rows, see register_tile
    dear = any(cost_model.work(op) > cost_model.RECOMPUTE_LIMIT for op in product.body.ops)
    return not dear and len(product.results) + len(sums.results) <= MOST_RESULTS and _runs_along_lanes(sums)


def _starts(dispatch: Operation) -> list[Value]:
    """The values that are evaluated over the whole space: what is reduced or padded, and results."""
    inner = [op.operands[0] for op in dispatch.body.ops if op.name in ("graph.reduce", "graph.pad")]
    return inner + [v for v in yielded(dispatch) if not _made_by(v, "graph.reduce", "graph.pad")]


def _runs_along_lanes(dispatch: Operation) -> bool:
    """Whether along the last axis everything is read from neighbours in memory, or from one place."""
    for start in _starts(dispatch):
        last = tensor_type(start).rank - 1
        found = reads([start], dispatch.body)
        for map_ in set().union(*found.values()) if found is not None else [None]:
            if map_ is None:
                return False
            strides = [e.coefficient(last) for e in map_.results]
            if any(strides[:-1]) or strides[-1:] not in ([], [0], [1]):
                return False
    return True


def _reads_in_place(first: Operation, second: Operation, space: Space) -> bool:
    """Whether `second` needs of the results of `first` only what is at the same place of the space."""
    identity = identity_map(len(space.shape))
    results = [r for r in first.results if r in second.operands]
    if any(tensor_type(r).shape != space.shape for r in results):
        return False
    for start in _starts(second):
        found = reads([start], second.body)
        if found is None or any(not found.get(argument_of(second, r), {identity}) <= {identity} for r in results):
            return False
    return True
