"""Properties: what must hold. A predicate names what it reads and gets nothing else, so that any engine may evaluate it
once for each distinct combination of those values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from sim.base.errors import ModelError
from sim.base.values import describe

Kind = Literal["always", "sometimes", "eventually", "within"]
Predicate = Callable[..., object]

STUCK = "stuck"
UNHANDLED = "unhandled"
EXCEPTION = "exception"
BUILT_IN = (STUCK, UNHANDLED, EXCEPTION)
"""Properties that every system has; a violation of one of the last two always ends a run."""


@dataclass(frozen=True)
class Property:
    """A named predicate over the local values (as `View`s) of the processes and monitors in `reads`."""

    kind: Kind
    name: str
    predicate: Predicate
    reads: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def always(name: str, predicate: Predicate, reads: Sequence[str] | None = None) -> Property:
    """`predicate` holds in every state. `reads` are names of processes and monitors, given to the
    predicate in that order; by default the names of its parameters."""
    return _property("always", name, predicate, reads)


def sometimes(name: str, predicate: Predicate, reads: Sequence[str] | None = None) -> Property:
    """`predicate` holds in at least one reachable state: guards against models that do nothing."""
    return _property("sometimes", name, predicate, reads)


def eventually(name: str, predicate: Predicate, reads: Sequence[str] | None = None) -> Property:
    """Every run that makes progress reaches a state where `predicate` holds. Judged where a run ends (at quiescence)
    and on cycles that progress can follow forever without being unfair to an action that is always enabled."""
    return _property("eventually", name, predicate, reads)


def within(name: str, predicate: Predicate, reads: Sequence[str] | None = None) -> Property:
    """Bounds a check: states where `predicate` does not hold are judged but not expanded."""
    return _property("within", name, predicate, reads)


def _property(kind: Kind, name: str, predicate: Predicate, reads: Sequence[str] | None) -> Property:
    if not callable(predicate):
        raise ModelError(
            f"{kind} {name!r}: {describe(predicate)} is not a predicate; pass a function of what it reads, such as "
            "lambda agent: agent.state == 'done'"
        )
    if reads is None:
        parameters = inspect.signature(predicate).parameters.values()
        if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
            raise ModelError(f"{kind} {name!r}: name what it reads: reads=(...)")
        reads = [p.name for p in parameters if p.default is p.empty]
    if isinstance(reads, str):
        raise ModelError(f"{kind} {name!r}: reads={reads!r} is one string; write reads=({reads!r},)")
    if not reads:
        raise ModelError(f"{kind} {name!r} reads nothing: name at least one process or monitor")
    return Property(kind, name, predicate, tuple(reads))
