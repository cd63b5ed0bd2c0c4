"""Domain faults in the consensus machines: sound under every one of them, and each is seen to strike."""

from __future__ import annotations

import pytest

from models import consensus
from models.consensus.coordinator import Coordinator
from models.consensus.peers import ArtifactStore
from sim import Graph, System, Uniform, VirtualTime, always, check, fuzz, simulate
from sim.consensus.retry import OURS
from sim.strategy import Swarm

KINDS = ("agent_timeout", "rate_limited", "consensus_fail", "empty_response", "disconnect")


@pytest.mark.parametrize(
    ("faults", "states"),
    [
        ("none", 3_147),
        ("agent_timeout:1", 6_277),
        ("rate_limited:1", 5_433),
        ("rate_limited:1(30s)", 5_481),
        ("consensus_fail:1", 7_705),
        ("empty_response:1", 5_433),
        ("disconnect:1", 5_433),
        ("disconnect:1,rate_limited:1,agent_timeout:1", None),
        ("empty_response:3", None),
        ("rate_limited:1(10h)", None),
    ],
)
def test_the_model_is_sound_under_domain_faults(faults: str, states: int | None) -> None:
    result = check(consensus.system(stop=False).with_(faults=faults))
    assert (result.verdict, result.complete) == ("ok", True)
    if states is not None:
        assert result.states == states


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_is_sound_under_a_domain_fault_beside_a_crash(kind: str) -> None:
    result = check(consensus.system(agents=1, stop=False).with_(faults=f"{kind}:1,crash:1@coordinator,duplicate:1"))
    assert (result.verdict, result.complete) == ("ok", True)


@pytest.mark.parametrize("kind", KINDS)
def test_without_sequencing_the_checks_still_walk_every_state_of_the_fault(kind: str) -> None:
    result = check(consensus.system(agents=1, stop=False, sequencing=False).with_(faults=f"{kind}:2"))
    assert result.finding is None or result.finding.property not in ("exception", "unhandled")


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_strikes_eagerly_and_a_random_one_somewhere(kind: str) -> None:
    system = consensus.system(stop=False).with_(faults=f"{kind}:2")
    assert simulate(system, VirtualTime(3)).trace.struck() == {kind: 2}
    assert any(simulate(system, Uniform(seed)).trace.struck().get(kind) for seed in range(10))


def test_a_plan_is_struck_at_its_target_only() -> None:
    system = consensus.system(agents=3, stop=False).with_(
        faults="disconnect:1@claude,empty_response:1@gemini->coordinator"
    )
    run = simulate(system, VirtualTime(3))
    struck = {(a.fault.kind, a.envelope.source) for _, a in run.trace.steps if a.fault and a.envelope}
    assert struck == {("disconnect", "claude"), ("empty_response", "gemini")}


def asked_again_after(faults: str, seed: int) -> int:
    """Milliseconds between the first fault and the next question."""
    run = simulate(consensus.system(agents=1, stop=False).with_(faults=faults), VirtualTime(seed))
    steps = run.trace.steps
    number = next(n for n, (_, action) in enumerate(steps) if action.fault is not None)
    again = next(
        time for time, action in steps[number + 1 :] if any(o.__class__.__name__ == "Send" for o in action.outputs)
    )
    struck = steps[number][0]
    assert again is not None
    assert struck is not None
    return again - struck


@pytest.mark.parametrize("seed", range(5))
def test_the_hint_decides_when_the_agent_is_asked_again(seed: int) -> None:
    slack_ms = OURS.hint_slack_ms
    for hint_ms in (30_000, 90_000):
        waited = asked_again_after(f"rate_limited:1({hint_ms}ms)", seed)
        assert hint_ms + slack_ms <= waited <= hint_ms + slack_ms + OURS.hint_jitter_ms
    low_ms, high_ms = OURS.base_ms // 2, OURS.base_ms
    for kind in ("rate_limited", "empty_response", "disconnect"):
        assert low_ms <= asked_again_after(f"{kind}:1", seed) <= high_ms
    assert asked_again_after("agent_timeout:1", seed) <= 10, "at once: the next question is on its way already"


