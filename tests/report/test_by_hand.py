"""Whoever tells a story is reported like a graph: nothing is asked but the story and the plain parts of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sim.report.data import run_data
from sim.report.export import FORMATS, exported
from sim.report.html import page
from sim.report.html.embedded import page_data
from sim.report.outcome import JudgedRun
from sim.report.traced import run_lines, trace_lines
from sim.world.slowdown import Slowdown
from sim.world.story import Beginning, Story
from tests.browser import Page
from tests.report.by_hand import STORY, by_hand
from tests.report.viewers import clock_complaints, trace_complaints, uploaded

WRITTEN: dict[str, Callable[[JudgedRun], str]] = {
    "text": lambda outcome: "\n".join(run_lines(outcome)),
    "page": page,
    **{form: lambda outcome, form=form: exported(outcome, form) for form in FORMATS if form != "log"},  # type: ignore[misc]
}


def test_its_text() -> None:
    assert [*trace_lines(STORY)] == [
        "     step  process  event",
        "       1.  client   resumes",
        "       2.  main     from client: 2 bytes",
        "       3.  client   is cancelled",
        "                      waiting -> done",
        "                      * Idle(count=1)",
    ]
    lines = [*run_lines(by_hand())]
    assert lines[1].startswith("model tests.report.by_hand, network streams, faults none; ")
    assert "emitted     Idle 1" in lines
    assert "VIOLATED    no_leak: a connection is never given back" in lines


def test_its_text_with_all_that_a_story_may_have() -> None:
    told = replace(
        STORY,
        began=(Beginning("main", ("5 bytes to client", "1 byte to client"), ("Up()",)), Beginning("client")),
        slowdowns=(Slowdown(1, 5, "pause", "client pauses"), Slowdown(3, 2000, "delay", "2 bytes are late")),
        events=(STORY.events[0], *(event._replace(time_ms=10 * event.number) for event in STORY.events[1:])),
    )
    assert [*trace_lines(told)] == [
        "     time  process  event",
        "    start  main     sends 5 bytes to client and 1 byte to client",
        "                      * Up()",
        "    start  client",
        "     10ms  client   resumes",
        "      5ms           client pauses",
        "     20ms  main     from client: 2 bytes",
        "     30ms  client   is cancelled",
        "                      waiting -> done",
        "                      * Idle(count=1)",
        "       2s           2 bytes are late",
    ]


def test_its_data() -> None:
    data = run_data(by_hand())
    assert data["states"] == {"main": "running", "client": "done"}
    assert {name: data["metrics"][name] for name in ("sent", "delivered", "handler_calls")} == {
        "sent": 2,
        "delivered": 1,
        "handler_calls": 3,
    }


def test_its_page() -> None:
    data = page_data(by_hand())
    assert [(name, listens, sketch) for name, listens, sketch, _ in data["machines"]] == [
        ("main", 0, -1),
        ("client", 0, -1),
    ]
    assert data["sketches"] == []
    assert [data["texts"][look[0]] for look in data["locals"]] == ["waiting", "done", "running"]
    assert [data["texts"][text] for text in data["locals"][0][4]] == ["at", "Pool.acquire"]


def test_its_exports() -> None:
    outcome = by_hand()
    assert exported(outcome, "mermaid").splitlines()[1:-1] == [
        "    participant p0 as main",
        "    participant p1 as client",
        "    Note over p1: 1. resumes",
        "    p1-)p0: 2. 2 bytes",
        "    Note over p1: 3. is cancelled",
        "    Note over p1: waiting -#gt; done",
    ]
    assert [*clock_complaints(uploaded(exported(outcome, "shiviz")))] == []
    assert [*trace_complaints(json.loads(exported(outcome, "perfetto")))] == []
    lines = [json.loads(line) for line in exported(outcome, "jsonl").splitlines()]
    assert lines[0]["monitors"] == []
    assert [line["action"] for line in lines[1:-1]] == [None, *(event.address for event in STORY.events[1:])]


@pytest.mark.parametrize("form", WRITTEN)
def test_another_story_is_written_otherwise(form: str) -> None:
    start, first, *rest = STORY.events
    other: Story = replace(STORY, events=(start, first._replace(text="client  sleeps"), *rest))
    assert "sleeps" not in WRITTEN[form](by_hand())
    assert "sleeps" in WRITTEN[form](by_hand(other)) or form == "jsonl"
    other = replace(STORY, events=(start, first._replace(address="resume main"), *rest))
    assert ("resume main" in WRITTEN[form](by_hand(other))) == (form == "jsonl")


def test_its_page_opens_without_diagrams(chromium: Page, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(page(by_hand()), "utf-8")
    chromium.open(path)
    chromium.press("2")
    assert chromium.text("#machines") == "Nothing in this run has a table that could be drawn."
    chromium.press("w")
    chromium.press("1")
    chromium.press("End")
    assert "done" in chromium.text("#step")
    assert chromium.messages == []
