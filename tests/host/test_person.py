"""A person is asked once, over any number of restarts, and answers through the journal, whether a host runs or not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sim import Message, Process, System
from sim.base.errors import ConfigError
from sim.host import Host, desk
from sim.host.journal import Journal, open_journal
from sim.host.person import Person, WaitingQuestion, answer, mail_of, question_id, waiting_in
from sim.host.wording import Patterns


class Ask(Message):
    number: int


class Ruling(Message):
    number: int
    goes_on: bool


class Asker(Process):
    """Asks two questions, one after the other."""

    states = ("idle", "asking", "over")
    hot = ("asking",)
    durable = ("rulings",)
    must = ("begin",)
    transitions = (
        {"trigger": "begin", "source": "idle", "dest": "asking", "unless": "is_over", "after": "ask"},
        {"trigger": Ruling, "source": "asking", "dest": None, "unless": "is_asked_for"},
        {"trigger": Ruling, "source": "asking", "dest": "over", "conditions": "is_last", "before": "heed"},
        {"trigger": Ruling, "source": "asking", "dest": None, "before": "heed", "after": "ask"},
        {"trigger": Ruling, "source": ["idle", "over"], "dest": None},
    )

    rulings: tuple[bool, ...] = ()

    def is_over(self) -> bool:
        return len(self.rulings) == 2

    def is_asked_for(self, ruling: Ruling) -> bool:
        return ruling.number == len(self.rulings)

    def is_last(self) -> bool:
        return len(self.rulings) == 1

    def ask(self) -> None:
        self.send("person", Ask(len(self.rulings)))

    def heed(self, ruling: Ruling) -> None:
        self.rulings = (*self.rulings, ruling.goes_on)


class Ruler(Process):
    """Rules once, and says it as often as it is asked."""

    states = ("at_hand",)
    transitions = ({"trigger": Ask, "source": "at_hand", "dest": None, "after": "rule"},)

    ruled: tuple[int, bool] = (-1, False)

    def rule(self, ask: Ask) -> None:
        if ask.number > self.ruled[0]:
            self.ruled = (ask.number, self.choose("go on", "end") == "go on")
        self.send(self.sender, Ruling(ask.number, self.ruled[1]))


SYSTEM = System(processes={"asker": Asker(), "person": Ruler()})


def hosted(journal: Path, told: list[str], **given: Any) -> Host:
    return Host(SYSTEM, journal=journal, adapters={"person": Person(notify=told.append, **given)}, tell=told.append)


def running(work: Callable[[Host], Awaitable[Any]], journal: Path, told: list[str], **given: Any) -> Any:
    async def whole() -> Any:
        async with asyncio.timeout(10):
            async with hosted(journal, told, **given) as host:
                return await work(host)

    return asyncio.run(whole())


def looking(journal: Path) -> Journal:
    return open_journal(str(journal), fresh=False)


async def until(true: Callable[[], Any]) -> None:
    while not true():
        await asyncio.sleep(0.01)


async def begin(host: Host) -> None:
    await host.start("s1")
    await until(lambda: waiting_in(host.journal, "s1"))


async def go_on(host: Host) -> None:
    await until(lambda: waiting_in(host.journal, "s1"))
    await asyncio.sleep(0.05)


async def to_the_end(host: Host) -> None:
    await host.until_over("s1")


def test_a_question_waits_and_is_answered_by_its_id(tmp_path: Path) -> None:
    journal, told = tmp_path / "j.db", []

    async def work(host: Host) -> Any:
        await begin(host)
        (first,) = waiting_in(host.journal, "s1")
        asked = ("s1", "person", "asker", "Ask", {"number": 0})
        assert first == WaitingQuestion(first.id, *asked, ("go on", "end"), first.since_ms)
        with looking(journal) as other:
            answer(other, first.id, "Go on")
        await until(lambda: [one for one in waiting_in(host.journal, "s1") if one.id != first.id])
        (second,) = waiting_in(host.journal, "s1")
        answer(host.journal, second.id, "end")
        await host.until_over("s1")
        assert host.journal.wishes() == []
        return host.journal.machines("s1")["asker"].fields, host.journal.calls("s1")

    fields, calls = running(work, journal, told)
    assert fields == {"rulings": [True, False]}
    assert [call[5]["answer"] for call in calls] == ["'go on'", "end"]
    assert told == [
        f"person is asked Ask(number={number}) (go on or end): sim answer {id_} TEXT"
        for number, id_ in enumerate(question_id(call[0]) for call in calls)
    ]


def test_a_person_is_asked_once_over_restarts(tmp_path: Path) -> None:
    journal, told = tmp_path / "j.db", []
    running(begin, journal, told)
    with looking(journal) as closed:
        (before,) = waiting_in(closed, "s1")
    for _ in range(3):
        running(go_on, journal, told)
    # the asker forgets in a crash that it has asked, as in the model, and asks again in the same words
    with looking(journal) as closed:
        assert waiting_in(closed, "s1") == [before]
        assert len(closed.calls("s1")) == 4
    assert len(told) == 1

    async def work(host: Host) -> Any:
        answer(host.journal, before.id, "go on")
        await until(lambda: [one for one in waiting_in(host.journal, "s1") if one.fields == {"number": 1}])
        await asyncio.sleep(0.05)
        assert "s1" in host.running
        return waiting_in(host.journal, "s1"), host.journal.machines("s1")["asker"].fields

    waiting, fields = running(work, journal, told)
    assert [one.fields for one in waiting] == [{"number": 1}]
    assert fields == {"rulings": [True]}
    assert len(told) == 2


def test_a_person_that_is_asked_at_each_start_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.Journal, "open_call", lambda *_: None)
    with pytest.raises(AssertionError):
        test_a_person_is_asked_once_over_restarts(tmp_path)


def test_an_answer_while_no_host_runs_is_heard_by_the_next(tmp_path: Path) -> None:
    journal, told = tmp_path / "j.db", []
    running(begin, journal, told)
    with looking(journal) as closed:
        (first,) = waiting_in(closed, "s1")
        answer(closed, first.id, "go on")

    async def work(host: Host) -> Any:
        await until(lambda: [one for one in waiting_in(host.journal, "s1") if one.fields == {"number": 1}])
        assert host.journal.wishes() == []
        return host.journal.machines("s1")["asker"].fields

    assert running(work, journal, told) == {"rulings": [True]}


def test_what_is_no_answer_is_told_and_the_question_goes_on_waiting(tmp_path: Path) -> None:
    journal, told = tmp_path / "j.db", []

    async def work(host: Host) -> None:
        await begin(host)
        (first,) = waiting_in(host.journal, "s1")
        answer(host.journal, first.id, "perhaps")
        await until(lambda: len(told) > 1)
        assert waiting_in(host.journal, "s1") == [first]
        host.journal.wish("s1", "answer", mail=mail_of("999"), text="end")
        host.journal.wish("s1", "answer")
        await until(lambda: len(told) > 3)
        assert host.journal.wishes() == []

    running(work, journal, told)
    name = told[0].split()[-2]
    assert told[1:] == [
        f"session s1: question {name}: 'perhaps' is not an answer; expected go on or end; nothing comes of this answer",
        "session s1: question 999: nobody is asked that; nothing comes of this answer",
        "session s1: question None: nobody is asked that; nothing comes of this answer",
    ]


def test_a_person_may_say_it_in_words_of_their_own(tmp_path: Path) -> None:
    journal, told = tmp_path / "j.db", []

    async def work(host: Host) -> Any:
        await begin(host)
        answer(host.journal, waiting_in(host.journal, "s1")[0].id, "yes, do it")
        await until(lambda: host.journal.machines("s1")["asker"].fields["rulings"])
        (line,) = [line for line in host.journal.trace("s1") if "texts" in line.said]
        return host.journal.texts(line.said["texts"])

    assert [*running(work, journal, told, parse=Patterns({"go on": "yes", "end": "no"})).values()] == ["yes, do it"]


def test_an_id_that_is_none_or_of_nobody_is_one_line(tmp_path: Path) -> None:
    journal, told = tmp_path / "j.db", []
    running(begin, journal, told)
    with looking(journal) as closed:
        for name in ("", "x", "1.", "1.9999", "-1", "1.2.3", "1" * 99):
            with pytest.raises(ConfigError, match=r"is not the id of a question; expected one such as 12 or 12\.1"):
                answer(closed, name, "end")
        (first,) = waiting_in(closed, "s1")
        with pytest.raises(ConfigError, match=f"question 77 does not wait for an answer; expected {first.id}"):
            answer(closed, "77", "end")
    assert [mail_of(question_id(number)) for number in (1024, 1025, 7 << 10)] == [1024, 1025, 7 << 10]
