"""Where the nodes of a large graph go: on levels by how far they are from its beginning, near to where they come from.

Unlike `layout` it has no labels and no room for its edges: hundreds of nodes are seen at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GAP_X, GAP_Y = 34, 58
ROW_MAX = 40
"""Nodes side by side; a level of more of them takes several rows."""
SWEEPS = 8


@dataclass(frozen=True)
class Spread:
    """The centre of every node."""

    width: int
    height: int
    places: tuple[tuple[int, int], ...]


def spread(depths: Sequence[int], edges: Sequence[tuple[int, int]]) -> Spread:
    """Places nodes of these depths, so that edges from one level to the next are short."""
    levels: list[list[int]] = [[] for _ in range(max(depths, default=-1) + 1)]
    for node, depth in enumerate(depths):
        levels[depth].append(node)
    before: list[list[int]] = [[] for _ in depths]
    after: list[list[int]] = [[] for _ in depths]
    for a, b in edges:
        if depths[b] == depths[a] + 1:
            before[b].append(a)
            after[a].append(b)
    at = {node: place - (len(level) - 1) / 2 for level in levels for place, node in enumerate(level)}
    for sweep in range(SWEEPS):
        beside = before if sweep % 2 == 0 else after
        for level in levels if sweep % 2 == 0 else reversed(levels):
            level.sort(key=lambda node: (_mean([at[other] for other in beside[node]], at[node]), node))
            at.update({node: place - (len(level) - 1) / 2 for place, node in enumerate(level)})
    rows = [level[first : first + ROW_MAX] for level in levels for first in range(0, len(level), ROW_MAX)]
    widest = max((len(row) for row in rows), default=0)
    places = {
        node: (round((widest / 2 + place - (len(row) - 1) / 2) * GAP_X), number * GAP_Y + GAP_Y // 2)
        for number, row in enumerate(rows)
        for place, node in enumerate(row)
    }
    return Spread(widest * GAP_X, len(rows) * GAP_Y, tuple(places[node] for node in range(len(depths))))


def _mean(places: Sequence[float], otherwise: float) -> float:
    return sum(places) / len(places) if places else otherwise
