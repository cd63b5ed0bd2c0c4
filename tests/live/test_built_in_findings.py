"""What is wrong with any program is found without a line of test code, and said with who, what for and since when."""

from __future__ import annotations

import asyncio
import math
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sim import CancellationIgnored, Monitor, Program, simulate
from sim.live import endings, noting
from sim.live.execution import Execution
from sim.live.live_task import LiveTask
from sim.strategy import Canonical
from tests.live.small import idle, installed_once, least, replayed, runs, said, usual

once = installed_once
Main = Callable[[Any], Awaitable[object]]


async def crosswise(world: Any) -> None:
    one, other = asyncio.Lock(), asyncio.Lock()

    async def take(first: asyncio.Lock, second: asyncio.Lock) -> None:
        async with first:
            await asyncio.sleep(0)
            async with second:
                pass

    await asyncio.gather(world.task("client", take(one, other)), world.task("client", take(other, one)))


async def sleeps_for_ever(_: Any) -> None:
    await asyncio.sleep(math.inf)


async def leaves_one(world: Any) -> None:
    world.task("client", idle())
    await asyncio.sleep(0)


async def loses_an_error(_: Any) -> None:
    asyncio.create_task(fails())  # noqa: RUF006
    await asyncio.sleep(1)


async def fails() -> None:
    raise ValueError("too many")


async def takes_the_error(_: Any) -> None:
    await asyncio.gather(asyncio.create_task(fails()), return_exceptions=True)


async def fails_in_a_callback(_: Any) -> None:
    asyncio.get_running_loop().call_later(0.1, fail)
    await asyncio.sleep(1)


def fail() -> None:
    raise KeyError("x")


async def fails_itself(_: Any) -> None:
    await asyncio.sleep(1)
    await fails()


async def ends_the_process(world: Any) -> None:
    await asyncio.wait([world.task("client", exits())])


async def exits() -> None:
    sys.exit(3)


async def exits_itself(_: Any) -> None:
    sys.exit(3)


async def cancels_itself(_: Any) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(1)


async def spins(world: Any) -> None:
    await world.task("client", spin())


async def spin() -> None:
    while True:
        await asyncio.sleep(0)


WRONG: dict[str, tuple[Main, str, str]] = {
    "deadlock": (
        crosswise,
        "deadlock",
        "nothing can happen any more, and main waits in crosswise (test_built_in_findings.py), since step 1, client waits "
        "in take (test_built_in_findings.py) on Lock.acquire, since step 4 and client#2 waits in",
    ),
    "nothing is due": (
        sleeps_for_ever,
        "deadlock",
        "main waits in sleeps_for_ever (test_built_in_findings.py) on sleep",
    ),
    "outlives": (leaves_one, "outlives", "main has ended, and client waits in idle (small.py)"),
    "an error that is lost": (
        loses_an_error,
        "exception",
        "main/fails fails with ValueError: too many (test_built_in_findings.py), and nobody asks what became of it",
    ),
    "an error of a callback": (fails_in_a_callback, "exception", "KeyError: 'x' (test_built_in_findings.py)"),
    "main fails": (fails_itself, "main", "it fails with ValueError: too many (test_built_in_findings.py)"),
    "the process is ended": (ends_the_process, "exception", "client ends the process with SystemExit: 3"),
    "main ends the process": (exits_itself, "main", "it fails with SystemExit: 3"),
    "main is cancelled": (cancels_itself, "main", "it ends as cancelled: by no fault"),
    "endless": (spins, "endless", "10,000 turns of the loop, and no time has passed; client ran last"),
}


def finding(main: Main, *, steps: int = 1_000, **parts: Any) -> tuple[str, str]:
    """What is found in the usual run, without the numbers of lines."""
    found = simulate(Program(main, **parts), Canonical(), max_steps=steps).finding
    return ("", "") if found is None else (found.property, re.sub(r":\d+\)", ")", found.message))


@pytest.mark.parametrize("name", WRONG)
def test_it_is_found_and_said(name: str) -> None:
    main, prop, words = WRONG[name]
    found, message = finding(main)
    assert found == prop
    assert words in message


def test_it_never_ends_in_any_order() -> None:
    found, message = finding(spins, order="any")
    assert (found, message) == ("endless", "10,000 turns of the loop, and no time has passed; client ran last")


def test_nothing_is_wrong_with_an_error_that_is_taken() -> None:
    assert finding(takes_the_error) == ("", "")


