"""What is told of a run is what happened in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sim import Persisted, Replay, simulate
from sim.base.values import show
from sim.graph.state import GraphStart
from sim.report.traced import trace_lines
from sim.run.metering import observe
from sim.run.trace import Run
from sim.world.story import Fate, Story
from tests.core.test_persisted import WAITING, Order, shop
from tests.report.runs import LATE, SCENARIOS, faulty, outcome_of


def in_flight(story: Story, number: int) -> list[tuple[str, str, str]]:
    """The messages under way behind a step, by their journeys."""
    ways = [w for w in story.journeys if w.beside is None and w.sent <= number]
    return sorted((w.source, w.target, w.text) for w in ways if w.ended is None or w.ended > number)


def flying(run: Run, number: int) -> list[tuple[str, str, str]]:
    """The same, by the states of the run."""
    graph = run.trace.world
    state = run.trace.places()[number]
    things = [graph.tables.envelopes.things[e] for e in graph.network.every(state.net)]
    return sorted((thing.source, thing.target, show(thing.message)) for thing in things)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_journeys_are_what_is_in_flight_in_every_state(path: Path) -> None:
    run = outcome_of(path).run
    story = run.trace.tell()
    for number in range(len(story.events)):
        assert in_flight(story, number) == flying(run, number), number


def test_a_journey_that_ends_elsewhere_is_caught() -> None:
    run = outcome_of(LATE).run
    story = run.trace.tell()
    first, *others = story.journeys
    wrong = replace(story, journeys=(first._replace(ended=None), *others))
    assert any(in_flight(wrong, n) != flying(run, n) for n in range(len(story.events)))


def test_every_fate_of_a_message_is_told(tmp_path: Path) -> None:
    run = faulty(tmp_path).run
    story = run.trace.tell()
    for number in range(len(story.events)):
        assert in_flight(story, number) == flying(run, number), number
    assert [(w.text, w.sent, w.ended, w.fate, w.copied) for w in story.journeys] == [
        ("Ping(n=1)", 0, 3, Fate.DELIVERED, False),
        ("Ping(n=2)", 0, 2, Fate.LOST, False),
        ("Ping(n=1)", 1, 6, Fate.DELIVERED, True),
        ("Pong(n=1)", 3, 8, Fate.DELIVERED, False),
        ("Pong(n=1)", 6, None, Fate.OPEN, False),
        ("Ping(n=3)", 9, None, Fate.OPEN, False),
        ("Pong(n=9)", 10, None, Fate.OPEN, False),
    ]
    kinds = [event.kind for event in story.events]
    assert kinds == [
        "start",
        "duplicate",
        "drop",
        "deliver",
        "cut",
        "heal",
        "deliver",
        "restart",
        "deliver",
        "fire",
        "move",
    ]
    assert [event.faults for event in story.events if event.faults] == [("duplicate",), ("drop",), ("cut",), ("crash",)]
    assert story.events[0].notes[0] == "a sends Ping(n=1) to b and Ping(n=2) to b"


def test_a_message_that_a_fault_struck_is_told_twice_as_it_still_comes() -> None:
    story = outcome_of(LATE).story
    (struck,) = [way for way in story.journeys if way.fate is Fate.STRUCK]
    assert struck.beside is not None
    assert story.journeys[struck.beside].fate is Fate.DELIVERED
    assert (struck.ended, story.journeys[struck.beside].ended) == (4, 7)


def test_telling_changes_nothing_that_is_reported_of_a_run() -> None:
    outcome = outcome_of(LATE)
    calls = outcome.run.trace.world.handler_calls
    outcome.run.trace.tell()
    assert outcome.run.trace.world.handler_calls == calls


def test_monitors_rows_are_told(tmp_path: Path) -> None:
    story = faulty(tmp_path).story
    ear = story.names.index("ear")
    assert [(event.number, row) for event in story.events for machine, row in event.rows if machine == ear] == [(3, 1)]


def test_on_a_set_a_message_that_stays_arrives_as_often_as_it_is_taken() -> None:
    from sim import Uniform, simulate
    from tests.report.runs import system

    run = simulate(system().with_(network="set", faults=""), Uniform(4), max_steps=40)
    story = run.trace.tell()
    for number in range(len(story.events)):
        assert in_flight(story, number) == flying(run, number), number
    assert len([w for w in story.journeys if w.beside is not None and w.fate is Fate.DELIVERED]) > 2


# --- a run that begins where another was persisted -------------------------------------------------------------


def a_run_that_goes_on() -> Run:
    flying = [("buyer", "shop", Order(2), True), ("buyer", "shop", Order(3))]
    system = shop(begins=Persisted({"shop": WAITING}, flying))
    return simulate(system, Replay(["start choosing twice", "deliver buyer->shop Order(key=2)", "fire shop.retry"]))


def test_what_is_known_from_before_is_told() -> None:
    run = a_run_that_goes_on()
    story = run.trace.tell()
    for number in range(len(story.events)):
        assert in_flight(story, number) == flying(run, number), number
    sent = "had sent Order(key=2) to shop, Order(key=3) to shop and Order(key=2) to shop again"
    assert [(one.actor, one.before) for one in story.began] == [("buyer", (sent,)), ("shop", ("goes on in waiting",))]
    assert story.events[0].notes == (f"buyer {sent}", "shop goes on in waiting", "shop has retry armed for 0ms")
    assert [line.strip() for line in trace_lines(story)][1:3] == [
        f"start  buyer    {sent}",
        "start  shop     goes on in waiting",
    ]


def test_what_was_sent_before_is_metered_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert observe(a_run_that_goes_on().trace).turns == ()
    monkeypatch.setattr(GraphStart, "brings", ())
    with pytest.raises(KeyError):
        observe(a_run_that_goes_on().trace)


def test_a_teller_that_does_not_know_what_was_before_is_caught() -> None:
    trace = a_run_that_goes_on().trace
    assert isinstance(trace.start, GraphStart)
    told = trace.world.tell(trace.start._replace(before=0), trace.steps)
    assert [one.actor for one in told.began] == ["shop"]
