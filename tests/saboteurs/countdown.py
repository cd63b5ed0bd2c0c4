"""Planted faults of countdowns and of the clock."""

from __future__ import annotations

from models.consensus.consumer import Consumer
from models.consensus.countdown import Clock
from models.consensus.messages import Countdown, Decision, Tick
from sim import IGNORE
from tests.saboteurs.planted import GATE, Saboteur, changed


class TicksByIdAlone(Consumer):
    """Knows a tick by the id of its countdown: whose, it does not look."""

    def is_ours(self, tick: Tick) -> bool:
        return self.waiting is not None and tick.id == self.countdowns


class AnyTickEnds(Consumer):
    """Takes any tick of its countdown for the last one."""

    def is_over(self, tick: Tick) -> bool:
        return True


class CountdownIdLost(Consumer):
    """The ids of countdowns begin again after a crash."""

    def on_restart(self) -> None:
        self.countdowns = 0


class AcknowledgesAtTheStart(Consumer):
    """Acknowledges a decision when its countdown begins."""

    def count_down(self, decision: Decision) -> None:
        super().count_down(decision)
        self.acknowledge(decision)


class ForgetsToCountAgain(Consumer):
    """A decision that waits for its countdown does not survive a crash."""

    def was_waiting(self) -> bool:
        return False


class NeverOrdersAgain(Consumer):
    """Takes no notice of a countdown that is overdue."""

    def order_again(self) -> None:
        pass


class UsesUpTheOrder(Clock):
    """Reads an order that is repeated while it counts, so that nothing is left that has the last tick repeated."""

    transitions = changed(Clock, Countdown, "counting", dest=IGNORE, conditions="is_repeated")


class UsesUpTheDecision(Consumer):
    """Reads a decision that is repeated while it counts, so that nothing is left that has it acknowledged again."""

    transitions = changed(Consumer, Decision, "counting", dest=IGNORE, conditions="is_new")


COUNTDOWN = (
    Saboteur("a tick known by its id alone", TicksByIdAlone, "runs_out", "none", {"countdown": 1, "former": ("Tick",)}),
    Saboteur("any tick taken for the last", AnyTickEnds, "runs_out", "none", {"countdown": 2}),
    Saboteur(
        "countdown ids lost in a crash",
        CountdownIdLost,
        "runs_out",
        "crash:1@consumer",
        {"countdown": 1, "resends": 1},
        schedules=80,
    ),
    Saboteur("acknowledged when a countdown begins", AcknowledgesAtTheStart, GATE, "none", {"countdown": 1}),
    Saboteur(
        "a countdown not taken up again",
        ForgetsToCountAgain,
        "stuck",
        "crash:1@consumer",
        {"countdown": 1, "resends": 1},
        schedules=80,
    ),
    Saboteur(
        "a lost order for a countdown never repeated",
        NeverOrdersAgain,
        "stuck",
        "drop:1@Countdown",
        {"countdown": 1, "resends": 1},
    ),
    Saboteur("a repeated order used up", UsesUpTheOrder, "stuck", "drop:1@Tick", {"countdown": 1, "resends": 1}),
    Saboteur(
        "a repeated decision used up",
        UsesUpTheDecision,
        "stuck",
        "drop:1@AckDecision",
        {"countdown": 1, "resends": 1},
        schedules=50,
    ),
)
