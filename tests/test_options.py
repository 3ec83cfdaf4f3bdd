"""Options: arguments before variables before defaults; bad values are refused with their place."""

from __future__ import annotations

import dataclasses

import pytest

from kcompile.errors import KcompileError
from kcompile.options import Options, from_environment


def test_arguments_go_before_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KCOMPILE_TARGET", "x86-64-v3")
    monkeypatch.setenv("KCOMPILE_THREADS", "3")
    assert Options.of().target == "x86-64-v3"
    assert Options.of(target="x86-64", threads=None) == Options.of(target="x86-64")
    assert Options.of(target="x86-64").threads == 3


@pytest.mark.parametrize(("text", "value"), [("1", True), ("true", True), ("ON", True), ("0", False), ("no", False)])
def test_switches(text: str, value: bool) -> None:
    assert from_environment({"KCOMPILE_VERIFY": text}) == {"verify": value}


def test_empty_variables_count_as_unset() -> None:
    assert from_environment({"KCOMPILE_VERIFY": "", "KCOMPILE_THREADS": " ", "OTHER": "1"}) == {}


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("KCOMPILE_VERIFY", "maybe", "KCOMPILE_VERIFY needs 0 or 1. Received: 'maybe'"),
        ("KCOMPILE_THREADS", "many", "KCOMPILE_THREADS needs a whole number"),
        ("KCOMPILE_THREADS", "-1", "KCOMPILE_THREADS needs 0"),
        ("KCOMPILE_THREADS", "1000", "KCOMPILE_THREADS needs 0"),
        ("KCOMPILE_ENGINE", "turbo", "KCOMPILE_ENGINE needs one of native, interpreter"),
    ],
)
def test_bad_variables(variable: str, text: str, message: str) -> None:
    with pytest.raises(KcompileError, match=message):
        from_environment({variable: text})


@pytest.mark.parametrize("value", [True, "2", 1.5])
def test_bad_types(value: object) -> None:
    with pytest.raises(KcompileError, match="option threads needs a value of type int"):
        Options.of(threads=value)


def test_unknown_options_are_named() -> None:
    with pytest.raises(KcompileError, match="no option 'speed'. The options are: engine, target"):
        Options.of(speed=1)


def test_only_options_that_change_code_enter_the_key() -> None:
    plain = Options.of()
    for field in dataclasses.fields(Options):
        value = getattr(plain, field.name)
        other = (not value) if isinstance(value, bool) else value + 1 if isinstance(value, int) else value + "x"
        changed = plain.replace(**{field.name: other})
        assert (changed.code_key() != plain.code_key()) == field.metadata["code"], field.name