def test_nobody_who_waits_is_asked_by_another_ones_patience_or_backoff() -> None:
    """A hint of 60 s reaches beyond the patience of 30 s and beyond the backoff of another agent."""
    system = consensus.system(agents=2, stop=False).with_(faults="rate_limited:1@gemini(60s),disconnect:1@claude")
    for seed in range(10):
        run = simulate(system, VirtualTime(seed))
        struck = next(t for t, a in run.trace.steps if a.fault and a.envelope and a.envelope.source == "gemini")
        asked = [t for t, a in run.trace.steps if a.envelope and a.envelope.target == "gemini" and a.fault is None]
        assert struck is not None
        assert next(t for t in asked if t is not None and t > struck) - struck >= 60_000
        assert run.trace.emitted()["Decided"] == 1


class Impatient(Coordinator):
    """Asks again whoever is missing when patience ends, and forgets that somebody told it to wait."""

    def late_ones(self) -> list[str]:
        return [agent for agent in self.missing() if 0 < self.attempt_of(agent) <= self.retries]


def test_a_coordinator_that_breaks_a_hint_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consensus, "Coordinator", Impatient)
    with pytest.raises(AssertionError):
        test_nobody_who_waits_is_asked_by_another_ones_patience_or_backoff()


class Amnesiac(Coordinator):
    """Takes no notice of whoever says to come back later: only patience asks again."""

    transitions = tuple(row for row in Coordinator.transitions if "may_wait_for_it" not in row.get("conditions", ()))


def test_a_coordinator_that_takes_no_notice_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consensus, "Coordinator", Amnesiac)
    with pytest.raises(AssertionError):
        test_the_hint_decides_when_the_agent_is_asked_again(0)


def test_the_default_budget_does_not_know_of_the_waits() -> None:
    """Rows that need a budget add no state: the fields of the backoff never change without one."""
    unmoved = always("nobody waits", lambda coordinator: coordinator.waiting == () and coordinator.wait_ms == (0, 0))
    system = consensus.system(agents=1)
    result = check(system.with_(properties=(*system.properties, unmoved)))
    assert result.verdict == "ok"
    under = check(system.with_(faults="disconnect:1", properties=(*system.properties, unmoved)))
    assert under.finding is not None


def test_the_tables_show_the_fault_rows() -> None:
    names = {trigger.__name__ for trigger in Coordinator.table.triggers if isinstance(trigger, type)}
    assert {"AgentTimeout", "RateLimited", "EmptyResponse", "Disconnect"} <= names
    assert "ConsensusFailure" in {t.__name__ for t in ArtifactStore.table.triggers if isinstance(t, type)}


def test_one_way_cuts_hold_one_direction_only() -> None:
    system: System = consensus.system(agents=1, stop=False).with_(faults="cut:1@answers")
    graph = Graph(system)
    cut = system.cuts["answers"]
    assert cut.holds("gemini", "coordinator")
    assert not cut.holds("coordinator", "gemini")
    run = simulate(graph, VirtualTime(1))
    assert (run.verdict, run.trace.struck()) == ("ok", {"cut": 1})


def test_a_fuzz_strikes_with_random_subsets_of_the_kinds_and_finds_nothing() -> None:
    system = consensus.system(stop=False).with_(faults=",".join(f"{kind}:1" for kind in KINDS))
    subsets = set()
    struck: dict[str, int] = dict.fromkeys(KINDS, 0)
    graph = Graph(system)
    for seed in range(60):
        strategy = Swarm(seed)
        run = simulate(graph, strategy)
        assert run.verdict == "ok"
        assert set(run.trace.struck()) <= set(strategy.kinds)
        subsets.add(tuple(strategy.kinds))
        for kind in run.trace.struck():
            struck[kind] += 1
    assert len(subsets) > 20, "of 32: each kind is in or out with even odds"
    assert all(0 < count < 60 for count in struck.values())
    assert fuzz(system, schedules=40, seed=1).verdict == "ok"
