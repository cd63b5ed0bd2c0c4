"""`self.write(...)`: several fields, and what is sent with them, in one instant."""

from __future__ import annotations

from typing import Any

import pytest

from sim import Message, ModelError, Process, Replay, System, TableError, always, check, simulate
from sim.graph import tabulation
from sim.machine.outputs import Together, Write
from sim.world.address import parse_address
from tests.core.test_graph_reference import difference
from tests.walk import Walk


class Sent(Message):
    n: int


class Ledger(Process):
    """Takes an order into its books and its outbox, at once or one after the other."""

    states = ("idle", "done")
    must = ("take",)
    durable = ("booked", "outbox")
    transitions = ({"trigger": "take", "source": "idle", "dest": "done", "unless": "is_booked", "after": "book"},)

    at_once: bool = True
    booked: bool = False
    outbox: int = 0

    def is_booked(self) -> bool:
        return self.booked

    def book(self) -> None:
        if self.at_once:
            self.write(booked=True, outbox=1, then=[("shop", Sent(1)), ("shop", Sent(2))])
        else:
            self.booked = True
            self.outbox = 1
            self.send("shop", Sent(1))
            self.send("shop", Sent(2))


class Shop(Process):
    states = ("open",)
    transitions = ({"trigger": Sent, "source": "open", "dest": None, "after": "hear"},)
    heard: frozenset[int] = frozenset()

    def hear(self, sent: Sent) -> None:
        self.heard |= {sent.n}


def system(faults: str = "crash:1@ledger", **fields: Any) -> System:
    both = always("booked with its outbox", lambda ledger: ledger.booked is (ledger.outbox == 1))
    return System({"ledger": Ledger(**fields), "shop": Shop()}, faults=faults, properties=(both,))


def test_there_is_no_window_between_what_is_written_together() -> None:
    assert Walk(system()).enabled() == [
        "crash ledger",
        "move ledger.take",
        "move ledger.take crashing after writing booked, outbox and sending Sent, Sent",
        "move ledger.take crashing at once",
    ]
    assert check(system()).verdict == "ok"


def test_one_after_the_other_there_is_one_and_it_is_found() -> None:
    result = check(system(at_once=False))
    assert result.finding is not None
    assert result.finding.property == "booked with its outbox"
    assert [str(action.address) for action in result.path] == ["move ledger.take crashing after writing booked"]


def test_what_is_sent_is_sent_before_the_crash_after_it() -> None:
    address = "move ledger.take crashing after writing booked, outbox and sending Sent, Sent"
    assert str(parse_address(address)) == address
    run = simulate(system(), Replay([address, "restart ledger", "deliver ledger->shop Sent(n=2)"]))
    assert run.finding is None
    assert run.trace.world.view(run.place, "ledger").outbox == 1
    assert run.trace.world.view(run.place, "shop").heard == {2}


@pytest.mark.parametrize("name", ["booked", "outbox", "Sent"])
def test_an_entry_may_name_any_part_of_it(name: str) -> None:
    assert len([a for a in Walk(system(f"crash:1@ledger after {name}")).enabled() if "crashing" in a]) == 1


def test_it_agrees_with_the_reference() -> None:
    assert difference(system("crash:2")) is None
    assert difference(system("crash:1 after Sent, drop:1", at_once=False)) is None


def test_a_crash_that_loses_what_was_written_together_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(output: Any) -> tuple[Write, ...]:
        return () if isinstance(output, Together) else (output,) if isinstance(output, Write) else ()

    monkeypatch.setattr(tabulation, "writes_of", forgetful)
    assert difference(system("crash:2")) is not None


class Careless(Process):
    states = ("idle",)
    must = ("go",)
    durable = ("kept",)
    transitions = ({"trigger": "go", "source": "idle", "dest": None, "after": "act"},)
    what: str
    kept: int = 0
    lost: int = 0

    def act(self) -> None:
        if self.what == "lost":
            self.write(lost=1)
        elif self.what == "pair":
            self.write(kept=1, then=[Sent(1)])  # type: ignore[list-item]
        elif self.what == "type":
            self.write(kept="one")
        elif self.what == "same":
            self.write(kept=0)
        else:
            self.write(kept=1)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("lost", "Careless 'p' in state 'idle' writes: unknown durable field 'lost'"),
        ("pair", "pass pairs, then=[(target, message)]"),
        ("type", "kept is 'one' (str); expected int"),
    ],
)
def test_a_mistake_is_told(what: str, told: str) -> None:
    with pytest.raises(ModelError) as error:
        check(System({"p": Careless(what=what)}))
    assert told in str(error.value)


def test_one_field_is_an_ordinary_write_and_none_is_no_output() -> None:
    assert len(Walk(System({"p": Careless(what="one")}, faults="crash:1")).enabled()) == 4
    assert len(Walk(System({"p": Careless(what="same")}, faults="crash:1")).enabled()) == 3
    walk = Walk(System({"p": Careless(what="one")}))
    (action,) = walk.graph.actions(walk.state)
    assert action.all_outputs == (Write("kept", 1),)


def test_a_write_of_its_own_gives_way_and_a_missing_one_is_told() -> None:
    class Own(Process):
        states = ("idle",)
        must = ("go",)
        transitions = ({"trigger": "go", "source": "idle", "dest": None, "after": "write"},)
        n: int = 0

        def write(self) -> None:  # type: ignore[override]
            self.n = 1

    assert check(System({"p": Own()})).states == 2

    class Lacking(Process):
        states = ("idle",)
        must = ("go",)
        transitions = ({"trigger": "go", "source": "idle", "dest": None, "after": "write"},)

    with pytest.raises(TableError, match="after: unknown method 'write'"):
        Lacking()
