"""The binary interface: the structs of Python and C are the same, and a model called through it behaves as written."""

from __future__ import annotations

import ctypes
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kcompile.errors import ArtifactError, KcompileError, ShapeError
from kcompile.runtime import abi, host
from kcompile.runtime.memory import Memory

# What kc.h calls the fields that Python names differently.
C_NAMES = {"inputs": "in", "outputs": "out"}
STRUCTS = {"kc_env": abi.KcEnv, "kc_tensor": abi.KcTensor, "kc_model": abi.KcModel}


def test_python_and_c_agree_on_every_offset_and_status(build, tmp_path: Path) -> None:
    lines = ['#include "kc.h"', "#include <stddef.h>", "#include <stdio.h>", "int main(void) {"]
    expected = []
    for c_name, struct in STRUCTS.items():
        lines.append(f'printf("{c_name} %zu\\n", sizeof({c_name}));')
        expected.append(f"{c_name} {ctypes.sizeof(struct)}")
        for field, *_ in struct._fields_:
            name = C_NAMES.get(field, field)
            lines.append(f'printf("{name} %zu\\n", offsetof({c_name}, {name}));')
            expected.append(f"{name} {getattr(struct, field).offset}")
    for status, (name, _, _) in {abi.OK: ("KC_OK", "", None), **abi.STATUS}.items():
        lines.append(f'printf("{name} %d\\n", {name});')
        expected.append(f"{name} {status}")
    lines.append(f'printf("%d %d\\n", KC_ABI == {abi.ABI}, KC_ALIGNMENT == 64); return 0; }}')
    expected.append("1 1")
    source = tmp_path / "offsets.c"
    source.write_text("\n".join(lines))
    done = subprocess.run([build("offsets", str(source))], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == expected


def test_every_status_has_words_on_both_sides(team: ctypes.CDLL) -> None:
    texts = [team.kc_host_status_text(status).decode() for status in range(10)]
    assert len(set(texts)) == 10
    assert team.kc_host_status_text(10) == team.kc_host_status_text(-1) == b"unknown status"
    for status in range(1, 10):
        with pytest.raises(KcompileError, match="Received: KC_E"):
            abi.check(status, "here")
    with pytest.raises(KcompileError, match="status 77"):
        abi.check(77, "here")


@pytest.fixture(scope="module")
def environments(host_library_file: Path) -> dict[int, host.Environment]:
    """kc_envs with 1, 2 and 3 workers from a freshly built host library."""
    library = host.open_library(host_library_file)
    return {threads: host.Environment(host._make_struct(library, threads, 0)) for threads in (1, 2, 3)}


@pytest.fixture(scope="module")
def toy(toy_library_file: Path) -> abi.Model:
    library = ctypes.CDLL(str(toy_library_file))
    return abi.query(ctypes.cast(library.kc_toy_query, ctypes.c_void_p).value or 0)


def test_a_model_describes_itself(toy: abi.Model) -> None:
    assert (toy.name, toy.uid, toy.metadata) == ("toy", "00ff", {"made_by": "hand"})
    assert toy.size_names == ("b", "t")
    assert toy.inputs == (abi.TensorSpec("x", "float32", ("b", "t"), 4, 32),)
    assert [spec.shape for spec in toy.outputs] == [("b", "t"), ()]
    assert toy.outputs[1].nbytes({"b": 9, "t": 9}) == 8
    assert toy.inputs[0].nbytes({"b": 2, "t": 3}) == 24


def expected_toy(x: np.ndarray) -> tuple[np.ndarray, float]:
    sums = np.zeros(len(x), np.float32)
    for column in x.T:  # the order in which the model adds
        sums += column
    return 2 * x + np.roll(sums, -1)[:, None], float(np.sum(np.float64(sums)))


# A batch of 0 gives the model rows of no sums; t of 0 gives empty rows.
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(b=st.integers(0, 9), t=st.integers(0, 9), threads=st.sampled_from([1, 2, 3]), seed=st.integers(0, 2**32 - 1))
def test_running_gives_the_model_s_function_on_any_number_of_threads(
    toy: abi.Model, environments: dict[int, host.Environment], b: int, t: int, threads: int, seed: int
) -> None:
    x = np.random.default_rng(seed).integers(-8, 9, (b, t)).astype(np.float32)  # sums exact in float32
    y, total = np.full_like(x, np.nan), np.full((), np.nan)
    frame = toy.bind(environments[threads]).frame({"b": b, "t": t})
    frame.run([x.ctypes.data], [y.ctypes.data, total.ctypes.data])
    want_y, want_total = expected_toy(x)
    np.testing.assert_array_equal(y, want_y)
    assert total == want_total


def test_one_bound_model_runs_on_many_python_threads(toy: abi.Model, environments: dict[int, host.Environment]) -> None:
    bound = toy.bind(environments[3])
    wrong: list[int] = []

    def caller(seed: int) -> None:
        generator = np.random.default_rng(seed)
        frame = bound.frame({"b": 5, "t": 4})
        for _ in range(100):
            x = generator.integers(-8, 9, (5, 4)).astype(np.float32)
            y, total = np.empty_like(x), np.empty(())
            frame.run([x.ctypes.data], [y.ctypes.data, total.ctypes.data])
            if not np.array_equal(y, expected_toy(x)[0]):
                wrong.append(seed)

    threads = [threading.Thread(target=caller, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong


@pytest.mark.parametrize(
    ("sizes", "error", "message"),
    [
        ({"b": -1, "t": 1}, ShapeError, "KC_ESHAPE"),
        ({"b": 1 << 62, "t": 1}, ShapeError, "KC_EOVERFLOW"),
        ({"b": 1}, ShapeError, "has the sizes b, t. Received"),
        ({"b": 1, "t": 1, "u": 1}, ShapeError, "has the sizes b, t. Received"),
    ],
)
def test_sizes_that_a_model_cannot_have(
    toy: abi.Model, environments: dict[int, host.Environment], sizes: dict[str, int], error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        toy.bind(environments[1]).frame(sizes)


def test_buffers_and_arenas_that_do_not_fit(toy: abi.Model, environments: dict[int, host.Environment]) -> None:
    bound = toy.bind(environments[1])
    sizes = {"b": 4, "t": 4}
    with pytest.raises(KcompileError, match="KC_EARENA"):
        bound.frame(sizes, arena=Memory(toy.arena_bytes((4, 4), 1) - 1))
    memory = Memory(256)
    with pytest.raises(ShapeError, match="KC_ESHAPE"):
        bound.frame(sizes, in_bytes=[63]).run([memory.address], [memory.address + 64, memory.address + 128])
    with pytest.raises(KcompileError, match="KC_EALIGN"):
        bound.frame(sizes).run([memory.address + 1], [memory.address + 64, memory.address + 128])
    with pytest.raises(ArtifactError, match="KC_EWEIGHTS"):
        toy.bind(environments[1], weights=Memory(8))


def test_an_object_without_a_common_version(build, tmp_path: Path) -> None:
    source = tmp_path / "future.c"
    source.write_text(
        '#include "kc.h"\nstatic const kc_model model = {.abi = 2, .size = sizeof(kc_model)};\n'
        "const kc_model *kc_null_query(uint32_t v, const kc_env *e) { (void)v; (void)e; return 0; }\n"
        "const kc_model *kc_future_query(uint32_t v, const kc_env *e) { (void)v; (void)e; return &model; }\n"
    )
    library = ctypes.CDLL(str(build("libfuture.so", "-shared", "-fPIC", str(source))))
    for function, message in ((library.kc_null_query, "answered NULL"), (library.kc_future_query, "version 2")):
        with pytest.raises(ArtifactError, match=message):
            abi.query(ctypes.cast(function, ctypes.c_void_p).value or 0)
