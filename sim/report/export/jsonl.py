"""A run as JSON Lines: the run, then every step, then what came of it, each with its `record`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sim.base.values import show
from sim.report.data import run_data
from sim.report.outcome import JudgedRun
from sim.report.story import Happening, Story


def write(outcome: JudgedRun, story: Story) -> str:
    """The lines."""
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(outcome, story))


def _lines(outcome: JudgedRun, story: Story) -> Iterator[dict[str, Any]]:
    scenario, graph = outcome.scenario, story.graph
    start = outcome.run.trace.start.state
    yield {
        "record": "run",
        "format": 1,
        "scenario": scenario.path,
        "model": scenario.model,
        "network": graph.system.network,
        "processes": list(graph.names[: graph.width]),
        "monitors": list(graph.names[graph.width :]),
        "states": {name: _local(story, local) for name, local in zip(graph.names, start.locals, strict=True)},
    }
    for event in story.events:
        yield _step(story, event)
    yield {"record": "end", **run_data(outcome)}


def _step(story: Story, event: Happening) -> dict[str, Any]:
    names = story.graph.names
    steps = story.run.trace.steps
    return {
        "record": "step",
        "step": event.number,
        "time_ms": event.time_ms,
        "kind": event.kind,
        "process": event.process or None,
        "action": str(steps[event.number - 1][1].address) if event.number else None,
        "message": event.journey,
        "sent": [
            {"message": i, "from": j.source, "to": j.target, "text": j.text}
            for i, j in ((i, story.journeys[i]) for i in event.sent)
        ],
        "faults": list(event.faults),
        "changed": {names[machine]: _local(story, local) for machine, local in event.changed},
        "emitted": list(event.emitted),
        "rejected": list(event.rejected),
    }


def _local(story: Story, local: int) -> dict[str, Any]:
    view = story.graph.tables.view(local)
    fields = {name: show(value) for name, value in view.fields().items()}
    return {"state": view.state, "fields": fields, "timers": list(view.timers)}
