"""Events and their online partition into chains, against definitions worked out by a matching."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from sim import Graph, simulate
from sim.strategy import PCTCP
from sim.strategy.chains import Chains
from sim.strategy.events import Event, grouped
from tests.counts import examples
from tests.fuzzed import factory, relay


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of two or three lines in an order in which nothing comes before what it follows from: each
    follows from the last of its line, and perhaps from a late one of others."""
    lines: list[list[Event]] = [[] for _ in range(draw(st.integers(2, 3)))]
    for number in range(draw(st.integers(1, 30))):
        mine = draw(st.sampled_from(lines))
        causes = mine[-1:]
        for line in lines:
            if line is not mine and line and draw(st.booleans()):
                causes.append(draw(st.sampled_from(line[-3:])))
        follows = 0
        for cause in causes:
            follows |= cause.follows | 1 << cause.number
        mine.append(Event(number, follows))
    return sorted(event for line in lines for event in line)


TANGLED = (0, 0, 1, 7, 15, 31, 63, 127, 5, 255, 1023, 2047, 4095, 261, 8191, 16383, 65535, 24575, 155647, 458751)
TANGLED += (983039, 2097151, 131071, 8388607)
"""Two lines (which event follows from which, as bits) for which rows that never change places need five chains."""


def ordered(one: Event, other: Event) -> bool:
    return bool(other.follows >> one.number & 1 or one.follows >> other.number & 1)


def width(events: list[Event]) -> int:
    """The largest number of events none of which follows from another: by Dilworth's theorem as many as the
    fewest chains, which a matching of events with what follows from them finds."""
    before: dict[int, int] = {}

    def matched(event: Event, tried: set[int]) -> bool:
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
def test_chains_are_ordered_and_few(events: list[Event]) -> None:
    """With w independent events there are at most w(w+1)/2 chains (so at most w^2, as PCTCP's bound has it)."""
    chains = Chains()
    for event in events:
        chains.add(event)
    w = width(events)
    assert chains.count <= w * (w + 1) // 2
    for one, other in combinations(events, 2):
        if chains.of[one.number] == chains.of[other.number]:
            assert ordered(one, other)


def test_rows_change_places_so_that_few_chains_suffice() -> None:
    events = [Event(number, follows) for number, follows in enumerate(TANGLED)]
    chains = Chains()
    for event in events:
        chains.add(event)
    assert width(events) == 2
    assert chains.count <= 3


def test_a_partition_that_gives_every_event_its_own_chain_would_be_caught() -> None:
    line = [Event(n, (1 << n) - 1) for n in range(4)]
    assert width(line) == 1
    chains = Chains()
    for event in line:
        chains.add(event)
    assert chains.count == 1 < len(line)


def test_events_follow_from_what_sent_them() -> None:
    strategy = PCTCP(1)
    simulate(Graph(relay(5, 9)), strategy)
    events = strategy.events
    assert len(events.made) == 6
    assert events.width == width(events.made) == 2
    poke = next(event for event in events.made if not event.follows and event.number == 1)
    tokens = [event for event in events.made if event != poke]
    assert [bin(event.follows).count("1") for event in tokens] == [0, 1, 2, 3, 4]
    assert strategy.chains.count <= 3


def test_the_width_of_a_run_is_that_of_its_events() -> None:
    for seed in range(40):
        strategy = PCTCP(seed)
        simulate(Graph(factory("")), strategy)
        assert strategy.events.width == width(strategy.events.made)


def test_events_are_grouped_in_one_order_however_their_actions_are_listed() -> None:
    graph = Graph(factory())
    for seed in range(20):
        for state in simulate(graph, PCTCP(seed), max_steps=200).trace.places():
            actions = graph.enabled(state)
            assert grouped(actions) == grouped(actions[::-1])
