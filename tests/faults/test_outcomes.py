"""Kind x count x retry policy, and kind x count in the machine: each outcome is the one docs/faults.md states."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from models import consensus
from models.consensus.failures import ERROR_KINDS, failure_of
from models.consensus.messages import Decided
from models.consensus.references.policies import FORK, UPSTREAM
from sim import VirtualTime, simulate
from sim.consensus.retry import OURS, Fail, RetryPolicy
from sim.faults import InjectedFault, faults_left, next_fault, open_gate
from sim.machine.outputs import Emit

PAGE = (Path(__file__).parents[2] / "docs/faults.md").read_text()
POLICIES = {"ours": OURS, "fork": FORK, "upstream": UPSTREAM}
LIMIT = 3
COUNTS = (0, 1, LIMIT - 1, LIMIT, LIMIT + 1)


def stated(name: str) -> list[list[str]]:
    """The rows of the table behind `<!-- name -->`, without its head."""
    table = re.search(rf"<!-- {name} -->\n((?:\|.*\n)+)", PAGE)
    assert table is not None
    return [[cell.strip(" `") for cell in line.strip("|\n").split("|")] for line in table[1].splitlines()[2:]]


CELLS = [
    (kind, policy, n, said) for kind, policy, *row in stated("outcomes") for n, said in zip(COUNTS, row, strict=True)
]
MACHINE = [(kind, n, said) for kind, *row in stated("machine") for n, said in zip(COUNTS, row, strict=True)]


def planned(kind: str, count: int) -> str:
    return f"{kind}:{count}" if count else "none"


def called(policy: RetryPolicy, plan: str) -> str:
    """An operation behind an injection point, tried by `policy`: how it ends."""
    state = policy.start()
    with open_gate(plan):
        while True:
            fault = next_fault("spec_kit", "gemini")
            if fault is None:
                return f"done in {state.attempt}"
            decision = policy.decide(state, failure_of(fault.kind, fault.reset_ms))
            if isinstance(decision, Fail):
                return decision.reason.value
            state = decision.state


@pytest.mark.parametrize(("kind", "policy", "count", "said"), CELLS)
def test_a_retry_ends_as_the_docs_say(kind: str, policy: str, count: int, said: str) -> None:
    assert called(POLICIES[policy], planned(kind, count)) == said


def test_the_docs_state_every_kind_with_every_policy() -> None:
    assert {(kind, policy) for kind, policy, _, _ in CELLS} == {(k, p) for k in ERROR_KINDS for p in POLICIES}
    assert {kind for kind, _, _ in MACHINE} == set(ERROR_KINDS)
    assert all(POLICIES[p].attempts_max in (LIMIT, None) for p in POLICIES)


def test_a_policy_that_tries_once_more_is_caught() -> None:
    from dataclasses import replace

    assert called(replace(OURS, attempts_max=LIMIT + 1), f"disconnect:{LIMIT}") != "all attempts are used"


@pytest.mark.parametrize("count", COUNTS)
def test_a_retry_takes_one_fault_an_attempt_and_leaves_the_rest(count: int) -> None:
    with open_gate(planned("disconnect", count)) as faults:
        state = OURS.start()
        while next_fault("spec_kit") is not None:
            decision = OURS.decide(state, failure_of("disconnect"))
            if isinstance(decision, Fail):
                break
            state = decision.state
        left = {f"disconnect:{count}": max(0, count - LIMIT)} if count else {}
        assert faults.left() == left == faults_left()


def driven(kind: str, count: int) -> str:
    """One agent that may be asked three times: how the run ends."""
    system = consensus.system(agents=1, retries=LIMIT - 1, stop=False)
    run = simulate(system.with_(faults=planned(kind, count)), VirtualTime(seed=1))
    emitted = run.trace.emitted()
    asked = emitted["Used"]
    if run.finding is not None:
        return f"{run.finding.property}, {asked} asked"
    assert run.trace.world.view(run.place, "coordinator").state == "done"
    assert emitted.get("Applied", 0) == emitted.get("Decided", 0)
    emissions = [o.emission for _, action in run.trace.steps for o in action.outputs if isinstance(o, Emit)]
    verdicts = [emission.verdict for emission in emissions if isinstance(emission, Decided)]
    return f"{'no consensus' if verdicts == ['no_consensus'] else 'decided'}, {asked} asked"


@pytest.mark.parametrize(("kind", "count", "said"), MACHINE)
def test_the_machine_ends_as_the_docs_say(kind: str, count: int, said: str) -> None:
    assert driven(kind, count) == said


def test_every_fault_is_an_error_with_a_type_that_a_retry_knows() -> None:
    for kind in ERROR_KINDS:
        with open_gate(f"{kind}:1"):
            fault = next_fault("spec_kit")
            assert isinstance(fault, InjectedFault)
            assert failure_of(fault.kind, fault.reset_ms).kind is ERROR_KINDS[kind]
