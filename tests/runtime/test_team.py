"""The team of workers, driven from Python: simultaneous, once each, nested, concurrent, parked, after a fork."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BODY = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int32, ctypes.c_int32)
A_LONG_TIME = 60.0  # seconds until a hang counts as one
fixture_is_stateless = settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def region(library: ctypes.CDLL, wanted: int, body: Callable[[int, int], None]) -> int:
    """Runs body(tid, team) as a region; returns the team. An exception in a body is raised here."""
    errors: list[BaseException] = []

    def guarded(_: int | None, tid: int, team: int) -> None:
        try:
            body(tid, team)
        except BaseException as error:
            errors.append(error)

    team = library.kc_host_run_on_workers(None, wanted, BODY(guarded), None)
    if errors:
        raise errors[0]
    return int(team)


@fixture_is_stateless
@given(wanted=st.integers(-2, 9))
def test_every_tid_once_and_all_at_the_same_time(team: ctypes.CDLL, wanted: int) -> None:
    seen: list[tuple[int, int]] = []
    threads: list[int] = []
    gate = threading.Barrier(max(1, wanted))  # opens only when the whole team is inside

    def body(tid: int, size: int) -> None:
        seen.append((tid, size))
        threads.append(threading.get_native_id())
        gate.wait(A_LONG_TIME)
        if tid == 0:
            assert threading.get_ident() == caller

    caller = threading.get_ident()
    size = region(team, wanted, body)
    assert size == max(1, wanted)
    assert sorted(seen) == [(tid, size) for tid in range(size)]
    assert len(set(threads)) == size


def test_no_thread_before_the_first_region(team: ctypes.CDLL) -> None:
    assert team.kc_host_workers() == 0
    assert region(team, 1, lambda tid, size: None) == 1
    assert team.kc_host_workers() == 0
    assert region(team, 3, lambda tid, size: None) == 3
    assert team.kc_host_workers() == 2


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's list of threads")
def test_workers_carry_a_name_for_debuggers_and_profilers(team: ctypes.CDLL) -> None:
    names: list[str] = []
    region(
        team, 3, lambda tid, size: names.append(Path(f"/proc/self/task/{threading.get_native_id()}/comm").read_text())
    )
    assert names.count("kc-worker\n") == 2


@pytest.mark.parametrize("opener", [0, 1])
def test_a_region_inside_a_region_runs_on_its_caller_alone(team: ctypes.CDLL, opener: int) -> None:
    inner: list[tuple[int, int]] = []
    sizes: list[int] = []

    def body(tid: int, size: int) -> None:
        if tid == opener:
            sizes.append(region(team, 4, lambda tid, size: inner.append((tid, size))))

    assert region(team, 2, body) == 2
    assert sizes == [1]
    assert inner == [(0, 1)]


def test_a_second_caller_runs_alone_while_the_team_is_busy(team: ctypes.CDLL) -> None:
    busy = threading.Event()
    done = threading.Event()

    def holds_the_team(tid: int, size: int) -> None:
        if tid == 0:
            busy.set()
            assert done.wait(A_LONG_TIME)

    holder = threading.Thread(target=region, args=(team, 2, holds_the_team))
    holder.start()
    assert busy.wait(A_LONG_TIME)
    try:
        assert region(team, 4, lambda tid, size: None) == 1
        assert team.kc_host_close() == 1  # refused: the team works
    finally:
        done.set()
        holder.join(A_LONG_TIME)
    assert region(team, 4, lambda tid, size: None) == 4


def test_concurrent_callers_all_get_their_work_done(team: ctypes.CDLL) -> None:
    team.kc_host_set_spin_us(0)
    failures: list[object] = []

    def caller(seed: int) -> None:
        for i in range(50):
            seen: list[int] = []
            size = region(team, 1 + (seed + i) % 4, lambda tid, size, seen=seen: seen.append(tid))
            if sorted(seen) != list(range(size)):
                failures.append((seed, i, size, seen))

    threads = [threading.Thread(target=caller, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(A_LONG_TIME)
    assert not failures


def test_idle_workers_go_to_sleep_and_wake_up(team: ctypes.CDLL) -> None:
    team.kc_host_set_spin_us(0)
    for _ in range(3):
        assert region(team, 4, lambda tid, size: None) == 4
        while team.kc_host_parked() < 3:
            os.sched_yield()
    assert team.kc_host_workers() == 3


def test_a_waiting_word_sleeps_until_it_is_changed_and_woken(team: ctypes.CDLL) -> None:
    word = ctypes.c_uint32(5)
    team.kc_host_park(None, ctypes.addressof(word), 4)  # another value already: returns at once
    passed = threading.Event()

    def sleeper() -> None:
        while word.value == 5:
            team.kc_host_park(None, ctypes.addressof(word), 5)
        passed.set()

    thread = threading.Thread(target=sleeper)
    thread.start()
    word.value = 6
    team.kc_host_wake(None, ctypes.addressof(word))
    assert passed.wait(A_LONG_TIME)
    thread.join(A_LONG_TIME)


def test_after_closing_a_new_team_starts(team: ctypes.CDLL) -> None:
    for _ in range(3):
        assert region(team, 3, lambda tid, size: None) == 3
        assert team.kc_host_close() == 0
        assert team.kc_host_workers() == 0


FORK_PROGRAM = """
import ctypes, os, sys, threading
library = ctypes.CDLL(sys.argv[1])
BODY = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int32, ctypes.c_int32)
seen = []
body = BODY(lambda arg, tid, team: seen.append(tid))
def region(wanted=3):
    seen.clear()
    team = library.kc_host_run_on_workers(None, wanted, body, None)
    assert sorted(seen) == list(range(team)), seen
    return team
