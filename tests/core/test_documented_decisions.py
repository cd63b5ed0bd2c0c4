"""The decisions of docs/semantics.md, each where it can be seen: what is enabled, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from sim import (
    DEFER,
    AgentTimeout,
    Crashed,
    Emission,
    Message,
    Monitor,
    Process,
    Received,
    Restarted,
    System,
    always,
    check,
    cut,
    within,
)
from tests.walk import Walk


class Ping(Message):
    n: int


class Noted(Emission):
    pass


class Source(Process):
    states = ("idle",)
    numbers: tuple[int, ...] = (1,)

    def on_start(self) -> None:
        for n in self.numbers:
            self.send("b", Ping(n))


class Taker(Process):
    states = ("open",)
    transitions = (
        {"trigger": Ping, "source": "open", "dest": None, "after": "note"},
        {"trigger": AgentTimeout, "source": "open", "dest": None, "after": "note"},
    )

    def note(self) -> None:
        self.emit(Noted())

    def on_restart(self) -> None:
        self.emit(Noted())


class Ear(Monitor):
    states = ("listening",)
    transitions = tuple(
        {"trigger": kind, "source": "listening", "dest": None, "after": "hear"}
        for kind in (Received, Noted, Crashed, Restarted)
    )

    heard: tuple[str, ...] = ()

    def hear(self, emission: Emission) -> None:
        self.heard += (type(emission).__name__,)


def pair(faults: str = "", network: str = "any", numbers: tuple[int, ...] = (1,)) -> System:
    return System(
        {"a": Source(numbers=numbers), "b": Taker()},
        network=network,
        monitors={"ear": Ear()},
        faults=faults,
        carriers={AgentTimeout: (Ping,)},
        cuts={"wire": cut({"a"})},
    )


def test_monitors_hear_the_framework_around_what_the_handler_emits() -> None:
    walk = Walk(pair("crash:1@b")).take("deliver a->b Ping(n=1) crashing after Noted", "restart b")
    assert walk.view("ear").heard == ("Received", "Noted", "Crashed", "Restarted", "Noted")
    cut_off = Walk(pair("crash:1@b")).take("deliver a->b Ping(n=1) crashing at once")
    assert cut_off.view("ear").heard == ("Received", "Crashed")
    assert cut_off.flying() == []  # used up all the same


def test_a_delivery_under_a_fault_is_not_received_and_a_timed_out_message_comes_later() -> None:
    walk = Walk(pair("agent_timeout:1")).take("deliver a->b Ping(n=1) under agent_timeout")
    assert walk.view("ear").heard == ("Noted",)
    assert walk.flying() == ["a->b Ping(n=1)"]


def test_what_is_held_by_a_cut_or_waits_for_a_restart_can_be_lost_and_doubled() -> None:
    faults = "drop:1, duplicate:1, cut:1, crash:1"
    lost = ["drop a->b Ping(n=1)", "duplicate a->b Ping(n=1)"]
    assert [a for a in Walk(pair(faults)).take("cut wire").enabled() if "Ping" in a] == lost
    assert [a for a in Walk(pair(faults)).take("crash b").enabled() if "Ping" in a] == lost


def test_reorder_delivers_whatever_differs_from_the_head() -> None:
    enabled = Walk(pair("reorder:1, drop:1", "fifo", (1, 2, 3, 1))).enabled()
    assert enabled == [
        "deliver a->b Ping(n=1)",
        "deliver a->b Ping(n=2) reordered",
        "deliver a->b Ping(n=3) reordered",
        "drop a->b Ping(n=1)",
        "drop a->b Ping(n=2)",
        "drop a->b Ping(n=3)",
    ]


def test_a_duplicate_joins_the_tail() -> None:
    walk = Walk(pair("duplicate:1", "fifo", (1, 2))).take("duplicate a->b Ping(n=1)")
    assert walk.flying() == ["a->b Ping(n=1)", "a->b Ping(n=2)", "a->b Ping(n=1)"]


def test_of_two_entries_the_one_with_a_target_is_drawn_on_first() -> None:
    walk = Walk(pair("crash:1, crash:1@b")).take("crash b")
    assert {str(entry): left for entry, left in walk.graph.budget_left(walk.state)} == {"crash:1": 1, "crash:1@b": 0}


class Chooser(Process):
    states = ("up",)

    def on_start(self) -> None:
        self.choose(1, 2)
        self.choose(3, 3)
        self.choose("alone")


def test_ways_to_begin_that_come_to_one_state_are_one_and_a_single_outcome_is_no_choice() -> None:
    result = check(System({"c": Chooser()}))
    assert (result.states, result.generated, result.depth) == (1, 1, 1)
    assert [str(start.address) for start in Walk(System({"c": Chooser()})).graph.starts()] == [
        "start choosing 1",
        "start choosing 2",
    ]


class Rearming(Process):
    """Its timer waits for ever; it arms it again for longer each time."""

    states = ("up",)
    must = ("go",)
    timers = ("wait",)
    transitions = (
        {"trigger": "wait", "source": "up", "dest": DEFER},
        {"trigger": "go", "source": "up", "dest": None, "after": "arm_longer"},
    )

    def on_start(self) -> None:
        self.arm("wait", 5)

    def arm_longer(self) -> None:
        self.arm("wait", 5_000)


def test_timers_are_part_of_the_state_by_name_only() -> None:
    """And what leaves the state as it is counts as generated, but not against quiescence."""
    result = check(System({"t": Rearming()}))
    assert (result.states, result.generated, result.verdict) == (1, 2, "ok")
    walk = Walk(System({"t": Rearming()}))
    assert walk.enabled() == ["move t.go"]
    assert walk.graph.quiescent(walk.state)


class Writer(Process):
    states = ("up", "over")
    must = ("go",)
    durable = ("kept", "also")
    transitions = ({"trigger": "go", "source": "up", "dest": "over", "after": "write"},)

    kept: int = 0
    also: int = 0
    lost: int = 0

    def write(self) -> None:
        self.kept = 0  # the value it has: no output
        self.kept = 1
        self.lost = 1
        self.emit(Noted(), also=1)


def test_a_window_behind_each_output_and_none_behind_what_is_no_output() -> None:
    walk = Walk(System({"w": Writer()}, faults="crash:1"))
    assert walk.enabled() == [
        "crash w",
        "move w.go",
        "move w.go crashing after Noted",
        "move w.go crashing after writing kept",
        "move w.go crashing at once",
    ]
    walk.take("move w.go crashing after writing kept", "restart w")
    assert walk.view("w").fields() == {"kept": 1, "also": 0, "lost": 0}
    assert walk.view("w").state == "up"  # the initial state, not the one before


def test_what_lies_outside_a_bound_is_judged_and_not_expanded() -> None:
    bound = within("nothing is heard", lambda ear: not ear.heard)
    result = check(pair(numbers=(1, 2)).with_(within=bound))
    assert (result.states, result.generated, result.outside) == (3, 3, 2)
    seen = always("nothing is ever heard", lambda ear: len(ear.heard) < 1)
    assert check(pair(numbers=(1, 2)).with_(within=bound, properties=(seen,))).verdict == "violated"


class Patient(Process):
    states = ("waiting", "late", "told")
    durable = ("noted",)
    transitions = (
        {"trigger": Ping, "source": "*", "dest": "told"},
        {"trigger": AgentTimeout, "source": "waiting", "dest": "late", "after": "note"},
    )
    noted: bool = False

    def on_start(self) -> None:
        self.send("p", Ping(1))

    def note(self) -> None:
        self.noted = True


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_a_crash_in_a_handler_under_a_fault_is_named_by_the_message_and_leaves_what_the_fault_leaves(
    engine: Any,
) -> None:
    faults = "agent_timeout:1, crash:1 after Ping"
    system = System({"p": Patient()}, faults=faults, carriers={AgentTimeout: (Ping,)})
    walk = Walk(system)
    crashes = [address for address in walk.enabled() if "crashing" in address]
    assert crashes == [
        "deliver p->p Ping(n=1) crashing at once",
        "deliver p->p Ping(n=1) under agent_timeout crashing after writing noted",
    ]
    walk.take(crashes[1])
    assert walk.enabled() == ["restart p"]
    walk.take("restart p")
    assert walk.view("p").noted
    assert "deliver p->p Ping(n=1)" in walk.enabled()  # it is late, not lost
    assert check(system, engine=engine).verdict == "ok"
    assert check(system.with_(faults="agent_timeout:1, crash:1 after AgentTimeout")).states == 4
