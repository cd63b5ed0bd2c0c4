"""After how many schedules each strategy meets a race in a program: `python -m bench.members [SEEDS]`.

The shapes of races of `bench/races/`, each from several seeds; a row names one, and what it says is the mean number of schedules,
`-` where a seed met nothing within `SCHEDULES`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import mean

from bench.races.table import RACES
from sim import Program, simulate
from sim.fuzzer.fuzz import schedule_seed
from sim.live.around import around
from sim.strategy import make_strategy
from sim.world.world import world_of

STRATEGIES = ("uniform", "pctcp", "pos", "swarm", "timed", "delay_bounded", "portfolio")
SCHEDULES = 300


def until_found(program: Callable[[], Program], strategy: str, seed: int) -> int | None:
    """How many schedules it takes; None where that many are not enough."""
    world = world_of(program())
    with world.walking():
        for number in range(SCHEDULES):
            picking = make_strategy(strategy, schedule_seed(seed, number), number=number)
            if simulate(world, picking).finding is not None:
                return number + 1
    return None


def main(seeds: int) -> None:
    print(f"| race | {' | '.join(STRATEGIES)} |\n|---|{'---|' * len(STRATEGIES)}")
    with around.walks():
        for race in RACES:
            cells = []
            for strategy in STRATEGIES:
                found = [until_found(race.racy, strategy, seed) for seed in range(seeds)]
                cells.append("-" if None in found else f"{mean(one for one in found if one is not None):.0f}")
            print(f"| {race.name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
