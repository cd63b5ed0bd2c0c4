"""Events and their online partition into chains, against definitions worked out by a matching."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from sim import Graph, Message, Process, System, simulate
from sim.graph.action import Action
from sim.graph.state import State
from sim.strategy import PCTCP, POS
from sim.strategy.chains import Chains
from sim.strategy.events import NOTHING
from tests.counts import examples
from tests.fuzzed import factory, relay


class Known(NamedTuple):
    """An event that knows all that it follows from, as a set of bits by number."""

    number: int
    follows: int


class Rows:
    """The definition, for events that know all that they follow from as a set of bits. The chains stand in rows, i of them in the i-th; an event joins
    a chain of the first row that has one whose last event it follows from (or an empty one), and then the
    rest of that row and the row before it change places."""

    def __init__(self) -> None:
        self.of: list[int] = []
        self._last: list[Known] = []
        self._rows: list[list[int]] = []
        """Chains by row; a free place is -1."""

    def add(self, event: Known) -> None:
        """Give `event` its chain."""
        row = 0
        while True:
            if row == len(self._rows):
                self._rows.append([-1] * (row + 1))
            place = self._place(self._rows[row], event)
            if place is not None:
                break
            row += 1
        chain = self._rows[row].pop(place)
        if chain < 0:
            chain = len(self._last)
            self._last.append(event)
        self._last[chain] = event
        self.of.append(chain)
        if row:
            self._rows[row], self._rows[row - 1] = self._rows[row - 1], self._rows[row]
        self._rows[row].append(chain)

    def _place(self, row: list[int], event: Known) -> int | None:
        """Where in a row `event` can go: after what it follows from, otherwise to a free place."""
        for place, chain in enumerate(row):
            if chain >= 0 and event.follows >> self._last[chain].number & 1:
                return place
        return row.index(-1) if -1 in row else None


@st.composite
def histories(draw: st.DrawFn) -> list[Known]:
    """Events of two or three lines in an order in which nothing comes before what it follows from: each
    follows from the last of its line, and perhaps from a late one of others."""
    lines: list[list[Known]] = [[] for _ in range(draw(st.integers(2, 3)))]
    for number in range(draw(st.integers(1, 30))):
        mine = draw(st.sampled_from(lines))
        causes = mine[-1:]
        for line in lines:
            if line is not mine and line and draw(st.booleans()):
                causes.append(draw(st.sampled_from(line[-3:])))
        follows = 0
        for cause in causes:
            follows |= cause.follows | 1 << cause.number
        mine.append(Known(number, follows))
    return sorted(event for line in lines for event in line)


TANGLED = (0, 0, 1, 7, 15, 31, 63, 127, 5, 255, 1023, 2047, 4095, 261, 8191, 16383, 65535, 24575, 155647, 458751)
TANGLED += (983039, 2097151, 131071, 8388607)
"""Two lines (which event follows from which, as bits) for which rows that never change places need five chains."""


def ordered(one: Known, other: Known) -> bool:
    return bool(other.follows >> one.number & 1 or one.follows >> other.number & 1)


def width(events: list[Known]) -> int:
    """The largest number of events none of which follows from another: by Dilworth's theorem as many as the
    fewest chains, which a matching of events with what follows from them finds."""
    before: dict[int, int] = {}

    def matched(event: Known, tried: set[int]) -> bool:
        for later in events:
            if later.follows >> event.number & 1 and later.number not in tried:
                tried.add(later.number)
                if later.number not in before or matched(events[before[later.number]], tried):
                    before[later.number] = event.number
                    return True
        return False

    return len(events) - sum(matched(event, set()) for event in events)


@given(histories())
@settings(max_examples=examples(300), deadline=None, derandomize=True)
def test_chains_are_ordered_and_few(events: list[Known]) -> None:
    """With w independent events there are at most w(w+1)/2 chains (so at most w^2, as PCTCP's bound has it)."""
    chains = Rows()
    for event in events:
        chains.add(event)
    w = width(events)
    assert len(set(chains.of)) <= w * (w + 1) // 2
    for one, other in combinations(events, 2):
        if chains.of[one.number] == chains.of[other.number]:
            assert ordered(one, other)


def test_rows_change_places_so_that_few_chains_suffice() -> None:
    events = [Known(number, follows) for number, follows in enumerate(TANGLED)]
    chains = Rows()
    for event in events:
        chains.add(event)
    assert width(events) == 2
    assert len(set(chains.of)) <= 3


def known(parents: Iterable[int]) -> list[Known]:
    """The same events, each with all that it follows from."""
    found: list[Known] = []
    for number, parent in enumerate(parents):
        found.append(Known(number, 0 if parent == NOTHING else found[parent].follows | 1 << parent))
    return found


@st.composite
def trees(draw: st.DrawFn) -> list[int]:
    """What each event follows from directly, in the order in which they were made: an earlier one at most, often a late
    one."""
    found: list[int] = []
    for number in range(draw(st.integers(1, 60))):
        late = st.integers(max(NOTHING, number - 4), number - 1)
        found.append(draw(st.one_of(late, st.integers(NOTHING, number - 1))))
    return found


def partition(parents: Iterable[int], chains: Chains | None = None) -> list[int]:
    chains = chains or Chains()
    for parent in parents:
        chains.add(parent)
    return chains.of


def partition_by_definition(events: Iterable[Known]) -> list[int]:
    rows = Rows()
    for event in events:
        rows.add(event)
    return rows.of


@given(trees())
@settings(max_examples=examples(300), deadline=None, derandomize=True)
def test_what_is_looked_up_is_what_the_definition_finds(parents: list[int]) -> None:
    assert partition(parents) == partition_by_definition(known(parents))


class Staying(Chains):
    """Planted: rows never change places."""

    def _change_places(self, chain: int) -> None:
        pass


class Forgetful(Chains):
    """Planted: only what an event follows from directly is looked at."""

    def _nearest(self, event: int) -> int:
        return event if event != NOTHING and self._up[event] == event else NOTHING


@pytest.mark.parametrize("fault", [Staying, Forgetful])
def test_a_partition_that_is_another_would_be_caught(fault: type[Chains]) -> None:
    def differs(parents: list[int]) -> bool:
        return partition(parents, fault()) != partition_by_definition(known(parents))

    find(trees(), differs, settings=settings(max_examples=2000, derandomize=True, database=None))


def test_a_long_schedule_has_as_many_chains_as_independent_events() -> None:
    """Nothing that is asked for an event grows with the events before it: what was passed over once is not again."""
    line = partition(range(-1, 2999))
    assert set(line) == {0}
    alone = partition([NOTHING] * 3000)
    assert alone == list(range(3000))


def test_events_follow_from_what_sent_them() -> None:
    strategy = PCTCP(1)
    simulate(Graph(relay(5, 9)), strategy)
    made = known(strategy.events.parents)
    assert len(made) == 6
    assert strategy.events.width == width(made) == 2
    poke = next(event for event in made if not event.follows and event.number == 1)
    tokens = [event for event in made if event != poke]
    assert [event.follows.bit_count() for event in tokens] == [0, 1, 2, 3, 4]
    assert strategy.chains.count <= 3


def test_the_width_of_a_run_is_that_of_its_events() -> None:
    for seed in range(40):
        strategy = PCTCP(seed)
        simulate(Graph(factory("")), strategy)
        assert strategy.events.width == width(known(strategy.events.parents))


class Ask(Message):
    number: int


class Again(Message):
    pass


class Chooser(Process):
    """Chooses anew when it is asked, a few times; on `set`, where messages stay, it can be asked forever."""

    states = ("on",)
    transitions = (
        {"trigger": Ask, "source": "on", "dest": None, "after": "decide"},
        {"trigger": Again, "source": "on", "dest": None, "after": "renew"},
    )
    left: int = 3
    last: int = 0

    def on_start(self) -> None:
        for number in range(3):
            self.send(self.name, Ask(number))
        self.send(self.name, Again())

    def decide(self) -> None:
        if self.left:
            self.left -= 1
            self.last = self.choose(0, 1, 2)

    def renew(self) -> None:
        self.left = 3


class Backwards(Graph):
    """Lists what is enabled the other way round."""

    def enabled(self, state: State) -> list[Action]:
        return super().enabled(state)[::-1]

    def unstruck(self, state: State) -> list[Action]:
        return super().unstruck(state)[::-1]


@pytest.mark.parametrize("strategy", [PCTCP, POS])
def test_events_are_ordered_however_their_ways_are_listed(strategy: type[PCTCP] | type[POS]) -> None:
    for system in (factory(), *(System({"a": Chooser()}, network=kind) for kind in ("any", "set"))):
        for seed in range(20):
            one, other = (simulate(made(system), strategy(seed), max_steps=60) for made in (Graph, Backwards))
            assert one.trace.digest == other.trace.digest


@pytest.mark.parametrize("strategy", [PCTCP, POS])
def test_an_order_that_is_that_of_a_list_is_seen(
    strategy: type[PCTCP] | type[POS], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"sim.strategy.{strategy.name}.least_key", lambda ways: ways[0].key)
    with pytest.raises(AssertionError):
        test_events_are_ordered_however_their_ways_are_listed(strategy)
