"""The registry, pipeline texts, and each thing that the pass manager does around a pass."""

from __future__ import annotations

import gc
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcompile.dialects.graph.builder import GraphBuilder
from kcompile.errors import IRError
from kcompile.ir import passes as registry
from kcompile.ir.core import Operation
from kcompile.ir.parser import parse_module
from kcompile.ir.passes import (
    Pass,
    PassManager,
    find_pass,
    load_all_passes,
    parse_pipeline,
    pass_,
    pipeline_text,
    register,
    run_pipeline,
    run_reproducer,
)
from kcompile.ir.types import TensorType, f32, f64

X = TensorType((2, 3), f32)


def module() -> Operation:
    b = GraphBuilder.function("main", [X])
    b.ret(b.neg(b.exp(b.argument(0))))
    return b.module


def first(m: Operation, name: str) -> Operation | None:
    return next((op for op in m.walk() if op.name == name), None)


def negate_twice(m: Operation) -> bool:
    """Adds two negations: the same values."""
    op = first(m, "graph.neg")
    assert op is not None
    b = GraphBuilder.after_op(op)
    again = b.neg(b.neg(op.result))
    op.result.replace_by_if(again, lambda user: user.name == "func.return")
    return True


def wrong_value(m: Operation) -> bool:
    """Loses the negation."""
    op = first(m, "graph.neg")
    assert op is not None
    op.replace_by([op.operands[0]])
    return True


def nothing(m: Operation) -> bool:
    return False


def wrong_type(m: Operation) -> bool:
    op = first(m, "graph.exp")
    assert op is not None
    op.result.type = TensorType((2, 3), f64)
    return True


def crash(m: Operation, at: str = "graph.neg") -> bool:
    """Fails as long as the module has the operation `at`."""
    if first(m, at) is not None:
        raise RuntimeError("out of luck")
    return False


@pytest.fixture(autouse=True)
def passes() -> Iterator[None]:
    """Passes for these tests, taken out of the registry afterwards."""
    for function in (negate_twice, wrong_value, nothing, wrong_type, crash):
        register(Pass(f"t-{function.__name__.replace('_', '-')}", function, "graph", "graph"))
    yield
    for name in [n for n in registry._REGISTRY if n.startswith("t-")]:
        del registry._REGISTRY[name]


def test_a_pass_is_registered_and_callable() -> None:
    @pass_("t-count", reads="graph", writes="kernel", exact=True)
    def count(m: Operation, of: str = "graph.neg") -> bool:
        """Whether there is one."""
        return first(m, of) is not None

    assert find_pass("t-count") is count
    assert (count.reads, count.writes, count.exact, count.doc) == ("graph", "kernel", True, "Whether there is one.")
    assert count(module()) is True
    assert count(module(), of="graph.log") is False
    with pytest.raises(IRError, match="defined twice"):
        pass_("t-count", reads="graph", writes="graph")(nothing)


option_values = st.one_of(
    st.integers(-99, 99),
    st.booleans(),
    st.floats(-1e3, 1e3),
    st.sampled_from(["", "x", "a b", "1", "true", "x,y", "a=b", "-1.5", "a/b.c"]),
)


@given(st.dictionaries(st.sampled_from(["max", "deep", "tile_size"]), option_values), st.booleans())
def test_pipelines_round_trip(options: dict[str, object], twice: bool) -> None:
    def configurable(m: Operation, **options: object) -> bool:
        return False

    register_again = Pass("t-configurable", configurable, "graph", "graph")
    registry._REGISTRY["t-configurable"] = register_again
    pipeline = [find_pass("t-nothing"), register_again.configured(**options), *[find_pass("t-nothing")] * twice]
    read = parse_pipeline(pipeline_text(pipeline))
    assert [(p.name, p.options) for p in read] == [(p.name, p.options) for p in pipeline]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t-nothin", "did you mean t-nothing"),
        ("t-crash{to=1}", "has no option 'to'. It has: ['at']"),
        ("t-crash{at}", "the options of t-crash read"),
        ("t-nothing t-crash", "a pipeline reads"),
        ("t-nothing,{}", "a pipeline reads"),
    ],
)
def test_a_wrong_pipeline_is_refused(text: str, message: str) -> None:
    with pytest.raises(IRError) as caught:
        parse_pipeline(text)
    assert message in caught.value.message


