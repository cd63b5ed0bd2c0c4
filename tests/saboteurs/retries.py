"""Planted faults of asking again."""

from __future__ import annotations

from dataclasses import replace

from models.consensus.coordinator import Coordinator
from sim.consensus.retry import RetryPolicy
from tests.saboteurs.planted import Saboteur


class WaitsBeyondTheBudget(Coordinator):
    """Asks again whatever the attempts have taken already."""

    def policy(self) -> RetryPolicy:
        return replace(super().policy(), waits_past_budget=True)


class AttemptsLostInCrash(Coordinator):
    """That it has asked again does not survive a crash."""

    def on_restart(self) -> None:
        self.journal = replace(self.journal, attempts=tuple(min(attempt, 1) for attempt in self.journal.attempts))


class NeverComesBack(Coordinator):
    """Forgets to ask again when the wait is over."""

    def come_back(self) -> None:
        pass


RETRIES = (
    Saboteur(
        "a wait beyond the budget",
        WaitsBeyondTheBudget,
        "no wait beyond the budget",
        "none",
        {"retries": 1, "budget_ms": 30_000},
    ),
    Saboteur(
        "attempts lost in a crash",
        AttemptsLostInCrash,
        "first_usable",
        "crash:1@coordinator",
        {"retries": 1},
        schedules=500,
    ),
    Saboteur("an agent that is never asked again", NeverComesBack, "stuck", "disconnect:1", {"retries": 1}),
)
