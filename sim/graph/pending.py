"""What is pending in a state: messages in flight, armed timers, moves, restarts; for whoever orders events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sim.graph.action import Action, Kind
from sim.graph.budget import places
from sim.graph.machines import Machines
from sim.graph.state import GraphStart
from sim.graph.tabulation import Tabulation
from sim.machine.outputs import Arm
from sim.machine.table import DOWN, OFF
from sim.world.choice import CUT, FIRE, MESSAGE, MOVE, RESTART, Pending, Subject


class Pendings:
    """What each action leaves pending, found once for each."""

    def __init__(self, tables: Tabulation, machines: Machines) -> None:
        self._tables = tables
        self._machines = machines
        self._messages: dict[int, Pending] = {}
        self._after: dict[Action, tuple[Pending, ...]] = {}
        self._ways: dict[tuple[int, Subject], tuple[Action, ...] | None] = {}

    def message(self, envelope: int) -> Pending:
        """A message in flight."""
        found = self._messages.get(envelope)
        if found is None:
            thing, address = self._tables.envelopes.things[envelope], self._tables.address_of(envelope)
            found = Pending((MESSAGE, envelope, ""), thing.target, address, again=True, places=places(thing))
            self._messages[envelope] = found
        return found

    def of_start(self, start: GraphStart) -> list[Pending]:
        """What is pending when a run begins."""
        armed: dict[int, list[Arm]] = {}
        for process, arm in start.arms:
            armed.setdefault(process, []).append(arm)
        found = [self.message(envelope) for envelope in start.sends]
        found += [self._timer(process, arm, start.place.locals[process]) for process, arm in start.arms]
        for process in range(self._tables.width):
            names = {arm.timer for arm in armed.get(process, ())}
            found += self._own(start.place.locals[process], names)
        return found

    def after(self, action: Action) -> tuple[Pending, ...]:
        """What is pending once `action` was taken: see `World.due`."""
        found = self._after.get(action)
        if found is None:
            found = self._after[action] = tuple(self._find_after(action))
        return found

    def _find_after(self, action: Action) -> Iterator[Pending]:
        effect = action.effect
        yield from map(self.message, effect.sends)
        if effect.process >= 0:
            for arm in action.arms:
                yield self._timer(effect.process, arm, effect.local)
            yield from self._own(effect.local, {arm.timer for arm in action.arms})
            for process, local in effect.others:
                arms = [arm for other, arm in action.others_arms if other == process]
                for arm in arms:
                    yield self._timer(process, arm, local)
                yield from self._own(local, {arm.timer for arm in arms})
        if action.kind is Kind.CUT and not action.for_good:
            yield Pending((CUT, effect.cut, ""), "", again=True)

    def _timer(self, process: int, arm: Arm, local: int) -> Pending:
        subject = (FIRE, process, arm.timer)
        ready = bool(self.ways(local, subject))
        return Pending(
            subject, self._tables.names[process], delay_ms=(arm.low_ms, arm.high_ms), again=True, ready=ready
        )

    def _own(self, local: int, armed: Iterable[str]) -> Iterator[Pending]:
        """What a process with this local value has pending, but for timers just armed."""
        handler, value = self._tables.locals.things[local]
        process, name = self._tables.place[handler], self._tables.called[handler]
        if value.state == DOWN:
            yield Pending((RESTART, process, ""), name)
            return
        if value.state == OFF and (machine := self._machines.first.get(process)) is not None:
            yield Pending((RESTART, process, machine), name)
        for timer in value.timers:
            if timer not in armed:
                subject = (FIRE, process, timer)
                yield Pending(subject, name, ready=bool(self.ways(local, subject)))
        moves: dict[str, Action] = {}
        for action in self._tables.own_actions(local):
            if action.kind is Kind.MOVE:
                moves.setdefault(action.subject, action)
        for move, action in moves.items():
            yield Pending((MOVE, process, move), name, owed=action.progress)

    def ways(self, local: int, subject: Subject) -> Sequence[Action] | None:
        """What a process with this local value can do about a timer, a move or a restart of its own: nothing while it
        defers it, None if that is not pending."""
        key = (local, subject)
        if key not in self._ways:
            kind, _, name = subject
            own = self._tables.own_actions(local)
            found = tuple(action for action in own if action.kind.value == kind and action.subject == name)
            waits = kind == FIRE and name in self._tables.locals.things[local][1].timers
            self._ways[key] = found if found or waits else None
        return self._ways[key]
