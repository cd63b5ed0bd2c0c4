"""Tasks are called by what they are and who made them, and it is told where each waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from sim import ConfigError, Program
from sim.faults.plan import parse_plan
from sim.live import naming
from sim.live.execution import Execution
from sim.live.live_world import LiveWorld
from sim.live.naming import TaskNames, is_named, plain, spot_of
from sim.live.noting import Noting
from sim.strategy import Canonical
from sim.world.address import Address, parse_address
from tests.live.small import idle, installed_once, usual

once = installed_once


def standing(main: Callable[[Any], Awaitable[object]], steps: int = 1, **parts: Any) -> tuple[LiveWorld, Execution]:
    """A program after some steps."""
    world = LiveWorld(Program(main, **parts))
    picking = Canonical()
    at = picking.begin(world).place
    for _ in range(steps):
        choice = picking.pick(at)
        assert choice is not None
        at = world.apply(at, choice)
    return world, world.standing(at)


def names_after(main: Callable[[Any], Awaitable[object]], steps: int = 1) -> list[str]:
    world, run = standing(main, steps)  # the run ends with its world
    del world
    return [task.called for task in run.tasks]


class Pool:
    async def acquire(self) -> None:
        await asyncio.Event().wait()


async def fetch() -> None:
    asyncio.create_task(idle())  # noqa: RUF006
    await Pool().acquire()


async def nested(world: Any) -> None:
    first = world.task("client", fetch())
    await asyncio.gather(first, world.task("client", fetch()), idle(), idle())


async def grouped(_: Any) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(idle(), name="slow one")
        group.create_task(idle())


async def renamed(_: Any) -> None:
    one, other = asyncio.create_task(idle()), asyncio.create_task(idle())
    one.set_name("first")
    third = asyncio.create_task(idle())
    await asyncio.wait([one, other, third])


async def renamed_late(_: Any) -> None:
    task = asyncio.create_task(idle())
    await asyncio.sleep(0)
    task.set_name("too late")
    await task


async def renamed_by_program(world: Any) -> None:
    task = world.task("client", idle())
    task.set_name("something else")
    assert task.get_name() == "something else"
    await task


NAMES: dict[str, tuple[Callable[[Any], Awaitable[object]], list[str]]] = {
    "those of world.task have numbers from the second on, those of others their maker and what they run": (
        nested,
        ["main", "client", "client#2", "main/idle", "main/idle#2", "client/idle", "client#2/idle"],
    ),
    "a name of the program's own is taken": (grouped, ["main", "main/slow-one", "main/idle"]),
    "a name given at once is taken, and no two have one": (
        renamed,
        ["main", "main/first", "main/idle#2", "main/idle#3"],
    ),
    "a name given later is not": (renamed_late, ["main", "main/idle"]),
    "what world.task has named keeps its name": (renamed_by_program, ["main", "client"]),
}


@pytest.mark.parametrize("what", NAMES)
def test_a_task_has_a_name(what: str) -> None:
    main, expected = NAMES[what]
    assert names_after(main) == expected


def test_a_name_that_is_given_back_while_another_has_it_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def give_back(self: TaskNames, name: str, base: str) -> None:
        self._counts[base] -= 1

    monkeypatch.setattr(TaskNames, "give_back", give_back)
    names = names_after(renamed)
    assert len({*names}) < len(names)


ODD = ["a b", "x->y", "a#3", "a\nb", "#", "über", "x after fire a.b", "../..", "%s", "(x)", "a,b", "->", " "]


@pytest.mark.parametrize("name", ODD)
def test_a_name_can_be_written_in_a_plan_and_in_an_address_whatever_the_program_calls_it(name: str) -> None:
    called = f"main/{plain(name)}"
    (entry,) = parse_plan(f"cancel:1@{called}")
    assert is_named(called, str(entry.target))
    assert is_named(f"{called}#2", str(entry.target))
    for address in (
        Address("cancel", process=called, where="Pool.acquire"),
        Address("fire", process=called, subject="sleep"),
        Address("stop", process="main", where="main", after=f"resume {called} at Pool.acquire"),
    ):
        assert parse_address(str(address)) == address


@pytest.mark.parametrize("name", ["a b", "a\nb", "a,b"])
def test_a_name_that_is_taken_as_it_is_cannot_be_written(name: str) -> None:
    called = f"main/{name}"
    try:
        assert not is_named(called, str(parse_plan(f"cancel:1@{called}")[0].target))
    except ConfigError as error:
        assert "is malformed" in str(error)  # noqa: PT017


def test_all_of_a_name_are_meant_without_a_number_and_one_with_it() -> None:
    assert [is_named(name, "client") for name in ("client", "client#2", "clients", "client/idle")] == [
        True,
        True,
        False,
        False,
    ]
    assert [is_named(name, "client#2") for name in ("client", "client#2", "client#22")] == [False, True, False]


# Where a task waits ------------------------------------------------------------------------------------


async def waiting(world: Any) -> None:
    world.task("pool", fetch())
    world.task("queue", asyncio.Queue[int]().get())
    world.task("locked", locked())
    await asyncio.sleep(1)


async def locked() -> None:
    lock = asyncio.Lock()
    async with lock, lock:
        pass


def spots(run: Execution) -> dict[str, str]:
    return {task.called: spot_of(task.get_coro()).name for task in run.tasks}


def test_it_waits_in_the_innermost_coroutine_of_somebodys_own_code() -> None:
    world, run = standing(waiting, 2)
    assert spots(run) == {
        "main": "waiting",
        "pool": "Pool.acquire",
        "queue": "Queue.get",  # nothing of it is anybody's own
        "locked": "locked",
        "pool/idle": "idle",
    }
    assert world.executions == 1


def test_where_it_waits_would_be_the_standard_librarys_if_that_were_anybodys_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(naming, "is_own", lambda _code: True)
    _world, run = standing(waiting, 2)
    assert spots(run)["locked"] == "Lock.acquire"


def test_where_it_waits_is_told_with_its_line_and_what_it_waits_for() -> None:
    run = usual(waiting)
    assert run.finding is not None
    line = locked.__code__.co_firstlineno + 2
    assert f"locked waits in locked (test_task_names.py:{line}) on Lock.acquire, since step " in run.finding.message


async def drops_a_generator(world: Any) -> None:
    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(1)

    async def client() -> None:
        async for _ in numbers():
            break

    await world.task("client", client())
    await asyncio.sleep(2)


def test_the_end_of_a_generator_that_was_dropped_has_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop makes a task of its `aclose()`, which has no code."""
    seen: set[object] = set()
    before = Noting.before
    monkeypatch.setattr(Noting, "before", lambda run, handle: (before(run, handle), seen.add(run.before_this()))[0])
    assert usual(drops_a_generator).finding is None
    assert "resume client/async_generator_athrow" in seen
    assert {type(one) for one in seen} == {str}
    assert all(parse_address(str(one)) for one in seen)
