"""When a session of a host is over, what its timers do meanwhile, and what becomes of what a newer message replaces."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sim import DEFER, IGNORE, AgentTimeout, Disconnect, Message, Process, System
from sim.consensus import ErrorKind, Failure
from sim.host import BeyondTable, Host, Reply
from sim.host.alarms import Timer
from sim.host.host_log import line_words
from sim.host.journal import open_journal
from sim.host.tally import tally
from sim.metrics import TokenUsage
from tests.host.test_host import run


class Ask(Message):
    n: int


class Say(Message):
    n: int
    word: str


class Told:
    """An adapter that does what a function says."""

    def __init__(self, told: Callable[[Any], Awaitable[Reply]]) -> None:
        self.ask = told

    async def close(self) -> None:
        pass


def hosted(system: Any, folder: Path, **given: Any) -> tuple[str, list[str]]:
    """How a session ends, and its lines."""

    async def life() -> str:
        async with Host(system, journal=folder / "j.db", leaves=None, **given) as host:
            await host.start("s")
            return await host.until_over("s")

    why = run(life)
    with open_journal(str(folder / "j.db"), fresh=False) as journal:
        return why, [line_words(line)[9:] for line in journal.trace("s") if "input" in line.said]


class Egg(Process):
    states = ("raw", "boiling", "done")
    hot = ("raw", "boiling")
    timers = ("bell", "water")
    transitions = (
        {"trigger": "bell", "source": "raw", "dest": DEFER},
        {"trigger": "water", "source": "raw", "dest": "boiling"},
        {"trigger": "bell", "source": "boiling", "dest": "done"},
    )
    water_ms: int

    def on_start(self) -> None:
        self.arm("bell", 1)
        if self.water_ms:
            self.arm("water", self.water_ms)


def test_a_timer_that_is_deferred_stays_armed(tmp_path: Path) -> None:
    why, lines = hosted(System(processes={"egg": Egg(water_ms=30)}), tmp_path)
    assert [why, *lines[1:]] == ["over", "egg: fire water -> boiling", "egg: fire bell -> done"]


def test_who_waits_for_nothing_but_what_is_deferred_is_at_rest(tmp_path: Path) -> None:
    why, _ = hosted(System(processes={"egg": Egg(water_ms=0)}), tmp_path)
    assert why == "at rest, though egg is raw"


class Sleeper(Process):
    states = ("asleep", "late")
    timers = ("alarm",)
    transitions = (
        {"trigger": Ask, "source": "asleep", "dest": None, "after": "snooze"},
        {"trigger": "alarm", "source": "asleep", "dest": "late"},
        {"trigger": Ask, "source": "late", "dest": IGNORE},
    )

    def on_start(self) -> None:
        self.arm("alarm", 1)
        self.send(self.name, Ask(1))

    def snooze(self) -> None:
        self.arm("alarm", 60_000)


def test_a_timer_that_is_armed_anew_when_its_time_is_up_does_not_ring(tmp_path: Path) -> None:
    async def life() -> str:
        async with Host(System(processes={"sleeper": Sleeper()}), journal=tmp_path / "j.db") as host:
            await host.start("s")
            host._alarms._ring(
                host.running["s"], Timer("sleeper", "alarm")
            )  # its time is up, and a message is before it
            await asyncio.sleep(0.05)
            return host.running["s"].locals["sleeper"].state

    assert run(life) == "asleep"


class Shy(Process):
    states = ("up",)
    transitions = ({"trigger": Ask, "source": "up", "dest": DEFER},)

    def on_start(self) -> None:
        self.send(self.name, Ask(1))


def test_a_message_that_nobody_will_ever_take_keeps_no_session_open(tmp_path: Path) -> None:
    assert hosted(System(processes={"shy": Shy()}), tmp_path)[0] == "over"


class Asker(Process):
    """Asks two things at once, or one after the other for as long as its timer says."""

    states = ("asking", "done")
    hot = ("asking",)
    timers = ("next",)
    transitions = (
        {"trigger": Say, "source": "asking", "dest": "done", "conditions": "is_last"},
        {"trigger": Say, "source": ["asking", "done"], "dest": IGNORE},
        {"trigger": "next", "source": "asking", "dest": None, "conditions": "has_more", "after": "again"},
        {"trigger": "next", "source": ["asking", "done"], "dest": IGNORE},
    )
    every_ms: int = 0
    asked: int = 0

    def on_start(self) -> None:
        self.again()
        if not self.every_ms:
            self.again()

    def again(self) -> None:
        self.asked += 1
        self.send("oracle", Ask(self.asked))
        if self.every_ms:
            self.arm("next", self.every_ms)

    def has_more(self) -> bool:
        return self.asked < 2

    def is_last(self, said: Say) -> bool:
        return said.n == 2


class Oracle(Process):
    states = ("up",)
    transitions = ({"trigger": Ask, "source": "up", "dest": None, "after": "say"},)

    def say(self, ask: Ask) -> None:
        self.send(self.sender, Say(n=ask.n, word=self.choose("yes", "no")))


def asking(network: str, every_ms: int = 0) -> System:
    processes = {"asker": Asker(every_ms=every_ms), "oracle": Oracle()}
    return System(processes=processes, network=network, carriers={AgentTimeout: (Say,)})


def test_where_a_newer_message_replaces_an_older_one_nothing_comes_of_the_older(tmp_path: Path) -> None:
    async def slowly(question: Any) -> Reply:
        await asyncio.sleep(0.1)
        return Reply("yes")

    why, lines = hosted(asking("latest", every_ms=30), tmp_path, adapters={"oracle": Told(slowly)})
    assert why == "over"
    assert [line for line in lines if line.startswith("oracle: Ask")] == [
        "oracle: Ask(n=2) from asker -> up; Say to asker"
    ]


def test_a_message_replaces_one_that_was_sent_in_the_same_step(tmp_path: Path) -> None:
    async def at_once(question: Any) -> Reply:
        return Reply("yes")

    why, lines = hosted(asking("latest"), tmp_path, adapters={"oracle": Told(at_once)})
    assert why == "over"
    assert [line for line in lines if line.startswith("oracle: Ask")] == [
        "oracle: Ask(n=2) from asker -> up; Say to asker"
    ]


def test_where_the_order_is_kept_a_fault_that_nobody_heeds_holds_up_nothing(tmp_path: Path) -> None:
    tries: list[int] = []

    async def at_last(question: Any) -> Reply:
        tries.append(question.message.n)
        return (
            Reply("yes") if tries.count(1) > 1 or question.message.n == 2 else Reply(failure=Failure(ErrorKind.TIMEOUT))
        )

    told: list[str] = []
    why, _ = hosted(asking("fifo"), tmp_path, adapters={"oracle": Told(at_last)}, tell=told.append)
    assert (why, tries.count(1)) == ("over", 2)
    assert told == [
        "oracle: agent_timeout: asker is asking, and its model has no row for it there; it is asked again in 0.05 s"
    ]


class Scribe(Process):
    states = ("up",)
    transitions = (
        {"trigger": Say, "source": "up", "dest": None},
        {"trigger": Disconnect, "source": "up", "dest": None},
    )


class Speaker(Process):
    states = ("up",)
    transitions = ({"trigger": Ask, "source": "up", "dest": None, "after": "say"},)

    def on_start(self) -> None:
        self.send(self.name, Ask(1))

    def say(self, ask: Ask) -> None:
        self.send("scribe", Say(n=ask.n, word=self.choose("yes", "no")))


def test_what_an_agent_has_not_said_reaches_no_other_adapter(tmp_path: Path) -> None:
    heard: list[Any] = []

    async def fails(question: Any) -> Reply:
        return Reply(failure=Failure(ErrorKind.CONNECT))

    async def hears(question: Any) -> Reply:
        heard.append(question.message)
        return Reply()

    system = System(processes={"speaker": Speaker(), "scribe": Scribe()}, carriers={Disconnect: (Say,)})
    why, lines = hosted(system, tmp_path, adapters={"speaker": Told(fails), "scribe": Told(hears)})
    assert (why, heard) == ("over", [])
    assert lines[-1] == "scribe: disconnect in place of Say(n=1, word=yes) from speaker -> up"


def test_who_is_over_already_is_waited_for_no_longer(tmp_path: Path) -> None:
    async def life() -> str:
        async with Host(System(processes={"shy": Shy()}), journal=tmp_path / "j.db") as host:
            await host.start("s")
            await host.until_over("s")
            return await host.until_over("s")

    assert run(life) == "over"


def test_calls_about_one_message_are_told_apart_while_the_clock_stands_still(tmp_path: Path) -> None:
    replies = [Reply(failure=Failure(ErrorKind.CONNECT)), Reply("yes"), Reply("yes")]

    async def later(question: Any) -> Reply:
        return replies.pop(0)

    async def life() -> str:
        host = Host(asking("any"), journal=tmp_path / "j.db", adapters={"oracle": Told(later)}, tell=lambda _: None)
        host._clock._now_ms = lambda: 1_000
        async with host:
            await host.start("s")
            return await host.until_over("s")

    assert run(life) == "over"
    with open_journal(str(tmp_path / "j.db"), fresh=False) as journal:
        assert sorted(call[2] for call in journal.calls("s") if call[0] == journal.calls("s")[0][0])[0] == 1_000


def test_what_came_to_nothing_is_told_with_what_it_cost_and_is_not_cut_off(tmp_path: Path) -> None:
    usage = TokenUsage.from_openai({"prompt_tokens": 100, "completion_tokens": 10})
    replies = [Reply(failure=Failure(ErrorKind.EMPTY), usage=usage), Reply("yes"), Reply("yes")]

    async def at_last(question: Any) -> Reply:
        return replies.pop(0)

    system = System(processes={"asker": Asker(), "oracle": Oracle()})
    assert hosted(system, tmp_path, adapters={"oracle": Told(at_last)}, tell=lambda _: None)[0] == "over"
    with open_journal(str(tmp_path / "j.db"), fresh=False) as journal:
        found = tally(journal, "s", 0)
    assert (found.calls, found.cut_off, found.metrics.snapshot.running_total.total_tokens) == (3, 0, 110)
    assert [(row.reason, row.share.turns) for row, _ in found.metrics.wasted()] == [("empty", 1)]


def test_who_asks_again_waits_for_as_long_as_it_was_told_to(tmp_path: Path) -> None:
    limited = Failure(ErrorKind.RATE_LIMITED, reset_in_ms=120)
    replies, told = [Reply(failure=limited), Reply("yes"), Reply("yes")], list[str]()

    async def at_last(question: Any) -> Reply:
        return replies.pop(0)

    assert hosted(asking("any"), tmp_path, adapters={"oracle": Told(at_last)}, tell=told.append)[0] == "over"
    assert [line.rpartition("; ")[2] for line in told] == ["it is asked again in 0.12 s"]


class Bomb(Process):
    states = ("up",)
    may = ("press",)
    timers = ("bell",)
    transitions = (
        {"trigger": "press", "source": "up", "dest": None, "after": "explode"},
        {"trigger": "bell", "source": "up", "dest": None, "after": "count"},
    )
    rung: int = 0

    def on_start(self) -> None:
        self.arm("bell", 1)

    def count(self) -> None:
        self.rung += 1
        self.arm("bell", 1)

    def explode(self) -> None:
        raise ValueError("boom")


def test_after_a_move_beyond_the_table_the_host_takes_no_more_inputs(tmp_path: Path) -> None:
    async def life() -> list[int]:
        async with Host(System(processes={"bomb": Bomb()}), journal=tmp_path / "j.db", leaves=None) as host:
            await host.start("one")
            await host.start("two")
            await asyncio.sleep(0.02)
            with pytest.raises(BeyondTable):
                host.move("one", "bomb", "press")
            lines = [host.journal.lines]
            await asyncio.sleep(0.02)
            return [*lines, host.journal.lines]

    before, after = run(life)
    assert before == after
