"""A run as a story: what each step did, in words, and the way of every message from its sender to its end.

Pages and exports are written from it, so that all of them tell the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from sim.base.durations import show_range
from sim.base.errors import listing
from sim.base.values import Emission, show
from sim.graph.action import Action, Kind
from sim.graph.graph import Graph, State
from sim.machine.handler import Handler
from sim.machine.ledgers import Rejected
from sim.machine.process import Emit, Output, Send
from sim.report.text import action_text, brief, changes
from sim.run.trace import Run


class Fate(Enum):
    """What became of a message; the values are the words for it."""

    DELIVERED = "delivered"
    STRUCK = "struck by a fault, and still in flight"
    LOST = "lost"
    OPEN = "still in flight at the end"


@dataclass
class Journey:
    """A message on its way: sent in step `sent` (0 is the start), at its end in step `ended`. A copy begins
    with the step that made it."""

    source: str
    target: str
    name: str
    text: str
    sent: int
    copied: bool = False
    ended: int | None = None
    fate: Fate = Fate.OPEN
    beside: int | None = None
    """The journey beside which this one went: of the same message, which is also still in flight."""


@dataclass(frozen=True)
class Happening:
    """One step; number 0 is the start of all processes. `journey` is what it took from the network (or,
    under a fault, what it struck), `sent` what it put there: indices of `Story.journeys`."""

    number: int
    time_ms: int | None
    kind: str
    process: str
    text: str
    journey: int | None
    sent: tuple[int, ...]
    faults: tuple[str, ...]
    changed: tuple[tuple[int, int], ...]
    """Machines whose local value changed, and the new one (indices of `Graph.names`, ids of its tables)."""
    notes: tuple[str, ...]
    emitted: tuple[str, ...]
    rejected: tuple[str, ...]
    """Why inputs were rejected: `stale: key=(1, gemini)`."""
    rows: tuple[tuple[int, int], ...]
    """Rows of the tables that were taken: machine, row."""


@dataclass(frozen=True)
class Story:
    """All events and journeys of a run, in order."""

    run: Run
    graph: Graph
    events: tuple[Happening, ...]
    journeys: tuple[Journey, ...]


def tell(run: Run) -> Story:
    """The story of a run."""
    return _Teller(run).story()


class _Words(NamedTuple):
    """What an action says, wherever it is taken."""

    text: str
    arms: tuple[str, ...]
    emitted: tuple[str, ...]
    rejected: tuple[str, ...]


def _words(action: Action) -> _Words:
    arms = (f"{action.process} arms {arm.timer} for {show_range(arm.low_ms, arm.high_ms)}" for arm in action.arms)
    emissions = list(_emissions(action.outputs))
    return _Words(action_text(action), tuple(arms), tuple(map(brief, emissions)), tuple(_reasons(emissions)))


class _Teller:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.graph = run.trace.graph
        self.stays = self.graph.system.network == "set"
        self.journeys: list[Journey] = []
        self.flying: dict[int, deque[int]] = {}
        """Envelope -> its journeys that have no end yet, the first sent first."""
        self.rows: dict[tuple[int, int], int | None] = {}
        self.words: dict[Action, _Words] = {}
        self.moved: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[str, ...]] = {}
        self.messages: dict[int, tuple[str, str, str, str]] = {}
        system = self.graph.system
        self.monitors = {
            self.graph.width + i: Handler(name, monitor) for i, (name, monitor) in enumerate(system.monitors.items())
        }

    def story(self) -> Story:
        trace = self.run.trace
        states = trace.states()
        events = [self._start()]
        for number, (time, action) in enumerate(trace.steps, 1):
            events.append(self._event(number, time, action, states[number - 1], states[number]))
        return Story(self.run, self.graph, tuple(events), tuple(self.journeys))

    def _start(self) -> Happening:
        start = self.run.trace.start
        sent = self._send(start.sends, 0, copied=False)
        notes = []
        for name, outputs in start.outputs:
            sends = [f"{show(o.message)} to {o.target}" for o in outputs if isinstance(o, Send)]
            notes += [f"{name} sends {listing(sends, 'and')}"] if sends else []
        arms = [(self.graph.names[i], arm) for i, arm in start.arms]
        notes += [f"{name} arms {arm.timer} for {show_range(arm.low_ms, arm.high_ms)}" for name, arm in arms]
        emissions = [o.emission for _, outputs in start.outputs for o in outputs if isinstance(o, Emit)]
        chosen = f" choosing {', '.join(start.address.choosing)}" if start.address.choosing else ""
        told = tuple(map(brief, emissions)), tuple(_reasons(emissions))
        return Happening(0, None, "start", "", f"start{chosen}", None, sent, (), (), tuple(notes), *told, ())

    def _event(self, number: int, time: int | None, action: Action, before: State, after: State) -> Happening:
        journey = self._taken(number, action)
        sent = self._send(action.sends, number, copied=action.kind is Kind.DUPLICATE)
        changed = tuple(
            (i, new) for i, (old, new) in enumerate(zip(before.locals, after.locals, strict=True)) if old != new
        )
        words = self.words.get(action)
        if words is None:
            words = self.words[action] = _words(action)
        key = (before.locals, after.locals)
        moved = self.moved.get(key)
        if moved is None:
            moved = self.moved[key] = tuple(changes(self.graph, before, after))
        return Happening(
            number,
            time,
            action.kind.value,
            action.process,
            words.text,
            journey,
            sent,
            action.strikes,
            changed,
            moved + words.arms,
            words.emitted,
            words.rejected,
            tuple(self._rows(action, before)),
        )

    # --- messages -----------------------------------------------------------------------------------

    def _send(self, envelopes: tuple[int, ...], number: int, *, copied: bool) -> tuple[int, ...]:
        sent = []
        for envelope in envelopes:
            flying = self.flying.setdefault(envelope, deque())
            if self.stays and flying:
                continue  # on a set what was sent is there: sending it again changes nothing
            flying.append(len(self.journeys))
            sent.append(len(self.journeys))
            self.journeys.append(self._journey(envelope, number, copied))
        return tuple(sent)

    def _journey(self, envelope: int, number: int, copied: bool) -> Journey:
        message = self.messages.get(envelope)
        if message is None:
            thing = self.graph.tables.envelopes.things[envelope]
            message = (thing.source, thing.target, type(thing.message).__name__, show(thing.message))
            self.messages[envelope] = message
        return Journey(*message, number, copied)

    def _taken(self, number: int, action: Action) -> int | None:
        """The journey that this action ends, or that its fault strikes."""
        envelope = action.envelope_id
        flying = self.flying.get(envelope)
        if not flying:
            return None
        if action.consumed < 0:
            if action.fault is None:
                return None
            return self._aside(flying[0], number, Fate.STRUCK)
        if self.stays and action.delivered:
            return self._aside(flying[0], number, Fate.DELIVERED)
        index = flying.popleft()
        journey = self.journeys[index]
        journey.ended = number
        journey.fate = Fate.DELIVERED if action.delivered else Fate.LOST
        return index

    def _aside(self, index: int, number: int, fate: Fate) -> int:
        """A way of its own for a message that is also still in flight."""
        self.journeys.append(replace(self.journeys[index], ended=number, fate=fate, beside=index))
        return len(self.journeys) - 1

    # --- rows ---------------------------------------------------------------------------------------

    def _rows(self, action: Action, before: State) -> Iterator[tuple[int, int]]:
        if action.row is not None:
            yield action.process_index, action.row.index
        tables = self.graph.tables
        locals_ = before.locals
        for emission in action.heard:
            for monitor in tables.heard_by(emission):
                row = self._monitor_row(monitor, locals_[monitor], emission)
                if row is not None:
                    yield monitor, row
            locals_ = tables.notify(locals_, (emission,))

    def _monitor_row(self, monitor: int, local: int, emission: int) -> int | None:
        """The row by which a monitor takes an emission; asked of a handler of its own, so that the calls
        that a run made are not counted up by telling it."""
        key = (local, emission)
        if key not in self.rows:
            value = self.graph.tables.locals.things[local][1]
            given = self.graph.tables.emissions.things[emission]
            outcomes = self.monitors[monitor].react(value, type(given), given) if value.up else None
            row = outcomes[0].row if outcomes else None
            self.rows[key] = row.index if row is not None else None
        return self.rows[key]


def _emissions(outputs: tuple[Output, ...]) -> Iterator[Emission]:
    return (output.emission for output in outputs if isinstance(output, Emit))


def _reasons(emissions: list[Emission]) -> Iterator[str]:
    return (f"{e.reason}: key={show(e.key)}" for e in emissions if isinstance(e, Rejected))
