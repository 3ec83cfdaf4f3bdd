"""Every rule of the verifier, broken one at a time in a module that is right."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kcompile.dialects.graph.builder import GraphBuilder
from kcompile.errors import IRError
from kcompile.ir.attributes import SymbolRefAttr
from kcompile.ir.core import Block, Operation, Region, Value, find_function
from kcompile.ir.location import Location
from kcompile.ir.parser import parse_module
from kcompile.ir.types import FunctionType, TensorType, f32, f64
from kcompile.ir.verifier import verify

X = TensorType((2, 3), f32)


def good() -> Operation:
    """@callee and @main, which adds, negates and calls."""
    b = GraphBuilder.function("callee", [X])
    b.ret(b.exp(b.argument(0)))
    module = b.module
    b = GraphBuilder.function("main", [X], module)
    with b.located(Location("model/dense")):
        y = b.neg(b.add(b.argument(0), b.argument(0)))
        called = b.create("func.call", [y], {"callee": SymbolRefAttr("callee")}, [X])
    b.ret(called.result)
    return module


def ops(module: Operation) -> dict[str, Operation]:
    return {op.name: op for op in find_function(module, "main").body.ops}


def set_type(module: Operation) -> None:
    ops(module)["graph.add"].result.type = TensorType((2, 3), f64)


def use_before_definition(module: Operation) -> None:
    found = ops(module)
    found["graph.neg"].move_before(found["graph.add"])


def value_of_another_function(module: Operation) -> None:
    other = find_function(module, "callee").body.first
    assert other is not None
    ops(module)["graph.neg"].set_operand(0, other.result)


def forgotten_use(module: Operation) -> None:
    op = ops(module)["graph.neg"]
    op.operands[0].uses.clear()


def false_use(module: Operation) -> None:
    found = ops(module)
    found["func.call"].result.uses[(found["graph.neg"], 0)] = None


def use_by_a_removed_operation(module: Operation) -> None:
    ops(module)["func.return"].detach()


def early_terminator(module: Operation) -> None:
    found = ops(module)
    found["func.return"].move_before(found["func.call"])


def no_terminator(module: Operation) -> None:
    ops(module)["func.return"].erase()


def empty_function(module: Operation) -> None:
    block = find_function(module, "main").body
    for op in reversed(list(block.ops)):
        op.erase()


def wrong_function_type(module: Operation) -> None:
    find_function(module, "main")["function_type"] = FunctionType((TensorType((3,), f32),), (X,))


def wrong_return(module: Operation) -> None:
    find_function(module, "main")["function_type"] = FunctionType((X,), (X, X))


def unknown_callee(module: Operation) -> None:
    ops(module)["func.call"].attributes["callee"] = SymbolRefAttr("nobody")


def wrong_call(module: Operation) -> None:
    call = ops(module)["func.call"]
    call.set_operands([])


def same_name(module: Operation) -> None:
    find_function(module, "callee")["sym_name"] = "main"


def unknown_attribute(module: Operation) -> None:
    ops(module)["graph.add"]["speed"] = 3


def too_few_operands(module: Operation) -> None:
    op = ops(module)["graph.add"]
    op.set_operands(op.operands[:1])


def foreign_block(module: Operation) -> None:
    find_function(module, "main").body.parent = Region()


def foreign_result(module: Operation) -> None:
    op = ops(module)["graph.add"]
    op.results[0] = Value(X, op, 1)


def two_blocks(module: Operation) -> None:
    region = find_function(module, "main").regions[0]
    block = region.add_block(Block())
    block.append(Operation("func.return", [region.blocks[0].arguments[0]]))


def not_an_attribute(module: Operation) -> None:
    ops(module)["graph.add"].attributes["kernel.x"] = 3  # type: ignore[assignment]


def wrong_arg_attrs(module: Operation) -> None:
    find_function(module, "main")["arg_attrs"] = ({}, {})


BREAKS: list[tuple[Callable[[Operation], None], str]] = [
    (set_type, "its result type is tensor<2x3xf32> by its rule"),
    (use_before_definition, "is not visible here"),
    (value_of_another_function, "is not visible here"),
    (forgotten_use, "operand 0 does not know this use"),
    (false_use, "counts a use by graph.neg that is none"),
    (use_by_a_removed_operation, "used by func.return, which is not in the module"),
    (early_terminator, "a terminator stands before the end"),
    (no_terminator, "ends here without a terminator"),
    (empty_function, "a block is empty"),
    (wrong_function_type, "@main takes tensor<3xf32> by its type"),
    (wrong_return, "@main returns (tensor<2x3xf32>, tensor<2x3xf32>)"),
    (unknown_callee, "@nobody, which the module does not have"),
    (wrong_call, "Received: a call of"),
    (same_name, "two symbols @main"),
    (unknown_attribute, "takes no attribute 'speed'"),
    (too_few_operands, "takes 2 operands"),
    (foreign_block, "a block has another parent"),
    (foreign_result, "result 0 belongs to"),
    (two_blocks, "one region of one block"),
    (not_an_attribute, "is no attribute"),
    (wrong_arg_attrs, "arg_attrs of @main needs 1 dicts"),
]


def test_a_right_module_passes() -> None:
    verify(good())


@pytest.mark.parametrize(("damage", "message"), BREAKS, ids=[b.__name__ for b, _ in BREAKS])
def test_a_broken_rule_is_named(damage: Callable[[Operation], None], message: str) -> None:
    module = good()
    damage(module)
    with pytest.raises(IRError) as caught:
        verify(module)
    assert message in caught.value.message


def test_an_error_names_function_and_layer() -> None:
    module = good()
    set_type(module)
    with pytest.raises(IRError) as caught:
        verify(module)
    assert caught.value.where == '@main, loc("model/dense")'


def test_inner_values_are_not_visible_outside() -> None:
    module = parse_module('"t.a"() ({ %x = "t.b"() : () -> f32 }) : () -> ()\n"t.c"() : () -> ()')
    outer, user = module.body.ops
    inner = outer.body.first
    assert inner is not None
    user.set_operands([inner.result])
    with pytest.raises(IRError, match="not visible"):
        verify(module)


def test_unknown_operations_need_no_terminator_and_no_rule() -> None:
    verify(parse_module('%0 = "t.a"() ({ "t.b"() : () -> () }) {x = @y} : () -> f32'.replace("{x = @y} ", "")))


def test_part_of_a_module_can_be_verified() -> None:
    for op in ops(good()).values():
        verify(op)
