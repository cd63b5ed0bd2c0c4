"""Where a system begins that does not begin at its start: with what was persisted of a run of it.

What is known of a process (or monitor) is its state, its fields and its armed timers; a process of which nothing is known
starts as usual. Fault budgets are whole. A monitor of which nothing is known has missed what came before and would report
what does not violate anything: it is left out where anything is known of a process (`begun_from`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sim.base.annotations import within_value
from sim.base.errors import ModelError, listing, unknown
from sim.base.values import Message, Value, describe, freeze
from sim.machine.migration import durable, migrated
from sim.world.timing import Range

if TYPE_CHECKING:
    from sim.machine.process import StateMachine
    from sim.system.declaration import Declaration

    D = TypeVar("D", bound=Declaration)

AGAIN_MAX = 10
"""So many messages may come again, each or not: these are 1,024 ways to begin."""


@dataclass(frozen=True)
class Persisting:
    """What was persisted of one process or monitor.

    - `timers`: those that are armed, with the milliseconds (or the range of them) after which each is due on virtual
      time; names alone are due at once
    - `up`: False of a process that is down. It comes back with its durable fields, whatever else is known of it
    """

    state: str
    fields: Mapping[str, Value] = field(default_factory=dict)
    timers: Mapping[str, int | Range] | Sequence[str] = ()
    up: bool = True

    @property
    def armed(self) -> dict[str, Range]:
        """The armed timers in the order of their names, each with when it is due."""
        given = self.timers if isinstance(self.timers, Mapping) else dict.fromkeys(self.timers, 0)
        return {name: due if isinstance(due, tuple) else (due, due) for name, due in sorted(given.items())}


class Flying(NamedTuple):
    """A message in flight; with `again` it may come twice, as its first arrival may have been forgotten."""

    source: str
    target: str
    message: Message
    again: bool = False


@dataclass(frozen=True)
class Persisted:
    """What was persisted of a run: of processes and monitors by name, and what is in flight, the oldest first.

    - `flying`: (source, target, message), or (source, target, message, True) for one that may come again. It does so, or
      not, where the link takes copies (`any`, `fifo`), after all that is in flight
    - `left_out`: the monitors that are not judged, as nothing is known of them, and the properties that read them
    - `notes`: what else was assumed, for the words of a report
    """

    locals: Mapping[str, Persisting] = field(default_factory=dict)
    flying: Sequence[Flying | tuple[str, str, Message] | tuple[str, str, Message, bool]] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, names: Collection[str]) -> Persisted:
        """The same, of these processes and monitors only."""
        return replace(self, locals={name: one for name, one in self.locals.items() if name in names})

    @property
    def messages(self) -> list[Flying]:
        """What is in flight."""
        return [Flying(*one) for one in self.flying]


def begun_from(system: D, persisted: Persisted) -> D:
    """The same system, begun with what was persisted.

    Monitors of which nothing is known are left out, with the properties that read them, unless no process is known
    either. Raises `ModelError` with one line for each thing that does not fit, and if nothing would be left of what the
    system was to be judged by.
    """
    mistakes = [*_shape_mistakes(persisted)]
    if mistakes:
        raise ModelError(*mistakes)
    known = {*persisted.locals}
    blind = [] if known.isdisjoint(system.processes) else [name for name in system.monitors if name not in known]
    dropped = [prop.name for prop in system.properties if not {*prop.machines}.isdisjoint(blind)]
    mistakes = [
        f"properties: {name} cannot be judged from a persisted state that says nothing of {listing(blind)}"
        for name in system.judged
        if name in (*blind, *dropped)
    ]
    if system.within is not None and (read := [name for name in system.within.machines if name in blind]):
        mistakes.append(f"the bound {system.within.name} reads {listing(read, 'and')}, of which nothing was persisted")
    if mistakes:
        raise ModelError(*mistakes)
    return replace(
        system,
        monitors={name: monitor for name, monitor in system.monitors.items() if name not in blind},
        properties=[prop for prop in system.properties if prop.name not in dropped],
        begins=replace(persisted, left_out=tuple(dict.fromkeys((*persisted.left_out, *blind, *dropped)))),
    )


def fitted(system: Declaration, given: object) -> Persisted:
    """What was persisted, as the classes of `system` take it over: every field by name, in its order, every message a
    `Flying`. Raises `ModelError` with one line for each thing that does not fit."""
    mistakes = [*_shape_mistakes(given)]
    if mistakes or not isinstance(given, Persisted):
        raise ModelError(*mistakes)
    machines: dict[str, StateMachine] = {**system.processes, **system.monitors}
    locals_: dict[str, Persisting] = {}
    for name, one in given.locals.items():
        if name not in machines:
            mistakes.append(unknown("process or monitor", name, system.names))
            continue
        machine = machines[name]
        wrong = [*_machine_mistakes(machine, one, name in system.processes)]
        mistakes += [f"{name}: {line}" for line in wrong]
        try:
            state, fields = migrated(machine, one.state, one.fields, None if one.up else durable(machine))
        except ModelError as error:
            mistakes += [f"{name}: {line}" for line in error.mistakes]
            continue
        if not wrong:
            locals_[name] = Persisting(state, fields, one.armed if one.up else {}, one.up)
    flying = []
    for one_flying in given.messages:
        mistakes += _flying_mistakes(system, one_flying)
        if not mistakes:
            flying.append(one_flying._replace(message=freeze(one_flying.message)))
    if not mistakes and (count := len(coming_again(system, flying))) > AGAIN_MAX:
        mistakes.append(f"{count} messages may come again; at most {AGAIN_MAX} can be tried with and without")
    if mistakes:
        raise ModelError(*(f"begins: {line}" for line in mistakes))
    locals_ = {name: locals_[name] for name in system.names if name in locals_}
    return Persisted(locals_, tuple(flying), given.left_out, given.notes)


def coming_again(system: Declaration, flying: Iterable[Flying]) -> list[Flying]:
    """Those that may come a second time. Where what was sent stays in flight, or only the newest is, a copy is nothing."""
    return [one for one in flying if one.again and system.kind_of(one.source, one.target) in ("any", "fifo")]


def _shape_mistakes(given: object) -> Iterator[str]:
    if not isinstance(given, Persisted):
        yield f"begins is {describe(given)}; expected a Persisted"
        return
    if not isinstance(given.locals, Mapping):
        yield f"begins: locals is {describe(given.locals)}; expected a mapping from names to Persisting(...)"
        return
    for name, one in given.locals.items():
        if not isinstance(one, Persisting) or not isinstance(one.state, str) or not isinstance(one.fields, Mapping):
            yield f"begins: {name} is {describe(one)}; expected Persisting('state', {{'field': value}})"
    if isinstance(given.flying, str) or not isinstance(given.flying, Sequence):
        yield f"begins: flying is {describe(given.flying)}; expected a sequence of (source, target, message)"
        return
    for flying in given.flying:
        if not isinstance(flying, tuple) or len(flying) not in (3, 4):
            yield f"begins: {describe(flying)} is in flight; expected (source, target, message)"


def _machine_mistakes(machine: StateMachine, one: Persisting, is_process: bool) -> Iterator[str]:
    if not is_process and not one.up:
        yield "a monitor is never down"
    if not isinstance(one.timers, Mapping | Sequence) or isinstance(one.timers, str):
        yield f"timers is {describe(one.timers)}; expected their names, or a mapping from them to milliseconds"
        return
    known = type(machine).table.timers
    for timer, due in one.armed.items():
        if timer not in known:
            yield unknown("timer", timer, known)
        elif len(due) != 2 or any(type(end) is not int for end in due) or not 0 <= due[0] <= due[1]:
            yield f"timer {timer} is due after {due!r}; expected whole milliseconds, 0 or more, or (low, high)"


def _flying_mistakes(system: Declaration, one: Flying) -> Iterator[str]:
    for name in (one.source, one.target):
        if name not in system.processes:
            yield f"in flight from {one.source!r} to {one.target!r}: {unknown('process', name, system.processes)}"
    if not isinstance(one.message, Message):
        yield f"in flight from {one.source!r} to {one.target!r} is {describe(one.message)}; expected a message"
        return
    try:
        freeze(one.message)
    except ModelError as error:
        yield f"in flight from {one.source!r} to {one.target!r}: {type(one.message).__name__}: {error}"
        return
    yield from within_value(one.message)


# --- words ------------------------------------------------------------------------------------------


def beginning_data(system: Declaration) -> dict[str, Any] | None:
    """What is assumed of a system that does not begin at its start, as data; None if it does."""
    begins = system.begins
    if begins is None:
        return None
    return {
        "persisted": {name: one.state if one.up else "(down)" for name, one in begins.locals.items()},
        "initial": [name for name in system.names if name not in begins.locals],
        "in_flight": len(begins.flying),
        "may_come_again": len(coming_again(system, begins.messages)),
        "budgets": "whole",
        "left_out": list(begins.left_out),
        "notes": list(begins.notes),
    }


def beginning_words(system: Declaration) -> list[str]:
    """The same in words, for the head of a report; empty if it begins at its start."""
    data = beginning_data(system)
    if data is None:
        return []
    persisted = data["persisted"].items()
    known = [f"{name} in {state}" for name, state in persisted if name in system.processes]
    listening = [name for name, _ in persisted if name in system.monitors]
    known += [f"the monitors {listing(listening, 'and')}"] if listening else []
    said = f"with what was persisted of {listing(known, 'and')}" if known else "with what was in flight"
    initial = f"; {listing(data['initial'], 'and')} as at the start" if data["initial"] else ""
    flying = f"{data['in_flight']} message{'s' if data['in_flight'] != 1 else ''} in flight"
    again = f" ({data['may_come_again']} may come again)" if data["may_come_again"] else ""
    words = [f"{said}{initial}", f"{flying}{again}; fault budgets are whole"]
    if data["left_out"]:
        words.append(f"not judged, as nothing was persisted of it: {', '.join(data['left_out'])}")
    words += data["notes"]
    past = [prop.name for prop in system.properties if prop.kind in ("sometimes", "eventually")]
    if past and known:
        words.append(f"what came before is not known, and does not count for: {', '.join(past)}")
    return words
