"""Properties: what must hold. A predicate names what it reads and gets nothing else, so that any engine may evaluate it
once for each distinct combination of those values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sim.base.errors import ModelError, listing
from sim.base.values import describe

Kind = Literal[
    "always", "sometimes", "eventually", "always_eventually", "eventually_always", "leads_to", "rests", "within"
]
Predicate = Callable[..., object]

IN_THE_END: tuple[Kind, ...] = ("eventually", "always_eventually", "eventually_always", "leads_to", "rests")
"""What is judged by how a run ends: where it comes to rest, or on the fair cycle that it goes round forever."""

IN_FLIGHT = "in_flight:"
"""How a predicate names a class of messages that it reads in flight."""

STUCK = "stuck"
UNHANDLED = "unhandled"
EXCEPTION = "exception"
BUILT_IN = (STUCK, UNHANDLED, EXCEPTION)
"""Properties that every system has; a violation of one of the last two always ends a run."""


@dataclass(frozen=True)
class Property:
    """A named predicate over what is in `reads`: the local values (as `View`s) of processes and monitors, and for
    `in_flight:Message` the envelopes of that class in flight, as a sorted tuple of (source, target, message)."""

    kind: Kind
    name: str
    predicate: Predicate
    reads: tuple[str, ...]
    premise: Predicate | None = None
    """Of a `leads_to`: what it leads from; it reads the same."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def machines(self) -> tuple[str, ...]:
        """The processes and monitors that it reads."""
        return tuple(name for name in self.reads if not name.startswith(IN_FLIGHT))

    @property
    def flying(self) -> tuple[str, ...]:
        """The classes of the messages that it reads in flight."""
        return tuple(name.removeprefix(IN_FLIGHT) for name in self.reads if name.startswith(IN_FLIGHT))


def always(name: str, predicate: Predicate, reads: Sequence[str] | None = None) -> Property:
    """`predicate` holds in every state. `reads` are names of processes and monitors, and `in_flight:Message`, given to
    the predicate in that order; by default the names of its parameters."""
    return _property("always", name, predicate, reads)


def sometimes(name: str, predicate: Predicate, reads: Sequence[str] | None = None) -> Property:
    """`predicate` holds in at least one reachable state: guards against models that do nothing."""
    return _property("sometimes", name, predicate, reads)


def eventually(name: str, predicate: Predicate, reads: Sequence[str] | None = None) -> Property:
    """Every run that makes progress reaches a state where `predicate` holds. Judged where a run ends (at quiescence)
    and on cycles that progress can follow forever without being unfair to an action that is always enabled."""
    return _property("eventually", name, predicate, reads)


def always_eventually(name: str, predicate: Predicate, reads: Sequence[str] | None = None) -> Property:
    """`predicate` holds again and again, in every run (GF p): on every fair cycle somewhere, and where a run rests."""
    return _property("always_eventually", name, predicate, reads)


def eventually_always(name: str, predicate: Predicate, reads: Sequence[str] | None = None) -> Property:
    """From some state on `predicate` holds forever, in every run (FG p; a system that converges): all along every fair
    cycle, and where a run rests."""
    return _property("eventually_always", name, predicate, reads)


def leads_to(name: str, premise: Predicate, predicate: Predicate, reads: Sequence[str] | None = None) -> Property:
    """Whenever `premise` holds, `predicate` holds then or later (p leads to q). Both are given the same: `reads`, or the
    parameters of the first, which the second must share."""
    found = _property("leads_to", name, premise, reads)
    other = _property("leads_to", name, predicate, reads)
    if found.reads != other.reads:
        raise ModelError(
            f"leads_to {name!r}: the predicates read {listing(found.reads, 'and')}, and {listing(other.reads, 'and')}; "
            "give both the same parameters, or name what both read: reads=(...)"
        )
    return replace(found, predicate=predicate, premise=premise)


RESTS = "comes to rest"


def rests(name: str = RESTS) -> Property:
    """Every fair run comes to rest: there is no fair cycle."""
    return Property("rests", name, bool, ())


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
