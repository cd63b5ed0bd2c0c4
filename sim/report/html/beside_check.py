"""The data of the page of a check: what it covered of each machine, and its graph where that can be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sim.base.printing import printable
from sim.checker.drawable import STATES_MAX, Covered, DrawnGraph
from sim.report.draw.levels import Spread, spread
from sim.report.html.embedded import Writer


@dataclass(frozen=True)
class Checked:
    """A check, as far as its page shows it."""

    title: str
    how: str
    verdict: str
    expected: bool
    words: Sequence[str]
    """What `sim check` says of it."""
    covered: Sequence[Covered]
    graph: DrawnGraph | None
    """None: it is too large to be drawn."""
    states: int
    alone: bool
    """Whether there is no run to be shown beside it."""


def checked_data(checked: Checked, writer: Writer) -> dict[str, Any]:
    """What stands beside the run of a page; without a run also in the place of what is said of it."""
    said = {
        "title": printable(checked.title),
        "how": printable(checked.how),
        "verdict": checked.verdict,
        "expected": checked.expected,
    }
    return {
        **(said if checked.alone else {}),
        "check": {
            "alone": checked.alone,
            "words": [*map(printable, checked.words)],
            "covered": [
                [
                    printable(one.process),
                    [writer.text(state) for state in sorted(one.states)],
                    [[row, writer.text(state), times] for row, state, times in one.rows],
                ]
                for one in checked.covered
            ],
            "graph": None if checked.graph is None else _graph(checked.graph, writer),
            "states": checked.states,
            "most": STATES_MAX,
        },
    }


def _graph(graph: DrawnGraph, writer: Writer) -> dict[str, Any]:
    """States as x, y, depth, whether at rest, what is wrong (-1: nothing), looks, texts in flight; edges as from, to, text."""
    pairs = [(a, b) for a, b, _ in graph.edges]
    found: Spread = spread([state.depth for state in graph.states], pairs)
    looks = [writer.look_number(look) for look in graph.looks]
    return {
        "width": found.width,
        "height": found.height,
        "nodes": [
            [
                x,
                y,
                state.depth,
                int(state.rests),
                -1 if state.finding is None else writer.text(f"{state.finding.property}: {state.finding.message}"),
                [looks[number] for number in state.looks],
                [writer.text(text) for text in state.flying],
            ]
            for state, (x, y) in zip(graph.states, found.places, strict=True)
        ],
        "edges": [[a, b, writer.text(text)] for a, b, text in graph.edges],
        "path": list(graph.path),
    }
