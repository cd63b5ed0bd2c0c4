"""The one graph that every engine walks: `actions(state)` and `apply(state, action)`.

A state is the local values of processes and monitors, what is in flight, the finite budgets left and
the cuts in force, all as small integers of one `Graph`; `describe` spells it out. Time is not in it.
"""

from __future__ import annotations

from copy import copy
from itertools import product
from typing import NamedTuple

from sim.action import Action, Kind
from sim.address import START, Address
from sim.faults.plan import FaultEntry
from sim.network import Net, make_network
from sim.process import Arm, Output, View
from sim.system import System
from sim.tables import Tables, outputs_named
from sim.values import Value, encode, show


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
    """The graph of a system. Handlers run when a (local value, input) pair is met for the first time."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.tables = Tables(system)
        self.network = make_network(system.network, self.tables.pair.__getitem__)
        self.width = self.tables.width
        self.names = system.names
        self.entries = [entry for entry in system.budget if entry.count != 0]
        finite = [i for i, entry in enumerate(self.entries) if entry.count is not None]
        self._slot = {i: slot for slot, i in enumerate(finite)}
        self._full = tuple(self.entries[i].count or 0 for i in finite)
        self._by_kind: dict[str, list[int]] = {}
        for i in sorted(range(len(self.entries)), key=lambda i: (self.entries[i].target is None, i)):
            self._by_kind.setdefault(self.entries[i].kind, []).append(i)  # the specific entry is drawn on first
        self._endless = len(finite) < len(self.entries)
        self._domain = [kind for kind in self._by_kind if kind in system.own_kinds]
        self._cut_names = list(system.cuts)
        self._spending: dict[tuple[Action, tuple[int, ...]], Action] = {}

    @property
    def handler_calls(self) -> int:
        return self.tables.handler_calls

    # --- states -------------------------------------------------------------------------------------

    def starts(self) -> list[Start]:
        """The ways to begin: one for each combination of choices made in `on_start`."""
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
            found.append(Start(choices, State(locals_, net, self._full, ()), sends, outputs, arms))
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

    def _queues(self, net: Net) -> list[Value]:
        queues = [tuple(self.tables.envelopes.things[e].value() for e in queue[1:]) for queue in net]
        return sorted(queues, key=encode)

    # --- actions ------------------------------------------------------------------------------------

    def actions(self, state: State) -> list[Action]:
        """The enabled actions, in the order of their canonical encodings."""
        return sorted(self.enabled(state), key=lambda action: action.code)

    def enabled(self, state: State) -> list[Action]:
        """The enabled actions, in no order that may be relied on."""
        locals_, net, _, cuts = state
        tables = self.tables
        if tables.failed and not tables.failed.keys().isdisjoint(locals_):
            return []  # beyond its table a machine does nothing that could be trusted
        found: list[Action] = []
        deliveries, target = tables.deliveries, tables.target
        for e in self.network.heads(net):
            local = locals_[target[e]]
            actions = deliveries.get((local, e))
            if actions is None:
                actions = tables.delivery(local, e)
            if actions and not (cuts and self._held(e, cuts)):
                found += actions
        own = tables.own
        for local in locals_[: self.width]:
            actions = own.get(local)
            found += tables.own_actions(local) if actions is None else actions
        if cuts:
            found += [self.tables.cutting(Kind.HEAL, c) for c in cuts]
        if self.has_budget(state):
            found += self.faults(state, found)
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
        return self._endless or any(state.budgets)

    def faults(self, state: State, usual: list[Action]) -> list[Action]:
        """The actions that draw on the budget; `usual` are the handlers that a crash may strike."""
        found: list[Action] = []
        found += self._network_faults(state)
        for kind in self._domain:
            for e in self.network.heads(state.net):
                if not self._held(e, state.cuts):
                    found += self._under(state, kind, e)
        if "crash" in self._by_kind:
            found += self._crashes(state, [*usual, *found])
        if "cut" in self._by_kind:
            found += self._cuts(state)
        return found

    def _available(self, state: State, kind: str, *places: str) -> int:
        """The first entry of `kind` that may strike at one of `places` and has something left, or -1."""
        for i in self._by_kind.get(kind, ()):
            target = self.entries[i].target
            if (target is None or target in places) and self._left(state, i):
                return i
        return -1

    def _left(self, state: State, entry: int) -> bool:
        slot = self._slot.get(entry)
        return slot is None or state.budgets[slot] > 0

    def _places(self, envelope: int) -> tuple[str, str, str]:
        thing = self.tables.envelopes.things[envelope]
        return thing.source, thing.target, type(thing.message).__name__

    def _network_faults(self, state: State) -> list[Action]:
        found = []
        for kind in (Kind.DROP, Kind.DUPLICATE):
            if kind.value in self._by_kind:
                for e in self.network.distinct(state.net):
                    entry = self._available(state, kind.value, *self._places(e))
                    if entry >= 0:
                        found.append(self._spend(self.tables.in_flight(kind, e), entry))
        if "reorder" in self._by_kind:
            for e in self.network.overtakers(state.net):
                entry = self._available(state, "reorder", *self._places(e))
                if entry >= 0 and not self._held(e, state.cuts):
                    usual = self.tables.delivery(state.locals[self.tables.target[e]], e)
                    found += [self._spend(self.tables.overtaking(action), entry) for action in usual]
        return found

    def _under(self, state: State, kind: str, envelope: int) -> list[Action]:
        found = []
        hints = dict.fromkeys(self.entries[i].hint_ms for i in self._by_kind[kind])
        for hint in hints:
            for i in self._by_kind[kind]:
                entry = self.entries[i]
                fits = entry.hint_ms == hint and entry.target in (None, *self._places(envelope))
                if fits and self._left(state, i):
                    local = state.locals[self.tables.target[envelope]]
                    found += [self._spend(a, i) for a in self.tables.delivery_under(local, envelope, entry)]
                    break
        return found

    def _crashes(self, state: State, handlers: list[Action]) -> list[Action]:
        found = []
        for local in state.locals[: self.width]:
            if local in self.tables.down:
                continue
            name = self.names[self.tables.locals.things[local][0]]
            entry = self._crash_entry(state, name, anywhere=True)
            if entry >= 0:
                found.append(self._spend(self.tables.crash(local), entry))
        for action in handlers:
            if action.delivered and action.local not in self.tables.failed:
                found += self._struck(state, action)
        return found

    def _crash_entry(self, state: State, process: str, *, anywhere: bool) -> int:
        for i in self._by_kind["crash"]:
            entry = self.entries[i]
            fits = entry.target in (None, process) and (entry.after is None) is anywhere
            if fits and self._left(state, i):
                return i
        return -1

    def _struck(self, state: State, action: Action) -> list[Action]:
        """`action` with a crash in each of its windows that the budget allows."""
        windows = self.tables.windows(action)
        found: dict[int, Action] = {}
        entry = self._crash_entry(state, action.process, anywhere=True)
        if entry >= 0:
            found = {n: self._spend(w, *action.entries, entry) for n, w in enumerate(windows)}
        for i in self._by_kind["crash"]:
            place = self.entries[i]
            if place.after and place.target in (None, action.process) and self._left(state, i):
                for n in outputs_named(action, place.after):
                    found.setdefault(n, self._spend(windows[n], *action.entries, i))
        return list(found.values())

    def _cuts(self, state: State) -> list[Action]:
        found = []
        for c, name in enumerate(self._cut_names):
            entry = self._available(state, "cut", name)
            if c not in state.cuts and entry >= 0:
                found.append(self._spend(self.tables.cutting(Kind.CUT, c), entry))
        return found

    def _spend(self, action: Action, *entries: int) -> Action:
        """`action` as one that draws on these entries of the budget."""
        found = self._spending.get((action, entries))
        if found is None:
            found = self._spending[action, entries] = copy(action)
            found.entries = entries
            found.spends = tuple(self._slot[i] for i in entries if i in self._slot)
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
        return [(e, state.budgets[self._slot[i]] if i in self._slot else None) for i, e in enumerate(self.entries)]
