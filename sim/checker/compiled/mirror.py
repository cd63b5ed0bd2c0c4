"""What the compiled walk knows of a graph: its rows as arrays, and its states as runs of cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.checker.compiled.arrays import Array, Growing, Trees
from sim.checker.compiled.layout import (
    BEHIND,
    BY_LINK,
    COLUMNS,
    CONSUMED,
    CUT,
    ENVELOPES_MAX,
    FAILED,
    FELLS,
    FIFO,
    GONE,
    HEADS,
    HEARD_FROM,
    HEARD_TO,
    HOT,
    LOCAL,
    LOCALS_MAX,
    LOW,
    ONLY_LOCAL,
    OTHERS_FROM,
    OTHERS_TO,
    OWN,
    PROCESS,
    PROGRESS,
    SENDS_FROM,
    SENDS_TO,
    SPENDS_FROM,
    SPENDS_TO,
    STRUCK,
    STRUCK_BEHIND,
    SURROUNDINGS_MAX,
    SURROUNDINGS_ROOT,
    TOGETHER,
    TOGETHER_BEHIND,
    TOGETHER_HEADS,
    USUAL,
    Rows,
)  # fmt: skip
from sim.graph.action import Action
from sim.graph.enabled import Enabled
from sim.graph.graph import Graph
from sim.graph.judge import Evaluated, Judge
from sim.graph.state import State
from sim.system.network import NETWORKS

WATCHED_MAX = 62
"""Classes of messages that have a bit of their own. More share them: a walk then reads some envelopes in vain."""


def key_of(local: int, envelope: int, around: int, what: int) -> int:
    """The key of a row (see `layout`)."""
    return (local + 1) << 40 | (envelope + 1) << 16 | around << 2 | what


class TooLarge(Exception):
    """A number that the arrays have no place for."""


class Unfit(TooLarge):
    """What only the plain engine can walk, and why; to be told."""


class Mirror:
    """What the compiled walk knows of a graph. It is told whatever the plain engine finds out. `ends` are predicates that
    are asked beside the others."""

    def __init__(self, graph: Graph, judge: Judge, ends: Sequence[Evaluated] = ()) -> None:
        self.graph = graph
        kind = graph.system.only_kind
        self.network = BY_LINK if kind is None else NETWORKS.index(kind)
        self.locals = len(graph.names)
        self.budgets = len(graph.budget.full)
        self.cuts = len(graph.budget.cuts)
        self.fixed = self.locals + self.budgets + self.cuts
        """Cells before what is in flight."""
        self.sends_max = 1
        self.action_list: list[Action] = []
        grow = self._growing = Growing()
        self._now: Rows | None = None
        self._trees = Trees(grow.keys())
        self._rows = grow.keys()
        self._row_start, self._row_actions = grow.column(), grow.column()
        self._row_start.extend([0])
        self._known_rows: set[int] = set()
        self._actions, self._pool = grow.column(COLUMNS), grow.column()
        self._numbers: dict[Action, int] = {}
        self._order, self._target, self._flags = grow.column(), grow.column(), grow.column()
        self._crossed = grow.column(0, np.int64)
        self._healing, self._cutting, self._strikes = grow.column(), grow.column(), grow.column()
        self._surroundings: dict[Enabled, int] = {}
        self._machines = list(graph.machines.members)
        self._machine_roots = [self._trees.root() for _ in self._machines]
        self._machine_of: Array = np.array([self._machine(name) for name in graph.names[: graph.width]], np.int32)
        members = graph.machines.members.values()
        self._machine_start: Array = np.cumsum([0, *(1 + len(those) for those in members)]).astype(np.int32)
        those = [n for root, each in zip(self._machine_roots, members, strict=True) for n in (root, *each)]
        self._machine_cells: Array = np.array(those or [0], np.int32)
        self._inside = grow.column()
        self._known_together: set[tuple[int, tuple[int, ...], int, int]] = set()
        self._hear_node, self._hear_start, self._hear_by = grow.column(), grow.column(), grow.column()
        self._hear_start.extend([0])
        self._roots_of: list[int] = []
        self._heard: set[tuple[int, int]] = set()
        within = [judge.within] if judge.within is not None else []
        self._props = [*judge.always, *judge.sometimes, *ends, *within]
        self._roots = {prop: self._trees.root() for prop in self._props}
        starts = np.cumsum([0, *(1 + len(prop.reads) for prop in self._props)])
        self._prop_start: Array = starts.astype(np.int32)
        flat = [n for prop in self._props for n in (self._roots[prop], *prop.reads)]
        self._prop_cells: Array = np.array(flat or [0], np.int32)
        read = dict.fromkeys(name for prop in graph.system.judged_properties for name in prop.flying)
        self._bits = {name: 1 << i % WATCHED_MAX for i, name in enumerate(read)}
        self._watched_by = {prop: self.watches(prop) for prop in self._props}
        self._watches: Array = np.array([*self._watched_by.values()] or [0], np.int64)
        self._verdicts: dict[Evaluated, dict[tuple[int, ...], bool]] = {prop: {} for prop in self._props}
        self._watched = grow.column(0, np.int64)
        self.unseen: Array = np.ones(max(1, len(judge.sometimes)), np.int32)

    # --- states -------------------------------------------------------------------------------------

    def cells(self, state: State) -> list[int]:
        """A state as cells."""
        cuts = [int(c in state.cuts) for c in range(self.cuts)]
        return [*state.locals, *state.budgets, *cuts, *self.graph.network.every(state.net)]

    def state(self, cells: list[int]) -> State:
        """The state in these cells."""
        first = self.locals + self.budgets
        flags, flying = cells[first : first + self.cuts], tuple(cells[first + self.cuts :])
        net = self.graph.network.add((), flying) if self.network == FIFO else flying
        cuts = tuple(c for c, cut in enumerate(flags) if cut)
        return State(tuple(cells[: self.locals]), net, tuple(cells[self.locals : first]), cuts)

    def _machine(self, process: str) -> int:
        """The number of the machine that a process is on, or -1."""
        those = self.graph.system.machines
        return next((n for n, name in enumerate(self._machines) if process in those[name]), -1)

    # --- what is known ------------------------------------------------------------------------------

    def rows(self) -> Rows:
        """The arrays as they are now. Few of them change between two calls, and those that do are mostly the same arrays
        with more in them."""
        self._catch_up()
        if not self._growing.moved() and self._now is not None:
            return self._now
        self._now = Rows(
            *self._rows.arrays(), self._row_start.array, self._row_actions.array, self._actions.array,
            self._pool.array, *self._trees.table.arrays(), self._order.array, self._target.array,
            self._flags.array, self._crossed.array, self._healing.array, self._cutting.array,
            self._strikes.array, self._hear_node.array,
            self._hear_start.array, self._hear_by.array, self._prop_start, self._prop_cells, self._watches,
            self._watched.array, self.unseen, self._machine_start, self._machine_cells, self._machine_of,
            self._inside.array,
        )  # fmt: skip
        return self._now

    @property
    def answers(self) -> int:
        """How many answers of the plain engine it knows."""
        return self._rows.size + self._trees.table.size

    @property
    def order(self) -> Array:
        """What the envelopes known are sorted by."""
        return self.rows().order

    @property
    def watched(self) -> Array:
        """For each envelope known the bit of its class, if some predicate reads it."""
        return self.rows().watched

    def watches(self, prop: Evaluated) -> int:
        """The bits of the classes that a predicate reads in flight."""
        bits = 0
        for name in prop.property.flying:
            bits |= self._bits[name]
        return bits

    def _catch_up(self) -> None:
        """Takes over what was interned since the last time."""
        tables = self.graph.tables
        known = len(tables.locals)
        if known > LOCALS_MAX or len(tables.envelopes) > ENVELOPES_MAX:
            raise TooLarge("more than 16 million distinct local values or messages")
        if known > self._flags.size:
            fresh = range(self._flags.size, known)
            flags = ((FAILED, tables.failed), (HOT, tables.hot), (GONE, tables.gone), (LOW, tables.low))
            self._flags.extend([sum(flag for flag, those in flags if i in those) for i in fresh])
        at = self._order.size
        if len(tables.envelopes) > at:
            self._target.extend(tables.target[at:])
            cuts = range(self.cuts if self.graph.lasting else 0)
            fresh = range(at, len(tables.envelopes))
            self._crossed.extend([sum(1 << c for c in cuts if self.graph.crosses(c, e)) for e in fresh])
            things = tables.envelopes.things[at:]
            self._watched.extend([self._bits.get(type(thing.message).__name__, 0) for thing in things])
            ends = [(self._machine(thing.source), self._machine(thing.target)) for thing in things]
            self._inside.extend([one if one == other else -1 for one, other in ends])
            self._order.extend(tables.order[at:])
        for emission in range(self._hear_node.size, len(tables.emissions)):
            self._roots_of.append(self._trees.root())
            self._hear_node.extend(self._roots_of[-1:])
            self._hear_by.extend(tables.heard_by(emission))
            self._hear_start.extend([self._hear_by.size])

    def learn(self, state: State) -> None:
        """Asks the plain engine for the rows that the expansion of `state` needs."""
        graph = self.graph
        graph.enabled(state)
        here = graph.around(state)
        around = self.learn_surroundings(state)
        target = graph.tables.target
        for e in graph.network.heads(state.net):
            local = state.locals[target[e]]
            self._learn_row(local, e, around, USUAL, here.heads[local, e])
            if here.strikes_head:
                self._learn_row(local, e, around, STRUCK, here.struck_heads[local, e])
        if here.strikes_behind:
            for e in graph.network.overtakers(state.net):
                local = state.locals[target[e]]
                self._learn_row(local, e, around, STRUCK_BEHIND, here.struck_behind[local, e])
        for local in state.locals[: graph.width]:
            self._learn_row(local, -1, around, USUAL, here.own[local])
            if here.strikes_process:
                self._learn_row(local, -1, around, STRUCK, here.struck_own[local])
        for machine in range(len(self._machines)):
            self._learn_machine(machine, state, here, around)

    def _learn_machine(self, machine: int, state: State, here: Enabled, around: int) -> None:
        """What may happen to a machine in a state, in the order of `Machines.actions`."""
        machines, name, target = self.graph.machines, self._machines[machine], self.graph.tables.target
        mine, members, strikes = machines.mine(name, state.locals), machines.members[name], self._strikes_in(here)
        rows: list[tuple[int, int, Sequence[Action]]] = [(USUAL, -1, machines.restart(name, mine))]
        if strikes & TOGETHER:
            rows.append((STRUCK, -1, machines.struck_itself(here, name, mine)))
        if strikes & TOGETHER_HEADS:
            heads = [e for e in self.graph.network.heads(state.net) if target[e] in members]
            rows += [(STRUCK, e, machines.struck_head(here, name, mine, e)) for e in heads]
        if strikes & TOGETHER_BEHIND:
            late = [e for e in self.graph.network.overtakers(state.net) if target[e] in members]
            rows += [(STRUCK_BEHIND, e, machines.struck_late(here, name, mine, e)) for e in late]
        for what, envelope, row in rows:
            key = (machine, mine, around << 2 | what, envelope)
            if key not in self._known_together:
                self._known_together.add(key)
                self._trees.add(self._machine_roots[machine], [*mine, key[2], envelope + 1], self._add_row(row))

    def learn_verdict(self, prop: Evaluated, state: State) -> bool:
        """What a predicate says of a state, for the walk to know from now on."""
        read, watches = [state.locals[i] for i in prop.reads], self._watched_by[prop]
        if watches:
            self._catch_up()
            watched = self.watched
            read += [e + 1 for e in self.graph.network.every(state.net) if watched[e] & watches]
            read.append(0)
        verdicts, key = self._verdicts[prop], tuple(read)
        said = verdicts.get(key)
        if said is None:
            said = verdicts[key] = prop(state.locals, state.net)
            self._trees.add(self._roots[prop], read, int(said))
        return said

    def learn_surroundings(self, state: State) -> int:
        """The number of the surroundings of a state."""
        here = self.graph.around(state)
        number = self._surroundings.get(here)
        if number is None:
            number = self._surroundings[here] = len(self._surroundings)
            if number >= SURROUNDINGS_MAX:
                raise TooLarge("more than 16384 combinations of budgets left and cuts in force")
            self._healing.extend([self._add_row(here.healing)])
            self._cutting.extend([self._add_row(here.cutting)])
            self._strikes.extend([self._strikes_in(here)])
        bits = [min(count, 1) for count in state.budgets] + [int(c in state.cuts) for c in range(self.cuts)]
        if self.graph.system.down_max is not None:
            bits.append(int(here.full))
        self._trees.add(SURROUNDINGS_ROOT, bits, number)
        return number

    def _strikes_in(self, here: Enabled) -> int:
        alone = HEADS * here.strikes_head + BEHIND * here.strikes_behind + OWN * here.strikes_process
        if not self._machines or not here.left.crashes:
            return alone
        return alone + TOGETHER + (0 if here.full else TOGETHER_HEADS + TOGETHER_BEHIND * here.left.reorders)

    def _learn_row(self, local: int, envelope: int, around: int, what: int, row: Sequence[Action]) -> None:
        key = key_of(local, envelope, around, what)
        if key not in self._known_rows:
            self._known_rows.add(key)
            self._rows.add(key, self._add_row(row))

    def _add_row(self, row: Sequence[Action]) -> int:
        self._row_actions.extend([self.number(action) for action in row])
        self._row_start.extend([self._row_actions.size])
        return self._row_start.size - 2

    def number(self, action: Action) -> int:
        """The number of an action in the arrays."""
        number = self._numbers.get(action)
        if number is None:
            number = self._numbers[action] = len(self.action_list)
            self.action_list.append(action)
            cells = [0] * COLUMNS
            cells[PROCESS], cells[LOCAL] = action.effect.process, action.effect.local
            gone = action.effect.consumed
            stays = gone >= 0 and action.effect.delivered and self.graph.tables.kind[gone] == "set"
            cells[CONSUMED] = -1 if stays else gone
            cells[CUT], cells[PROGRESS] = action.effect.cut, int(action.progress)
            cells[HEARD_FROM], cells[HEARD_TO] = self._pool.extend(action.effect.heard)
            cells[SENDS_FROM], cells[SENDS_TO] = self._pool.extend(action.effect.sends)
            cells[SPENDS_FROM], cells[SPENDS_TO] = self._pool.extend(action.effect.spends)
            cells[OTHERS_FROM], cells[OTHERS_TO] = self._pool.extend([n for each in action.effect.others for n in each])
            cells[FELLS] = self._machines.index(action.fells) if action.fells else -1
            more = action.effect.heard or action.effect.spends or action.fells or action.effect.others
            cells[ONLY_LOCAL] = int(action.effect.local >= 0 and not more)
            self._actions.extend([cells])
            self.sends_max = max(self.sends_max, len(action.effect.sends))
        return number

    def learn_hearing(self, state: State, number: int) -> None:
        """Lets the monitors of the plain engine hear what this action emits."""
        action, tables = self.action_list[number], self.graph.tables
        locals_ = state.locals
        for i, local in ((action.effect.process, action.effect.local), *action.effect.others):
            locals_ = (*locals_[:i], local, *locals_[i + 1 :])
        for emission in action.effect.heard:
            before, locals_ = locals_, tables.notify(locals_, (emission,))
            for monitor in tables.heard_by(emission):
                if (before[monitor], emission) not in self._heard:
                    self._heard.add((before[monitor], emission))
                    self._catch_up()
                    self._trees.add(self._roots_of[emission], [before[monitor]], locals_[monitor])
