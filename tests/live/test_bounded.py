"""The check of a program: every schedule within the bound, once, in the order of deviations."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from sim import ConfigError, Program, Replay, check, emit, eventually, simulate, sometimes
from sim.base.errors import NondeterminismError
from sim.checker.bounded import BoundedWalk
from sim.checker.bounded_result import BoundedResult
from sim.checker.plain import Limits
from sim.live.execution import Execution
from sim.live.net.kernel import Kernel
from sim.world.world import AnyWorld, usual_at
from tests.conformance.worlds import elsewhere
from tests.fuzzed import relay
from tests.live.orders import Ended, networked, outcomes, program

ALL = 99
"""More deviations than any of these has."""


def two_sections(order: str = "any") -> Program:
    """Three tasks with two locked sections each."""

    async def main(world: Any) -> None:
        lock = asyncio.Lock()

        async def add() -> None:
            for _ in range(2):
                async with lock:
                    await asyncio.sleep(0)

        await asyncio.gather(*(world.task("add", add()) for _ in range(3)))

    return Program(main, order=order)


def leaking(faults: str = "cancel:1@user") -> Program:
    """A lock that is not given back by who is cancelled while holding it."""

    async def main(world: Any) -> None:
        lock = asyncio.Lock()

        async def use() -> None:
            await lock.acquire()
            await asyncio.sleep(1)
            lock.release()

        await asyncio.wait([world.task("user", use()) for _ in range(2)])

    return Program(main, faults=faults)


def late(after: int) -> Program:
    """Wrong only where the first task is passed by `after` times."""

    async def main(world: Any) -> None:
        passed = 0

        async def slow() -> None:
            assert passed < after, "passed too often"

        async def quick() -> None:
            nonlocal passed
            for _ in range(4):
                passed += 1
                await asyncio.sleep(0)

        await asyncio.gather(world.task("slow", slow()), world.task("quick", quick()))

    return Program(main, order="any")


def runs(world: AnyWorld, at: Any, deviations: int = 0) -> Iterator[int]:
    """By how many deviations each schedule departs, found by going every way there is."""
    enabled, usual = world.enabled(at), usual_at(world, at)
    if usual is None:
        yield deviations
    for choice in enabled:
        yield from runs(world, world.apply(at, choice), deviations + (choice != usual))


# What is run ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("deviations", "schedules"), [(0, 1), (1, 10), (2, 46), (3, 135)])
def test_the_schedules_of_two_locked_sections_by_their_deviations(deviations: int, schedules: int) -> None:
    result = check(two_sections(), deviations=deviations)
    assert (result.schedules, result.verdict, result.complete) == (schedules, "ok", False)
    assert (result.bound_by, result.stopped, result.proved) == ("deviations", "", [])


def test_all_schedules_of_two_locked_sections() -> None:
    result = check(two_sections(), deviations=ALL)
    assert (result.schedules, result.verdict, result.complete, result.bound_by) == (2_082, "ok", True, "")
    assert "deadlock" in result.proved


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("order", ["fifo", "any"])
def test_each_schedule_is_run_once_and_none_is_left_out(seed: int, order: str) -> None:
    drawn = program(seed, order=order, faults="cancel:1@t0" if seed % 2 else "")
    world = drawn.world()
    with world.walking():
        by_deviations = Counter(runs(world, world.starts()[0].place))
    for bound in range(4):
        result = BoundedWalk(drawn.world(), bound, Limits(), merge=False).run()
        assert result.schedules == sum(n for deviations, n in by_deviations.items() if deviations <= bound)
        assert result.complete == (max(by_deviations) <= bound)


def test_a_program_without_a_choice_is_checked_whole() -> None:
    async def main(world: Any) -> None:
        await asyncio.sleep(1)

    result = check(Program(main))
    assert (result.schedules, result.complete, result.verdict, result.deviations) == (1, True, "ok", 2)


# What is found --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [1, 2, 3])
def test_the_first_violation_has_as_few_deviations_as_any(after: int) -> None:
    """The usual order takes each in turn, so `slow` has to be passed by once for every time."""
    below = check(late(after), deviations=after - 1)
    assert (below.verdict, below.complete) == ("ok", False)
    result = check(late(after), deviations=ALL)
    assert (result.verdict, result.now) == ("violated", after)
    assert result.counterexample is not None
    assert result.counterexample.deviations <= after
    assert simulate(late(after), Replay(result.counterexample.schedule, then_usual=True)).finding == result.finding


def test_a_lock_that_a_cancelled_task_keeps_is_found_with_one_deviation() -> None:
    result = check(leaking())
    assert result.finding is not None
    assert result.counterexample is not None
    assert (result.verdict, result.finding.property, result.now) == ("violated", "deadlock", 1)
    assert result.counterexample.deviations == 1
    assert check(leaking(faults=""), deviations=ALL).complete


def test_what_holds_in_no_schedule_is_wrong_only_where_all_were_run() -> None:
    async def main(world: Any) -> None:
        world.watch("never", lambda: False)
        await asyncio.wait([world.task("a", asyncio.sleep(1)), world.task("b", asyncio.sleep(2))])

    never = sometimes("never held", lambda never: never, reads=("never",))
    whole = check(Program(main, properties=[never]), deviations=ALL)
    assert (whole.verdict, whole.complete) == ("violated", True)
    part = check(Program(main, properties=[never], faults="cancel:9@a"), deviations=0)
    assert (part.verdict, part.complete) == ("ok", False)
    assert any("never held" in note for note in part.notes)


def test_what_holds_in_one_schedule_is_enough() -> None:
    async def main(world: Any) -> None:
        log: list[str] = []
        world.watch("log", lambda: "".join(log))

        async def say(name: str) -> None:
            log.append(name)

        await asyncio.wait([world.task(name, say(name)) for name in "ab"])

    other = sometimes("b is first", lambda log: log.startswith("b"), reads=("log",))
    result = check(Program(main, properties=[other], order="any"), deviations=ALL)
    assert (result.verdict, result.unmet) == ("ok", [])
    assert "sometimes b is first" in result.proved
    assert check(Program(main, properties=[other], order="fifo"), deviations=ALL).verdict == "violated"


def test_what_is_to_hold_in_the_end_is_judged_at_the_end_of_each_schedule() -> None:
    async def main(world: Any) -> None:
        done: list[str] = []
        world.watch("done", lambda: len(done))

        async def work(name: str) -> None:
            await asyncio.sleep(1)
            done.append(name)

        await asyncio.wait([world.task(name, work(name)) for name in "ab"])

    both = eventually("both are done", lambda done: done == 2, reads=("done",))
    assert check(Program(main, properties=[both]), deviations=ALL).verdict == "ok"
    result = check(Program(main, properties=[both], faults="cancel:1@a"))
    assert result.finding is not None
    assert (result.verdict, result.finding.property) == ("violated", "both are done")


# Equal orders ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["fifo", "any"])
def test_to_leave_what_is_known_loses_no_outcome(order: str) -> None:
    for seed in range(8):
        drawn = program(seed, order=order, faults="cancel:1@t0" if seed % 2 else "")
        every, _ = outcomes(drawn.world(), 2, merge=False)
        some, _ = outcomes(drawn.world(), 2, merge=True)
        assert some == every


NETWORKED = [
    ("fifo", ""),
    ("fifo", "cancel:1@c0"),
    ("fifo", "drop:1"),
    ("fifo", "split:1"),
    ("fifo", "reset:1"),
    ("any", ""),
]


@pytest.mark.parametrize(("order", "faults"), NETWORKED)
def test_to_leave_what_is_known_loses_no_outcome_of_what_arrives(order: str, faults: str) -> None:
    for seed in range(1 if faults else 2):
        drawn = networked(seed, says=1, order=order, faults=faults)
        every, all_of_them = outcomes(drawn.world(), 1, merge=False)
        some, fewer = outcomes(drawn.world(), 1, merge=True)
        assert some == every
        assert fewer.schedules < all_of_them.schedules


def test_what_equal_orders_save() -> None:
    """Two clients that each say one thing to a server: what arrives before or after something else runs, and is read at the
    same point, is one order."""
    drawn = networked(0, says=1)
    counts = []
    for merge in (False, True):
        result = BoundedWalk(drawn.world(), 1, Limits(), merge=merge).run()
        counts.append((result.schedules, result.same))
    assert counts == [(53, 0), (30, 23)]


def crossing() -> Program:
    """Two datagrams that cross: which comes first is known once they are read."""

    async def main(world: Any) -> None:
        log: list[str] = []
        loop, both = asyncio.get_running_loop(), asyncio.Event()

        class Hears(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: Any) -> None:
                log.append(data.decode())
                if len(log) == 2:
                    both.set()

        await loop.create_datagram_endpoint(Hears, local_addr=("127.0.0.1", 9000))
        for word in ("one", "two"):
            sender, _ = await loop.create_datagram_endpoint(Hears, remote_addr=("127.0.0.1", 9000))
            sender.sendto(word.encode())
        await both.wait()
        await asyncio.sleep(1)
        emit(Ended(log=" ".join(log)))

    return Program(main)


def test_a_fingerprint_that_forgets_what_was_read_loses_outcomes(monkeypatch: pytest.MonkeyPatch) -> None:
    every, _ = outcomes(crossing().world(), 2, merge=False)
    assert len(every) == 2
    assert outcomes(crossing().world(), 2, merge=True)[0] == every
    monkeypatch.setattr(Kernel, "meets", lambda self, fd, what: None)
    assert outcomes(crossing().world(), 2, merge=True)[0] != every


def test_a_fingerprint_that_forgets_what_struck_loses_outcomes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Execution, "note", lambda self, mark: None)
    drawn = [program(seed, faults="cancel:1@t0") for seed in range(8)]
    assert any(outcomes(one.world(), 2, merge=True)[0] != outcomes(one.world(), 2, merge=False)[0] for one in drawn)


# What ends it early ---------------------------------------------------------------------------------------


def test_a_check_that_its_time_ends_is_incomplete() -> None:
    result = check(two_sections(), deviations=ALL, seconds=1e-9)
    assert (result.verdict, result.complete, result.bound_by) == ("incomplete", False, "time")


def test_a_check_that_its_memory_ends_is_incomplete() -> None:
    result = check(two_sections(), deviations=ALL, max_memory=1)
    assert (result.verdict, result.bound_by) == ("incomplete", "memory")
    assert "memory bound" in result.stopped
    assert 0 < result.schedules < 2_082


def beats(faults: str = "none") -> Program:
    async def beat() -> None:
        while True:
            await asyncio.sleep(1)

    async def main(world: Any) -> None:
        await asyncio.gather(world.task("beat", beat()), return_exceptions=True)
        await asyncio.Event().wait()

    return Program(main, faults=faults)


def test_a_schedule_that_does_not_end_makes_it_incomplete() -> None:
    result = BoundedWalk(beats().world(), 2, Limits(), max_steps=50).run()
    said = (result.verdict, result.complete, result.bound_by, result.stopped, result.cut_short)
    assert said == ("incomplete", False, "steps", "1 schedule goes on after 50 steps", 1)


def test_beside_a_schedule_that_does_not_end_the_others_are_run() -> None:
    result = BoundedWalk(beats("cancel:1@beat").world(), 1, Limits(), max_steps=50).run()
    assert (result.verdict, result.finding and result.finding.property) == ("violated", "deadlock")
    assert (result.cut_short, result.now) == (1, 1)


def test_an_interrupted_check_says_what_it_covered() -> None:
    def interrupt(result: BoundedResult) -> None:
        if result.schedules == 20:
            raise KeyboardInterrupt

    result = check(two_sections(), deviations=ALL, progress=interrupt)
    assert (result.verdict, result.stopped, result.schedules, result.covered) == ("incomplete", "interrupted", 20, 1)


# What is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"max_states": 5}, "max_states: a program has schedules and no states"),
        ({"engine": "compiled"}, "engine: a program runs on Python alone"),
        ({"exact": True}, "exact: what a program holds cannot be compared"),
        ({"reduce": True}, "reduce: of a program equal orders are never run twice"),
        ({"cycles": False}, "cycles: of a program no two places are one"),
        ({"deviations": -1}, "deviations is -1; must be a whole number from 0"),
        ({"deviations": True}, "deviations is True; must be a whole number from 0"),
        ({"seconds": 0}, "seconds is 0; must be more than 0"),
    ],
)
def test_what_makes_no_sense_for_a_program_is_refused(option: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        check(two_sections(), **option)
    assert len(caught.value.mistakes) == 1


def test_deviations_of_a_model_are_refused() -> None:
    with pytest.raises(ConfigError, match="deviations bounds the check of a program; a model is checked whole"):
        check(relay(3, 9), deviations=2)


# Determinism ----------------------------------------------------------------------------------------------


def counts() -> list[Any]:
    found = []
    for number in range(6):
        result = check(program(number, faults="cancel:1@t0", order="any"))
        found.append([result.schedules, result.same, result.steps, result.places, result.handler_calls])
    least = check(leaking()).counterexample
    return [*found, [] if least is None else [*least.schedule, *least.words]]


def test_a_check_is_the_same_in_every_process() -> None:
    here = counts()
    for child in [elsewhere(seed, "tests.live.test_bounded", "counts()") for seed in ("1", "4711")]:
        out, _ = child.communicate(timeout=120)
        assert json.loads(out) == here


async def other_choices(world: Any, times: int) -> None:
    for _ in range(2 + times % 3):
        await asyncio.wait([world.task(name, asyncio.sleep(0)) for name in "ab"])


async def same_choices(world: Any, times: int) -> None:
    emit(Ended(log=str(times)))
    await asyncio.wait([world.task(name, asyncio.sleep(0)) for name in "ab"])


@pytest.mark.parametrize("does", [other_choices, same_choices])
def test_a_program_that_does_something_else_when_it_is_run_again_is_told(does: Any) -> None:
    times = itertools.count()

    async def main(world: Any) -> None:
        await does(world, next(times))

    with pytest.raises(NondeterminismError, match="the program did something else"):
        check(Program(main, order="any"), deviations=ALL)
