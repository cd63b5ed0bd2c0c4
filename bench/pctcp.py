"""Steps per second of PCTCP and of uniform, side by side: `python -m bench.pctcp`.

The plain engine on `models.consensus`, whose schedules are short, and on one that goes round forever, at growing lengths:
PCTCP is linear in the length of a schedule if its rate stays.
"""

from __future__ import annotations

import time

import models.consensus
from sim import Graph, System, fuzz, simulate
from sim.strategy import make_strategy
from tests.fuzzed import relay

SCHEDULES = 300


def rate(graph: Graph, strategy: str, schedules: int, max_steps: int) -> float:
    """Steps per second of the plain engine."""
    started, steps = time.perf_counter(), 0
    for seed in range(schedules):
        steps += simulate(graph, make_strategy(strategy, seed), max_steps=max_steps).steps
    return steps / (time.perf_counter() - started)


def compiled(system: System, strategy: str, schedules: int, max_steps: int) -> float:
    """The same of the compiled one."""
    result = fuzz(system, strategy=strategy, schedules=schedules, engine="compiled", max_steps=max_steps)
    return result.steps / result.seconds


def main() -> None:
    consensus, endless = models.consensus.system(), relay(4, 9).with_(network="set")
    graph = Graph(consensus)
    for strategy in ("uniform", "pctcp"):
        rate(graph, strategy, SCHEDULES, 10_000)
        print(f"consensus {strategy:8} {rate(graph, strategy, SCHEDULES, 10_000):12,.0f} steps/s plain")
        print(f"consensus {strategy:8} {compiled(consensus, strategy, 20_000, 10_000):12,.0f} steps/s compiled")
    for length in (1_000, 10_000, 40_000):
        print(f"endless   {length:8,} {rate(Graph(endless), 'pctcp', 1, length):12,.0f} steps/s plain")
        print(f"endless   {length:8,} {compiled(endless, 'pctcp', 20, length):12,.0f} steps/s compiled")


if __name__ == "__main__":
    main()
