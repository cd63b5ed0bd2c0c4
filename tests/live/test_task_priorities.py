"""PCTCP over the tasks of a program: each has a priority of its own, and a bug of depth two shows as often as is promised.

Two tasks go 23 steps each; the first of the one is wrong only between the 20th of the other and the 21st. The bug has
depth d = 2. There are k = 3 tasks with `main`, and n steps in all; so one schedule shows it with a probability of at least
1/(k * n^(d-1)): Burckhardt, Kothari, Musuvathi, Nagarakatte, "A randomized scheduler with probabilistic guarantees of
finding bugs" (ASPLOS 2010)."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from math import ceil, log
from typing import Any

import pytest

from sim import Program, Uniform, simulate
from sim.strategy import PCTCP, Strategy
from sim.strategy.canonical import usual_length
from sim.world.choice import Pending
from sim.world.world import AnyWorld

LENGTH, AT = 23, 20
EVENTS_MAX = 52
BOUND = Fraction(1, 3 * EVENTS_MAX)
TRIALS = ceil(log(1e-4) / log(1 - BOUND))
"""So many schedules all miss the bug with a probability of at most 10^-4. Uniform picks choose between two tasks until the
poke is made, so they find it with 2^-20 each."""


def poked() -> Program:
    async def main(world: Any) -> None:
        steps = 0

        async def walk() -> None:
            nonlocal steps
            for _ in range(LENGTH):
                steps += 1
                await asyncio.sleep(0)

        async def poke() -> None:
            assert steps != AT, "poked at the wrong time"
            for _ in range(LENGTH):
                await asyncio.sleep(0)

        await asyncio.gather(world.task("walk", walk()), world.task("poke", poke()))

    return Program(main, order="any")


def found(make: Any, trials: int = TRIALS) -> list[int]:
    """The seeds whose schedules show the bug."""
    world: AnyWorld = poked().world()
    with world.walking():
        assert usual_length(world) <= EVENTS_MAX

        def shows(seed: int) -> bool:
            strategy: Strategy = make(seed)
            return simulate(world, strategy).finding is not None

        return [seed for seed in range(trials) if shows(seed)]


def test_pctcp_finds_a_bug_of_depth_two_of_two_tasks_as_often_as_is_promised() -> None:
    assert len(found(lambda seed: PCTCP(seed, depth=2))) >= TRIALS * BOUND, "found less often than is promised"


def test_without_a_change_of_priorities_it_is_never_found() -> None:
    assert found(lambda seed: PCTCP(seed, depth=1), 200) == []


def test_uniform_picks_miss_it() -> None:
    assert found(Uniform, 200) == []


def chains_of_tasks(depth: int) -> dict[str, set[int]]:
    """The chains in which the steps of each task are, over some schedules, one after the other."""
    world = poked().world()
    found: dict[str, set[int]] = {}
    with world.walking():
        for seed in range(5):
            picking, at = PCTCP(seed, depth=depth), None
            at = picking.begin(world).place
            while True:
                pending = {subject: numbers[0] for subject, numbers in picking.events.pending.items() if numbers}
                choice = picking.pick(at)
                if choice is None:
                    break
                number = pending.get(choice.takes)
                assert number is not None, "what is ready was made an event before"
                found.setdefault(f"{seed} {choice.takes[2]}", set()).add(picking.chains.of[number])
                at = world.apply(at, choice)
                picking.took(choice, at)
    return found


@pytest.mark.parametrize("depth", [1, 3])
def test_all_steps_of_a_task_are_in_one_chain_and_no_two_tasks_share_one(depth: int) -> None:
    chains = chains_of_tasks(depth)
    assert all(len(one) == 1 for one in chains.values())
    for seed in range(5):
        mine = [next(iter(one)) for name, one in chains.items() if name.startswith(f"{seed} ")]
        assert len(set(mine)) == len(mine) >= 3


def test_tasks_whose_steps_follow_from_what_made_them_ready_change_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pending, "apart", property(lambda self: False))
    assert any(len(one) > 1 for one in chains_of_tasks(3).values())
