"""A schedule of a program is what departs from the usual: it leads there again, and outlives edits elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import sim.live.live_world as world_module
from sim import DivergenceError, Program, Replay, Run, Uniform, simulate
from sim.faults.plan import parse_plan
from sim.live.live_world import LiveWorld
from sim.minimiser.fewest import Led, Loosely
from sim.strategy import departing, make_strategy
from sim.world.address import parse_address
from tests.live.small import idle, installed_once, replayed, usual

once = installed_once

SEEDS = 4
"""Of each strategy."""
STRATEGIES = ("uniform", "pctcp", "pos", "swarm")
TWO_WAYS = [*parse_plan("cancel:1@client, cancel:2")]
Main = Callable[[Any], Awaitable[object]]


async def add(total: list[int], lock: asyncio.Lock) -> None:
    for _ in range(2):
        async with lock:
            seen = total[0]
            await asyncio.sleep(0)
            total[0] = seen + 1
        await asyncio.sleep(0.01)


async def locked(world: Any) -> None:
    total, lock = [0], asyncio.Lock()
    tasks = [world.task("client", add(total, lock)) for _ in range(3)]
    await asyncio.wait(tasks)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


async def ask() -> bool:
    try:
        reader, writer = await asyncio.open_connection("echo", 7)
        writer.write(b"hello")
        answer = await reader.readexactly(5)
        writer.close()
    except (OSError, EOFError):
        return False
    return answer == b"hello"


async def networked(world: Any) -> None:
    world.serve("echo:7", echo)
    await asyncio.wait([world.task("client", ask()) for _ in range(2)], timeout=60)


async def ask_twice() -> None:
    await asyncio.gather(ask(), ask())


async def pooled(world: Any) -> None:
    """Two connections of one client, on which the same is said."""
    world.serve("echo:7", echo)
    await asyncio.wait([world.task("client", ask_twice())], timeout=60)


async def unnamed(_: Any) -> None:
    await asyncio.wait([asyncio.create_task(idle(n % 2)) for n in range(4)])


PROGRAMS: dict[str, tuple[Main, dict[str, Any]]] = {
    "cancelled": (locked, {"faults": "cancel:2@client"}),
    "two ways to pay": (locked, {"faults": tuple(TWO_WAYS)}),
    "stopped": (locked, {"faults": "stop:1, cancel:1"}),
    "in any order": (locked, {"faults": "cancel:1", "order": "any"}),
    "networked": (networked, {"faults": "reset:1, refuse:1, split:2, cut:1, crash:1@echo"}),
    "pooled": (pooled, {"faults": "reset:1, refuse:1, split:1, cancel:1"}),
    "for good": (networked, {"faults": "cut:1 for good, crash:1 for good"}),
    "unnamed": (unnamed, {"faults": "cancel:2"}),
}


def walks(name: str) -> list[Run]:
    main, parts = PROGRAMS[name]
    world = LiveWorld(Program(main, **parts))
    with world.walking():
        return [simulate(world, make_strategy(one, seed)) for one in STRATEGIES for seed in range(SEEDS)]


def wrong(name: str) -> list[tuple[str, ...]]:
    """The schedules of some runs that lead elsewhere."""
    main, parts = PROGRAMS[name]
    again, found = LiveWorld(Program(main, **parts)), []
    with again.walking():
        for run in walks(name):
            schedule = run.trace.schedule()
            try:
                same = alike(run, simulate(again, Replay(schedule, then_usual=True)))
            except DivergenceError:
                same = False
            if not same:
                found.append(tuple(schedule))
    return found


def alike(one: Run, other: Run) -> bool:
    """Whether the same happened. Where two entries of the budget can pay for one fault, what is left of it, and so what is one
    step, may be otherwise."""
    if one.trace.world.faults != TWO_WAYS:
        return (one.digest, one.finding) == (other.digest, other.finding)
    return (one.trace.struck(), one.finding) == (other.trace.struck(), other.finding)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_schedule_of_a_run_leads_there_again(name: str) -> None:
    assert wrong(name) == []


@pytest.mark.parametrize(
    ("name", "plant"),
    [
        ("pooled", lambda monkeypatch: monkeypatch.setattr(departing, "opportunities", _first_alone)),
        ("pooled", lambda monkeypatch: monkeypatch.setattr(world_module, "departures", _without_numbers)),
        ("cancelled", lambda monkeypatch: monkeypatch.setattr(world_module, "departures", _without_numbers)),
    ],
)
def test_a_schedule_that_says_too_little_is_caught(
    name: str, plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert wrong(name) != []


_opportunities, _departures = departing.opportunities, world_module.departures


def _first_alone(*given: Any) -> list[Any]:
    return _opportunities(*given)[:1]


def _without_numbers(*given: Any) -> list[str]:
    return [item.partition(" #")[0] for item in _departures(*given)]


def test_the_usual_run_departs_from_nothing_and_others_from_little() -> None:
    assert usual(locked).trace.schedule() == []
    for name in PROGRAMS:
        main, parts = PROGRAMS[name]
        assert usual(main, **parts).trace.schedule() == []
        assert all(len(run.trace.schedule()) <= run.steps for run in walks(name))


def test_two_of_one_kind_at_one_place_are_told_apart() -> None:
    schedules = [["connect client->echo"], ["connect client->echo #2"]]
    first, second = (replayed(pooled, schedule) for schedule in schedules)
    assert first.digest == usual(pooled).digest or first.digest != second.digest
    assert second.trace.schedule() != []


# Stability ----------------------------------------------------------------------------------------------

KEPT = ["cancel client#2 at add"]


async def edited(world: Any) -> None:
    """`locked`, with a task, a timer and a log line more."""
    total, lock = [0], asyncio.Lock()
    world.task("logger", idle(0.2))
    housekeeping = asyncio.create_task(idle(0.03))
    tasks = [world.task("client", add(total, lock)) for _ in range(3)]
    await asyncio.wait(tasks)
    await housekeeping
    await asyncio.sleep(0.5)


def test_an_edit_elsewhere_leaves_a_kept_schedule_as_it_is() -> None:
    for main in (locked, edited):
        run = replayed(main, KEPT, faults="cancel:1@client")
        assert run.trace.struck() == {"cancel": 1}
        assert run.trace.schedule() == KEPT


async def addition(total: list[int], lock: asyncio.Lock) -> None:
    await add(total, lock)


async def moved(world: Any) -> None:
    """`locked`, whose clients have another name."""
    await asyncio.wait([world.task("user", add([0], asyncio.Lock())) for _ in range(3)])


def test_what_is_called_otherwise_is_told_with_the_nearest() -> None:
    with pytest.raises(DivergenceError) as told:
        replayed(moved, KEPT, faults="cancel:1")
    (line,) = told.value.mistakes
    assert line.startswith(
        "step 1: cancel client#2 at add fits nowhere before nothing more happens: unknown task 'client#2'"
    )
    assert "possible on the way: cancel user#2 at add" in line


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("cancel client at nowhere", "client has ended; possible on the way: cancel client at "),
        ("cancel client at add #40", "it could be made "),
        ("cancel clint at add", "unknown task 'clint' (did you mean 'client'?)"),
        ("deliver a->b 3 bytes", "no such message is in flight"),
    ],
)
def test_what_never_fits_is_told_with_why(item: str, said: str) -> None:
    with pytest.raises(DivergenceError) as told:
        replayed(locked, [item], faults="cancel:1")
    assert said in str(told.value)


# Made less ----------------------------------------------------------------------------------------------


def test_items_that_never_fit_are_passed_over_by_the_minimiser_alone() -> None:
    items = tuple(map(parse_address, ["cancel client#2 at add", "cancel nobody"]))
    world = LiveWorld(Program(locked, faults="cancel:2"))
    assert simulate(world, Loosely(items)).trace.schedule() == KEPT
    assert simulate(world, Led([])).trace.schedule() == []


def test_a_run_led_by_its_choices_is_that_run() -> None:
    world = LiveWorld(Program(networked, faults="reset:1"))
    for seed in range(10):
        run = simulate(world, Uniform(seed))
        assert simulate(world, Led([choice for _, choice in run.trace.steps])).digest == run.digest
