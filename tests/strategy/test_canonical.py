"""The canonical strategy also follows what is not canonical, and says what would be next."""

from __future__ import annotations

from sim import Graph, Message, Process, System
from sim.graph.action import Action
from sim.strategy import Canonical
from sim.strategy.canonical import usual_length
from tests.fuzzed import SOUND


class Beep(Message):
    pass


class Clock(Process):
    """Two timers; the long one sends a message."""

    states = ("on",)
    timers = ("long", "short")
    transitions = (
        {"trigger": "long", "source": "on", "dest": None, "after": "beep"},
        {"trigger": "short", "source": "on", "dest": None},
        {"trigger": Beep, "source": "on", "dest": None},
    )

    def on_start(self) -> None:
        self.arm("long", 30_000)
        self.arm("short", 5_000)

    def beep(self) -> None:
        self.send(self.name, Beep())


def due(usual: Canonical, graph: Graph, state: object) -> list[str]:
    return [str(ways[0].address) for ways in usual.due(state)]  # type: ignore[arg-type]


def test_a_timer_that_fires_early_does_not_hurry_the_others() -> None:
    graph = Graph(System(processes={"clock": Clock()}))
    usual = Canonical()
    state = usual.begin(graph).place
    assert due(usual, graph, state) == ["fire clock.short", "fire clock.long"]
    long: Action = usual.due(state)[1][0]
    after = graph.apply(state, long)
    usual.follow(state, long, after)
    state = after
    assert due(usual, graph, state) == ["deliver clock->clock Beep", "fire clock.short"]


def test_following_what_is_due_first_is_the_canonical_schedule() -> None:
    for name in ("consensus", "paxos", "two_phase_commit", "factory", "relay"):
        graph = Graph(SOUND[name]())
        usual, follower = Canonical(), Canonical()
        state = usual.begin(graph).place
        follower.begin(graph)
        steps = 0
        while (action := usual.pick(state)) is not None:
            assert follower.due(state)[0][0] is action, (name, steps)
            after = graph.apply(state, action)
            follower.follow(state, action, after)
            usual.took(action, after)
            state = after
            steps += 1
        assert follower.due(state) == []
        assert usual_length(graph) == steps
