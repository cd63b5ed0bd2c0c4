"""What is judged of a program: properties of what is watched, monitors and ledgers of what is emitted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from sim import (
    Accepted,
    Applied,
    Counted,
    EffectLedger,
    InputLedger,
    Message,
    ModelError,
    Monitor,
    Program,
    Received,
    SimError,
    always,
    emit,
    eventually,
    leads_to,
    sometimes,
)
from sim.live import watching
from sim.system.properties import Property
from tests.live.small import Said, installed_once, replayed, runs, usual

once = installed_once
Main = Callable[[Any], Awaitable[object]]


class Account:
    def __init__(self) -> None:
        self.balance = 100

    async def take(self, amount: int) -> None:
        if self.balance >= amount:
            await asyncio.sleep(0)
            self.balance -= amount


async def account(world: Any) -> None:
    one = Account()
    world.watch("account", one)
    world.watch("balance", lambda: one.balance)
    await asyncio.gather(*(world.task("client", one.take(60)) for _ in range(2)))


JUDGED: dict[str, tuple[Property, tuple[str, str] | None]] = {
    "always, of an object": (
        always("no overdraft", lambda account: account.balance >= 0),
        ("no overdraft", "does not hold with account a Account"),
    ),
    "always, of a function": (
        always("no overdraft", lambda balance: balance >= 0),
        ("no overdraft", "does not hold with balance -20"),
    ),
    "always, and it holds": (always("less than before", lambda balance: balance <= 100), None),
    "eventually": (
        eventually("all is taken", lambda balance: balance == 0),
        ("all is taken", "did not hold before everything"),
    ),
    "eventually, and it holds": (eventually("some is taken", lambda balance: balance < 100), None),
    "sometimes is no finding": (sometimes("all is taken", lambda balance: balance == 0), None),
}


@pytest.mark.parametrize("name", JUDGED)
def test_a_property_is_asked_of_what_is_watched(name: str) -> None:
    prop, expected = JUDGED[name]
    found = usual(account, properties=[prop]).finding
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert found.property == expected[0]
        assert found.message.startswith(expected[1])


def test_a_property_that_is_never_asked_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching.Watching, "judge", lambda *_: None)
    prop, _ = JUDGED["always, of a function"]
    assert usual(account, properties=[prop]).finding is None


def test_what_held_sometimes_is_known_after_a_run() -> None:
    props = [sometimes("low", lambda balance: balance < 50), sometimes("empty", lambda balance: balance == 0)]
    assert usual(account, properties=props).reached == {"low": True, "empty": False}


WRONG: dict[str, tuple[Property, str]] = {
    "nobody watches it": (
        always("p", lambda acount: True),
        "always p reads acount (did you mean 'account'?), which is not a monitor, and world.watch('acount', ...) was not called "
        "by the end of the run",
    ),
    "nobody watches what is to hold": (
        eventually("p", lambda other: True),
        "eventually p reads other, which is not a monitor",
    ),
    "it fails": (
        always("p", lambda account: account.nothing),
        "always p cannot be evaluated: AttributeError: 'Account' ",
    ),
    "it is a function": (always("p", lambda account: account.take), "always p returns a function, which always holds"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_property_that_cannot_be_asked_is_told_in_one_line(name: str) -> None:
    prop, said = WRONG[name]
    with pytest.raises(ModelError) as told:
        usual(account, properties=[prop])
    (line,) = told.value.mistakes
    assert line.startswith(said)


def test_one_that_nobody_watches_goes_unnoticed_if_it_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching.Watching, "look_for_unread", lambda _: None)
    assert usual(account, properties=[WRONG["nobody watches it"][0]]).finding is None


async def watches_late(world: Any) -> None:
    client = world.task("client", asyncio.sleep(1))
    await asyncio.wait([client])
    if not client.cancelled():
        world.watch("late", lambda: 1)


def test_a_run_that_a_fault_has_led_elsewhere_need_not_watch() -> None:
    prop = always("p", lambda late: late == 1)
    assert [run.finding for run in runs(watches_late, faults="cancel:1@client", properties=[prop])] == [None] * 20
    assert replayed(watches_late, ["cancel client"], faults="cancel:1@client", properties=[prop]).finding is None


def test_what_is_watched_and_fails_is_told() -> None:
    async def main(world: Any) -> None:
        world.watch("x", broken)

    def broken() -> int:
        raise ValueError("no")

    with pytest.raises(ModelError, match="always p cannot be evaluated: ValueError: no"):
        usual(main, properties=[always("p", lambda x: x)])


# Monitors and ledgers -----------------------------------------------------------------------------------


class InOrder(Monitor):
    """Says are numbered."""

    states = ("on",)
    transitions = ({"trigger": Said, "source": "on", "dest": None, "after": "hear"},)
    last: int = 0

    def hear(self, said: Said) -> None:
        if int(said.what) != self.last + 1:
            self.violate(f"{said.what} after {self.last}")
        self.last = int(said.what)


async def count(world: Any) -> None:
    number = [0]

    async def client() -> None:
        mine = number[0] = number[0] + 1
        await asyncio.sleep(0.1)
        emit(Said(str(mine)))

    await asyncio.gather(*(world.task("client", client()) for _ in range(2)))


async def count_backwards(_: Any) -> None:
    for what in "21":
        emit(Said(what))


def test_a_monitor_hears_what_is_emitted_and_is_read_by_properties() -> None:
    monitors = {"in_order": InOrder()}
    assert usual(count, monitors=monitors).finding is None
    found = usual(count_backwards, monitors=monitors).finding
    assert found == ("in_order", "2 after 0")
    low = usual(count, monitors=monitors, properties=[always("low", lambda in_order: in_order.last < 2)])
    assert low.finding is not None
    assert low.finding.property == "low"


def test_a_monitor_that_hears_nothing_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.live.audience.Audience.hears", lambda _self, now, _emission: now)
    assert usual(count_backwards, monitors={"in_order": InOrder()}).finding is None


def test_a_monitor_that_fails_is_told_also_where_the_program_takes_it() -> None:
    async def main(_: Any) -> None:
        with suppress(Exception):
            emit(Said("no number"))

    found = usual(main, monitors={"in_order": InOrder()}).finding
    assert found is not None
    assert "in_order in state on: ValueError: invalid literal" in found.message


class Twice(EffectLedger):
    """Nothing is applied twice."""


class Ask(Message):
    key: str


def inputs() -> InputLedger:
    """Each input is accounted for once."""
    return InputLedger(process="client", types=("Ask",))


def ledger(*emissions: Any) -> Main:
    async def main(_: Any) -> None:
        for emission in emissions:
            emit(emission)

    return main


@pytest.mark.parametrize(
    ("made", "main", "found"),
    [
        (Twice, ledger(Accepted("a"), Applied("a")), None),
        (Twice, ledger(Accepted("a"), Applied("a"), Applied("a")), "ledger"),
        (Twice, ledger(Accepted("a")), "ledger"),
        (inputs, ledger(Received("client", Ask("a")), Counted("a")), None),
        (inputs, ledger(Received("client", Ask("a"))), "ledger"),
        (inputs, ledger(Received("client", Ask("a")), Counted("a"), Counted("a")), "ledger"),
    ],
)
def test_a_ledger_hears_as_from_a_model(made: Any, main: Main, found: str | None) -> None:
    run = usual(main, monitors={"ledger": made()})
    assert (run.finding.property if run.finding else None) == found


# What is refused before anything runs -------------------------------------------------------------------


async def takes_none() -> None: ...


async def takes_two(world: Any, other: Any) -> None: ...


def plain(world: Any) -> None: ...


class Callable_:
    async def __call__(self, world: Any) -> None:
        emit(Said("called"))

    async def method(self, world: Any) -> None:
        emit(Said("called"))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"main": takes_none}, "Program: main is takes_none(); write async def main(world): ..."),
        ({"main": takes_two}, "Program: main is takes_two(world, other); write async def"),
        ({"main": plain}, "Program: main is plain(world); write async def main(world): ..."),
        ({"main": lambda world: count(world)}, "Program: main is "),
        ({"main": None}, "Program: main is a NoneType; write async def"),
        ({"main": count, "order": "lifo"}, "Program: unknown order 'lifo'"),
        ({"main": count, "faults": "cancel"}, "fault 'cancel' is malformed"),
        ({"main": count, "faults": "pause:1(5s)"}, "unknown kind of fault that strikes a program 'pause'"),
        ({"main": count, "monitor": {}}, "unknown part 'monitor' (did you mean 'monitors'?)"),
        (
            {"main": count, "properties": [leads_to("p", lambda x: x, lambda x: x)]},
            "a program has properties of the kinds",
        ),
        ({"main": count, "properties": [always("deadlock", lambda x: x)]}, "'deadlock' is judged in every program"),
    ],
)
def test_a_program_that_makes_no_sense_is_told_at_once(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(SimError) as told:
        Program(**parts)
    assert said in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("main", [Callable_(), Callable_().method])
def test_main_may_be_anything_that_is_called_as_a_coroutine(main: Main) -> None:
    assert usual(main).trace.emitted() == {"Said": 1}
