"""The stateful test of exactly-once: the consensus model under rules that dispatch, answer, duplicate, reorder,
drop, time out, retry, crash, restart, acknowledge and stop, against a ledger of what can be seen from outside.

It runs in two profiles: a quick one in `make test`, 2,000 examples in `make soak`. That it can fail is shown
by `tests/saboteurs`: each planted fault of the model is caught by the same machine.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from models.consensus.messages import Ask, Decision, Response, StopAck
from sim import Accepted, Action, Counted, PropertyViolation, Replay, simulate
from tests.exactly_once.ledger import Broken, Ledger
from tests.exactly_once.machine import machine
from tests.saboteurs.consensus import SABOTEURS, wide

PROFILES = [pytest.param(150, id="quick"), pytest.param(2_000, id="thorough", marks=pytest.mark.soak)]
RULES = {
    *("dispatch", "answer", "persist", "acknowledge", "stop", "turn_up", "reorder", "duplicate", "drop"),
    *("under_agent_timeout", "retry", "crash", "restart"),
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
    assert {"stopped", "0 decisions", "1 decisions", "2 decisions"} >= set(ended) >= {"stopped", "2 decisions"}


def test_a_failure_tells_the_shortest_way_there_and_replays() -> None:
    """The run id missing from the key of an artifact: the store confirms what it does not hold."""
    saboteur = next(s for s in SABOTEURS if s.name == "run id missing from the key of an artifact")
    with pytest.raises(PropertyViolation) as caught:
        run_state_machine_as_test(machine(saboteur.small()), settings=profile(300))
    run = caught.value.run
    assert run.steps == 5  # boot, Ask, Response, Store, Stored: the decision is shown, and nothing holds it
    assert run.trace.struck() == {}
    again = simulate(run.trace.graph, Replay(run.trace.schedule()))
    assert again.trace.schedule() == run.trace.schedule()
    assert "replay it with" in str(caught.value)


def test_the_ledger_sees_the_end_of_a_run_that_the_model_calls_over() -> None:
    """A ledger that was told of an acceptance, and of nothing else, says what is owed."""
    ledger = Ledger("run-1", ("gemini",), rounds=1, retries=0, held=(), done=0)
    ledger.emitted(Accepted(("run-1", 1)), None)
    with pytest.raises(Broken, match="neither applied nor cancelled"):
        ledger.rest()


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (lambda ledger: ledger.emitted(Counted(("run-1", 1, "gemini")), ANSWER), "was not the last"),
        (lambda ledger: ledger.sent("coordinator", "consumer", Decision("run-1", 1, "ok")), "before the store held it"),
        (lambda ledger: ledger.sent("coordinator", "gemini", Ask("run-1", 2, 1)), "in vain"),
        (lambda ledger: ledger.sent("coordinator", "gemini", Ask("run-1", 1, 2)), "more than 1 times"),
        (lambda ledger: ledger.sent("coordinator", "user", StopAck("run-1")), "before it was carried out"),
        (lambda ledger: ledger.settle(ANSWER, [], crashes=False), "settled"),
        (lambda ledger: ledger.settle(None, [Counted(("run-1", 1, "gemini"))], crashes=False), "settled"),
        (lambda ledger: ledger.keep(frozenset({("run-1", 1)}), []), "says it applied"),
        (lambda ledger: ledger.keep(frozenset({("run-1", 1)}), [1]), "nobody decided"),
        (lambda ledger: ledger.rest(), "0 of 1 rounds are closed"),
    ],
)
def test_the_ledger_refuses_what_must_not_be_seen(what: object, why: str) -> None:
    ledger = Ledger("run-1", ("gemini",), rounds=1, retries=0, held=(), done=0)
    assert callable(what)
    with pytest.raises(Broken, match=why):
        what(ledger)


ANSWER = Response("run-1", 1, "gemini", 1, "ok")
