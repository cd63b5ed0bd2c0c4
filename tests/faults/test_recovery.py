"""Liveness in two phases: faults until the budget is spent, then a healthy core must finish."""

from __future__ import annotations

import pytest

from models import consensus
from sim import ConfigError, Graph, System, TwoPhase, check, eventually, recovers, simulate
from sim.strategy import Swarm

GOAL = eventually("the run ends", lambda coordinator: coordinator.state in ("done", "stopped"))
BUDGETS = (
    "cut:2",
    "cut:3@answers,cut:2@store",
    "cut:1,crash:2@coordinator",
    "cut:1,crash:1@coordinator,drop:1,duplicate:1",
    "cut:1,agent_timeout:2,rate_limited:1(30s),empty_response:1,disconnect:1",
    "cut:1,consensus_fail:1,crash:1@store",
)


def goal_bound(system: System, faults: str) -> System:
    return system.with_(faults=faults, properties=(*system.properties, GOAL))


@pytest.mark.parametrize("faults", BUDGETS)
@pytest.mark.parametrize("stop", [False, True])
def test_after_the_faults_a_healthy_core_finishes(faults: str, stop: bool) -> None:
    system = goal_bound(consensus.system(agents=2, rounds=2, stop=stop), faults)
    result = recovers(system, 40)
    assert (result.verdict, result.schedules, result.failed) == ("ok", 40, None)
    kinds = {entry.kind for entry in system.budget}
    assert set(result.struck) == kinds, "a fault that never strikes shows nothing"


@pytest.mark.parametrize("faults", ["cut:1", "cut:2@store", "cut:1@answers,cut:1@store", "cut:1,crash:1@coordinator"])
def test_in_every_schedule_of_a_small_one_cuts_heal_and_the_goal_is_reached(faults: str) -> None:
    result = check(goal_bound(consensus.system(agents=1, stop=False), faults))
    assert (result.verdict, result.complete) == ("ok", True)
    assert "eventually the run ends" in result.proved


def test_a_core_that_cannot_recover_is_caught_with_its_schedule() -> None:
    """Without a repetition a lost request is waited for, for ever."""
    result = recovers(goal_bound(consensus.system(agents=1, stop=False, resends=0), "cut:1,drop:1"), 60)
    assert result.verdict == "violated"
    assert result.failed is not None
    assert result.failed.finding is not None
    assert result.failed.finding.property == "stuck"
    assert result.seed is not None
    again = simulate(result.failed.trace.world, TwoPhase(result.seed))
    assert again.digest == result.failed.digest


def test_a_violation_of_safety_in_the_storm_is_caught_too() -> None:
    system = goal_bound(consensus.system(agents=1, rounds=2, stop=False, sequencing=False), "cut:1,duplicate:2")
    result = recovers(system, 200)
    assert result.failed is not None


def test_the_storm_ends_with_the_budget_or_with_its_steps() -> None:
    system = goal_bound(consensus.system(agents=1, stop=False), "duplicate:unlimited")
    run = simulate(system, TwoPhase(3, storm_steps=15))
    assert run.verdict == "ok"
    struck = [number for number, (_, action) in enumerate(run.trace.steps) if action.strikes]
    assert struck
    assert max(struck) < 15
    spent = simulate(goal_bound(consensus.system(agents=1, stop=False), "cut:1"), TwoPhase(3))
    assert spent.trace.world.may_strike(spent.place) is False


def test_another_strategy_may_be_the_storm_and_the_seed_fixes_all() -> None:
    system = goal_bound(consensus.system(agents=2, stop=False), "cut:2,crash:1@coordinator")
    assert recovers(system, 20, storm=Swarm).verdict == "ok"
    digests = [simulate(system, TwoPhase(seed, storm=Swarm)).digest for seed in (1, 2, 1)]
    assert digests[0] == digests[2] != digests[1]


def test_calm_is_never_struck_and_heals_what_is_cut() -> None:
    system = goal_bound(consensus.system(agents=2, stop=False), "cut:4")
    graph = Graph(system)
    for seed in range(30):
        run = simulate(graph, TwoPhase(seed))
        assert run.place.cuts == ()
        assert run.finding is None


def test_the_environment_does_nothing_more_when_the_budget_is_spent() -> None:
    system = goal_bound(consensus.system(agents=2), "cut:2")
    stopped = 0
    for seed in range(40):
        steps = [action for _, action in simulate(system, TwoPhase(seed)).trace.steps]
        last = max(number for number, action in enumerate(steps) if action.strikes)
        stops = [number for number, action in enumerate(steps) if action.subject == "stop"]
        assert all(number < last for number in stops)
        stopped += bool(stops)
    assert stopped, "in a storm it does"


def test_without_a_budget_there_is_nothing_to_recover_from() -> None:
    with pytest.raises(ConfigError, match="requires a fault budget"):
        recovers(consensus.system().with_(faults="none"))
