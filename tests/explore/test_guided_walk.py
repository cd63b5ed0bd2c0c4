"""A walk by hand: all that may happen is offered, and a path leads to the same place again."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from sim.base.errors import DivergenceError
from sim.run.guided_walk import GuidedWalk, Sort, path_of
from sim.run.simulation import simulate
from sim.scenario import load_target
from sim.strategy.uniform import Uniform
from sim.world.world import AnyWorld
from tests.explore.calm import calm

MODELS = ("models.consensus", "models.device_login", "models.two_phase_commit", "models.paxos")


def world_of(target: str) -> AnyWorld:
    return calm().world() if target == "calm" else load_target(target).system.world()


def complaints(world: AnyWorld, walk: GuidedWalk) -> list[str]:
    """What is wrong with what a walk offers at its end."""
    run = walk.run
    at: Any = run.trace.places()[-1]
    enabled = [] if run.finding is not None else [*world.enabled(at)]
    ways = walk.ways()
    found = []
    if len(ways) != len(enabled):
        found.append(f"{len(ways)} ways of {len(enabled)}")
    if sum(way.sort is Sort.FAULT for way in ways) != sum(bool(choice.strikes) for choice in enabled):
        found.append("faults")
    if walk.rests != (run.finding is None and world.quiescent(at)):
        found.append("rests")
    if not walk.rests and run.finding is None and sum(way.sort is Sort.USUAL for way in ways) != 1:
        found.append("not one is usual")
    return found


@pytest.mark.parametrize("target", [*MODELS, "calm"])
def test_all_that_may_happen_is_offered_and_a_path_leads_there_again(target: str) -> None:
    world, draw = world_of(target), Random(7)
    with world.walking():
        walk = GuidedWalk(world, [])
        for _ in range(40):
            assert complaints(world, walk) == []
            if not (ways := walk.ways()):
                break
            walk.take(draw.randrange(len(ways)))
        run = walk.run
    other = world_of(target)
    with other.walking():
        again = GuidedWalk(other, walk.path)
        assert again.ways() == walk.ways()
        assert again.run.digest == run.digest
        assert path_of(run) == walk.path


def test_what_is_missing_would_be_noticed() -> None:
    world = world_of("models.two_phase_commit")
    walk = GuidedWalk(world, [])
    walk.ways = lambda: GuidedWalk.ways(walk)[1:]  # type: ignore[method-assign]
    assert complaints(world, walk) == ["6 ways of 7"]


@pytest.mark.parametrize("target", MODELS)
def test_every_run_has_a_path(target: str) -> None:
    for seed in range(5):
        run = simulate(load_target(target).system, Uniform(seed), max_steps=60)
        again = GuidedWalk(world_of(target), path_of(run)).run
        assert again.trace.schedule() == run.trace.schedule()


def test_what_is_usual_goes_on_to_the_next_choice_or_to_the_end() -> None:
    world = world_of("models.two_phase_commit")
    walk = GuidedWalk(world, [])
    walk.go_on(to_the_end=False)
    assert walk.run.trace.schedule() == ["move rm1.prepare"], "there is a choice behind it"
    walk.go_on(to_the_end=True)
    assert walk.rests
    assert walk.run.verdict == "ok"
    rested = list(walk.path)
    walk.go_on(to_the_end=True)
    assert walk.path == rested


def test_to_the_next_choice_all_is_taken_that_is_forced() -> None:
    world = world_of("calm")
    with world.walking():
        walk = GuidedWalk(world, [])
        walk.go_on(to_the_end=False)
        assert walk.rests, "nothing but faults is to be chosen in it"
        assert len(walk.path) > 3


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ([1], "the path begins in way 2, and there are 1"),
        ([0, 99], "step 1: the path takes action 100, and there are 7"),
        ([0, 0, -1], "step 2: the path takes action 0, and there are"),
    ],
)
def test_a_path_that_does_not_fit_is_refused(path: list[int], line: str) -> None:
    with pytest.raises(DivergenceError) as caught:
        GuidedWalk(world_of("models.two_phase_commit"), path)
    assert line in caught.value.mistakes[0]


def test_nothing_is_offered_after_a_violation() -> None:
    run = simulate(load_target("models.two_phase_commit").system, Uniform(1))
    assert run.finding is None
    scenario = load_target("scenarios/consensus/r8_late_original_unsequenced.yaml").scenario
    assert scenario is not None
    assert scenario.schedule is not None
    from sim.run.of_scenario import simulate_scenario

    found = simulate_scenario(scenario)
    walk = GuidedWalk(scenario.system.world(), path_of(found))
    assert walk.run.finding == found.finding
    assert walk.ways() == []
    assert not walk.rests
    walk.go_on(to_the_end=True)
    assert walk.run.steps == found.steps
