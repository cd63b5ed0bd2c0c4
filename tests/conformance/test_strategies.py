"""The one contract of all strategies: the same seed gives the same schedule wherever it runs and whatever was
run before, every pick is enabled, other seeds give other schedules, and there is an end."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from sim import Graph, simulate
from sim.run.trace import Ending
from sim.scenario import schema
from sim.strategy import STRATEGIES, Strategy, make_strategy
from sim.strategy.base import least
from sim.world.choice import Choice
from sim.world.world import AnyWorld
from tests.conformance.worlds import EVERY, KINDS, SOUND, Wrapped, elsewhere
from tests.fuzzed import STEPS_MAX

SEEDS = (0, 7, 2**64 - 1)
ON_A_CLOCK = ("virtual_time", "timed", "canonical", "delay_bounded", "two_phase", "drawn")
"""On a clock, and in the usual order, a move that changes nothing is still due again and again: these end at the stated
length."""
SEEDED = [name for name in EVERY if name != "canonical"]


def schedule(world: AnyWorld, strategy: str, seed: int) -> list[str]:
    """The schedule that a strategy picks, and the digest of the run."""
    run = simulate(world, EVERY[strategy](seed), max_steps=STEPS_MAX)
    return [*run.trace.schedule(), run.digest]


def schedules(warm: bool) -> dict[str, list[str]]:
    """Every schedule by world, strategy and seed; with `warm` in another order, in worlds in which other runs
    have been."""
    found = {}
    for name in SOUND:
        world = SOUND[name]()
        if warm:
            for strategy in reversed(EVERY):
                for seed in range(100, 104):
                    schedule(world, strategy, seed)
        for strategy in reversed(EVERY) if warm else EVERY:
            for seed in SEEDS:
                found[f"{name} {strategy} {seed}"] = schedule(world if warm else SOUND[name](), strategy, seed)
    return found


def test_the_same_seed_gives_the_same_schedule_in_other_processes_and_whatever_was_run_before() -> None:
    calls = (("1", "schedules(False)"), ("4711", "schedules(True)"))
    started = [elsewhere(hash_seed, "tests.conformance.test_strategies", call) for hash_seed, call in calls]
    here = schedules(True)
    for child in started:
        out, _ = child.communicate(timeout=120)
        there: dict[str, Any] = json.loads(out)
        assert there.keys() == here.keys()
        for name, steps in here.items():
            assert there[name] == steps, name


class Turned(Wrapped):
    """A world that lists what is enabled the other way round."""

    def enabled(self, at: Any) -> list[Choice]:
        return [*self.inner.enabled(at)][::-1]

    def unstruck(self, at: Any) -> list[Choice]:
        return [*self.inner.unstruck(at)][::-1]


@pytest.mark.parametrize("strategy", EVERY)
@pytest.mark.parametrize("name", SOUND)
def test_no_pick_goes_by_the_order_in_which_a_world_lists_what_is_enabled(name: str, strategy: str) -> None:
    world, turned = SOUND[name](), Turned(SOUND[name]())
    for seed in range(3):
        assert schedule(turned, strategy, seed) == schedule(world, strategy, seed)


class Leaking:
    """A strategy as it must not be: it picks what is listed first."""

    name, seed, now_ms = "leaking", 0, None

    def begin(self, world: AnyWorld) -> Any:
        self.world = world
        return world.starts()[0]

    def pick(self, at: Any) -> Choice | None:
        return next(iter(self.world.enabled(at)), None)

    def took(self, choice: Choice, at: Any) -> None: ...


class Meeting(Leaking):
    """Another: it picks what was met first."""

    def pick(self, at: Any) -> Choice | None:
        return min(self.world.enabled(at), key=lambda choice: choice.effect.local, default=None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_strategy_that_picks_by_the_order_of_listing_is_caught(kind: str) -> None:
    def run(world: Any) -> list[str]:
        return simulate(world, Leaking(), max_steps=50).trace.schedule()

    assert run(KINDS[kind]()) != run(Turned(KINDS[kind]()))


def test_a_strategy_that_picks_by_the_order_of_meeting_is_caught() -> None:
    def run(world: AnyWorld) -> list[str]:
        return simulate(world, Meeting(), max_steps=50).trace.schedule()

    warm = SOUND["consensus"]()
    for seed in range(30):
        schedule(warm, "uniform", seed)
    assert run(SOUND["consensus"]()) != run(warm)


class Watched:
    """A strategy that is held to picking what is enabled."""

    def __init__(self, strategy: Any) -> None:
        self._strategy = strategy

    def __getattr__(self, name: str) -> Any:
        return getattr(self._strategy, name)

    def begin(self, world: AnyWorld) -> Any:
        self.world = world
        return self._strategy.begin(world)

    def pick(self, at: Any) -> Choice | None:
        choice: Choice | None = self._strategy.pick(at)
        assert choice is None or choice in self.world.enabled(at), f"{choice} is not enabled"
        return choice


@pytest.mark.parametrize("strategy", EVERY)
@pytest.mark.parametrize("name", SOUND)
def test_every_pick_is_enabled_and_every_schedule_ends(name: str, strategy: str) -> None:
    world = SOUND[name]()
    endings = set()
    for seed in range(30):
        run = simulate(world, Watched(EVERY[strategy](seed)), max_steps=STEPS_MAX)
        assert run.steps <= STEPS_MAX
        endings.add(run.ending)
    if name == "ticking":
        assert endings == {Ending.STEPS}
    elif name == "again":
        assert Ending.STEPS in endings or strategy in ON_A_CLOCK, "on a clock a message arrives once"
    elif name == "restless" and strategy in ON_A_CLOCK:
        assert endings == {Ending.STEPS}
    elif name == "restless" and strategy == "portfolio":
        assert endings == {Ending.STEPS, Ending.QUIESCENT}
    else:
        assert Ending.STEPS not in endings


@pytest.mark.parametrize("kind", KINDS)
def test_a_pick_that_is_not_enabled_is_caught(kind: str) -> None:
    class Wrong(Leaking):
        def pick(self, at: Any) -> Choice | None:
            return super().pick(self.world.starts()[0].place)

    with pytest.raises(AssertionError, match="is not enabled"):
        simulate(KINDS[kind](), Watched(Wrong()), max_steps=50)


@pytest.mark.parametrize("strategy", SEEDED)
@pytest.mark.parametrize("kind", KINDS)
def test_other_seeds_give_other_schedules(kind: str, strategy: str) -> None:
    world = KINDS[kind]()
    assert len({tuple(schedule(world, strategy, seed)) for seed in range(20)}) > 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_strategy_that_does_not_go_by_its_seed_is_caught(kind: str) -> None:
    world = KINDS[kind]()
    assert len({tuple(schedule(world, "canonical", seed)) for seed in range(20)}) == 1


@pytest.mark.parametrize("strategy", EVERY)
@pytest.mark.parametrize("kind", KINDS)
def test_one_object_begins_anew_for_every_run(kind: str, strategy: str) -> None:
    world = KINDS[kind]()
    picking = EVERY[strategy](5)
    first = simulate(world, picking, max_steps=STEPS_MAX)
    assert simulate(world, picking, max_steps=STEPS_MAX).digest == first.digest


def test_a_portfolio_takes_its_members_in_turn_and_alone_goes_by_its_seed() -> None:
    def names(world: AnyWorld, picking: Iterable[Strategy]) -> list[str]:
        found = []
        for one in picking:
            one.begin(world)
            found.append(one.member.name)  # type: ignore[attr-defined]
        return found

    of_models = ["uniform", "pctcp", "pos", "swarm", "timed"]
    of_programs = ["uniform", "delay_bounded", "pctcp", "pos", "delay_bounded", "swarm", "timed"]
    for kind, members in {"graph": of_models, "program": of_programs}.items():
        world = KINDS[kind]()
        numbered = (make_strategy("portfolio", 3, number=number) for number in range(len(members) + 1))
        assert names(world, numbered) == [*members, members[0]]
        assert {*names(world, (make_strategy("portfolio", seed) for seed in range(60)))} == {*members}


def test_scenario_files_may_name_every_strategy() -> None:
    assert tuple(STRATEGIES) == schema.STRATEGIES


def test_a_uniform_pick_is_uniform() -> None:
    """Of k actions each is picked with probability 1/k: over 6000 draws of k = 6, each 1000 times, with a
    standard deviation of sqrt(6000 * 1/6 * 5/6) = 29; five of them are 145."""
    graph: Graph = SOUND["consensus"]()  # type: ignore[assignment]
    runs = (simulate(graph, make_strategy("uniform", seed)) for seed in range(50))
    actions = next(found for run in runs for s in run.trace.places() if len(found := graph.enabled(s)) == 6)
    counts = dict.fromkeys((action.code for action in actions), 0)
    for seed in range(6000):
        counts[least(actions, seed * 0x9E3779B97F4A7C15 % 2**64).code] += 1
    assert all(abs(count - 1000) < 145 for count in counts.values()), counts
