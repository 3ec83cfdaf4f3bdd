"""parse(print(x)) is x: for types, attributes and modules, with every bit of every number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from kcompile.ir import types as t
from kcompile.ir.attributes import Attribute, DenseAttr, FloatAttr, StringAttr
from kcompile.ir.builder import new_module
from kcompile.ir.core import Operation
from kcompile.ir.parser import parse_attribute, parse_module, parse_type
from kcompile.ir.printer import attribute_text, print_operation
from tests.ir.generated import attributes, modules, types


def assert_same(a: Operation, b: Operation) -> None:
    """Equal in all that an operation is: names, types, attributes, locations, regions, and who uses whose result."""
    numbers: dict[object, int] = {}
    for x, y in zip(a.walk(), b.walk(), strict=True):
        assert (x.name, x.location) == (y.name, y.location)
        assert dict(x.attributes) == dict(y.attributes)
        assert [v.type for v in x.results] == [v.type for v in y.results]
        assert [[numbers[v] for v in x.operands]] == [[numbers[v] for v in y.operands]]
        for p, q in zip(x.results, y.results, strict=True):
            numbers[p] = numbers[q] = len(numbers)
        assert len(x.regions) == len(y.regions)
        for r, s in zip(x.regions, y.regions, strict=True):
            for c, d in zip(r.blocks, s.blocks, strict=True):
                assert [v.type for v in c.arguments] == [v.type for v in d.arguments]
                for p, q in zip(c.arguments, d.arguments, strict=True):
                    numbers[p] = numbers[q] = len(numbers)


@given(types)
def test_types(type: t.Type) -> None:
    assert parse_type(str(type)) is type


@given(attributes)
@settings(max_examples=300)
def test_attributes(attribute: Attribute) -> None:
    holder = Operation("test.a", attributes={"x": attribute})
    module = new_module()
    module.body.append(holder)
    read = parse_module(print_operation(module, resources=True)).body.first
    assert read is not None
    assert read.attributes["x"] == attribute


@given(modules())
@settings(max_examples=100)
def test_modules(module: Operation) -> None:
    text = print_operation(module, resources=True, locations=True)
    read = parse_module(text)
    assert_same(module, read)
    assert print_operation(read, resources=True, locations=True) == text


@given(modules())
@settings(max_examples=30)
def test_a_clone_prints_the_same(module: Operation) -> None:
    assert print_operation(module.clone(), resources=True) == print_operation(module, resources=True)


@pytest.mark.parametrize("type", [t.f16, t.bf16, t.f32, t.f64])
@pytest.mark.parametrize(
    "value", [0.0, -0.0, 1.0, 0.1, 1 / 3, float("inf"), -float("inf"), float("nan"), 5e-324, 1e-45, 65504.0, 1e300]
)
def test_floats_keep_their_bits(value: float, type: t.Type) -> None:
    attribute = FloatAttr(value, type)
    assert parse_attribute(str(attribute)) is attribute


def test_all_bf16_and_f16_values() -> None:
    every = np.arange(1 << 16, dtype=np.uint16)
    for element, array in ((t.f16, every.view(np.float16)), (t.bf16, (every.astype(np.uint32) << 16).view(np.float32))):
        for chunk in np.split(array, 4096):  # 16 elements are printed in place
            attribute = DenseAttr(chunk, t.TensorType((16,), element))
            assert parse_attribute(attribute_text(attribute)) == attribute


def test_equal_constants_share_a_resource_and_different_ones_do_not() -> None:
    module = new_module()
    for first in (0, 0, 1):
        array = np.arange(first, 20 + first, dtype=np.float32)
        module.body.append(Operation("test.a", attributes={"value": DenseAttr(array)}))
    text = print_operation(module, resources=True)
    assert text.count('"0x') == 2


@pytest.mark.parametrize("text", ['"', "\\", "\n", "\0", "é", "\\n", '\\"', "\x7f", "😀"])
def test_strings(text: str) -> None:
    assert parse_attribute(str(StringAttr(text))).value == text
