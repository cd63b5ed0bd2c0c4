"""A run as a Mermaid sequence diagram: https://mermaid.js.org/syntax/sequenceDiagram.html

An arrow stands where its message arrived; between whom it was under way, and how long, only the page shows.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.report.draw.state_diagram import plain
from sim.report.outcome import JudgedRun
from sim.world.story import Fate, Happening, Story


def write(outcome: JudgedRun, story: Story) -> str:
    """The text of the diagram."""
    return "\n".join([*_lines(outcome, story), ""])


def _lines(outcome: JudgedRun, story: Story) -> Iterator[str]:
    names = story.processes
    ids = {name: f"p{number}" for number, name in enumerate(names)}
    everybody = f"{ids[names[0]]},{ids[names[-1]]}" if len(names) > 1 else ids[names[0]]
    yield "sequenceDiagram"
    for name, key in ids.items():
        yield f"    participant {key} as {plain(name)}"
    for event in story.events:
        yield from (f"    {line}" for line in _event(story, event, ids, everybody))
    finding = outcome.run.finding
    if finding is not None:
        yield f"    Note over {everybody}: VIOLATED {plain(finding.property)}, {plain(finding.message)}"


def _event(story: Story, event: Happening, ids: dict[str, str], everybody: str) -> Iterator[str]:
    if event.number == 0:
        return
    number = f"{event.number}. "
    if event.journey is not None:
        journey = story.journeys[event.journey]
        arrow = "--x" if journey.fate is Fate.LOST else "-)"
        under = "".join(f" ({kind})" for kind in event.faults)
        yield f"{ids[journey.source]}{arrow}{ids[journey.target]}: {plain(number + journey.text + under)}"
    elif event.process:
        yield f"Note over {ids[event.process]}: {number}{plain(event.text.removeprefix(event.process).strip())}"
    else:
        yield f"Note over {everybody}: {number}{plain(event.text)}"
    for state in _moved(event):
        yield f"Note over {ids[event.process]}: {plain(state)}"
    for reason in event.rejected:
        yield f"Note over {ids[event.process]}: rejected, {plain(reason)}"


def _moved(event: Happening) -> Iterator[str]:
    """The new state of the process that acted, if it is another."""
    prefix = f"{event.process}: "
    for note in event.notes:
        if event.process and note.startswith(prefix) and " -> " in note:
            yield note.removeprefix(prefix).partition(",")[0]
