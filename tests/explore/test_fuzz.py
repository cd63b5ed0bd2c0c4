"""The fuzz: schedules by seed, what it counts, grouping, interruption."""

from __future__ import annotations

import io
import pickle
from dataclasses import replace
from typing import Any

import pytest

import models.consensus
from sim import ConfigError, Graph, check, fuzz, simulate
from sim.fuzzer import fuzz as module
from sim.fuzzer.fuzz import FuzzResult, schedule_seed
from sim.minimiser.minimise import minimise
from sim.strategy import STRATEGIES, make_strategy
from tests.fuzzed import factory, hurried, relay


def faulty() -> models.consensus.System:
    return models.consensus.system(sequencing=False)


def summary(result: FuzzResult) -> tuple[object, ...]:
    found = [(one.property, one.seed, one.strategy, one.times, one.schedule) for one in result.found]
    return (result.schedules, result.steps, result.states, result.coverage.unseen, result.coverage.untaken, found)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_seed_finds_the_same_whatever_the_tables_hold(strategy: str) -> None:
    warm = Graph(faulty())
    for seed in range(90, 100):
        simulate(warm, make_strategy("uniform", seed))
    cold = fuzz(faulty(), schedules=40, strategy=strategy, seed=3)
    assert summary(cold) == summary(fuzz(warm, schedules=40, strategy=strategy, seed=3))
    assert cold.found, "40 schedules suffice for every strategy"


def test_any_schedule_can_be_run_again_alone() -> None:
    result = fuzz(faulty(), schedules=30, seed=10, keep_going=True)
    assert {one.strategy for one in result.found} > {"uniform"}
    for one in result.found:
        assert one.seed == schedule_seed(10, one.number)
        run = simulate(faulty(), make_strategy(one.strategy, one.seed))
        assert run.finding is not None
        assert (run.finding.property, run.steps) == (one.property, one.steps)


def test_it_stops_at_the_first_violation_or_goes_on_and_groups_equal_ones() -> None:
    first = fuzz(faulty(), schedules=30, seed=0)
    assert len(first.found) == 1
    assert first.schedules == first.found[0].number + 1
    every = fuzz(faulty(), schedules=30, seed=0, keep_going=True)
    assert every.schedules == 30
    kinds = [(one.property, one.counterexample.shape) for one in every.found]
    assert len(kinds) == len(set(kinds)) < sum(one.times for one in every.found)
    violated = sum(
        simulate(faulty(), make_strategy("portfolio", schedule_seed(0, k), number=k)).finding is not None
        for k in range(30)
    )
    assert sum(one.times for one in every.found) == violated


def test_the_sound_models_are_not_accused() -> None:
    for system in (models.consensus.system(), factory(""), relay(6, 7)):
        result = fuzz(system, schedules=300)
        assert (result.verdict, result.found, result.schedules) == ("ok", [], 300)


def test_coverage_counts_states_and_rows_once() -> None:
    system = relay(4, 9)
    result = fuzz(system, schedules=200, strategy="uniform")
    graph = Graph(system)
    seen, rows, steps = set(), set(), 0
    for k in range(200):
        trace = simulate(graph, make_strategy("uniform", schedule_seed(0, k))).trace
        seen |= {graph.value(state) for state in trace.places()}
        rows |= {(action.process, action.row.index) for _, action in trace.steps if action.row}
        steps += len(trace.steps)
    assert (result.states, result.steps) == (len(seen), steps)
    assert result.coverage.transitions == (len(rows), 5)
    assert result.coverage.untaken == [
        "Relay  Poke: running -> broken if is_fragile",
        "Poker  Poke: done -> IGNORE",
    ]


def test_a_state_that_one_schedule_visited_counts_as_a_hint_of_others() -> None:
    """Good and Turing: what is new to a further schedule is estimated by what only one schedule visited."""
    one = fuzz(relay(4, 9), schedules=1)
    assert one.coverage.unseen == (one.states, one.states), "of a single schedule everything was visited once"
    many = fuzz(relay(4, 9), schedules=200)
    once, visits = many.coverage.unseen
    assert once == 0, "ten states, and 200 schedules have visited each of them again and again"
    assert visits == many.steps + many.schedules


def test_a_sometimes_that_no_schedule_reached_is_named() -> None:
    assert fuzz(models.consensus.system(), schedules=1).coverage.unreached
    assert fuzz(models.consensus.system(), schedules=100).coverage.unreached == []


def test_an_interrupted_fuzz_keeps_what_it_has() -> None:
    def stop(result: FuzzResult) -> None:
        if result.schedules == 15:
            raise KeyboardInterrupt

    result = fuzz(faulty(), schedules=100, keep_going=True, progress=stop)
    assert result.interrupted
    assert result.schedules == 15
    assert result.found
    assert all(one.counterexample.complete for one in result.found)
    nothing = fuzz(models.consensus.system(), schedules=100, progress=stop)
    assert (nothing.verdict, nothing.schedules) == ("incomplete", 15)


class Plain(pickle.Unpickler):
    """Reads what consists of these alone, and of texts and numbers."""

    def find_class(self, module: str, name: str) -> Any:
        assert name in ("Discovery", "Counterexample", "Finding"), f"{module}.{name} is sent along"
        return super().find_class(module, name)


def test_what_is_found_is_plain_data_and_small() -> None:
    (one,) = fuzz(faulty(), schedules=100).found
    sent = pickle.dumps(one)
    assert Plain(io.BytesIO(sent)).load() == one
    assert len(sent) < 4_000
    with pytest.raises(AssertionError, match=r"Action is sent along"):
        Plain(io.BytesIO(pickle.dumps(replace(one, strategy=check(faulty()).path[0])))).load()  # type: ignore[arg-type]


def test_interrupted_while_minimising_it_keeps_the_violation_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "minimise", interrupted)
    result = fuzz(faulty(), schedules=100)
    monkeypatch.setattr(module, "minimise", minimise)
    (one,) = result.found
    assert result.interrupted
    assert not one.counterexample.complete
    assert len(one.schedule) == one.steps


def test_time_bounds_a_fuzz() -> None:
    result = fuzz(models.consensus.system(), seconds=0.5)
    assert result.schedules >= 1
    assert result.verdict == "ok"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"schedules": 0}, "schedules is 0; must be more than 0"),
        ({"seconds": -1}, "seconds is -1; must be more than 0"),
        ({"max_steps": 0}, "max_steps is 0; must be more than 0"),
        ({"strategy": "unifrom"}, "unknown strategy 'unifrom' (did you mean 'uniform'?)"),
        ({"strategy": "pctcp", "depth": 0}, "depth is 0; must be a whole number from 1 to 1000"),
        ({"strategy": "pctcp", "depth": 10**10}, "depth is 10000000000; must be a whole number from 1 to 1000"),
        ({"first": 2**62}, "first is 4611686018427387904; schedules are numbered from 0 to 4611686018427387903"),
    ],
)
def test_bad_bounds_and_names_are_refused_in_one_line(given: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        fuzz(hurried(), **given)  # type: ignore[arg-type]
    assert str(error.value).startswith(said)
    assert len(error.value.mistakes) == 1


def test_a_schedule_that_does_not_end_is_cut_short_and_counted() -> None:
    result = fuzz(models.consensus.system(), schedules=20, max_steps=3)
    assert (result.cut_short, result.steps, result.verdict) == (20, 60, "ok")
