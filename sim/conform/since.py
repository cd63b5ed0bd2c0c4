"""Since which line a process is what it is: where its state, or a field, took the value that it has, and which line
said so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from sim.base.values import is_record
from sim.conform.logged import LogLine
from sim.graph.action import Action
from sim.graph.definition import Definition
from sim.graph.state import GraphStart, State
from sim.machine.outputs import Output, Send

AT_START = "the start"
UNSEEN = "a step that was not logged"


class ValueOrigin(NamedTuple):
    """A value, and what brought it about: the place of a line, or words for where there is none."""

    value: Any
    place: str


class Histories:
    """What an explanation has brought about so far, of every process. It grows with what a process has, not with the
    log."""

    def __init__(self, graph: Definition) -> None:
        self.graph = graph
        self._origins: dict[tuple[str, str], ValueOrigin] = {}
        self._said: dict[tuple[str, str], LogLine] = {}

    def copy(self) -> Histories:
        """Another one that goes its own way from here."""
        copy = Histories(self.graph)
        copy._origins, copy._said = dict(self._origins), dict(self._said)
        return copy

    def begin(self, state: State, lines: Iterable[LogLine]) -> None:
        """Every process is as it starts; some said so."""
        for process, local in enumerate(state.locals[: self.graph.width]):
            self._become(process, local, AT_START)
        for line in lines:
            self.hear(line)

    def add(self, action: Action, line: LogLine | None) -> None:
        """A step of the explanation, and the line that it explains."""
        place = UNSEEN if line is None else line.place
        effect = action.effect
        for process, local in ((effect.process, effect.local), *effect.others):
            if local >= 0:
                self._become(process, local, place)
        if line is not None:
            self.hear(line)

    def origin(self, process: str, what: str) -> ValueOrigin | None:
        """Where the value of `what` (`state`, `field x`, `field x.y`) comes from."""
        return self._origins.get((process, what))

    def said(self, process: str, what: str) -> LogLine | None:
        """The last line that said something of it."""
        return self._said.get((process, what))

    def _become(self, process: int, local: int, place: str) -> None:
        name = self.graph.names[process]
        for what, value in values_of(self.graph, process, local):
            known = self._origins.get((name, what))
            if known is None or known.value != value:
                self._origins[name, what] = ValueOrigin(value, place)

    def hear(self, line: LogLine) -> None:
        """A line that is explained says what it says."""
        if "state" in line.said:
            self._said[line.process, "state"] = line
        for what in _mentioned("field ", line.said.get("fields") or {}):
            self._said[line.process, what] = line


def values_of(graph: Definition, process: int, local: int) -> Iterator[tuple[str, Any]]:
    """The state and the fields of a process, and the fields of records in these."""
    value = graph.tables.locals.things[local][1]
    yield "state", value.state
    for name, held in zip(graph.tables.handlers[process].fields, value.fields, strict=False):
        yield from _inner(f"field {name}", held)


def _inner(what: str, value: Any) -> Iterator[tuple[str, Any]]:
    yield what, value
    if is_record(value):
        for one in fields(value):
            yield from _inner(f"{what}.{one.name}", getattr(value, one.name))


def _mentioned(before: str, given: Mapping[str, Any]) -> Iterator[str]:
    for name, value in given.items():
        yield f"{before}{name}"
        if isinstance(value, dict):
            yield from _mentioned(f"{before}{name}.", value)


def sent_at(start: GraphStart | None, steps: Iterable[tuple[Action, LogLine | None]], taken: Action) -> str | None:
    """Where the message that `taken` takes was sent: the place of a line, or words for it."""
    envelope = taken.envelope
    if envelope is None:
        return None
    for action, line in reversed(list(steps)):
        if action.process == envelope.source and _sends(action.outputs, envelope):
            return UNSEEN if line is None else line.place
    outputs = () if start is None else dict(start.outputs).get(envelope.source, ())
    return AT_START if _sends(outputs, envelope) else None


def _sends(outputs: Iterable[Output], envelope: Any) -> bool:
    return any(
        isinstance(one, Send) and one.target == envelope.target and one.message == envelope.message for one in outputs
    )
