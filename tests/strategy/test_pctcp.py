"""PCTCP finds a bug of depth two within the bound that it states; uniform picks take far longer."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import ceil, log

from sim import Graph, fuzz, simulate
from sim.run.trace import Run
from sim.strategy import PCTCP, Strategy, Uniform
from tests.fuzzed import factory, relay

LENGTH, AT = 23, 20
"""23 tokens one after the other, and one poke beside them, which breaks the relay only between the 20th
token and the 21st: n = 24 events, of which w = 2 are independent.

The bug has depth d = 2: the poke, after all that may precede it, and then token 21. So one schedule of
PCTCP shows it with a probability of at least 1/(w^2 * n^(d-1)) = 1/(4 * 24) = 1/96.

Uniform picks have two messages to choose from at each step until the poke is delivered, so the poke comes
right after token 20 with probability 2^-21."""

BOUND = Fraction(1, 2**2 * 24)
TRIALS = ceil(log(1e-6) / log(1 - BOUND))
"""So many schedules (1320) all miss the bug with a probability of at most (1 - 1/96)^1320 < 10^-6.
Uniform picks find it in as many with a probability of less than 1320 * 2^-21 < 0.07 %."""


def found(strategy: type[PCTCP] | type[Uniform], **given: int) -> list[int]:
    """The seeds below TRIALS whose schedules show the bug."""
    graph = Graph(relay(LENGTH, AT))

    def run(seed: int) -> Run:
        picking: Strategy = strategy(seed, **given)
        return simulate(graph, picking)

    return [seed for seed in range(TRIALS) if run(seed).finding is not None]


def test_pctcp_finds_the_bug_of_depth_two_within_its_bound_that_uniform_misses() -> None:
    assert TRIALS == 1320
    seeds = found(PCTCP, depth=2)
    assert len(seeds) >= TRIALS * BOUND, "found less often than is proved"
    assert seeds[0] < 1 / BOUND
    assert found(Uniform) == []


def test_without_a_change_of_priorities_the_bug_is_never_found() -> None:
    """With d = 1 the poke is first or last: the chains never change places in between."""
    assert found(PCTCP, depth=1) == []


def test_the_fuzz_states_the_bound_for_the_observed_sizes() -> None:
    result = fuzz(relay(LENGTH, LENGTH + 1), strategy="pctcp", depth=2, schedules=20)
    assert result.bound is not None
    assert result.bound.probability == BOUND
    assert (result.bound.depth, result.bound.length, result.bound.width) == (2, 24, 2)


def test_no_bound_is_stated_where_none_is_proved() -> None:
    assert fuzz(factory(""), strategy="pctcp", depth=2, schedules=20).bound is None
    assert fuzz(relay(5, 9).with_(faults="drop:1"), strategy="pctcp", depth=2, schedules=20).bound is None
    assert fuzz(relay(5, 9), strategy="uniform", schedules=20).bound is None


def test_priorities_are_a_random_order_of_the_chains() -> None:
    """The partition makes three chains: the first token, the poke, the other tokens. With d = 1 the poke
    comes first if it is above the first token's chain (1/2), last if it is the lowest of the three (1/3),
    and between them otherwise (1/6). Of 1200: 600, 400 and 200, each +- five standard deviations."""
    graph = Graph(relay(8, 20))
    at: Counter[int] = Counter()
    for seed in range(1200):
        schedule = simulate(graph, PCTCP(seed, depth=1)).trace.schedule()
        at[next(step for step, text in enumerate(schedule) if "Poke" in text)] += 1
    assert set(at) == {0, 1, 8}
    assert abs(at[0] - 600) < 87
    assert abs(at[8] - 400) < 82
    assert abs(at[1] - 200) < 65
