"""A cancellation is ripe where a task is about to go on because of what a task did; such moments are tried more often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bench.races.item import system as item
from bench.races.notify import system as notify
from bench.races.wake import system as wake
from sim import Program, fuzz
from sim.live import possible
from sim.live.live_world import LiveWorld
from sim.strategy.strikes import Strikes
from tests.live.small import idle

Main = Callable[[Any], Awaitable[object]]


async def waits(event: asyncio.Event) -> None:
    await event.wait()


async def gives_way() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def woken_by_another(world: Any) -> None:
    event = asyncio.Event()
    client = world.task("client", waits(event))
    await asyncio.sleep(0)
    event.set()
    await client


async def woken_by_a_timer(world: Any) -> None:
    await world.task("client", idle())


async def woken_by_what_arrives(world: Any) -> None:
    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("echo", 7)
        writer.write(b"hello\n")
        await reader.readline()
        writer.close()

    world.serve("echo:7", answering)
    await world.task("client", client())


async def that_gives_way(world: Any) -> None:
    await world.task("client", gives_way())


async def that_has_not_begun(world: Any) -> None:
    client = world.task("client", gives_way())
    client.cancel()
    await asyncio.wait([client])


def ripe(main: Main) -> list[bool]:
    """Of each place on the usual way at which the client can be cancelled, whether that is ripe."""
    world = LiveWorld(Program(main, faults="cancel:1@client"))
    found = []
    with world.walking():
        at = world.starts()[0].place
        while not world.quiescent(at):
            found += [choice.ripe for choice in world.enabled(at) if choice.strikes]
            at = world.apply(at, world.usual(at)[0])
    return found


@pytest.mark.parametrize(
    ("main", "times"),
    [
        (woken_by_another, 1),
        (that_gives_way, 2),
        (woken_by_a_timer, 0),
        (that_has_not_begun, 0),
    ],
    ids=lambda part: part.__name__ if callable(part) else "",
)
def test_a_cancellation_is_ripe_where_a_task_has_made_another_go_on(main: Main, times: int) -> None:
    found = ripe(main)
    assert len(found) > times
    assert sum(found) == times


def test_what_arrives_makes_none_ripe() -> None:
    """But for what a connection asks of the loop by itself, before and after."""
    assert not all(ripe(woken_by_what_arrives))


def budget(faults: str) -> LiveWorld:
    return LiveWorld(Program(woken_by_another, faults=faults))


def test_a_schedule_that_would_have_no_fault_waits_for_one_that_is_ripe() -> None:
    world = budget("cancel:1@client")
    waiting = [seed for seed in range(400) if Strikes(world, seed, 1)._waits]
    assert 150 < len(waiting) < 250  # half of them, with a standard deviation of 10
    assert not any(Strikes(budget("stop:1@main"), seed, 1)._waits for seed in range(50))
    for seed in waiting[:50]:
        strikes = Strikes(world, seed, 1)
        with world.walking():
            at, struck = world.starts()[0].place, []
            for step in range(20):
                enabled = world.enabled(at)
                fault = strikes.strike(step, enabled) if strikes.is_due(step) else None
                struck += [fault] if fault is not None else []
                if not enabled or world.quiescent(at):
                    break
                at = world.apply(at, fault or world.usual(at)[0])
            assert [fault.ripe for fault in struck] == [True]


SEEDS = 6


def found_in(system: Callable[[], Program]) -> int:
    """Schedules until it is found, of several seeds together."""
    found = [fuzz(system(), schedules=1_000, seed=seed, strategy="pos").found for seed in range(SEEDS)]
    return sum(one[0].number + 1 if one else 1_000 for one in found)


@pytest.mark.parametrize("system", [item, notify, wake], ids=["item", "notify", "wake"])
def test_what_is_lost_between_two_is_found_sooner(
    system: Callable[[], Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = found_in(system)
    assert soon <= 10 * SEEDS
    monkeypatch.setattr(possible, "_moved", lambda run: set())
    assert found_in(system) > 2 * soon
