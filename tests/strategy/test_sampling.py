"""POS, swarm and faults at random moments: each does what its paper promises, on the smallest example."""

from __future__ import annotations

from collections import Counter

import pytest

from sim import DEFER, IGNORE, Graph, Message, Process, System, simulate
from sim.strategy import PCTCP, POS, Swarm, Timed, Uniform
from sim.strategy.strikes import Strikes
from tests.fuzzed import factory, relay


class Note(Message):
    n: int


class Reader(Process):
    """Takes what it gets."""

    states = ("open",)
    transitions = ({"trigger": Note, "source": "open", "dest": None, "after": "note"},)

    first: int = 0

    def note(self, note: Note) -> None:
        self.first = self.first or note.n


class Writer(Process):
    """Writes to one reader, so many times."""

    states = ("open",)
    transitions = ({"trigger": Note, "source": "open", "dest": IGNORE},)

    reader: str
    number: int
    times: int = 1

    def on_start(self) -> None:
        for n in range(self.times):
            self.send(self.reader, Note(self.number + n))


def race(others: int) -> System:
    """One writer against `others`, who write to the same reader one each; other readers are none of it."""
    writers = {f"w{n}": Writer(reader="reader", number=n + 1) for n in range(others + 1)}
    return System(processes={"reader": Reader(), **writers})


def order(graph: Graph, strategy: object) -> tuple[str, ...]:
    return tuple(simulate(graph, strategy).trace.schedule())  # type: ignore[arg-type]


def test_pos_draws_orders_of_racing_events_alike() -> None:
    """Three messages race for one reader: 6 orders. With 1200 seeds each comes 200 times, with a standard
    deviation of sqrt(1200 * 1/6 * 5/6) = 13; five of them are 65."""
    graph = Graph(race(2))
    counts = Counter(order(graph, POS(seed)) for seed in range(1200))
    assert len(counts) == 6
    assert all(abs(count - 200) < 65 for count in counts.values()), counts


def test_pos_draws_anew_what_races_with_what_happened() -> None:
    """Two tokens in a row race with one poke. The poke comes before the first with probability 1/2, and then
    anew before the second with 1/2: of 1200, 600, 300 and 300, +- five standard deviations. Were priorities
    kept, a poke that lost to the first would have a low one: 600, 200 and 400."""
    graph = Graph(relay(2, 9))
    at: Counter[int] = Counter()
    for seed in range(1200):
        at[next(n for n, step in enumerate(order(graph, POS(seed))) if "Poke" in step)] += 1
    assert abs(at[0] - 600) < 87
    assert abs(at[1] - 300) < 75
    assert abs(at[2] - 300) < 75


def test_a_fault_that_is_due_is_of_any_kind_alike() -> None:
    """Whatever the number of ways in which each kind can strike: 5 kinds, each 1/5 of the strikes."""
    graph = Graph(factory())
    actions = graph.enabled(graph.starts()[0].place)
    ways = Counter(action.strikes[-1] for action in actions if action.strikes)
    assert len(ways) == 5
    assert len(set(ways.values())) > 1
    due = [strikes for strikes in (Strikes(graph, seed, 1) for seed in range(2400)) if strikes.is_due(0)]
    struck = [strikes.strike(0, actions) for strikes in due]
    kinds = Counter(action.strikes[-1] for action in struck if action is not None)
    assert sum(kinds.values()) == pytest.approx(2000, abs=91)  # 5/6 have at least one, of 0 to 5
    for count in kinds.values():
        assert count == pytest.approx(400, abs=91)


def test_swarm_leaves_out_kinds_of_fault_and_uniform_does_not() -> None:
    """Each of 5 kinds is in with probability 1/2: all 32 subsets are met, and none strikes that is not in."""
    graph = Graph(factory())
    subsets = set()
    for seed in range(400):
        swarm = Swarm(seed)
        run = simulate(graph, swarm, max_steps=200)
        assert run.trace.struck().keys() <= set(swarm.kinds)
        subsets.add(tuple(swarm.kinds))
    assert len(subsets) == 32
    assert any(
        set(simulate(graph, Uniform(seed), max_steps=200).trace.struck()) >= {"drop", "cut"} for seed in range(9)
    )


def test_every_kind_of_fault_strikes_in_every_strategy_that_draws_their_moments() -> None:
    for strategy in (PCTCP, POS, Timed):
        graph = Graph(factory())
        kinds: Counter[str] = Counter()
        numbers: Counter[int] = Counter()
        for seed in range(300):
            struck = simulate(graph, strategy(seed), max_steps=200).trace.struck()
            kinds.update(struck.keys())
            numbers[sum(struck.values())] += 1
        assert set(kinds) == {"crash", "cut", "drop", "duplicate", "reorder"}, strategy.name
        assert set(numbers) >= {0, 1, 2, 3}, "a schedule may have any number of them, none too"


def test_what_is_deferred_is_not_taken() -> None:
    assert any(row.dest is DEFER for row in type(factory().processes["worker"]).table.rows)
    for strategy in (PCTCP, POS, Swarm, Timed):
        for seed in range(50):
            run = simulate(Graph(factory("")), strategy(seed), max_steps=200)
            assert run.finding is None, run.finding
