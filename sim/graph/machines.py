"""Machines: processes that crash together and come back together.

What happens to a machine depends on the local values of all processes on it, so it is found for each combination of them
that is met.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product

from sim.base.values import Emission
from sim.graph.action import Action, Effect, Kind
from sim.graph.budget import BudgetLeft
from sim.graph.enabled import Enabled
from sim.graph.tabulation import Tabulation
from sim.machine.handler import Local, Outcome
from sim.machine.ledgers import Crashed, Restarted
from sim.machine.outputs import Output
from sim.machine.table import GONE, OFF
from sim.system.declaration import Declaration

Mine = tuple[int, ...]
"""The local values of the processes on a machine, in the order declared."""
Part = tuple[int, Local, tuple[Output, ...]]
"""What an action makes of one process on a machine, and what this puts out."""


class Machines:
    """The machines of a system, by name."""

    def __init__(self, system: Declaration, tables: Tabulation) -> None:
        self._tables = tables
        self.members = {name: tuple(tables.index[p] for p in names) for name, names in system.machines.items()}
        self.first = {members[0]: name for name, members in self.members.items()}
        """The machine of which a process is the first."""
        alone = [i for i in range(tables.width) if not any(i in members for members in self.members.values())]
        self.units = [*self.members.values(), *((i,) for i in alone)]
        """What goes down by itself: the processes of each machine, and every process that is on none."""
        self._restarts: dict[tuple[str, Mine], tuple[Action, ...]] = {}
        self.alike: dict[Action, tuple[Action, ...]] = {}
        """Of a restart: all ways in which the same machine comes back from there."""
        self._parts: dict[Action, list[tuple[int, int, tuple[Output, ...]]]] = {}
        """Of a restart: who puts out what, each with its local value before."""
        self._crashes: dict[tuple[BudgetLeft, str, Mine], list[Action]] = {}
        self._windows: dict[tuple[BudgetLeft, Action, str, Mine], list[Action]] = {}

    def actions(
        self, locals_: Sequence[int], here: Enabled, heads: Iterable[int], overtakers: Iterable[int]
    ) -> list[Action]:
        """What may happen to machines in a state: restarts, then crashes between inputs and inside of handlers."""
        found = [action for name in self.members for action in self.restart(name, self.mine(name, locals_))]
        if not here.left.crashes:
            return found
        heads, overtakers, target = list(heads), list(overtakers), self._tables.target
        for name, members in self.members.items():
            mine = self.mine(name, locals_)
            found += self.struck_itself(here, name, mine)
            for e in [e for e in heads if target[e] in members]:
                found += self.struck_head(here, name, mine, e)
            for e in [e for e in overtakers if target[e] in members]:
                found += self.struck_late(here, name, mine, e)
        return found

    def mine(self, name: str, locals_: Sequence[int]) -> Mine:
        """The local values of the processes on a machine."""
        return tuple(locals_[i] for i in self.members[name])

    def struck_itself(self, here: Enabled, name: str, mine: Mine) -> list[Action]:
        """The crash of a machine, and its crashes inside of what happens there by itself."""
        handlers = list(self.restart(name, mine))
        if here.full:
            return self._windows_of(here, handlers, name, mine)
        handlers += [a for one in mine for a in self._tables.own_actions(one)]
        handlers += [a for one in mine if here.left.updates for a in here.left.update(one)]
        return [*self._crash(here.left, name, mine), *self._windows_of(here, handlers, name, mine)]

    def struck_head(self, here: Enabled, name: str, mine: Mine, envelope: int) -> list[Action]:
        """The crashes of a machine inside of the deliveries of an envelope to a process on it."""
        if here.full or here.held(envelope):
            return []
        local = self._taker(name, mine, envelope)
        under = here.left.under(local, envelope) if here.left.domain else ()
        return self._windows_of(here, (*self._tables.delivery(local, envelope), *under), name, mine)

    def struck_late(self, here: Enabled, name: str, mine: Mine, envelope: int) -> list[Action]:
        """The same, where it overtakes what was sent before it."""
        if here.full or here.held(envelope):
            return []
        return self._windows_of(here, here.left.overtaking(self._taker(name, mine, envelope), envelope), name, mine)

    def _taker(self, name: str, mine: Mine, envelope: int) -> int:
        return mine[self.members[name].index(self._tables.target[envelope])]

    def _windows_of(self, here: Enabled, handlers: Iterable[Action], name: str, mine: Mine) -> list[Action]:
        return [window for action in handlers for window in self._struck(here.left, action, name, mine)]

    # --- restarts -----------------------------------------------------------------------------------

    def restart(self, name: str, mine: Mine) -> tuple[Action, ...]:
        """The ways in which a machine comes back, with all that went down with it."""
        found = self._restarts.get((name, mine))
        if found is None:
            values = self._tables.locals.things
            off = [(values[local][0], local) for local in mine if values[local][1].state == OFF]
            handlers = self._tables.handlers
            back = (handlers[values[local][0]].restart(values[local][1]) for _, local in off)
            ways = product(*back) if off else ()
            found = self._restarts[name, mine] = tuple(self._restarted(name, off, way) for way in ways)
            self.alike.update(dict.fromkeys(found, found))
        return found

    def _restarted(self, name: str, off: list[tuple[int, int]], way: tuple[Outcome, ...]) -> Action:
        parts = [(i, outcome.local, outcome.outputs) for (i, _), outcome in zip(off, way, strict=True)]
        tables = self._tables
        first = tuple(Restarted(tables.called[i]) for i, _ in off)
        action = replace(
            self._joint(Kind.RESTART, name, parts, first=first),
            choices=tuple(choice for outcome in way for choice in outcome.choices),
            arms=way[0].arms,
            others_arms=tuple(
                (tables.place[i], arm) for (i, _), o in zip(off[1:], way[1:], strict=True) for arm in o.arms
            ),
            progress=True,
        )
        self._parts[action] = [(i, local, o.outputs) for (i, local), o in zip(off, way, strict=True)]
        return action

    def _joint(
        self,
        kind: Kind,
        name: str,
        parts: Sequence[Part],
        *,
        first: tuple[Emission, ...] = (),
        last: tuple[Emission, ...] = (),
    ) -> Action:
        """What happens to these processes of a machine at once."""
        tables = self._tables
        outputs = tuple(output for _, _, outputs in parts for output in outputs)
        numbers = [(tables.place[i], tables.local(i, after)) for i, after, _ in parts]
        effect = Effect(
            process=numbers[0][0],
            local=numbers[0][1],
            delivered=True,
            sends=tuple(sent for i, _, put in parts for sent in tables.sends(tables.called[i], put)),
            heard=tables.heard(first, outputs, last),
            others=tuple(numbers[1:]),
        )
        after = tuple(tuple(after) for _, after, _ in parts)
        who = tables.called[numbers[0][0]]
        others = tuple(tables.called[i] for i, _ in numbers[1:])
        return Action(
            kind=kind, effect=effect, process=who, machine=name, others=others, all_outputs=outputs, after=after
        )

    # --- crashes ------------------------------------------------------------------------------------

    def _crash(self, left: BudgetLeft, name: str, mine: Mine) -> list[Action]:
        """The crash of a machine on which some process is up, between two inputs."""
        found = self._crashes.get((left, name, mine))
        if found is None:
            found = self._crashes[left, name, mine] = []
            for for_good in left.lasts if self._up(mine) else ():
                fitting = left.crashing(name, for_good)
                if fitting:
                    parts = [(i, after, ()) for i, after in self._felled(mine, for_good)]
                    crash = self._joint(Kind.CRASH, name, parts, last=self._heard(mine))
                    found += left.each_way(replace(crash, for_good=for_good), fitting)
        return found

    def _struck(self, left: BudgetLeft, action: Action, name: str, mine: Mine) -> list[Action]:
        """The handler of `action` with a crash of its machine in each of its windows that the entries allow."""
        key = (left, action, name, mine)
        found = self._windows.get(key)
        if found is None:
            found = self._windows[key] = []
            failed = self._tables.failed
            values = (action.effect.local, *(local for _, local in action.effect.others))
            for for_good in left.lasts if failed.keys().isdisjoint(values) else ():
                find = self._restart_windows if action.machine else self._handler_windows
                found += left.in_windows(action, name, find(action, name, mine, for_good), for_good)
        return found

    def _handler_windows(self, action: Action, name: str, mine: Mine, for_good: bool) -> list[Action]:
        others = tuple(local for local in mine if local != action.before)
        felled = tuple(
            (self._tables.place[i], self._tables.local(i, after)) for i, after in self._felled(others, for_good)
        )
        heard = self._tables.heard(self._heard(others), ())
        return [
            replace(
                window,
                effect=window.effect._replace(others=felled, heard=window.effect.heard + heard),
                with_machine=name,
                others=tuple(self._tables.called[i] for i, _ in felled),
            )
            for window in self._tables.windows(action, GONE if for_good else OFF)
        ]

    def _restart_windows(self, action: Action, name: str, mine: Mine, for_good: bool) -> list[Action]:
        parts = self._parts[action]
        first = tuple(Restarted(self._tables.called[i]) for i, _, _ in parts)
        last = tuple(Crashed(self._tables.called[i]) for i, _, _ in parts)
        back = {i for i, _, _ in parts}
        gone: list[Part] = [(i, Local(*value), ()) for i, value in map(self._thing, mine) if i not in back]
        windows = []
        for n in range(len(action.all_outputs) + 1):
            struck: list[Part] = []
            left = n
            for i, before, put in parts:
                done, left = put[:left], max(0, left - len(put))
                after = self._tables.struck(i, self._thing(before)[1], done, GONE if for_good else OFF)
                struck.append((i, after, done))
            window = self._joint(Kind.RESTART, name, [*struck, *gone], first=first, last=last)
            outputs, choices = action.all_outputs, action.choices
            windows.append(replace(window, all_outputs=outputs, choices=choices, window=n, for_good=for_good))
        return windows

    def _felled(self, mine: Mine, for_good: bool) -> list[tuple[int, Local]]:
        """What these become as their machine crashes: who is gone already stays so."""
        found = []
        for local in mine:
            process, value = self._thing(local)
            down = self._tables.handlers[process].down(value.fields, GONE if for_good else OFF)
            found.append((process, value if value.state == GONE else down))
        return found

    def _heard(self, mine: Mine) -> tuple[Emission, ...]:
        return tuple(Crashed(self._tables.called[process]) for process, value in map(self._thing, mine) if value.up)

    def _up(self, mine: Mine) -> bool:
        return any(value.up for _, value in map(self._thing, mine))

    def _thing(self, local: int) -> tuple[int, Local]:
        return self._tables.locals.things[local]
