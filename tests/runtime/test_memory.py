"""Aligned memory: aligned, zeroed, of its own, and as long as asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.runtime.memory import ALIGNMENT, HUGE_PAGE, Memory, _address_from_object, address_of

sizes = st.integers(0, 4096) | st.sampled_from([HUGE_PAGE - 1, HUGE_PAGE, HUGE_PAGE + 1])


@settings(deadline=None, max_examples=50)
@given(st.lists(sizes, min_size=1, max_size=4))
def test_blocks_are_aligned_zeroed_and_apart(lengths: list[int]) -> None:
    blocks = [Memory(length) for length in lengths]
    for number, block in enumerate(blocks, 1):
        assert block.address % ALIGNMENT == 0
        content = np.frombuffer(block.view(), np.uint8)
        assert content.size == block.nbytes
        assert not content.any()
        block.view()[:] = bytes([number]) * block.nbytes
    for number, block in enumerate(blocks, 1):
        content = np.frombuffer(block.view(), np.uint8)
        assert (content == number).all()
        assert not content.size or content.ctypes.data == block.address


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="asks Linux for its mappings")
def test_large_blocks_are_private_as_huge_pages_must_be() -> None:
    block = Memory(2 * HUGE_PAGE)
    mappings = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    ranges = [(*(int(end, 16) for end in line[0].split("-")), line[1]) for line in mappings]
    assert [access for low, high, access in ranges if low <= block.address < high] == ["rw-p"]


@given(st.lists(st.integers(0, 5), max_size=4), st.sampled_from(["f4", "i1", "c16", "?", "f2"]), st.data())
def test_the_address_of_an_array_is_that_of_its_first_element(
    shape: list[int], dtype: str, data: st.DataObject
) -> None:
    array = np.zeros(shape, dtype)
    view = array[(*(slice(data.draw(st.integers(0, extent)), None) for extent in shape), ...)]
    for some in (array, view, array.T, array.reshape(-1)):
        assert address_of(some) == _address_from_object(some) == some.ctypes.data