def test_options_reach_the_pass() -> None:
    assert run_pipeline(module(), "t-crash{at=graph.log}") is False
    with pytest.raises(RuntimeError):
        run_pipeline(module(), "t-crash{at=graph.exp}")


def test_run_tells_whether_something_changed() -> None:
    assert run_pipeline(module(), "t-nothing") is False
    assert run_pipeline(module(), "t-nothing,t-negate-twice") is True


def test_verify_each_blames_the_pass() -> None:
    run_pipeline(module(), "t-wrong-type")
    with pytest.raises(IRError, match=r"the pass t-wrong-type left a module that breaks a rule: graph.exp"):
        run_pipeline(module(), "t-negate-twice,t-wrong-type", verify_each=True)


def test_interpret_each_blames_the_pass() -> None:
    run_pipeline(module(), "t-negate-twice,t-nothing", interpret_each=True)
    with pytest.raises(
        IRError, match=r"the pass t-wrong-value changed what the module computes: @main: result 0 differs"
    ):
        run_pipeline(module(), "t-negate-twice,t-wrong-value", interpret_each=True)


def test_changes_are_printed() -> None:
    output = io.StringIO()
    run_pipeline(module(), "t-nothing,t-negate-twice", print_after_change=True, output=output)
    assert output.getvalue().startswith('// after t-negate-twice\n"builtin.module"')
    assert "t-nothing" not in output.getvalue()


def test_dumps_are_written_after_changes_only_and_can_be_read(tmp_path: Path) -> None:
    m = module()
    run_pipeline(m, "t-nothing,t-negate-twice", dump_dir=tmp_path / "new")
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["00-input.mlir", "02-t-negate-twice.mlir"]
    assert str(parse_module((tmp_path / "new" / "02-t-negate-twice.mlir").read_text())) == str(m)


def test_every_pass_is_timed() -> None:
    manager = PassManager(parse_pipeline("t-nothing,t-negate-twice"), timing=True)
    manager.run(module())
    assert [(n, c) for n, _, c in manager.times] == [("t-nothing", False), ("t-negate-twice", True)]
    table = manager.timing_table()
    assert "t-nothing  (no change)" in table
    assert table.splitlines()[-1].endswith("total")


def test_a_crash_leaves_a_reproducer_that_crashes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "reproducer.mlir"
    with pytest.raises(RuntimeError, match="out of luck"):
        run_pipeline(module(), "t-negate-twice,t-crash{at=graph.exp},t-nothing", reproducer=path, verify_each=True)
    lines = path.read_text().splitlines()
    assert lines[0] == "// RUN: kcompile opt --run-reproducer %s -p 't-crash{at=graph.exp},t-nothing' --verify-each"
    assert lines[1] == "// RuntimeError: out of luck"
    assert path.read_text().count('"graph.neg"') == 3  # the module as the crashing pass got it
    with pytest.raises(RuntimeError, match="out of luck"):
        run_reproducer(path)
    path.write_text(path.read_text().replace("at=graph.exp", "at=graph.log"))
    assert run_reproducer(path).name == "builtin.module"


def test_a_file_without_a_pipeline_is_no_reproducer(tmp_path: Path) -> None:
    path = tmp_path / "f.mlir"
    path.write_text(str(module()))
    with pytest.raises(IRError, match="is no reproducer"):
        run_reproducer(path)


def test_all_passes_of_the_package_load_and_say_what_they_do() -> None:
    for found in load_all_passes():
        assert found.reads, found.name
        assert found.writes, found.name
        if not found.name.startswith("t-"):
            assert found.doc, found.name


def test_garbage_collection_is_as_it_was_afterwards() -> None:
    assert gc.isenabled()
    run_pipeline(module(), "t-negate-twice")
    assert gc.isenabled()
    with pytest.raises(RuntimeError):
        run_pipeline(module(), "t-crash")
    assert gc.isenabled()
    gc.disable()
    try:
        run_pipeline(module(), "t-negate-twice")
        assert not gc.isenabled()
    finally:
        gc.enable()
