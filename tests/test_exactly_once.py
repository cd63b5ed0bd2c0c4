"""The stateful test of exactly-once: the consensus model under rules that dispatch, answer, duplicate, reorder,
drop, time out, retry, crash, restart, acknowledge and stop, against a ledger of what can be seen from outside.

It runs in two profiles: a quick one in `make test`, 2,000 examples in `make soak`. That it can fail is shown
by `tests/saboteurs`: each planted fault of the model is caught by the same machine.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from models.consensus.journal import Stage
from models.consensus.messages import (
    Acknowledged,
    Ask,
    Cancel,
    Decision,
    Dropped,
    Response,
    StopAck,
    Stopped,
    Stopping,
    Stored,
    Turn,
    Update,
)
from sim import Accepted, Action, Counted, PropertyViolation, Rejected, Replay, simulate
from tests.exactly_once.beside import Broken, Countdowns, Updates
from tests.exactly_once.ledger import Ledger
from tests.exactly_once.machine import machine
from tests.saboteurs.consensus import SABOTEURS
from tests.saboteurs.planted import wide

PROFILES = [pytest.param(150, id="quick"), pytest.param(2_000, id="thorough", marks=pytest.mark.soak)]
RULES = {
    *("dispatch", "answer", "persist", "acknowledge", "stop", "turn_up", "reorder", "duplicate", "drop"),
    *("under_agent_timeout", "under_disconnect", "retry", "crash", "restart", "update", "count_down"),
}


def profile(examples: int) -> settings:
    return settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow],
    )


@pytest.mark.parametrize("examples", PROFILES)
def test_every_input_and_every_effect_of_a_consensus_run_counts_exactly_once(examples: int) -> None:
    taken: Counter[str] = Counter()
    ended: Counter[str] = Counter()

    class Noting(machine(wide())):  # type: ignore[misc]
        def take(self, action: Action) -> None:
            taken[self.family(action)] += 1
            super().take(action)

        def at_rest(self) -> None:
            super().at_rest()
            ended["stopped" if self.ledger.stopped else f"{len(self.ledger.accepted)} decisions"] += 1

    run_state_machine_as_test(Noting, settings=profile(examples))
    assert set(taken) == RULES, "a rule that is never taken tests nothing"
    assert {"stopped", *(f"{n} decisions" for n in range(5))} >= set(ended) >= {"stopped", "4 decisions"}


def test_a_failure_tells_the_shortest_way_there_and_replays() -> None:
    """The run id missing from the key of an artifact: the store confirms what it does not hold."""
    saboteur = next(s for s in SABOTEURS if s.name == "run id missing from the key of an artifact")
    with pytest.raises(PropertyViolation) as caught:
        run_state_machine_as_test(machine(saboteur.small()), settings=profile(300))
    run = caught.value.run
    assert run.steps == 5  # boot, Ask, Response, Store, Stored: the decision is shown, and nothing holds it
    assert run.trace.struck() == {}
    again = simulate(run.trace.world, Replay(run.trace.schedule()))
    assert again.trace.schedule() == run.trace.schedule()
    assert "replay it with" in str(caught.value)


def test_the_ledger_sees_the_end_of_a_run_that_the_model_calls_over() -> None:
    """A ledger that was told of an acceptance, and of nothing else, says what is owed."""
    ledger = one()
    ledger.emitted(Accepted(("run-1", 1, "validate")), None)
    with pytest.raises(Broken, match="neither applied nor cancelled"):
        ledger.rest()


def test_a_request_that_was_written_down_is_owed_whatever_becomes_of_its_handler() -> None:
    for emissions in ((), (Stopping("run-1"),)):
        ledger = one()
        ledger.accept((1, "validate"))
        for emission in emissions:
            ledger.emitted(emission, Cancel("run-1"))
        if emissions:
            ledger.emitted(Stopped("run-1"), Stored("run-1", 1))
        else:
            with pytest.raises(Broken, match="nobody asked for it"):
                ledger.emitted(Stopped("run-1"), Stored("run-1", 1))


KEY = ("run-1", 1, "validate", "gemini")


def one() -> Ledger:
    """One agent, one stage, one round."""
    return Ledger("run-1", (Stage("validate", ("gemini",)),), rounds=1, retries=0, held=(), done=0)


def asked(ledger: Ledger) -> Ledger:
    """The same, its agent having been asked."""
    ledger.sent("coordinator", "gemini", Ask("run-1", 1, "validate", 1))
    return ledger


def in_turn() -> Ledger:
    """A sequential stage of two, of which the second was asked."""
    ledger = Ledger("run-1", (Stage("plan", ("gemini", "claude"), "sequential"),), rounds=1, retries=0, held=(), done=0)
    ledger.sent("coordinator", "gemini", Ask("run-1", 1, "plan", 1))
    ledger.sent("coordinator", "claude", Ask("run-1", 1, "plan", 1))
    return ledger


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (lambda ledger: ledger.emitted(Counted(KEY), ANSWER), "was never made"),
        (lambda ledger: asked(ledger).emitted(Counted(KEY), replace(ANSWER, answer="empty")), "says nothing"),
        (lambda ledger: asked(ledger).emitted(Rejected(KEY, "late"), ANSWER), "gemini has not been heard"),
        (lambda ledger: ledger.sent("coordinator", "consumer", Decision("run-1", 1, "ok")), "before the store held it"),
        (lambda ledger: ledger.sent("coordinator", "gemini", Ask("run-1", 2, "validate", 1)), "in vain"),
        (lambda ledger: ledger.sent("coordinator", "gemini", Ask("run-1", 1, "validate", 2)), "more than 1 times"),
        (lambda ledger: ledger.sent("coordinator", "user", StopAck("run-1")), "before it was carried out"),
        (lambda ledger: ledger.settle(ANSWER, [], crashes=False), "settled"),
        (lambda ledger: ledger.settle(None, [Counted(KEY)], crashes=False), "settled"),
        (lambda ledger: ledger.keep(frozenset({("run-1", 1)}), []), "says it applied"),
        (lambda ledger: ledger.keep(frozenset({("run-1", 1)}), [(1, "validate")]), "nobody decided"),
        (lambda ledger: ledger.rest(), "0 of 1 stages are closed"),
        (lambda ledger: in_turn().sent("coordinator", "gemini", Ask("run-1", 1, "plan", 2)), "more than 1 times"),
        (lambda ledger: in_turn().take_turn((1, "plan"), "gemini"), "has had its turn"),
        (lambda ledger: in_turn().in_turn([Ask("run-1", 1, "plan", 1)] * 2), "were asked at once"),
        (lambda ledger: Updates(1).emitted(Turn(1), None), "queued"),
        (lambda ledger: queue(1, 2).step(), "2 updates are queued, 1 may be"),
        (lambda ledger: queue(1, 2).emitted(Turn(1), None), "queued"),
        (lambda ledger: queue(1, 2).emitted(Dropped(2, "the queue is full"), None), "are kept"),
        (lambda ledger: queue(1).rest(), "neither used nor dropped"),
        (lambda ledger: queue(2, 1), "was queued after 2"),
        (lambda ledger: Countdowns(True).emitted(Acknowledged("run-1", 1)), "had run out"),
    ],
)
def test_the_ledger_refuses_what_must_not_be_seen(what: object, why: str) -> None:
    ledger = one()
    assert callable(what)
    with pytest.raises(Broken, match=why):
        what(ledger)


ANSWER = Response("run-1", 1, "validate", "gemini", 1, "ok")


def queue(*numbers: int) -> Updates:
    """Updates with these queued, of which one may be."""
    updates = Updates(1)
    for number in numbers:
        updates.emitted(Counted(("update", "run-1", number)), Update("run-1", number))
    return updates
