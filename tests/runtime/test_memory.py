"""Aligned memory: aligned, zeroed, of its own, and as long as asked."""

from __future__ import annotations

import numpy as np
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


@given(st.lists(st.integers(0, 5), max_size=4), st.sampled_from(["f4", "i1", "c16", "?", "f2"]), st.data())
def test_the_address_of_an_array_is_that_of_its_first_element(
    shape: list[int], dtype: str, data: st.DataObject
) -> None:
    array = np.zeros(shape, dtype)
    view = array[(*(slice(data.draw(st.integers(0, extent)), None) for extent in shape), ...)]
    for some in (array, view, array.T, array.reshape(-1)):
        assert address_of(some) == _address_from_object(some) == some.ctypes.data
