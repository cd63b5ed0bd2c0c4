"""What strategies know of actions, subjects and faults, as arrays that grow beside those of the walk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from sim.base.mixer import key64
from sim.checker.compiled.arrays import Array, Growing
from sim.checker.compiled.mirror import Mirror, TooLarge, Unfit
from sim.fuzzer.compiled.layout import (
    CHOOSES,
    CODE,
    CONSUMES,
    CUT,
    DELIVER,
    DELIVERED,
    ENTRIES,
    ENTRIES_MAX,
    ENTRY_CRASH,
    ENTRY_CUT,
    ENTRY_OTHER,
    ENTRY_REORDER,
    ENTRY_UPDATE,
    ENVELOPE,
    FACTS,
    FAULTY,
    FIRE,
    HEAL,
    KINDS,
    KINDS_MAX,
    MOVE,
    MOVERS,
    MOVERS_FROM,
    MOVERS_TO,
    NONE,
    OTHER,
    PURPOSES,
    RESTART,
    SORT,
    STRIKE,
    SUBJECT,
    SURE,
    SURVIVES,
    WINDOW,
    WINDOW_OF,
    Facts,
)
from sim.graph.action import Action, Kind, outputs_named
from sim.machine.outputs import Arm
from sim.world.choice import CUT as CUT_SUBJECT
from sim.world.choice import MESSAGE, Subject
from sim.world.timing import Range

_SORTS = {
    Kind.DELIVER: DELIVER,
    Kind.FIRE: FIRE,
    Kind.MOVE: MOVE,
    Kind.RESTART: RESTART,
    Kind.HEAL: HEAL,
    Kind.CUT: CUT,
}
_ENTRIES = {"crash": ENTRY_CRASH, "cut": ENTRY_CUT, "reorder": ENTRY_REORDER, "update": ENTRY_UPDATE}
_NEVER = (NONE, NONE)
_EACH_ONCE = ("any", "fifo")
"""Networks on which every message sent is one more in flight."""
_NO_WINDOW = -2


class FactBook:
    """The facts of one graph, as far as its mirror has met them; nothing in it may last longer than `longest_ms`."""

    def __init__(self, mirror: Mirror, longest_ms: int) -> None:
        self._mirror = mirror
        self._longest_ms = longest_ms
        self._graph = graph = mirror.graph
        self._tables = graph.tables
        self._timing = graph.system.timing
        self._entries = graph.budget.entries
        if len(self._entries) > ENTRIES_MAX:
            raise TooLarge(f"more than {ENTRIES_MAX} entries in the fault budget")
        self.kinds: dict[str, int] = {}
        self._known_kinds = 0
        for entry in self._entries:
            self.kinds.setdefault(entry.kind, len(self.kinds))
        grow = self._growing = Growing()
        self._now: Facts | None = None
        self._fact, self._crash_window, self._named = (
            grow.column(FACTS, np.int64),
            grow.column(self._width),
            grow.column(self._width),
        )
        self._keys, self._leads, self._event = grow.column(0, np.uint64), grow.column(0, np.uint64), grow.column()
        self._arms, self._begin, self._movers = grow.column(3, np.int64), grow.column(), grow.column(MOVERS, np.int64)
        self._codes: dict[bytes, int] = {}
        self._delays, self._owner, self._sort = grow.column(2, np.int64), grow.column(), grow.column()
        self._armed_from, self._armed = grow.column(), grow.column()
        self._armed_from.extend([0])
        self._subjects: dict[Subject, int] = {}
        self._own_from = self._name_subjects()
        self.envelopes = len(self._subjects)
        """The subject of the first envelope; all before are not envelopes."""
        ways = [self._way(start.sends, start.arms) for start in graph.starts()]
        self._starts: Array = np.array(ways, np.int64)

    @property
    def _width(self) -> int:
        return max(1, len(self._entries))

    @property
    def subjects(self) -> int:
        """How many there are by now, envelopes included."""
        return self.envelopes + len(self._tables.envelopes)

    # --- subjects -----------------------------------------------------------------------------------

    def _name_subjects(self) -> Array:
        begins = [0]
        for process, name in enumerate(self._graph.names[: self._graph.width]):
            handlers = [
                h for h, place in zip(self._tables.handlers, self._tables.place, strict=True) if place == process
            ]
            tables = [handler.table for handler in handlers]
            for timer in dict.fromkeys(timer for table in tables for timer in table.timers):
                self._add_subject((Kind.FIRE.value, process, timer), process, FIRE, (0, 0))
            must = {move for table in tables for move in table.must}
            for move in dict.fromkeys(move for table in tables for move in (*table.must, *table.may)):
                if move in must and any(move in table.may for table in tables):
                    raise Unfit(f"the plain engine goes on: {name} must {move} in one version, and may in the other")
                usual = (0, 0) if move in must else self._timing.may_ms
                delay = self._timing.moves.get(f"{name}.{move}", usual)
                self._add_subject((Kind.MOVE.value, process, move), process, MOVE, delay or _NEVER)
            self._add_subject((Kind.RESTART.value, process, ""), process, RESTART, self._timing.restart_ms)
            self._add_subject((Kind.CRASH.value, process, ""), process, OTHER, _NEVER)
            self._add_subject((Kind.UPDATE.value, process, ""), process, OTHER, _NEVER)
            if machine := self._graph.machines.first.get(process):
                self._add_subject((Kind.RESTART.value, process, machine), process, RESTART, self._timing.restart_ms)
            begins.append(len(self._subjects))
        for cut in range(len(self._graph.budget.cuts)):
            heals = cut < len(self._graph.system.cuts)
            self._add_subject((CUT_SUBJECT, cut, ""), cut, HEAL, self._timing.heal_ms if heals else _NEVER)
        for machine, members in self._graph.machines.members.items():
            self._add_subject((Kind.CRASH.value, members[0], machine), members[0], OTHER, _NEVER)
            for process in members[1:]:  # comes back without the first, which is gone: nobody waits for that
                self._add_subject((Kind.RESTART.value, process, machine), process, OTHER, _NEVER)
        return np.array(begins, np.int32)

    def _add_subject(self, one: Subject, owner: int, sort: int, delay: Range) -> None:
        self._subjects[one] = len(self._subjects)
        self._owner.extend([owner])
        self._sort.extend([sort])
        self._delays.extend([self._fitting(delay)])

    def _fitting(self, duration: Range) -> Range:
        """This duration, if the clock can add up as many of them as a schedule has steps."""
        if duration[1] > self._longest_ms:
            raise TooLarge(f"a duration of more than {self._longest_ms} ms")
        return duration

    def _arming(self, process: int, arms: Iterable[Arm]) -> list[list[int]]:
        """What is armed, as rows of `Facts.arms`."""
        lasting = [(arm.timer, self._fitting((arm.low_ms, arm.high_ms))) for arm in arms]
        return [[self._subjects[Kind.FIRE.value, process, timer], *duration] for timer, duration in lasting]

    def _number(self, action: Action) -> int:
        what, number, name = action.takes
        return self.envelopes + number if what == MESSAGE else self._subjects[what, number, name]

    def _way(self, sends: tuple[int, ...], arms: Iterable[tuple[int, Arm]]) -> list[int]:
        """How a run begins: its state is filled in later."""
        sent = self._begin.extend(sends)
        rows = [row for process, arm in arms for row in self._arming(process, [arm])]
        return [0, *sent, *self._arms.extend(rows)]

    # --- arrays -------------------------------------------------------------------------------------

    def arrays(self, states: list[int]) -> Facts:
        """The arrays as they are now; `states` are the numbers of the initial ones, by way to begin."""
        self._catch_up()
        self._starts[:, 0] = states
        if not self._growing.moved() and self._now is not None and len(self.kinds) == self._known_kinds:
            return self._now
        self._known_kinds = len(self.kinds)
        kinds = [[key64(kind.encode()), key64(f"kind {kind}".encode())] for kind in self.kinds] or [[0, 0]]
        entries = [[_ENTRIES.get(e.kind, ENTRY_OTHER), int(e.after is not None)] for e in self._entries] or [[0, 0]]
        self._now = Facts(
            self._keys.array, self._leads.array, self._event.array, self._fact.array, self._movers.array,
            self._arms.array, self._delays.array, self._owner.array, self._sort.array, self._own_from, self._armed_from.array, self._armed.array,
            np.array([key64(purpose.encode()) for purpose in PURPOSES], np.uint64), np.array(kinds, np.uint64),
            self._crash_window.array, self._named.array, np.array(entries, np.int32), self._starts, self._begin.array,
        )  # fmt: skip
        return self._now

    def _catch_up(self) -> None:
        """Takes over what the mirror has met since the last time."""
        tables = self._tables
        at = self._fact.size
        while at < len(self._mirror.action_list):  # the list may grow meanwhile
            self._learn_action(self._mirror.action_list[at])
            at += 1
        for local in range(self._armed_from.size - 1, len(tables.locals)):
            handler, value = tables.locals.things[local]
            process = tables.place[handler]
            timers = value.timers if process < self._graph.width else ()
            self._armed.extend([self._subjects[Kind.FIRE.value, process, timer] for timer in timers])
            self._armed_from.extend([self._armed.size])
        for envelope in range(self._sort.size - self.envelopes, len(tables.envelopes)):
            thing = tables.envelopes.things[envelope]
            self._owner.extend([tables.target[envelope]])
            self._sort.extend([DELIVER])
            self._delays.extend([self._fitting(self._timing.link(thing.source, thing.target))])

    def _learn_action(self, action: Action) -> None:
        cells = [0] * FACTS
        cells[SUBJECT], cells[SORT] = self._number(action), _SORTS.get(action.kind, OTHER)
        cells[STRIKE] = cells[WINDOW_OF] = cells[WINDOW] = NONE
        ways = self._ways(action)
        if action.pays:
            cells[FAULTY] = 1
            numbers = [self.kinds.setdefault(kind, len(self.kinds)) for kind in action.strikes]
            if len(self.kinds) > KINDS_MAX:
                raise TooLarge(f"more than {KINDS_MAX} kinds of fault")
            cells[STRIKE], cells[KINDS] = numbers[-1], sum(1 << number for number in dict.fromkeys(numbers))
            cells[ENTRIES] = sum(1 << entry for entry in dict.fromkeys(action.pays))
            cells[WINDOW] = NONE if action.window is None else action.window
            cells[WINDOW_OF] = NONE if action.inside is None else self._code(action.inside)
        cells[SURVIVES] = int(action.fault is not None and action.fault.survives)
        cells[CONSUMES], cells[DELIVERED] = int(action.effect.consumed >= 0), int(action.effect.delivered)
        cells[MOVERS_FROM], cells[MOVERS_TO] = self._movers.extend(self._moving(action))
        cells[SURE], cells[CODE] = int(self._is_sure(action)), self._code(action.code)
        cells[CHOOSES], cells[ENVELOPE] = int(bool(action.choices)), action.number
        self._event.extend([NONE if cells[FAULTY] else cells[SUBJECT]])
        self._fact.extend([cells])
        self._keys.extend([action.key])
        self._leads.extend([min(way.key for way in ways or [action])])
        self._learn_plan(action)

    def _code(self, code: bytes) -> int:
        return self._codes.setdefault(code, len(self._codes))

    def _moving(self, action: Action) -> list[list[int]]:
        """Who moves in an action, as rows of `Facts.movers`."""
        if action.effect.process < 0:
            return []
        alters = int(bool(action.machine) or action.effect.local != action.before)
        first = [action.effect.process, *self._arms.extend(self._arming(action.effect.process, action.arms)), alters]
        found = [first]
        for process, _ in action.effect.others:
            arms = self._arming(process, [arm for one, arm in action.others_arms if one == process])
            found.append([process, *self._arms.extend(arms), 1])
        return found

    def _ways(self, action: Action) -> Sequence[Action]:
        """The handlers of the same input in the same local value, without any fault."""
        if action.machine:
            return self._graph.machines.alike.get(action, ())
        if action.kind is Kind.DELIVER:
            return [*self._tables.deliveries.get((action.before, action.number), ())]
        own = self._tables.own.get(action.before, ())
        return [way for way in own if (way.kind, way.subject) == (action.kind, action.subject)]

    def _is_sure(self, action: Action) -> bool:
        """Whether it changes every state it is enabled in."""
        if (
            action.effect.spends
            or action.effect.cut >= 0
            or (action.effect.local >= 0 and action.effect.local != action.before and not action.machine)
        ):
            return True
        kind, gone = self._tables.kind, action.effect.consumed
        if gone >= 0 and kind[gone] != "set" and gone not in action.effect.sends:
            return True
        if self._graph.lasting:
            return False  # what it sends may vanish
        gone_once = [gone] if gone >= 0 and kind[gone] in _EACH_ONCE else []
        return gone_once != [e for e in action.effect.sends if kind[e] in _EACH_ONCE]

    def _learn_plan(self, action: Action) -> None:
        """Where the entries of an eager plan strike it."""
        windows, named = [_NO_WINDOW] * self._width, [0] * self._width
        for i, entry in enumerate(self._entries):
            found = outputs_named(action, entry.after) if entry.after else [len(action.all_outputs)]
            windows[i] = found[0] if found else _NO_WINDOW
            named[i] = int(bool(found))
        self._crash_window.extend([windows])
        self._named.extend([named])
