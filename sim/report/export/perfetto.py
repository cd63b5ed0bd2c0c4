"""A run in the trace event format of Chrome, which Perfetto reads too: a track for each process, a slice for
each state it was in, one for each step, and a flow for each message.

Virtual milliseconds are microseconds of the trace times 1000; what happens in one millisecond is spread over
its microseconds, so that the order shows. Where time is not simulated a step is a millisecond.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.base.printing import json_text
from sim.report.outcome import JudgedRun
from sim.world.story import Fate, Story


def write(outcome: JudgedRun, story: Story) -> str:
    """The JSON of the trace."""
    times = _times(story)
    events = [
        {"name": "process_name", "ph": "M", "ts": 0, **_track(0), "args": {"name": outcome.scenario.path}},
        *_tracks(story),
        *_states(story, times),
        *_steps(story, times),
        *_flows(story, times),
    ]
    finding = outcome.run.finding
    if finding is not None:
        name = f"VIOLATED {finding.property}: {finding.message}"
        events.append({"name": name, "cat": "finding", "ph": "i", "s": "g", "ts": times[-1], **_track(0)})
    return json_text({"displayTimeUnit": "ms", "traceEvents": events}) + "\n"


def _times(story: Story) -> list[int]:
    """When each event is, in microseconds; they rise."""
    found = [0]
    for event in story.events[1:]:
        wanted = event.number * 1000 if event.time_ms is None else event.time_ms * 1000
        found.append(max(wanted, found[-1] + 1))
    return found


def _track(number: int) -> dict[str, int]:
    """Where the events of a process are. Thread 0 is the idle one of a machine, which viewers leave out."""
    return {"pid": 1, "tid": 1 + number}


def _tracks(story: Story) -> Iterator[dict[str, Any]]:
    for number, name in enumerate(story.processes):
        yield {"name": "thread_name", "ph": "M", "ts": 0, **_track(number), "args": {"name": name}}
        yield {"name": "thread_sort_index", "ph": "M", "ts": 0, **_track(number), "args": {"sort_index": number}}


def _states(story: Story, times: list[int]) -> Iterator[dict[str, Any]]:
    count = len(story.processes)
    began = [(0, story.looks[look].state) for look in story.first]
    for event in story.events:
        for actor, look in event.changed:
            state = story.looks[look].state
            since, before = began[actor]
            if actor < count and state != before:
                yield _slice(before, since, times[event.number], actor)
                began[actor] = (times[event.number], state)
    for actor in range(count):
        since, state = began[actor]
        yield _slice(state, since, times[-1] + 1, actor)


def _slice(name: str, since: int, until: int, track: int) -> dict[str, Any]:
    return {"name": name, "cat": "state", "ph": "X", "ts": since, "dur": until - since, **_track(track)}


def _steps(story: Story, times: list[int]) -> Iterator[dict[str, Any]]:
    tracks = {name: number for number, name in enumerate(story.names)}
    for event in story.events[1:]:
        track = tracks[event.process] if event.process else 0
        told = {"step": event.number, "changes": event.notes, "emits": event.emitted, "rejects": event.rejected}
        yield {
            "name": event.text,
            "cat": event.kind,
            "ph": "i",
            "s": "t" if event.process else "p",
            "ts": times[event.number],
            **_track(track),
            "args": {name: value for name, value in told.items() if value},
        }


def _flows(story: Story, times: list[int]) -> Iterator[dict[str, Any]]:
    tracks = {name: number for number, name in enumerate(story.names)}
    for number, journey in enumerate(story.journeys):
        if journey.ended is None:
            continue
        lost = ", lost" if journey.fate is Fate.LOST else ""
        about = {"name": f"{journey.name}{lost}", "cat": "message", "id": number}
        yield {**about, "ph": "s", "ts": times[journey.sent], **_track(tracks[journey.source])}
        yield {**about, "ph": "f", "bp": "e", "ts": times[journey.ended], **_track(tracks[journey.target])}
