"""A run of coroutines is told, drawn, exported and drawn from by Hypothesis as a run of a graph is."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.stateful import run_state_machine_as_test

from sim import PropertyViolation, Replay, Run, schedules, simulate, state_machine
from sim.base.errors import ModelError
from sim.report.data import run_data
from sim.report.export import FORMATS, exported
from sim.report.html import page
from sim.report.html.embedded import page_data
from sim.report.outcome import JudgedRun
from sim.report.traced import run_lines, trace_lines
from sim.strategy import VirtualTime
from tests.conformance.worlds import BROKEN, Make
from tests.report.by_hand import reported
from tests.report.viewers import clock_complaints, trace_complaints, uploaded
from tests.worlds.path_world import PathWorld
from tests.worlds.programs import BROKEN as PROGRAMS
from tests.worlds.programs import Impatient, LockedUpdate, LostUpdate, Trusting

LOST = ["move reader.resume", "move sender.resume", "drop sender->reader Parcel"]
LATE = [
    "move client.resume",
    "fire client.timeout",
    "move client.resume",
    "deliver client->server Ask(n=1)",
    "move server.resume",
    "deliver server->client Answer(n=1)",
    "move client.resume",
]


def late() -> Run:
    return simulate(PathWorld(Impatient), Replay(LATE))


def lost() -> Run:
    return simulate(PathWorld(Trusting), Replay(LOST))


def arrived() -> Run:
    return simulate(PathWorld(Trusting), Replay(LOST[:2], then_usual=True))


# Text, page, exports ------------------------------------------------------------------------------------


def test_its_text() -> None:
    assert [*trace_lines(late().trace.tell())] == [
        "     step  process  event",
        "       1.  client   resume",
        "                      ready -> waiting, at=Queue.get",
        "                      shared: asked=1",
        "       2.  client   timer timeout",
        "                      waiting -> ready",
        "       3.  client   resume",
        "                      ready -> waiting",
        "                      shared: asked=2",
        "       4.  server   from client: Ask(n=1)",
        "       5.  server   resume",
        "                      ready -> waiting, at=Queue.get",
        "       6.  client   from server: Answer(n=1)",
        "                      waiting -> ready",
        "       7.  client   resume",
        "                      ready -> done",
        "                      shared: answered=1",
    ]


def test_its_text_on_a_clock_with_what_it_emits() -> None:
    told = [*trace_lines(simulate(PathWorld(LostUpdate), VirtualTime(0)).trace.tell())]
    assert told[-5:] == [
        "     20ms  three    resume",
        "     20ms  three    resume",
        "                      ready -> done",
        "                      shared: total=3, added=3",
        "                      * Added(total=3)",
    ]


def test_its_data() -> None:
    data = run_data(reported(lost()))
    assert data["states"] == {"reader": "waiting", "sender": "waiting"}
    assert data["violation"] == {"property": "nobody waits for ever", "message": "reader still waits"}
    assert data["faults"]["struck"] == {"drop": 1}
    assert {name: data["metrics"][name] for name in ("sent", "delivered", "handler_calls")} == {
        "sent": 1,
        "delivered": 0,
        "handler_calls": 3,
    }
    emitted = run_data(reported(simulate(PathWorld(LostUpdate), VirtualTime(0))))["emitted"]
    assert emitted == {"Added": 3}


def test_its_page() -> None:
    data = page_data(reported(late()))
    assert [(name, listens) for name, listens, _, _ in data["machines"]] == [
        ("client", 0),
        ("server", 0),
        ("shared", 1),
    ]
    texts = data["texts"]
    journeys = [
        (*journey[:2], texts[journey[3]], *journey[4:6], data["fates"][journey[6]]) for journey in data["journeys"]
    ]
    assert journeys == [
        (0, 1, "Ask(n=1)", 1, 4, "delivered"),
        (0, 1, "Ask(n=2)", 3, -1, "still in flight at the end"),
        (1, 0, "Answer(n=1)", 5, 6, "delivered"),
    ]


@pytest.mark.parametrize("run", [late, lost, arrived])
def test_its_exports(run: Callable[[], Run]) -> None:
    outcome = reported(run())
    assert [*clock_complaints(uploaded(exported(outcome, "shiviz")))] == []
    assert [*trace_complaints(json.loads(exported(outcome, "perfetto")))] == []
    lines = [json.loads(line) for line in exported(outcome, "jsonl").splitlines()]
    assert [line["action"] for line in lines[1:-1]] == [None, *outcome.run.trace.schedule()[-outcome.run.steps :]]
    assert lines[-1]["digest"] == outcome.run.digest
    arrows = [line.strip() for line in exported(outcome, "mermaid").splitlines() if "-)" in line or "-x" in line]
    assert (
        arrows
        == {
            late: ["p0-)p1: 4. Ask(n=1)", "p1-)p0: 6. Answer(n=1)"],
            lost: ["p1--xp0: 3. Parcel (drop)"],
            arrived: ["p1-)p0: 3. Parcel"],
        }[run]
    )


WRITTEN: dict[str, tuple[Callable[[JudgedRun], str], str]] = {
    "text": (lambda outcome: "\n".join(run_lines(outcome)), "Parcel (dropped)"),
    "page": (page, "Parcel (dropped)"),
    "jsonl": (lambda outcome: exported(outcome, "jsonl"), "drop sender->reader Parcel"),
    "mermaid": (lambda outcome: exported(outcome, "mermaid"), "Parcel (drop)"),
    "perfetto": (lambda outcome: exported(outcome, "perfetto"), "Parcel, lost"),
    "shiviz": (lambda outcome: exported(outcome, "shiviz"), "Parcel (dropped)"),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_a_message_that_is_lost_is_written_otherwise_than_one_that_arrives(form: str) -> None:
    write, word = WRITTEN[form]
    assert word in write(reported(lost()))
    assert word not in write(reported(arrived()))


def test_no_form_is_left_out() -> None:
    assert {*FORMATS} - {"log"} == {*WRITTEN} - {"text", "page"}


def test_a_log_is_of_a_model_only() -> None:
    with pytest.raises(ModelError, match="only a run of a model can be written as a log"):
        exported(reported(lost()), "log")


# Hypothesis ---------------------------------------------------------------------------------------------

OURS = settings(
    database=None,
    deadline=None,
    derandomize=True,
    max_examples=100,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def drawn(make: Make) -> None:
    """Runs of a world, drawn: none may be wrong."""

    @given(schedules(make(), 20))
    @settings(OURS)
    def none_is_wrong(run: Run) -> None:
        assert run.finding is None, run.finding

    none_is_wrong()


def walked(make: Make) -> None:
    """A world as a state machine: nothing may be wrong."""
    run_state_machine_as_test(state_machine(make()), settings=OURS)


@pytest.mark.parametrize("by", [drawn, walked])
@pytest.mark.parametrize("name", PROGRAMS)
def test_hypothesis_finds_the_bug_and_nothing_in_the_twin(name: str, by: Callable[[Make], None]) -> None:
    with pytest.raises(AssertionError, match=BROKEN[name].property):
        by(BROKEN[name].world)
    by(BROKEN[name].twin)


def test_a_failure_of_a_state_machine_tells_what_replays_it() -> None:
    with pytest.raises(PropertyViolation) as caught:
        walked(BROKEN["lost parcel"].world)
    run = caught.value.run
    assert "reader still waits" in str(caught.value)
    again = simulate(PathWorld(Trusting), Replay(run.trace.schedule()))
    assert (again.digest, again.finding) == (run.digest, run.finding)


def test_a_state_machine_has_the_rules_that_the_world_needs() -> None:
    with_faults, without = state_machine(PathWorld(Trusting)), state_machine(PathWorld(LockedUpdate))
    assert [hasattr(with_faults, name) for name in ("deliver", "fire", "move", "drop")] == [True] * 4
    assert [hasattr(without, name) for name in ("deliver", "fire", "move", "drop")] == [True, True, True, False]
