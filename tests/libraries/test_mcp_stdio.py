"""mcp's client of stdio with mcp's server behind it, both unmodified. Its requirement: mcp, as it is pinned for the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sim import Program, check, fuzz
from sim.live.around import around
from tests.libraries.programs.mcp_stdio import hasty, system
from tests.live.digests import elsewhere, of_schedules

SCHEDULES = 100


@pytest.fixture(autouse=True, scope="module")
def installed_once() -> Iterator[None]:
    """The surroundings of runs, for all tests: to put them in place takes longer than a run."""
    with around.walks():
        yield


def found(program: Program) -> list[tuple[str, tuple[str, ...]]]:
    """What a fuzz finds, and the departures that lead there."""
    result = fuzz(program, schedules=SCHEDULES)
    return [(f"{one.property}: {one.message}", tuple(one.counterexample.schedule)) for one in result.found]


@pytest.mark.parametrize("faults", ["", "crash:1@server", "crash:2@server, split:2@server"])
def test_a_server_may_crash_anywhere(faults: str) -> None:
    assert found(system(faults=faults)) == []


def test_each_server_may_crash_at_every_place() -> None:
    result = check(system(agents=1), deviations=1)
    assert (result.verdict, result.counterexample) == ("ok", None)


def first(program: Program) -> tuple[str, str]:
    """What is found among all schedules with one departure from the usual, and that departure."""
    counterexample = check(program, deviations=1).counterexample
    assert counterexample is not None
    (departure,) = counterexample.schedule
    return f"{counterexample.property}: {counterexample.message}", departure


def test_a_client_that_forgets_that_it_may_is_found() -> None:
    said, departure = first(system(hasty, agents=1))
    assert said.startswith("exception: client fails with ExceptionGroup")
    assert departure.startswith("crash server")


def test_who_is_cancelled_while_he_leaves_waits_for_ever() -> None:
    """Of mcp 2.3.0: a cancellation by asyncio while the client shuts down breaks off what would close the stdin of the server,
    and its reader of stdout waits for the end of a process that nobody ends. It is the same with a real process."""
    said, departure = first(system(faults="cancel:1@client", agents=1))
    assert said.startswith("deadlock: nothing can happen any more")
    assert "stdio_client.-locals-.stdout_reader waits in" in said
    assert departure.startswith("cancel client at Client.__aexit__")


def test_one_seed_has_one_digest_in_every_process() -> None:
    here = of_schedules(system(), 5)
    call = "of_schedules(made('tests.libraries.programs.mcp_stdio'), 5)"
    for hash_seed in ("0", "1", "4242"):
        for there in elsewhere([hash_seed] * 3, call):
            assert there == here
