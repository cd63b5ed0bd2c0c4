"""Injection points of ordinary code: which call it is, and so which faults can strike there.

    SPEC_KIT          any call of the code under test; every kind
    CONSENSUS         a consensus step; what strikes the verdict
    Agent("gemini")   a call of that agent; what strikes its answer

A plan has a scope too: `spec_kit` is all of these points, `consensus` the consensus steps, `agent` the calls of agents and
`agent(gemini)` those of one. Any other name is a scope of your own, and struck only by plans for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sim.base.errors import ConfigError, brief, unknown
from sim.faults.catalogue import TABLE, Bites

RAISED = tuple(row.kind for row in TABLE if row.error is not None)
"""The kinds that can strike ordinary code."""
OF_ANSWERS = tuple(row.kind for row in TABLE if row.error is not None and row.bites is Bites.ANSWER)
OF_VERDICTS = tuple(row.kind for row in TABLE if row.error is not None and row.bites is Bites.VERDICT)

_SCOPE = re.compile(r"(?P<name>[A-Za-z]\w*)(?:\(\s*(?P<target>\w[\w.-]*)\s*\))?")
_USUAL = {"speckit": "spec_kit", "spec_kit": "spec_kit", "consensus": "consensus", "agent": "agent"}


@dataclass(frozen=True)
class FaultScope:
    """A scope: a name, whom it calls (None: not said), and the kinds of fault that can strike there (None: all)."""

    name: str
    target: str | None = None
    kinds: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return self.name if self.target is None else f"{self.name}({self.target})"

    def covers(self, point: FaultScope) -> bool:
        """Whether a plan for this scope is for that point."""
        if self.name != point.name:
            return self == SPEC_KIT and point.name in (CONSENSUS.name, Agent("").name)
        return self.target in (None, point.target)


SPEC_KIT = FaultScope("spec_kit")
"""The usual scope of a plan, and any call of the code under test."""
CONSENSUS = FaultScope("consensus", kinds=OF_VERDICTS)
"""A consensus step."""


def Agent(name: str) -> FaultScope:
    """A call of the agent `name`."""
    return FaultScope("agent", name, OF_ANSWERS)


def read_scope(text: str) -> FaultScope:
    """The scope of a plan: `spec_kit`, `consensus`, `agent`, `agent(gemini)`, or a name of your own; the usual ones in any
    case, and `SpecKit` is `spec_kit`. Raises `ConfigError`."""
    match = _SCOPE.fullmatch(text.strip())
    name = match["name"] if match is not None else ""
    name = _USUAL.get(name.lower(), name)
    if match is None or (match["target"] and name != "agent"):
        raise ConfigError(
            f"{brief(text.strip())} is not a scope; write spec_kit, consensus, agent(gemini), or a name of your own"
        )
    return FaultScope(name, match["target"])


def point_of(scope: str | FaultScope, target: str | None, kinds: Iterable[str] | None) -> FaultScope:
    """The injection point that a call names. Raises `ConfigError` for kinds that cannot strike ordinary code."""
    point = scope if isinstance(scope, FaultScope) else FaultScope(scope)
    if target is not None:
        point = FaultScope(point.name, target, point.kinds)
    if kinds is None:
        return point
    given = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    mistakes = [unknown("kind", kind, RAISED) for kind in given if kind not in RAISED]
    if mistakes:
        raise ConfigError(*mistakes)
    return FaultScope(point.name, point.target, given)
