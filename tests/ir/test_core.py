"""Operations, uses and blocks: the links stay right under every edit, checked against plain lists."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcompile.dialects.graph.builder import GraphBuilder
from kcompile.errors import IRError, ShapeError
from kcompile.ir import types as t
from kcompile.ir.attributes import DenseAttr, attribute
from kcompile.ir.builder import Builder, infer_types
from kcompile.ir.core import Block, Operation, Region, find_function
from kcompile.ir.definition import definitions, lookup
from kcompile.ir.location import UNKNOWN, Location, fuse
from kcompile.ir.types import TensorType, f32
from kcompile.ir.verifier import verify

X = TensorType((2, 3), f32)


def chain(count: int) -> GraphBuilder:
    g = GraphBuilder.function("main", [X])
    x = g.argument(0)
    for _ in range(count):
        x = g.neg(x)
    g.ret(x)
    return g


@given(st.lists(st.tuples(st.sampled_from("abied"), st.integers(0, 20), st.integers(0, 20)), max_size=30))
def test_a_block_is_a_list(edits: list[tuple[str, int, int]]) -> None:
    """append, move before, insert, erase, move after (detach and insert), against a Python list."""
    block, model = Block(), []
    Region([block])
    for kind, i, j in edits:
        made = Operation("test.op")
        if kind == "a" or not model:
            block.append(made)
            model.append(made)
            continue
        op, other = model[i % len(model)], model[j % len(model)]
        if kind == "i":
            block.insert_before(op, made)
            model.insert(model.index(op), made)
        elif kind == "e":
            op.erase()
            model.remove(op)
        elif op is not other:
            model.remove(op)
            if kind == "b":
                op.move_before(other)
                model.insert(model.index(other), op)
            else:
                op.move_after(other)
                model.insert(model.index(other) + 1, op)
        assert list(block.ops) == model
        assert (block.first, block.last) == ((model[0], model[-1]) if model else (None, None))
        assert all(o.parent is block for o in model)
        for a, b in itertools.pairwise(model):
            assert (a.next, b.prev) == (b, a)
            assert a.is_before(b)
            assert not b.is_before(a)


def test_uses_follow_operands() -> None:
    g = GraphBuilder.function("main", [X, X])
    a, b = g.argument(0), g.argument(1)
    s = g.add(a, a)
    op = s.defining_op
    assert op is not None
    assert list(a.uses) == [(op, 0), (op, 1)]
    assert a.users == [op]
    op.set_operand(1, b)
    assert a.has_one_use
    assert list(b.uses) == [(op, 1)]
    op.set_operands([b, a])
    assert op.operands == (b, a)
    a.replace_by(b)
    assert not a.uses
    assert op.operands == (b, b)


def test_replace_by_if_keeps_other_users() -> None:
    g = chain(3)
    first, second, third = (op for op in g.block.ops if op.name == "graph.neg")
    x = g.argument(0)
    first.result.replace_by_if(x, lambda user: user is third)
    assert second.operands == (first.result,)
    second.result.replace_by_if(x, lambda user: user is third)
    assert third.operands == (x,)


def test_an_operation_in_use_is_not_erased() -> None:
    g = chain(2)
    first = g.block.first
    assert first is not None
    with pytest.raises(IRError, match=r"cannot erase graph.neg: result 0 is still used"):
        first.erase()
    first.replace_by([g.argument(0)])
    verify(g.module)
    with pytest.raises(IRError, match="has 1 results. Received: 2"):
        next(g.block.ops).replace_by([g.argument(0), g.argument(0)])


def test_walking_survives_erasing() -> None:
    g = chain(5)
    seen = []
    for op in g.module.walk(reverse=True):
        seen.append(op.name)
        if op.name == "func.return":
            op.set_operands([])
        elif op.name == "graph.neg":
            op.erase()
    assert seen.count("graph.neg") == 5
    assert [op.name for op in g.block.ops] == ["func.return"]


def test_a_clone_shares_nothing() -> None:
    g = chain(3)
    copy = g.module.clone()
    assert str(copy) == str(g.module)
    for op in list(find_function(copy, "main").body.ops):
        op["kernel.mark"] = 1
    find_function(copy, "main").erase()
    verify(g.module)
    assert "kernel.mark" not in str(g.module)


def test_block_arguments() -> None:
    block = Block([f32, X, f32])
    user = Operation("test.op", [block.arguments[2]])
    with pytest.raises(IRError, match="still used"):
        block.erase_argument(2)
    block.erase_argument(0)
    assert [a.index for a in block.arguments] == [0, 1]
    assert user.operands[0].index == 1
    assert block.add_argument(X).index == 2
    with pytest.raises(IRError, match="needs a terminator"):
        _ = block.terminator


def test_attributes_are_python_values() -> None:
    op = Operation("test.op")
    for value in (True, 3, 2.5, "text", (1, 2), (1, t.symbol("b")), f32, {"a": 1}, ("x", "y"), ()):
        op["x"] = value
        assert op["x"] == value
    assert op.get("y", 7) == 7
    with pytest.raises(IRError, match="has no attribute 'y'"):
        op["y"]
    with pytest.raises(IRError, match="no attribute stands for a object"):
        op["x"] = object()


def test_dense_constants_are_equal_by_bits_and_read_only() -> None:
    import numpy as np

    one, same, other = (DenseAttr(np.float32([0.0, v])) for v in (1.0, 1.0, -1.0))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert DenseAttr(np.float32([0.0])) != DenseAttr(np.float32([-0.0]))
    with pytest.raises(ValueError, match="read-only"):
        one.value[0] = 1
    assert attribute(np.int32([1])) == DenseAttr(np.int32([1]))
    with pytest.raises(IRError, match="needs that shape"):
        DenseAttr(np.float32([1, 2]), X)


def test_types_are_interned() -> None:
    assert TensorType((2, 3), f32) is X
    assert t.MemRefType((2,), f32) is not t.MemRefType((2,), f32, (1,))
    assert t.IntegerType(8) is t.i8
    assert t.IntegerType(8, unsigned=True) is t.ui8
    for shape in ((-1,), (1.5,), ("b",)):
        with pytest.raises(IRError, match="ints >= 0 or symbols"):
            TensorType(shape, f32)  # type: ignore[arg-type]
    with pytest.raises(IRError, match="cannot be compiled"):
        t.from_numpy("datetime64[s]")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda g: g.create("graph.nonsense"), "graph.nonsense has no type rule"),
        (lambda g: g.create("graph.neg", []), "takes 1 operands. Received: 0"),
        (lambda g: g.create("graph.neg", [g.argument(0)], {"axis": 1}), "takes no attribute 'axis'"),
        (lambda g: g.create("graph.reduce", [g.argument(0)], {"kind": "add"}), "needs the attribute 'axes'"),
        (lambda g: g.nonsense(g.argument(0)), "there is no operation graph.nonsense"),
    ],
)
def test_a_builder_refuses(make: object, message: str) -> None:
    g = GraphBuilder.function("main", [X])
    with pytest.raises((IRError, AttributeError), match=message):
        make(g)  # type: ignore[operator]


def test_errors_name_operation_and_layer() -> None:
    g = GraphBuilder.function("main", [X, TensorType((2, 4), f32)])
    with g.scope("model"), g.scope("head"), pytest.raises(ShapeError) as caught:
        g.add(g.argument(0), g.argument(1))
    assert caught.value.message.startswith("graph.add: ")
    assert caught.value.where == 'loc("model/head")'
    assert g.location is UNKNOWN


def test_builders_insert_where_they_stand() -> None:
    g = chain(1)
    neg = g.block.first
    assert neg is not None
    before, after = Builder.before_op(neg), Builder.after_op(neg)
    for name, builder in (("b", before), ("a", after), ("c", before), ("d", after)):
        builder.create(f"test.{name}", [], None, ())
    with g.at(g.block, neg):
        g.create("test.e", [], None, ())
    names = [op.name.partition(".")[2] for op in g.block.ops]
    assert names == ["b", "c", "e", "neg", "a", "d", "return"]


def test_fused_locations_name_each_origin_once() -> None:
    a, b = Location("a"), Location("b")
    assert fuse(a, UNKNOWN, a) is a
    assert fuse() is UNKNOWN
    assert fuse(fuse(a, b), b, Location("c")).parts == (a, b, Location("c"))
    assert str(Location("x", "f.py", 3).child("y")) == 'loc("x/y"("f.py":3:1))'


def test_the_registry_loads_dialects_at_first_need() -> None:
    assert lookup("nobody.op") is None
    assert lookup("graph.nonsense") is None
    found = lookup("graph.add")
    assert found is not None
    assert found.ins == ("x", "y")
    assert found.never_defined is None
    assert found in definitions("graph")
    assert infer_types("graph.add", [X, X], {}, UNKNOWN) == (X,)
