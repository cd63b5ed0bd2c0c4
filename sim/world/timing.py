"""How long things take in a run on virtual time. It decides only the order of actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from sim.base.errors import ModelError, unknown

Range = tuple[int, int]
"""Milliseconds, both ends included."""

NEVER = None


def _is_range(given: object) -> bool:
    if not isinstance(given, tuple) or len(given) != 2:
        return False
    low, high = given
    return type(low) is int and type(high) is int and 0 <= low <= high


@dataclass(frozen=True)
class Timing:
    """Ranges from which a virtual-time run draws, in milliseconds.

    - `latency_ms`: of every envelope; `links` overrides it by `source->target` (either side `*`)
    - `moves`: delay of a spontaneous move, by `process.move`; None is never. By default a `must` move
      is taken at once and a `may` move after 0 to 1000 ms
    - `restart_ms`, `heal_ms`: how long a process stays down, how long a cut lasts
    - `late_ms`: of a program, how much after its deadline a timer fires; no loop fires one before it

    Raises `ModelError` with one line for each malformed range.
    """

    latency_ms: Range = (5, 50)
    links: Mapping[str, Range] = field(default_factory=dict)
    moves: Mapping[str, Range | None] = field(default_factory=dict)
    may_ms: Range = (0, 1_000)
    restart_ms: Range = (100, 100)
    heal_ms: Range = (500, 500)
    late_ms: Range = (0, 0)

    def __new__(cls, *_: Any, **parts: Any) -> Self:
        """Suggests the right name, where Python would only reject the wrong one."""
        known = [f.name for f in fields(cls)]
        mistakes = [f"Timing: {unknown('part', name, known)}" for name in parts if name not in known]
        if mistakes:
            raise ModelError(*mistakes)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        ranges = {name: getattr(self, name) for name in ("latency_ms", "may_ms", "restart_ms", "heal_ms", "late_ms")}
        ranges |= {f"links[{name!r}]": given for name, given in self.links.items()}
        ranges |= {f"moves[{name!r}]": given for name, given in self.moves.items() if given is not NEVER}
        mistakes = [
            f"timing: {name} is {given!r}; expected whole milliseconds (low, high), such as (5, 50)"
            for name, given in ranges.items()
            if not _is_range(given)
        ]
        if mistakes:
            raise ModelError(*mistakes)

    def link(self, source: str, target: str) -> Range:
        """The latency range of one link: the most specific rule wins."""
        for rule in (f"{source}->{target}", f"{source}->*", f"*->{target}"):
            if rule in self.links:
                return self.links[rule]
        return self.latency_ms
