"""Example arrays for timing a kernel lie as the plan lays its buffers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kcompile.codegen.timing import LINE, aligned


@given(st.lists(st.integers(1, 9), max_size=4), st.sampled_from([np.float32, np.float64, np.int8, np.bool_]))
@settings(deadline=None, max_examples=50)
def test_arrays_begin_at_a_line(shape: list[int], kind: type) -> None:
    array = aligned(tuple(shape), np.dtype(kind))
    assert array.shape == tuple(shape) and array.dtype == kind
    assert array.flags.c_contiguous and array.ctypes.data % LINE == 0