@pytest.mark.parametrize(
    ("name", "plant"),
    [
        ("deadlock", lambda patch: patch.setattr(Execution, "waiting", lambda _: [])),
        ("outlives", lambda patch: patch.setattr(Execution, "waiting", lambda _: [])),
        ("an error that is lost", lambda patch: patch.setattr(endings, "_untaken_errors", lambda _: iter(()))),
        ("an error of a callback", lambda patch: patch.setattr(noting, "untaken", lambda _: None)),
        ("main fails", lambda patch: patch.setattr("sim.live.execution.ended", lambda _: None)),
        ("the process is ended", lambda patch: patch.setattr(noting, "exited", lambda *_: None)),
        ("endless", lambda patch: patch.setattr("sim.live.execution.ENDLESS", 10**9)),
    ],
)
def test_one_that_is_passed_over_is_caught(
    name: str, plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    main, prop, words = WRONG[name]
    found, message = finding(main, steps=30)
    assert found != prop or words not in message


# A fault that cancels main -------------------------------------------------------------------------------


async def tidies_up(world: Any) -> None:
    async def client() -> None:
        try:
            await asyncio.sleep(5)
        finally:
            await asyncio.sleep(1)

    task = world.task("client", client())
    await asyncio.sleep(2)
    await asyncio.wait([task])


def test_what_is_cancelled_with_main_may_take_its_time() -> None:
    for plan in ("cancel:1@main", "stop:1"):
        assert [run.finding for run in runs(tidies_up, faults=plan)] == [None] * 20


def test_without_its_timers_it_would_be_accused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Execution, "timer", lambda run: None if run.over else run.loop.next_timer())
    assert {run.finding.property for run in runs(tidies_up, faults="stop:1") if run.finding} == {"outlives"}


# A program that waits to be told -------------------------------------------------------------------------


async def waits_for_a_signal(_: Any) -> None:
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await told.wait()


async def serves(_: Any) -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "localhost", 80)
    async with server:
        await server.serve_forever()


@pytest.mark.parametrize("main", [waits_for_a_signal, serves])
def test_to_wait_to_be_told_is_no_deadlock_while_it_may_be(main: Main) -> None:
    assert finding(main)[0] == "deadlock"
    assert finding(main, faults="stop:1") == ("", "")
    told = replayed(main, ["stop main"], faults="stop:1")
    assert (told.finding, told.trace.struck()) == (None, {"stop": 1})


async def waits_for_nothing(_: Any) -> None:
    await asyncio.Event().wait()


def test_to_wait_for_anything_else_is_one_all_the_same() -> None:
    assert finding(waits_for_nothing, faults="stop:1")[0] == "deadlock"


# A cancellation that is ignored -------------------------------------------------------------------------


async def ignores() -> int:
    try:
        await asyncio.sleep(1)
    except asyncio.CancelledError:
        return 3
    return 2


async def takes_back() -> int:
    try:
        await asyncio.sleep(1)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
    return 3


async def obeys() -> None:
    try:
        await asyncio.sleep(1)
    finally:
        await asyncio.sleep(1)


async def times_out() -> None:
    try:
        async with asyncio.timeout(0.5):
            await asyncio.sleep(1)
    except TimeoutError:
        await asyncio.sleep(1)


def cancelling(client: Callable[[], Any]) -> Main:
    async def main(world: Any) -> None:
        await asyncio.wait([world.task("client", client())])

    return main


def hints(client: Callable[[], Any]) -> set[str]:
    return {text for run in runs(cancelling(client), faults="cancel:1@client") for text in said(run)}


def test_a_cancellation_that_is_ignored_is_a_hint_in_the_trace() -> None:
    assert hints(ignores) == {"CancellationIgnored(task=client)"}
    run = replayed(cancelling(ignores), ["cancel client at ignores"], faults="cancel:1")
    assert run.trace.emitted() == {"CancellationIgnored": 1}
    assert run.finding is None


@pytest.mark.parametrize("client", [takes_back, obeys, times_out, idle])
def test_it_is_none_to_obey_late_or_to_take_it_back(client: Callable[[], Any]) -> None:
    assert hints(client) == set()


def test_nothing_is_said_of_a_task_that_the_program_itself_has_cancelled() -> None:
    async def main(world: Any) -> None:
        task = world.task("client", ignores())
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait([task])

    assert said(usual(main)) == []


class NobodyIgnores(Monitor):
    states = ("on",)
    transitions = ({"trigger": CancellationIgnored, "source": "on", "dest": None, "after": "tell"},)

    def tell(self, hint: CancellationIgnored) -> None:
        self.violate(f"{hint.task} goes on")


def test_a_monitor_may_judge_it() -> None:
    found = least(cancelling(ignores), monitors={"nobody_ignores": NobodyIgnores()}, faults="cancel:1@client")
    assert found is not None
    assert found[0] == ("nobody_ignores", "client goes on")
    assert found[1] == ("cancel client at ignores",)


def test_a_hint_that_is_not_given_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveTask, "cancelling", lambda _: 0, raising=False)
    assert hints(ignores) == set()
