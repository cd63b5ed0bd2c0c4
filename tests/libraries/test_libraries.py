"""Each library, unmodified, in a small program of the kind that its users write: it runs, has one digest in every process, and
a cancel of any agent anywhere is survived. Run by `make test-libraries`, in an environment with all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sim import Program, check, fuzz
from sim.live.around import around
from tests.libraries import coordinator
from tests.libraries.known import KNOWN
from tests.live.digests import elsewhere, made, of_schedules

PROGRAMS = sorted(path.stem for path in (Path(__file__).parent / "programs").glob("with_*.py"))
SCHEDULES = 200
DIGESTS = 3
"""Schedules of each program of which the digests are compared."""
HASH_SEEDS = ("0", "1", "4242")
PROCESSES = 3
"""With each of these hash seeds."""

LONG = ("with_mcp_http", "with_openai_agents", "with_pydantic_ai", "with_sqlalchemy")
"""Of these a check takes minutes where more than one agent is at work."""

each = pytest.mark.parametrize("name", PROGRAMS)


@pytest.fixture(autouse=True, scope="module")
def installed_once() -> Iterator[None]:
    """The surroundings of runs, for all tests: to put them in place takes longer than a run."""
    with around.walks():
        yield


def program(name: str, *, planted: bool = False) -> Program:
    return made(f"tests.libraries.programs.{name}", planted=planted)


def fuzzed(one: Program) -> list[str]:
    """What a fuzz finds, in words."""
    return [f"{found.property}: {found.message}" for found in fuzz(one, schedules=SCHEDULES).found]


def checked(one: Program) -> list[str]:
    """What is found among all schedules with one departure from the usual: every cancel of an agent, wherever it waits, every
    arrival before another, and every timer that fires early."""
    found = check(one, deviations=1).counterexample
    return [] if found is None else [f"{found.property}: {found.message}"]


def unknown(name: str, found: list[str]) -> list[str]:
    """What is found and not known."""
    return [one for one in found if not one.startswith(KNOWN.get(name, "-"))]


@each
def test_a_fuzz_finds_nothing_but_what_is_known(name: str) -> None:
    assert unknown(name, fuzzed(program(name))) == []


@each
def test_every_agent_can_be_cancelled_anywhere_or_it_is_known_what_then_is_wrong(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name in LONG:
        monkeypatch.setattr(coordinator, "QUESTIONS", (2,))
    found = checked(program(name))
    assert unknown(name, found) == []
    assert len(found) == (name in KNOWN)


@each
def test_a_fault_that_is_planted_in_its_program_is_found(name: str) -> None:
    assert unknown(name, fuzzed(program(name, planted=True))) != []


def test_a_finding_that_is_not_known_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KNOWN, "with_known", "deadlock: nothing")
    assert unknown("with_known", ["deadlock: nothing can happen"]) == []
    assert unknown("with_known", ["main: it fails"]) == ["main: it fails"]
    assert unknown("with_none", ["main: it fails"]) == ["main: it fails"]


def test_each_has_one_digest_in_every_process() -> None:
    """All in one process at a time: to import the libraries takes longest."""
    of_all = "[one for name in {names} for one in of_schedules(made('tests.libraries.programs.' + name), {schedules})]"
    call = of_all.format(names=PROGRAMS, schedules=DIGESTS)
    here = [one for name in PROGRAMS for one in of_schedules(program(name), DIGESTS)]
    assert len(set(here)) > len(here) / 2
    for hash_seed in HASH_SEEDS:
        for there in elsewhere([hash_seed] * PROCESSES, call):
            differ = {PROGRAMS[at // DIGESTS] for at, one in enumerate(here) if one != there[at]}
            assert differ == set(), f"PYTHONHASHSEED={hash_seed}"
