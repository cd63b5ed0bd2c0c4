"""The one graph that every engine walks: `actions(state)` and `apply(state, action)`.

A state is the local values of processes and monitors, what is in flight, the finite budgets left and
the cuts in force, all as small integers of one `Graph`; `describe` spells it out. Time is not in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import product
from typing import NamedTuple

from sim.base.errors import ModelError
from sim.base.mixer import MASK, mark, mix
from sim.base.values import Value, describe, encode, show
from sim.faults.plan import FaultEntry
from sim.graph.action import Action
from sim.graph.budget import FaultBudget, left_of
from sim.graph.enabled import Enabled
from sim.graph.tabulation import Tabulation
from sim.machine.handler import Handler
from sim.machine.process import Arm, Output, View
from sim.machine.table import DEFER
from sim.machine.table import Row as TableRow
from sim.system.network import Net, make_network
from sim.system.system import System
from sim.world.address import START, Address

FLYING = 1 << 24
"""The place of the first of equal envelopes (or of a queue) in a fingerprint; what comes before is numbered."""


class State(NamedTuple):
    """A state of the system, in the integers of its graph."""

    locals: tuple[int, ...]
    """The local value of each process, then of each monitor."""
    net: Net
    budgets: tuple[int, ...]
    """What is left of each finite entry of the fault budget."""
    cuts: tuple[int, ...]
    """The cuts in force."""


class Start(NamedTuple):
    """One way to begin: the choices made in `on_start`, and what came of them."""

    choices: tuple[Value, ...]
    state: State
    sends: tuple[int, ...]
    outputs: tuple[tuple[str, tuple[Output, ...]], ...]
    arms: tuple[tuple[int, Arm], ...]

    @property
    def address(self) -> Address:
        return Address(START, choosing=tuple(map(show, self.choices)) or None)


class Graph:
    """The graph of a system. Handlers run when a (local value, input) pair is met for the first time;
    `handler` is what runs them."""

    def __init__(self, system: System, handler: type[Handler] = Handler) -> None:
        if not isinstance(system, System):
            raise ModelError(f"{describe(system)} is no System: make one of your processes")
        self.system = system
        self.tables = Tabulation(system, handler)
        self.network = make_network(system.network, self.tables.pair.__getitem__)
        self.width = self.tables.width
        self.names = system.names
        self.budget = FaultBudget(system, self.tables)
        self._cut_names = self.budget.cuts
        self._surroundings: dict[tuple[tuple[int, ...], tuple[int, ...]], Enabled] = {}
        self._starts: list[Start] = []

    @property
    def handler_calls(self) -> int:
        return self.tables.handler_calls

    @cached_property
    def rows(self) -> dict[tuple[str, int], str]:
        """The rows that actions may take, and how each is called: `coordinator  Response: stopped -> (stays)`.
        A row that defers is never taken."""
        processes = self.system.processes.items()
        declared = ((name, row) for name, process in processes for row in type(process).table.rows)
        return {(name, row.index): _row_text(name, row) for name, row in declared if row.dest is not DEFER}

    # --- states -------------------------------------------------------------------------------------

    def starts(self) -> list[Start]:
        """The ways to begin: one for each combination of choices made in `on_start`."""
        if not self._starts:
            self._starts = self._begin()
        return self._starts

    def _begin(self) -> list[Start]:
        found = []
        for start in product(*self.tables.initial()):
            locals_: tuple[int, ...] = tuple(local for local, _ in start)
            sends: tuple[int, ...] = ()
            for index, (_, outcome) in enumerate(start):
                sends += self.tables.sends(self.names[index], outcome.outputs)
                locals_ = self.tables.notify(locals_, self.tables.heard((), outcome.outputs))
            net = self.network.add(self.network.empty(), sends)
            choices = tuple(choice for _, outcome in start for choice in outcome.choices)
            outputs = tuple((self.names[i], outcome.outputs) for i, (_, outcome) in enumerate(start) if outcome.outputs)
            arms = tuple((i, arm) for i, (_, outcome) in enumerate(start) for arm in outcome.arms)
            found.append(Start(choices, State(locals_, net, self.budget.full, ()), sends, outputs, arms))
        return found

    def initial(self) -> list[State]:
        """The distinct initial states."""
        return list(dict.fromkeys(start.state for start in self.starts()))

    def view(self, state: State, name: str) -> View:
        """The local value of one process or monitor, by name."""
        return self.tables.view(state.locals[self.tables.index[name]])

    def value(self, state: State) -> Value:
        """A state as a value: the same in every graph of the same system."""
        flying = sorted((self.tables.envelopes.things[e].value() for e in self.network.every(state.net)), key=encode)
        order = flying if self.system.network != "fifo" else self._queues(state.net)
        locals_ = tuple(tuple(self.tables.locals.things[i][1]) for i in state.locals)
        return (locals_, tuple(order), state.budgets, tuple(self._cut_names[c] for c in state.cuts))

    def fingerprint(self, state: State) -> int:
        """64 bits that tell this state from others, the same in every graph and process of the same system."""
        locals_, envelopes = self.tables.locals.keys, self.tables.envelopes.keys
        fixed = [locals_[i] for i in state.locals]
        fixed += [*state.budgets, *(int(c in state.cuts) for c in range(len(self._cut_names)))]
        total = sum(mark(place, key) for place, key in enumerate(fixed))
        last, place = -1, FLYING
        order = self.tables.pair if self.system.network == "fifo" else range(len(envelopes))
        for e in self.network.every(state.net):
            place = place + 1 if order[e] == last else FLYING
            last = order[e]
            total += mark(place, envelopes[e])
        return mix(total & MASK)

    def _queues(self, net: Net) -> list[Value]:
        queues = [tuple(self.tables.envelopes.things[e].value() for e in queue[1:]) for queue in net]
        return sorted(queues, key=encode)

    # --- actions ------------------------------------------------------------------------------------

    def actions(self, state: State) -> list[Action]:
        """The enabled actions, in the order of their canonical encodings."""
        return sorted(self.enabled(state), key=lambda action: action.code)

    def enabled(self, state: State) -> list[Action]:
        """The enabled actions, in no order that may be relied on."""
        locals_, net, budgets, cuts = state
        tables = self.tables
        if tables.failed and not tables.failed.keys().isdisjoint(locals_):
            return []  # beyond its table a machine does nothing that could be trusted
        here = self._surroundings.get((budgets, cuts)) or self.surroundings(budgets, cuts)
        target, heads, own = tables.target, here.heads, here.own
        found: list[Action] = []
        for e in self.network.heads(net):
            local = locals_[target[e]]
            actions = heads.get((local, e))
            found += here.head(local, e) if actions is None else actions
        for local in locals_[: self.width]:
            actions = own.get(local)
            found += here.itself(local) if actions is None else actions
        found += here.healing
        if here.strikes_head:
            for e in self.network.heads(net):
                local = locals_[target[e]]
                actions = here.struck_heads.get((local, e))
                found += here.struck_head(local, e) if actions is None else actions
        if here.strikes_behind:
            for e in self.network.overtakers(net):
                local = locals_[target[e]]
                actions = here.struck_behind.get((local, e))
                found += here.struck_late(local, e) if actions is None else actions
        if here.strikes_process:
            for local in locals_[: self.width]:
                actions = here.struck_own.get(local)
                found += here.struck_itself(local) if actions is None else actions
        found += here.cutting
        return found

    def met(self) -> Iterator[Action]:
        """Every action that was enabled in a state asked about so far."""
        for here in dict.fromkeys(self._surroundings.values()):
            for rows in (here.heads, here.struck_heads, here.struck_behind):
                for row in rows.values():
                    yield from row
            for row in (*here.own.values(), *here.struck_own.values()):
                yield from row

    def surroundings(self, budgets: tuple[int, ...], cuts: tuple[int, ...]) -> Enabled:
        """The rows under these budgets and cuts; budgets that allow the same share them."""
        found = self._surroundings.get((budgets, cuts))
        if found is None:
            some = tuple(min(count, 1) for count in budgets)
            found = self._surroundings.get((some, cuts))
            if found is None:
                found = Enabled(self.system, self.tables, self.budget.left(some), cuts)
                self._surroundings[some, cuts] = found
            self._surroundings[budgets, cuts] = found
        return found

    def _held(self, envelope: int, cuts: tuple[int, ...]) -> bool:
        """Whether a cut in force holds this envelope."""
        thing = self.tables.envelopes.things[envelope]
        return any(self.system.cuts[self._cut_names[c]].holds(thing.source, thing.target) for c in cuts)

    def deferred(self, state: State, envelope: int) -> str | None:
        """Why an envelope in flight cannot be delivered now; None if it can."""
        thing = self.tables.envelopes.things[envelope]
        local = state.locals[self.tables.target[envelope]]
        if local in self.tables.down:
            return f"{thing.target} is down"
        for c in state.cuts:
            if self.system.cuts[self._cut_names[c]].holds(thing.source, thing.target):
                return f"the cut {self._cut_names[c]} holds it"
        if envelope not in self.network.heads(state.net):
            return "it stands behind another message of its pair"
        if not self.tables.delivery(local, envelope):
            return f"{thing.target} defers it in state {self.tables.view(local).state}"
        return None

    # --- faults -------------------------------------------------------------------------------------

    def has_budget(self, state: State) -> bool:
        """Whether any fault may still strike."""
        return self.budget.endless or any(state.budgets)

    def faults(self, state: State, usual: list[Action]) -> list[Action]:
        """The actions that draw on the budget; `usual` are the handlers that a crash may strike."""
        locals_, net, budgets, cuts = state
        left = self.budget.left(budgets)
        target = self.tables.target
        found: list[Action] = []
        if left.in_flight:
            for e in self.network.distinct(net):
                found += left.on_envelope(e)
        if left.reorders:
            for e in self.network.overtakers(net):
                if not (cuts and self._held(e, cuts)):
                    found += left.overtaking(locals_[target[e]], e)
        if left.domain:
            for e in self.network.heads(net):
                if not (cuts and self._held(e, cuts)):
                    found += left.under(locals_[target[e]], e)
        if left.crashes:
            handlers = usual + found
            for local in locals_[: self.width]:
                found += left.crash(local)
            for action in handlers:
                found += left.windows(action)
        if left.cuts:
            for c in range(len(self._cut_names)):
                found += left.cut(c) if c not in cuts else ()
        return found

    # --- steps --------------------------------------------------------------------------------------

    def apply(self, state: State, action: Action) -> State:
        """The state after `action`, which must be enabled in `state`."""
        locals_, net, budgets, cuts = state
        if action.local >= 0:
            i = action.process_index
            locals_ = (*locals_[:i], action.local, *locals_[i + 1 :])
            if action.heard:
                locals_ = self.tables.notify(locals_, action.heard)
        if action.consumed >= 0:
            network = self.network
            net = (network.deliver if action.delivered else network.remove)(net, action.consumed)
        if action.sends:
            net = self.network.add(net, action.sends)
        for slot in action.spends:
            budgets = (*budgets[:slot], budgets[slot] - 1, *budgets[slot + 1 :])
        if action.cut_index >= 0:
            cuts = tuple(sorted({*cuts} ^ {action.cut_index}))
        return State(locals_, net, budgets, cuts)

    def changes(self, state: State, action: Action) -> bool:
        """Whether `action` leads to another state."""
        return self.apply(state, action) != state

    def quiescent(self, state: State) -> bool:
        """Whether no progress action that changes the state is enabled."""
        return not any(action.progress and self.changes(state, action) for action in self.enabled(state))

    def budget_left(self, state: State) -> list[tuple[FaultEntry, int | None]]:
        """What is left of each entry of the budget; None is unlimited."""
        return left_of(self.budget, state.budgets)


def _row_text(process: str, row: TableRow) -> str:
    guards = [*row.conditions, *(f"not {name}" for name in row.unless)]
    return f"{process}  {row}" + (f" if {', '.join(guards)}" if guards else "")
