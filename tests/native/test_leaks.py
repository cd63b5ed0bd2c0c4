"""However many walks a process makes, it holds no more for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

ROOM_KIB = 4096

SCRIPT = """
import gc, sys
from sim import check, fuzz
from sim.native import walks
from sim.scenario import load_target

kept = []
def held():
    gc.collect()
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

if sys.argv[2] == "leaks":
    expand = walks.expand
    walks.expand = lambda *arguments: kept.append([array.copy() for array in arguments[1]]) or expand(*arguments)
system = load_target("models.two_phase_commit", {"resource_managers": "3"}).system
checks = int(sys.argv[1])
for number in range(checks):
    check(system, engine="compiled", exact=number % 2 == 0, reduce=number % 5 == 0)
    fuzz(system, engine="compiled", schedules=3)
    if number == checks // 4:
        before = held()
print(held() - before)
"""


def growth_kib(checks: int, how: str = "usual") -> int:
    """By how much a process grows in the last three quarters of so many checks."""
    command = [sys.executable, "-c", SCRIPT, str(checks), how]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("checks", [60, pytest.param(1_000, marks=pytest.mark.soak)])
def test_a_process_that_checks_again_and_again_does_not_grow(checks: int) -> None:
    assert growth_kib(checks) < ROOM_KIB


def test_walks_that_keep_their_arrays_are_noticed() -> None:
    assert growth_kib(60, "leaks") > ROOM_KIB
