"""A run as JSON Lines: the run, then every step, then the outcome, each with its `record`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.base.printing import json_text
from sim.report.data import run_data
from sim.report.outcome import JudgedRun
from sim.world.story import Happening, Look, Story


def write(outcome: JudgedRun, story: Story) -> str:
    """The lines."""
    return "".join(json_text(line) + "\n" for line in _lines(outcome, story))


def _lines(outcome: JudgedRun, story: Story) -> Iterator[dict[str, Any]]:
    scenario = outcome.scenario
    yield {
        "record": "run",
        "format": 1,
        "scenario": scenario.path,
        "model": scenario.model,
        "network": story.network,
        "processes": list(story.processes),
        "monitors": [actor.name for actor in story.actors if actor.listens],
        "states": {name: _look(story.looks[look]) for name, look in zip(story.names, story.first, strict=True)},
    }
    for event in story.events:
        yield _step(story, event)
    yield {"record": "end", **run_data(outcome)}


def _step(story: Story, event: Happening) -> dict[str, Any]:
    return {
        "record": "step",
        "step": event.number,
        "time_ms": event.time_ms,
        "kind": event.kind,
        "process": event.process or None,
        "action": event.address if event.number else None,
        "message": event.journey,
        "sent": [
            {"message": i, "from": j.source, "to": j.target, "text": j.text}
            for i, j in ((i, story.journeys[i]) for i in event.sent)
        ],
        "faults": list(event.faults),
        "changed": {story.names[actor]: _look(story.looks[look]) for actor, look in event.changed},
        "emitted": list(event.emitted),
        "rejected": list(event.rejected),
    }


def _look(look: Look) -> dict[str, Any]:
    fields = {field.name: field.text for field in look.fields}
    return {"state": look.state, "fields": fields, "timers": list(look.timers)}
