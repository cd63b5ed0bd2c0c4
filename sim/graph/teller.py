"""Tells a run of a graph as a story (`sim.world.story`): what its integers and actions mean, in words."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import NamedTuple

from sim.base.annotations import field_in_words, fields_in_words
from sim.base.durations import show_range
from sim.base.errors import listing
from sim.base.values import Emission, Record, Value, is_record, show, shown_fields
from sim.graph.action import Action, Kind
from sim.graph.definition import Definition
from sim.graph.state import GraphStart, State
from sim.machine.diagrams import diagrams
from sim.machine.handler import Handler
from sim.machine.ledgers import Rejected
from sim.machine.outputs import Arm, Emit, Output, sends_of
from sim.machine.table import FAILED
from sim.system.links import in_words
from sim.world.slowdown import Slowdown
from sim.world.story import Actor, Beginning, Fate, Happening, Journey, Look, Shown, Story


def tell(
    graph: Definition, start: GraphStart, steps: Iterable[tuple[int | None, Action]], slowdowns: Sequence[Slowdown] = ()
) -> Story:
    """The story of the run that began with `start` and took these steps, each with its virtual time."""
    drawn = diagrams({**graph.system.processes, **graph.system.monitors})
    drawing = {name: number for number, diagram in enumerate(drawn) for name in diagram.actors}
    teller = _Teller(graph)
    first = tuple(map(teller.look, start.place.locals))
    events = tuple(teller.events(start, steps))
    return Story(
        network=in_words(graph.system.network),
        actors=tuple(Actor(name, i >= graph.width, drawing[name]) for i, name in enumerate(graph.names)),
        looks=tuple(teller.looks),
        first=first,
        events=events,
        journeys=tuple(teller.journeys),
        began=tuple(teller.began(start)),
        slowdowns=tuple(slowdowns),
        diagrams=drawn,
    )


# --- words ------------------------------------------------------------------------------------------


def action_text(action: Action) -> str:
    """One action as a sentence of a trace."""
    address = action.address
    crash = f"; crashes {address.crashing}" if address.crashing else ""
    chosen = f"  [{', '.join(address.choosing)}]" if address.choosing else ""
    if action.envelope is not None:
        how = {Kind.DROP: " (dropped)", Kind.DUPLICATE: " (duplicated)"}.get(action.kind, "")
        how += f" (under {address.under})" if address.under else ""
        how += " (reordered)" if address.reordered else ""
        return (
            f"{action.envelope.source} -> {action.envelope.target}  {show(action.envelope.message)}{how}{chosen}{crash}"
        )
    if action.kind is Kind.FIRE:
        return f"{action.process}  timer {action.subject}{chosen}{crash}"
    if action.kind is Kind.MOVE:
        return f"{action.process}  {action.subject}{chosen}{crash}"
    lasting = " for good" if address.for_good else ""
    if action.kind in (Kind.CUT, Kind.HEAL):
        return f"{action.kind.value} {action.subject}{lasting}"
    verb = action.kind.value + ("es" if action.kind is Kind.CRASH else "s")
    return f"{action.machine or action.process}  {verb}{lasting}{chosen}{crash}"


def brief(record: Record) -> str:
    """A record without the fields that have their default."""
    texts = shown_fields(record)
    parts = [f"{f.name}={texts[f.name]}" for f in fields(record) if getattr(record, f.name) != f.default]  # type: ignore[arg-type]
    return f"{type(record).__name__}({', '.join(parts)})"


def look_of(graph: Definition, local: int) -> Look:
    """How a machine with this local value looks."""
    tables = graph.tables
    view = tables.view(local)
    handler = tables.handlers[tables.locals.things[local][0]]
    shown = tuple(_shown(handler.cls, name, value) for name, value in view.fields().items())
    return Look(view.state, shown, view.timers, view.state in handler.table.hot, view.up)


class _Words(NamedTuple):
    """What an action says, wherever it is taken."""

    text: str
    address: str
    strikes: tuple[str, ...]
    arms: tuple[str, ...]
    emitted: tuple[str, ...]
    rejected: tuple[str, ...]
    rows: tuple[tuple[int, int], ...]
    """What it takes of the table of its process."""


def _words(action: Action, names: Sequence[str]) -> _Words:
    emissions = list(_emissions(action.outputs))
    return _Words(
        action_text(action),
        str(action.address),
        action.strikes,
        tuple(_arming(action.process, arm) for arm in action.arms)
        + tuple(_arming(names[i], arm) for i, arm in action.others_arms),
        tuple(map(brief, emissions)),
        tuple(_reasons(emissions)),
        ((action.effect.process, action.row.index),) if action.row is not None and not action.updated else (),
    )


def _arming(process: str, arm: Arm, verb: str = "arms") -> str:
    armed = " armed" if verb == "has" else ""
    return f"{process} {verb} {arm.timer}{armed} for {show_range(arm.low_ms, arm.high_ms)}"


def _beginning(name: str, outputs: tuple[Output, ...], before: Iterable[str] = ()) -> Beginning:
    sent = (f"{show(send.message)} to {send.target}" for output in outputs for send in sends_of(output))
    return Beginning(name, tuple(sent), tuple(map(brief, _emissions(outputs))), tuple(before))


def _emissions(outputs: tuple[Output, ...]) -> Iterator[Emission]:
    return (output.emission for output in outputs if isinstance(output, Emit))


def _reasons(emissions: list[Emission]) -> Iterator[str]:
    return (f"{e.reason}: key={show(e.key)}" for e in emissions if isinstance(e, Rejected))


def _shown(owner: type, name: str, value: Value) -> Shown:
    words = field_in_words(owner, name, value)
    if words is not None:
        return Shown(name, words, worded=(name,))
    if not is_record(value):
        return Shown(name, show(value))
    texts, worded = fields_in_words(value)
    return Shown(name, show(value), tuple(texts.items()), worded)


def _differences(old: Look, new: Look) -> Iterator[tuple[str, bool]]:
    """The fields that are other than before, and whether they are told in words; of a record of the same class only
    what is other in it."""
    theirs = {field.name: field for field in old.fields}
    for field in new.fields:
        known = theirs.get(field.name)
        if known is None or known.text != field.text:
            if known is None or known.parts is None or field.parts is None or _class(known) != _class(field):
                yield _difference(field.name, field.text, bool(field.worded) and field.parts is None)
            else:
                for (_, before), (part, text) in zip(known.parts, field.parts, strict=True):
                    if before != text:
                        yield _difference(f"{field.name}.{part}", text, part in field.worded)


def _difference(name: str, text: str, worded: bool) -> tuple[str, bool]:
    return (f"{name}: {text}" if worded else f"{name}={text}"), worded


def _class(record: Shown) -> str:
    """The class of a record; no two of a system have one name."""
    return record.text.partition("(")[0]


# --- steps ------------------------------------------------------------------------------------------


class _Teller:
    def __init__(self, graph: Definition) -> None:
        self.graph = graph
        self.journeys: list[Journey] = []
        self.looks: list[Look] = []
        self._flying: dict[int, deque[int]] = {}
        """Envelope -> its journeys that have no end yet, the first sent first."""
        self._latest: dict[int, int] = {}
        """On links where a newer message replaces an older: what they are sorted by -> the envelope sent last."""
        self._numbers: dict[int, int] = {}
        """Local value -> its look."""
        self._rows: dict[tuple[int, int], int | None] = {}
        self._words: dict[Action, _Words] = {}
        self._moved: dict[
            tuple[tuple[int, ...], tuple[int, ...]], tuple[tuple[tuple[int, int], ...], tuple[str, ...]]
        ] = {}
        self._messages: dict[int, tuple[str, str, str, str]] = {}
        self._monitors = {
            graph.width + i: Handler(name, monitor) for i, (name, monitor) in enumerate(graph.system.monitors.items())
        }

    def events(self, start: GraphStart, steps: Iterable[tuple[int | None, Action]]) -> Iterator[Happening]:
        yield self._start(start)
        before = start.place
        for number, (time, action) in enumerate(steps, 1):
            after = self.graph.apply(before, action)
            yield self._event(number, time, action, before, after)
            before = after

    def began(self, start: GraphStart) -> Iterator[Beginning]:
        """What everybody did at the start, and what is known of it from before."""
        outputs, tables = dict(start.outputs), self.graph.tables
        flying = [tables.envelopes.things[e] for e in start.sends[: start.before]]
        begins = self.graph.system.begins
        first = 0 if begins is None else len(begins.flying)
        for index, name in enumerate(self.graph.names):
            before = []
            if begins is not None and name in begins.locals:
                view = tables.view(start.place.locals[index])
                before.append(f"goes on in {view.state}" if view.up else "is down")
            sent = [
                f"{show(one.message)} to {one.target}{' again' if at >= first else ''}"
                for at, one in enumerate(flying)
                if one.source == name
            ]
            if sent:
                before.append(f"had sent {listing(sent, 'and')}")
            if before or name in outputs:
                yield _beginning(name, outputs.get(name, ()), before)

    def _start(self, start: GraphStart) -> Happening:
        address = str(start.address)
        began = [*self.began(start)]
        notes = [f"{one.actor} {words}" for one in began for words in one.before]
        notes += [f"{one.actor} sends {listing(one.sent, 'and')}" for one in began if one.sent]
        begins = self.graph.system.begins
        for i, arm in start.arms:
            name = self.graph.names[i]
            goes_on = begins is not None and name in begins.locals
            notes.append(_arming(name, arm, "has" if goes_on else "arms"))
        emissions = [emission for _, outputs in start.outputs for emission in _emissions(outputs)]
        return Happening(
            0,
            None,
            start.address.verb,
            "",
            address,
            address,
            sent=self._send(start.sends, 0, copied=False),
            notes=tuple(notes),
            emitted=tuple(map(brief, emissions)),
            rejected=tuple(_reasons(emissions)),
        )

    def _event(self, number: int, time: int | None, action: Action, before: State, after: State) -> Happening:
        journey = self._taken(number, action)
        sent = self._send(action.effect.sends, number, copied=action.kind is Kind.DUPLICATE)
        if self.graph.lasting or action.fells:
            self._lose(number, after)
        words = self._words.get(action)
        if words is None:
            words = self._words[action] = _words(action, self.graph.names)
        key = (before.locals, after.locals)
        moved = self._moved.get(key)
        if moved is None:
            moved = self._moved[key] = self._changes(before, after)
        changed, notes = moved
        return Happening(
            number,
            time,
            action.kind.value,
            action.process,
            words.text,
            words.address,
            journey,
            sent,
            words.strikes,
            changed,
            notes + words.arms,
            words.emitted,
            words.rejected,
            words.rows + tuple(self._rows_heard(action, before)) if action.effect.heard else words.rows,
        )

    # --- looks --------------------------------------------------------------------------------------

    def look(self, local: int) -> int:
        """The number of the look of a local value."""
        number = self._numbers.get(local)
        if number is None:
            number = self._numbers[local] = len(self.looks)
            self.looks.append(look_of(self.graph, local))
        return number

    def _changes(self, before: State, after: State) -> tuple[tuple[tuple[int, int], ...], tuple[str, ...]]:
        """Who looks different, and what changed in it: `coordinator: asking -> storing, journal.phase=storing`."""
        changed, notes = [], []
        for index, (one, other) in enumerate(zip(before.locals, after.locals, strict=True)):
            if one == other:
                continue
            number = self.look(other)
            changed.append((index, number))
            old, new = self.looks[self.look(one)], self.looks[number]
            name, worded = self.graph.names[index], list[str]()
            parts = [f"{old.state} -> {new.state}"] if old.state != new.state else []
            if new.state == FAILED:
                view = self.graph.tables.view(other)
                parts = [f"{view.kind}: {view.reason}"]
            elif index < self.graph.width:  # a monitor's memory is its own affair
                told = [*_differences(old, new)]
                parts += [text for text, is_worded in told if not is_worded]
                worded = [text for text, is_worded in told if is_worded]  # each on its own: words may have commas
            if parts:
                notes.append(f"{name}: {', '.join(parts)}")
            notes += [f"{name}: {text}" for text in worded]
        return tuple(changed), tuple(notes)

    # --- messages -----------------------------------------------------------------------------------

    def _send(self, envelopes: tuple[int, ...], number: int, *, copied: bool) -> tuple[int, ...]:
        sent = []
        for envelope in envelopes:
            flying = self._flying.setdefault(envelope, deque())
            kind = self.graph.tables.kind[envelope]
            if kind == "set" and flying:
                continue  # on a set what was sent is there: sending it again changes nothing
            if kind == "latest":
                self._replace(envelope, number)
            flying.append(len(self.journeys))
            sent.append(len(self.journeys))
            self.journeys.append(Journey(*self._message(envelope), number, copied))
        return tuple(sent)

    def _replace(self, envelope: int, number: int) -> None:
        """The message that a newer one replaces on its way has come to its end."""
        order = self.graph.tables.order[envelope]
        older = self._flying.get(self._latest.get(order, -1))
        if older:
            index = older.popleft()
            self.journeys[index] = self.journeys[index]._replace(ended=number, fate=Fate.REPLACED)
        self._latest[order] = envelope

    def _message(self, envelope: int) -> tuple[str, str, str, str]:
        message = self._messages.get(envelope)
        if message is None:
            thing = self.graph.tables.envelopes.things[envelope]
            message = (thing.source, thing.target, type(thing.message).__name__, show(thing.message))
            self._messages[envelope] = message
        return message

    def _taken(self, number: int, action: Action) -> int | None:
        """The journey that this action ends, or that its fault strikes."""
        flying = self._flying.get(action.number)
        if not flying:
            return None
        if action.effect.consumed < 0:
            if action.fault is None:
                return None
            return self._aside(flying[0], number, Fate.STRUCK)
        if self.graph.tables.kind[action.number] == "set" and action.effect.delivered:
            return self._aside(flying[0], number, Fate.DELIVERED)
        index = flying.popleft()
        fate = Fate.DELIVERED if action.effect.delivered else Fate.LOST
        self.journeys[index] = self.journeys[index]._replace(ended=number, fate=fate)
        return index

    def _aside(self, index: int, number: int, fate: Fate) -> int:
        """A way of its own for a message that is also still in flight."""
        self.journeys.append(self.journeys[index]._replace(ended=number, fate=fate, beside=index))
        return len(self.journeys) - 1

    def _lose(self, number: int, after: State) -> None:
        """Ends the journeys of what can never arrive."""
        left = Counter(self.graph.network.every(after.net))
        for envelope, flying in self._flying.items():
            while len(flying) > left[envelope]:
                index = flying.popleft()
                self.journeys[index] = self.journeys[index]._replace(ended=number, fate=Fate.LOST)

    # --- rows ---------------------------------------------------------------------------------------

    def _rows_heard(self, action: Action, before: State) -> Iterator[tuple[int, int]]:
        """What monitors take of their tables as they hear what it emits."""
        tables = self.graph.tables
        locals_ = before.locals
        for emission in action.effect.heard:
            for monitor in tables.heard_by(emission):
                row = self._monitor_row(monitor, locals_[monitor], emission)
                if row is not None:
                    yield monitor, row
            locals_ = tables.notify(locals_, (emission,))

    def _monitor_row(self, monitor: int, local: int, emission: int) -> int | None:
        """The row by which a monitor takes an emission; asked of a handler of its own, so that the calls
        that a run made are not counted up by telling it."""
        key = (local, emission)
        if key not in self._rows:
            value = self.graph.tables.locals.things[local][1]
            given = self.graph.tables.emissions.things[emission]
            outcomes = self._monitors[monitor].react(value, type(given), given) if value.up else None
            row = outcomes[0].row if outcomes else None
            self._rows[key] = row.index if row is not None else None
        return self._rows[key]
