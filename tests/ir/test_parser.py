"""What the parser refuses, with which message, and where its caret points; and text that mlir-opt prints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcompile.errors import IRError
from kcompile.ir.location import Location
from kcompile.ir.parser import parse_attribute, parse_module, parse_type
from kcompile.ir.printer import print_operation

ERRORS = [
    # text with the place of the error marked by §, part of the message
    ('%0 = "a.b"(§%1) : (f32) -> f32', "%1 is not defined before this use"),
    ('%0 = "a.b"() : () -> f32\n"a.c"(§%0#1) : (f32) -> ()', "%0 has 1 results"),
    ('%0 = "a.b"() : () -> f32\n"a.c"(%0) : §(f64) -> ()', "operand 0 has type f32 where it is defined, and f64 here"),
    ('%0 = "a.b"() : () -> f32\n"a.c"(%0) : §() -> ()', "has 1 operands, its type 0"),
    ('%0 = "a.b"() : () -> §(f32, f32)', "1 results are named"),
    ('%0 = "a.b"() : () -> f32\n§%0 = "a.b"() : () -> f32', "%0 is defined twice"),
    ('"a.b"() {x = 1, §x = 2} : () -> ()', "'x' is given twice"),
    ('"a.b"() <{x = 1}> §{x = 2} : () -> ()', "'x' is given twice"),
    ('"a.b"()§[^bb1] : () -> ()', "successors are not supported"),
    ('"a.b"() §-> ()', "expected ':'"),
    ('"a.b"() ({\n  "a.c"() : () -> ()\n§', "the region is not closed"),
    ('"a.b"() ({ ^x: §^x: }) : () -> ()', "the block ^x is defined twice"),
    ("§func.func @f() { return }", "only the generic form is read"),
    ("§module {}", "only the generic form is read"),
    ("§whatever", "expected an operation"),
    ('"a.b"() {x = §} : () -> ()', "expected a type"),
    ('"a.b"() {x = @a§::@b} : () -> ()', "nested symbol references"),
    ('"a.b"() {x = §#alias} : () -> ()', "the alias #alias is not defined"),
    ('"a.b"() {x = #a.b<(c§>} : () -> ()', "closes nothing"),
    ('"a.b"() {x = §affine_map<(d0) -> (d0 mod 2)>} : () -> ()', "not a sum of dims"),
    ('"a.b"() {x = §1.5 : i32} : () -> ()', "i32 needs an integer"),
    ('"a.b"() {x = §dense<[1, 2]> : tensor<3xi32>} : () -> ()', "the constant's elements have shape (2,)"),
    ('"a.b"() {x = §dense<[[1], [2, 3]]> : tensor<3xi32>} : () -> ()', "lists differ in length"),
    ('"a.b"() {x = §dense<[1, [2]]> : tensor<2xi32>} : () -> ()', "lists differ in depth"),
    ('"a.b"() {x = §dense<300> : tensor<i8>} : () -> ()', "i8 holds -128..127"),
    ('"a.b"() {x = §dense<0x1FFFFFFFF> : tensor<f32>} : () -> ()', "more bits than f32"),
    ('"a.b"() {x = §dense_resource<w> : tensor<2xf32>} : () -> ()', "no bytes for the constant 'w'"),
    ('"a.b"() : () -> §tensor<?xf32>', "needs their names"),
    ('"a.b"() : () -> §tensor<?xf32, #graph.dims<["b", 2]>>', "do not fit the shape"),
    ('"a.b"() : () -> tensor<§*xf32>', "needs a rank"),
    ('"a.b"() : () -> vector<§?xf32>', "has no ? dims"),
    ('"a.b"() : () -> memref<2xf32, §3>', "other layouts and memory spaces"),
    ('"a.b"() : () -> §f8E4M3FN', "expected a type"),
]


@pytest.mark.parametrize(("marked", "message"), ERRORS, ids=[m for _, m in ERRORS])
def test_errors_say_what_and_where(marked: str, message: str) -> None:
    text, at = marked.replace("§", ""), marked.index("§")
    with pytest.raises(IRError) as caught:
        parse_module(text, "f.mlir")
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    assert message in caught.value.message
    assert caught.value.where == f"f.mlir:{line}:{column}"
    shown, caret = caught.value.message.splitlines()[-2:]
    assert shown[2:] == text.splitlines()[line - 1] if text[at:] else True
    assert caret.index("^") - 2 == column - 1


@given(st.text(alphabet='%"ab.x:()<>{}[]=-^#!@0123456789 \n,', max_size=40))
def test_any_text_is_read_or_refused_with_an_ir_error(text: str) -> None:
    try:
        parse_module(text)
    except IRError as error:
        assert error.where is not None


@given(st.data())
def test_a_damaged_text_is_read_or_refused_with_an_ir_error(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(FROM_MLIR_OPT)))
    length = data.draw(st.integers(0, 10))
    try:
        parse_module(
            FROM_MLIR_OPT[:at] + data.draw(st.sampled_from(["", "<", '"', "}", "1"])) + FROM_MLIR_OPT[at + length :]
        )
    except IRError as error:
        assert error.where is not None


FROM_MLIR_OPT = """\
#loc3 = loc("c.mlir":3:9)
#map = affine_map<(d0) -> (d0)>
!alias = tensor<?xf32, #graph.dims<["2*b"]>>
"builtin.module"() ({
  "func.func"() <{function_type = (tensor<?x784xf32, #graph.dims<["b", 784]>>) -> (), sym_name = "f"}> ({
  ^bb0(%arg0: tensor<?x784xf32, #graph.dims<["b", 784]>> loc("c.mlir":3:9)): // a comment
    %0:2 = "graph.foo"(%arg0) {"a b", bf = dense<1.500000e+00> : tensor<bf16>, map = #map,
      dense = dense_resource<blob> : tensor<3xf32>, z = 1.401300e-45 : f32}
      : (tensor<?x784xf32, #graph.dims<["b", 784]>>) -> (!foo.bar<a, "x>">, !alias) loc(#loc7)
    %1, %2 = "graph.bar"(%0#1) : (!alias) -> (f32, f32) loc(callsite("a" at #loc6))
    "func.return"() : () -> () loc(#loc5)
  }) : () -> () loc(#loc6)
}) : () -> () loc(#loc)
#loc = loc("c.mlir":1:1)
#loc1 = loc("a")
#loc2 = loc("b")
#loc4 = loc("f.py":3:1)
#loc5 = loc("c.mlir":5:4)
#loc6 = loc(fused<"x">[#loc1, #loc2])
#loc7 = loc("a"(#loc4))

{-#
  dialect_resources: {
    builtin: {
      blob: "0x040000000000803F0000003F0000003F"
    }
  }
#-}
"""


def test_what_mlir_opt_prints() -> None:
    module = parse_module(FROM_MLIR_OPT)
    function = module.body.first
    assert function is not None
    foo, bar, _ = function.body.ops
    assert foo["dense"].tolist() == [1.0, 0.5, 0.5]
    assert str(foo.attributes["map"]) == "affine_map<(d0) -> (d0)>"
    assert foo.location is Location("a", "f.py", 3)
    assert bar.operands == (foo.results[1],)
    assert [p.name for p in bar.location.parts] == ["a", "b"]
    text = print_operation(module, resources=True, locations=True)
    assert print_operation(parse_module(text), resources=True, locations=True) == text


def test_operations_without_a_module_are_put_into_one() -> None:
    module = parse_module('"a.b"() : () -> ()\n"a.c"() : () -> ()')
    assert module.name == "builtin.module"
    assert [op.name for op in module.body.ops] == ["a.b", "a.c"]


def test_names_of_an_isolated_region_are_its_own() -> None:
    text = '"func.func"() <{sym_name = "%s", function_type = () -> ()}> ({ %%x = "a.b"() : () -> f32 }) : () -> ()'
    parse_module((text % "f") + (text % "g"))
    with pytest.raises(IRError, match="%y is not defined"):
        parse_module('%y = "a.b"() : () -> f32\n' + (text % "f").replace('"a.b"()', '"a.b"(%y)'))


def test_names_become_hints() -> None:
    module = parse_module('%input = "a.b"() : () -> f32\n%7 = "a.c"(%input) : (f32) -> f32')
    assert str(module).splitlines()[1:3] == [
        '  %input = "a.b"() : () -> f32',
        '  %0 = "a.c"(%input) : (f32) -> f32',
    ]


def test_types_and_attributes_alone_have_no_rest() -> None:
    for parse in (parse_type, parse_attribute):
        with pytest.raises(IRError, match="expected the end"):
            parse("f32 f32")
