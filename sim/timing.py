"""How long things take in a run on virtual time. It decides the order of actions and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Range = tuple[int, int]
"""Milliseconds, both ends included."""

NEVER = None


@dataclass(frozen=True)
class Timing:
    """Ranges from which a virtual-time run draws, in milliseconds.

    - `latency_ms`: of every envelope; `links` overrides it by `source->target` (either side `*`)
    - `moves`: delay of a spontaneous move, by `process.move`; None is never. By default a `must` move
      is taken at once and a `may` move after 0 to 1000 ms
    - `restart_ms`, `heal_ms`: how long a process stays down, a cut in force
    """

    latency_ms: Range = (5, 50)
    links: Mapping[str, Range] = field(default_factory=dict)
    moves: Mapping[str, Range | None] = field(default_factory=dict)
    may_ms: Range = (0, 1_000)
    restart_ms: Range = (100, 100)
    heal_ms: Range = (500, 500)

    def link(self, source: str, target: str) -> Range:
        """The latency range of one link: the most specific rule wins."""
        for rule in (f"{source}->{target}", f"{source}->*", f"*->{target}"):
            if rule in self.links:
                return self.links[rule]
        return self.latency_ms
