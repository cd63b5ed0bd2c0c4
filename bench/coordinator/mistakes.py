"""Mistakes that coordinators make, each planted in one method."""

from __future__ import annotations

from dataclasses import replace

from bench.coordinator.coordinator import POLICY, Coordinator
from sim.consensus import AckDecision, Failure, Key, RetryDecision, RetryState, Taken


class ForgetsLate(Coordinator):
    """An answer to an attempt before the last one is thrown away, though its agent has not been heard."""

    def take(self, agent: str, key: Key, attempt: int, answer: str) -> None:
        if key == self.round.key and attempt < self.round.attempts(agent):
            self.me.emitted("Rejected", {"key": self.answer_key(agent, key), "reason": "stale"})
        else:
            super().take(agent, key, attempt, answer)


class CountsTwice(Coordinator):
    """The answers to both attempts of an agent are counted."""

    def take(self, agent: str, key: Key, attempt: int, answer: str) -> None:
        _, taken = self.round.take(self.name, key, agent, attempt, answer)
        if taken is Taken.DUPLICATE and not self.round.decided:
            self.me.emitted("Counted", {"key": self.answer_key(agent, key)})
        else:
            super().take(agent, key, attempt, answer)


class DoesNotWait(Coordinator):
    """The next question is asked when a decision is presented, not when it is acknowledged."""

    def present(self) -> None:
        super().present()
        self.sequence.acknowledge(AckDecision(self.name, self.sequence.decision_seq))
        self.go_on()


class StoresTwice(Coordinator):
    """The timer by which a store request is repeated goes on when it is confirmed, and repeats it."""

    def resend(self) -> None:
        if self.state == "gated":
            self.state = "storing"
        super().resend()


class AsksForever(Coordinator):
    """No number of attempts is enough."""

    def after(self, agent: str, failure: Failure) -> RetryDecision:
        return replace(POLICY, attempts_max=None).decide(
            RetryState(self.round.attempts(agent), self.spent.get(agent, 0)), failure
        )


MISTAKES: dict[str, type[Coordinator]] = {
    "forgets_late": ForgetsLate,
    "counts_twice": CountsTwice,
    "does_not_wait": DoesNotWait,
    "stores_twice": StoresTwice,
    "asks_forever": AsksForever,
}