def in_child(what):
    child = os.fork()
    if child == 0:
        try:
            what()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
def child():
    assert library.kc_host_workers() == 0
    assert region() == 3
    in_child(lambda: region() == 3 or os._exit(1))
{scenario}
print("done")
"""
SCENARIOS = {
    "before the first region": "in_child(child); assert region() == 3",
    "after a region": "assert region() == 3; in_child(child); assert region() == 3",
    "with sleeping workers": """
library.kc_host_set_spin_us.argtypes = [ctypes.c_int64]
library.kc_host_set_spin_us(0)
assert region() == 3
while library.kc_host_parked() < 2: os.sched_yield()
in_child(child); assert region() == 3""",
    "while another thread is in a region": """
inside, leave = threading.Event(), threading.Event()
def hold(arg, tid, team):
    if tid == 0:
        inside.set()
        leave.wait()
holding = BODY(hold)
holder = threading.Thread(target=lambda: library.kc_host_run_on_workers(None, 2, holding, None))
holder.start()
inside.wait()
in_child(child)
leave.set()
holder.join()
assert region() == 3""",
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_a_forked_child_has_a_team_of_its_own(host_library_file: Path, scenario: str) -> None:
    program = FORK_PROGRAM.replace("{scenario}", scenario)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program, str(host_library_file)],
        capture_output=True,
        text=True,
        timeout=A_LONG_TIME,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"


def test_leaving_the_program_with_a_live_team_does_not_hang(host_library_file: Path) -> None:
    program = FORK_PROGRAM.replace("{scenario}", "assert region() == 3")
    done = subprocess.run(
        [sys.executable, "-c", program, str(host_library_file)], capture_output=True, text=True, timeout=A_LONG_TIME
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_a_team_steps_back_for_as_long_as_it_lost_and_longer_each_time_in_a_row(team: ctypes.CDLL) -> None:
    step_back = team.kc_host_next_step_back
    step_back.restype, step_back.argtypes = ctypes.c_int64, [ctypes.c_int64, ctypes.c_int64]
    backs = [0]
    for _ in range(12):
        backs.append(step_back(backs[-1], 1_000_000))
    assert backs == [0, *(1_000_000 << n for n in range(10)), 10**9, 10**9]
    assert step_back(1000, 10**18) == step_back(10**18, 1) == 10**9
    while backs[-1]:
        backs.append(step_back(backs[-1], 0))
        assert backs[-1] == backs[-2] // 2
