"""Tiles that leave something for a second worker: what a kernel of few rows is cut into."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.codegen.target import Target
from kcompile.ir.core import module_functions
from kcompile.ir.dims import symbol
from kcompile.strategies.select import lower
from kcompile.strategies.winograd import choose_rows
from tests.strategies import linalg_kernels as k


@settings(deadline=None)
@given(st.integers(1, 2000), st.integers(4, 14))
def test_winograd_rows_are_no_slower_alone_and_never_slower_on_two(tiles: int, limit: int) -> None:
    def time(rows: int, team: int) -> int:
        return -(-tiles // (rows * team)) * (max(rows, 4) + 2)

    shared, alone = (choose_rows(tiles, limit, by_features) for by_features in (False, True))
    assert 1 <= shared <= min(tiles, limit) >= alone >= 1
    assert time(shared, 2) <= time(alone, 2)
    assert time(shared, 1) * 8 <= time(alone, 1) * 9


@pytest.mark.parametrize("tiles", [36, 64])
def test_small_images_are_an_even_number_of_register_tiles(tiles: int) -> None:
    assert -(-tiles // choose_rows(tiles, 13, by_features=False)) % 2 == 0


@pytest.mark.parametrize("panels", [1, 2, 3, 4, 8])
def test_a_single_row_of_panels_is_work_for_two(panels: int) -> None:
    """One row times `panels` panels of 32 columns: more than one tile as soon as there is more than one panel."""
    (function,) = module_functions(k.panels(symbol("b"), 256, panels, 32))
    text = lower(function, Target.get("x86-64-v4"))["kernel.strategy"]
    single = int(text.partition("single_row=")[2].partition(",")[0])
    assert single <= panels or panels == 1
