"""Delay-bounded schedules: the usual order but for a few delays, and a bug of one delay as often as is proved."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from math import ceil, log
from typing import Any

import pytest

from sim import Graph, Program, Run, fuzz, simulate
from sim.strategy import Canonical
from sim.strategy.canonical import usual_length
from sim.strategy.delay_bounded import DelayBounded
from sim.world.world import usual_at
from tests.fuzzed import relay

WORKERS, TURNS = 2, 3


def overtaken(order: str = "any") -> Program:
    """Wrong only where the first of two workers is overtaken by the other in its second turn, and not in any other."""

    async def main(world: Any) -> None:
        turns = [0, 0]
        wrong = False

        async def work(number: int) -> None:
            nonlocal wrong
            for turn in range(TURNS):
                wrong = wrong or (number == 1 and turn == 1 and turns == [1, 1])
                turns[number] += 1
                await asyncio.sleep(0)

        for worker in [world.task("worker", work(number)) for number in range(WORKERS)]:
            await worker
        assert not wrong, "the second is ahead in its second turn"

    return Program(main, order=order)


def delays_of(run: Run) -> int:
    """How many choices of a run are not the usual one."""
    world, at = run.trace.world, run.trace.start.place
    count = 0
    for _, choice in run.trace.steps:
        count += choice != usual_at(world, at)
        at = world.apply(at, choice)
    return count


@pytest.mark.parametrize("length", [6, 12])
def test_a_relay_without_delays_is_the_canonical_one_and_with_them_it_is_not(length: int) -> None:
    graph = Graph(relay(length, length + 5))
    usual = simulate(graph, Canonical()).trace.schedule()
    assert all(simulate(graph, DelayBounded(seed, delays=0)).trace.schedule() == usual for seed in range(20))
    others = {tuple(simulate(graph, DelayBounded(seed, delays=1)).trace.schedule()) for seed in range(60)}
    assert tuple(usual) in others
    assert len(others) == 3, "as usual the poke comes after the first token; one delay moves either behind the next"


def test_of_a_program_each_delay_is_a_few_deviations_at_most() -> None:
    world = overtaken().world()
    with world.walking():
        counts = {delays: [delays_of(simulate(world, DelayBounded(s, delays))) for s in range(30)] for delays in (0, 1)}
    assert set(counts[0]) == {0}
    assert max(counts[1]) > 0


BOUND = Fraction(1, 2 * 10 * 2)
"""At most one delay, so that with 1/2 there is one; its moment is one of n = 10 steps of the usual order; then what is
delayed waits for one of at most two others that are due."""
TRIALS = ceil(log(1e-6) / log(1 - BOUND))


def found(delays: int) -> list[int]:
    world = overtaken().world()
    with world.walking():
        assert usual_length(world) <= 10
        return [seed for seed in range(TRIALS) if simulate(world, DelayBounded(seed, delays)).finding is not None]


def test_a_bug_of_one_delay_is_found_as_often_as_is_proved() -> None:
    assert len(found(1)) >= TRIALS * BOUND, "found less often than is proved"


def test_without_a_delay_it_is_never_found() -> None:
    assert found(0) == []


def test_the_fuzz_takes_it_by_name_for_models_and_programs() -> None:
    assert fuzz(overtaken(), strategy="delay_bounded", schedules=400).verdict == "violated"
    result = fuzz(relay(5, 9), strategy="delay_bounded", schedules=3_000)
    assert (result.verdict, result.schedules, result.engine) == ("ok", 3_000, "plain")
