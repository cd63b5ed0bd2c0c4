"""Events and their online partition into chains, against definitions worked out by brute force."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from sim import Graph, simulate
from sim.strategy import PCTCP
from sim.strategy.chains import Chains
from sim.strategy.events import Event
from tests.fuzzed import factory, relay


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events in an order in which nothing comes before what it follows from."""
    events: list[Event] = []
    for number in range(draw(st.integers(1, 10))):
        follows = 0
        for cause in draw(st.sets(st.integers(0, number - 1), max_size=2)) if number else ():
            follows |= events[cause].follows | 1 << cause
        events.append(Event(number, follows))
    return events


def ordered(one: Event, other: Event) -> bool:
    return bool(other.follows >> one.number & 1 or one.follows >> other.number & 1)


def width(events: list[Event]) -> int:
    """The largest set of events none of which follows from another, by trying them all."""
    for size in range(len(events), 0, -1):
        if any(not any(ordered(*pair) for pair in combinations(some, 2)) for some in combinations(events, size)):
            return size
    return 0


@given(histories())
@settings(max_examples=300, deadline=None, derandomize=True)
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
        if len(strategy.events.made) <= 14:
            assert strategy.events.width == width(strategy.events.made)
