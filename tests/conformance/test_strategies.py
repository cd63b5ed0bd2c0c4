"""The one contract of all strategies: the same seed gives the same schedule wherever it runs and whatever was
run before, every pick is enabled, other seeds give other schedules, and there is an end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim import Graph, State, simulate
from sim.graph.action import Action
from sim.run.trace import Ending
from sim.scenario import schema
from sim.strategy import STRATEGIES, make_strategy
from sim.strategy.base import least
from tests.fuzzed import SOUND, STEPS_MAX, schedule

ROOT = Path(__file__).parents[2]
SEEDS = (0, 7, 2**64 - 1)
TIMED = ("virtual_time", "timed")
"""On a clock a move that changes nothing is still due again and again: these end at the stated length."""


def schedules(warm: bool) -> dict[str, list[str]]:
    """Every schedule by system, strategy and seed; with `warm` in another order, on tables that other runs
    have filled."""
    found = {}
    for name in SOUND:
        graph = Graph(SOUND[name]())
        if warm:
            for strategy in reversed(STRATEGIES):
                for seed in range(100, 104):
                    schedule(graph, strategy, seed)
        for strategy in reversed(STRATEGIES) if warm else STRATEGIES:
            for seed in SEEDS:
                found[f"{name} {strategy} {seed}"] = schedule(graph if warm else Graph(SOUND[name]()), strategy, seed)
    return found


def elsewhere(hash_seed: str, warm: bool) -> subprocess.Popen[str]:
    code = f"import json; from tests.conformance.test_strategies import schedules; print(json.dumps(schedules({warm})))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def test_the_same_seed_gives_the_same_schedule_in_other_processes_and_whatever_was_run_before() -> None:
    started = [elsewhere("1", False), elsewhere("4711", True)]
    here = schedules(True)
    for child in started:
        out, _ = child.communicate(timeout=120)
        there: dict[str, Any] = json.loads(out)
        assert there.keys() == here.keys()
        for name, steps in here.items():
            assert there[name] == steps, name


class Leaking:
    """A strategy as it must not be: it picks what was met first."""

    name, seed, now_ms = "leaking", 0, None

    def begin(self, graph: Graph) -> Any:
        self.graph = graph
        return graph.starts()[0]

    def pick(self, state: State) -> Action | None:
        actions = self.graph.enabled(state)
        return min(actions, key=lambda a: a.local) if actions else None

    def took(self, action: Action) -> None: ...


def test_a_strategy_that_picks_by_the_order_of_meeting_is_caught() -> None:
    def run(graph: Graph) -> list[str]:
        return simulate(graph, Leaking(), max_steps=50).trace.schedule()

    warm = Graph(SOUND["consensus"]())
    for seed in range(30):
        schedule(warm, "uniform", seed)
    assert run(Graph(SOUND["consensus"]())) != run(warm)


class Watched:
    """A strategy that is held to picking what is enabled."""

    def __init__(self, strategy: Any) -> None:
        self._strategy = strategy

    def __getattr__(self, name: str) -> Any:
        return getattr(self._strategy, name)

    def begin(self, graph: Graph) -> Any:
        self.graph = graph
        return self._strategy.begin(graph)

    def pick(self, state: State) -> Action | None:
        action: Action | None = self._strategy.pick(state)
        assert action is None or action in self.graph.enabled(state), f"{action} is not enabled"
        return action


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", SOUND)
def test_every_pick_is_enabled_and_every_schedule_ends(name: str, strategy: str) -> None:
    graph = Graph(SOUND[name]())
    endings = set()
    for seed in range(30):
        watched = Watched(make_strategy(strategy, seed))
        run = simulate(graph, watched, max_steps=STEPS_MAX)
        assert run.steps <= STEPS_MAX
        endings.add(run.ending)
    if name == "again":
        assert Ending.STEPS in endings or strategy in TIMED, "on a clock a message arrives once"
    elif name == "restless" and strategy in TIMED:
        assert endings == {Ending.STEPS}
    elif name == "restless" and strategy == "portfolio":
        assert endings == {Ending.STEPS, Ending.QUIESCENT}
    else:
        assert Ending.STEPS not in endings


def test_a_pick_that_is_not_enabled_is_caught() -> None:
    graph = Graph(SOUND["relay"]())

    class Wrong(Leaking):
        def pick(self, state: State) -> Action | None:
            return self.graph.enabled(self.graph.starts()[0].state)[0]

    with pytest.raises(AssertionError, match="is not enabled"):
        simulate(graph, Watched(Wrong()), max_steps=50)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_other_seeds_give_other_schedules(strategy: str) -> None:
    graph = Graph(SOUND["factory"]())
    assert len({tuple(schedule(graph, strategy, seed)) for seed in range(20)}) > 5


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_one_object_begins_anew_for_every_run(strategy: str) -> None:
    graph = Graph(SOUND["factory"]())
    picking = make_strategy(strategy, 5)
    first = simulate(graph, picking, max_steps=STEPS_MAX)
    assert simulate(graph, picking, max_steps=STEPS_MAX).digest == first.digest


def test_a_portfolio_takes_its_members_in_turn_and_alone_goes_by_its_seed() -> None:
    names = [make_strategy("portfolio", 3, number=number).member.name for number in range(6)]  # type: ignore[attr-defined]
    assert names == ["uniform", "pctcp", "pos", "swarm", "timed", "uniform"]
    assert {make_strategy("portfolio", seed).member.name for seed in range(60)} == set(names)  # type: ignore[attr-defined]


def test_scenario_files_may_name_every_strategy() -> None:
    assert tuple(STRATEGIES) == schema.STRATEGIES


def test_a_uniform_pick_is_uniform() -> None:
    """Of k actions each is picked with probability 1/k: over 6000 draws of k = 6, each 1000 times, with a
    standard deviation of sqrt(6000 * 1/6 * 5/6) = 29; five of them are 145."""
    graph = Graph(SOUND["consensus"]())
    runs = (simulate(graph, make_strategy("uniform", seed)) for seed in range(50))
    actions = next(found for run in runs for s in run.trace.states() if len(found := graph.enabled(s)) == 6)
    counts = dict.fromkeys((action.code for action in actions), 0)
    for seed in range(6000):
        counts[least(actions, seed * 0x9E3779B97F4A7C15 % 2**64).code] += 1
    assert all(abs(count - 1000) < 145 for count in counts.values()), counts
