"""One seed has one digest, in every process and whatever the seed of its hashes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bench.races.table import RACES, Race
from sim import Program
from tests.live import digests
from tests.live.digests import elsewhere, made, of_drawn, of_schedules

HASH_SEEDS = ("0", "1", "4242")
PROCESSES = 3
"""With each of these hash seeds."""
MANY = 1_000


@pytest.mark.parametrize("module", ["bench.races.reply_stream", "bench.races.swallow"])
def test_a_seed_has_one_digest_in_every_process(module: str) -> None:
    here = of_schedules(made(module), 20)
    assert len(set(here)) > 1
    assert list(elsewhere(("0", "4242"), f"of_schedules(made({module!r}), 20)")) == [here, here]


def test_a_program_drawn_at_random_has_one_digest_in_every_process() -> None:
    here = of_drawn(100)
    assert len(set(here)) > 50
    assert list(elsewhere(("0", "4242"), "of_drawn(100)")) == [here, here]


def unordered() -> Program:
    """Does things in the order of a set of strings, which is another in every process."""

    async def main(world: Any) -> None:
        for name in set("abcdefgh"):
            await asyncio.wait([world.task(name, asyncio.sleep(1))])

    return Program(main)


def test_a_program_that_does_things_in_another_order_in_every_process_is_caught() -> None:
    first, second = elsewhere(("0", "4242"), "of_schedules(made('tests.live.test_digests', 'unordered'), 1)")
    assert first != second


def everywhere(call: str) -> None:
    """It gives the same in each of many processes."""
    here = eval(call, vars(digests))
    for hash_seed in HASH_SEEDS:
        for there in elsewhere([hash_seed] * PROCESSES, call):
            assert there == here


@pytest.mark.soak
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.target.rpartition(".")[2])
def test_a_thousand_seeds_have_one_digest_each_in_every_process(race: Race) -> None:
    everywhere(f"of_schedules(made({race.target!r}), {MANY})")


@pytest.mark.soak
def test_a_thousand_programs_drawn_at_random_have_one_digest_each_in_every_process() -> None:
    everywhere(f"of_drawn({MANY})")
