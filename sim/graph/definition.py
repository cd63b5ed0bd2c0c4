"""The definition that all engines agree on: `actions(state)` and `apply(state, action)`.

A state is the local values of processes and monitors, what is in flight, the finite budgets left and
the cuts in force, all as small integers of one graph. Time is not in it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from itertools import product

from sim.base.errors import ModelError
from sim.base.mixer import MASK, mark, mix
from sim.base.values import Fault, Value, describe, encode
from sim.faults.plan import FaultEntry
from sim.graph.action import UPDATED, Action
from sim.graph.budget import FaultBudget, left_of
from sim.graph.enabled import Enabled
from sim.graph.machines import Machines
from sim.graph.state import GraphStart, State
from sim.graph.tabulation import Tabulation
from sim.machine.handler import Handler
from sim.machine.process import View
from sim.machine.table import DEFER, Row
from sim.system.declaration import Declaration
from sim.system.network import Net, make_network

FLYING = 1 << 24
"""The place of the first of equal envelopes (or of a queue) in a fingerprint; what comes before is numbered."""


ONCE, TWICE = "once", "twice"
"""How often a message comes that was in flight before and may come again."""


class Definition:
    """What is enabled in each state of a system, and what it does. Handlers run when a (local value, input)
    pair is met for the first time; `handler` is what runs them."""

    def __init__(self, system: Declaration, handler: type[Handler] = Handler) -> None:
        if not isinstance(system, Declaration):
            raise ModelError(f"{describe(system)} is not a System: make one of your processes")
        self.system = system
        self.tables = Tabulation(system, handler)
        self.network = make_network(system.only_kind, self.tables.pair, self.tables.order, self.tables.kind)
        self.width = self.tables.width
        self.names = system.names
        self.budget = FaultBudget(system, self.tables)
        self._cut_names = self.budget.cuts
        self.lasting = self.budget.lasting
        """Whether something may be struck for good; in such a system what is in flight to nobody is nowhere."""
        self._vanishes = self.lasting or bool(system.machines)
        self.machines = Machines(system, self.tables)
        self._down_max = system.down_max
        self._enabled: dict[tuple[tuple[int, ...], tuple[int, ...], bool], Enabled] = {}
        self._starts: list[GraphStart] = []
        self._marks: dict[int, list[int]] = {}

    @property
    def handler_calls(self) -> int:
        return self.tables.handler_calls

    @cached_property
    def rows(self) -> dict[tuple[str, int], str]:
        """The rows that actions may take, and how each is called: `Coordinator  Response: stopped -> (stays)`. Instances of
        one class have rows of one name. A row that defers is never taken, and neither is one for a fault that is not in the
        budget."""
        kinds = {entry.kind for entry in self.budget.entries}
        declared = [*self.system.processes.items()]
        declared += [(name + UPDATED, process) for name, process in self.system.updates.items()]
        found = {}
        for name, process in declared:
            for row in type(process).table.rows:
                trigger = row.trigger
                strikes = isinstance(trigger, str) or not issubclass(trigger, Fault) or trigger.kind in kinds
                if row.dest is not DEFER and strikes:
                    found[name, row.index] = _row_text(type(process).__name__, row)
        return found

    # --- states -------------------------------------------------------------------------------------

    def starts(self) -> list[GraphStart]:
        """The ways to begin: one for each combination of choices made in `on_start`, and of how often a message comes that
        was in flight before and may come again."""
        if not self._starts:
            self._starts = self._begin()
        return self._starts

    def _begin(self) -> list[GraphStart]:
        found = []
        flying, again = self.tables.flying()
        for start, times in product(product(*self.tables.initial()), product((ONCE, TWICE), repeat=len(again))):
            locals_: tuple[int, ...] = tuple(local for local, _ in start)
            before = (*flying, *(e for e, count in zip(again, times, strict=True) if count == TWICE))
            sends: tuple[int, ...] = before
            for index, (_, outcome) in enumerate(start):
                sends += self.tables.sends(self.names[index], outcome.outputs)
                locals_ = self.tables.notify(locals_, self.tables.heard((), outcome.outputs))
            net = self.network.add(self.network.empty(), sends)
            choices = tuple(choice for _, outcome in start for choice in outcome.choices) + times
            outputs = tuple((self.names[i], outcome.outputs) for i, (_, outcome) in enumerate(start) if outcome.outputs)
            arms = tuple((i, arm) for i, (_, outcome) in enumerate(start) for arm in outcome.arms)
            state = State(locals_, net, self.budget.full, ())
            record = encode((self.names, self.value(state)))
            found.append(GraphStart(choices, state, sends, outputs, arms, record, len(before)))
        return found

    def initial(self) -> list[State]:
        """The distinct initial states."""
        return list(dict.fromkeys(start.place for start in self.starts()))

    def view(self, state: State, name: str) -> View:
        """The local value of one process or monitor, by name."""
        return self.tables.view(state.locals[self.tables.index[name]])

    def value(self, state: State) -> Value:
        """A state as a value: the same in every graph of the same system."""
        runs: dict[int, list[Value]] = {}
        for e in self.network.every(state.net):
            runs.setdefault(self.tables.order[e], []).append(self.tables.envelopes.things[e].value())
        is_flat = self.system.only_kind in ("any", "set")
        flying: list[Value] = [e for run in runs.values() for e in run] if is_flat else [*map(tuple, runs.values())]
        things, width = self.tables.locals.things, len(self.names)
        locals_ = tuple((*things[i][1], *["updated"] * (things[i][0] >= width)) for i in state.locals)
        cuts = tuple(self._cut_names[c] for c in state.cuts)
        return (locals_, tuple(sorted(flying, key=encode)), state.budgets, cuts)

    def clock_ms(self, at: State) -> int | None:  # noqa: ARG002
        return None

    def fingerprint(self, state: State) -> int:
        """64 bits that tell this state from others, the same in every graph and process of the same system."""
        locals_, envelopes = self.tables.locals.keys, self.tables.envelopes.keys
        fixed = [locals_[i] for i in state.locals]
        fixed += [*state.budgets, *(int(c in state.cuts) for c in range(len(self._cut_names)))]
        total = sum(mark(place, key) for place, key in enumerate(fixed))
        if self.system.only_kind in ("any", "set"):
            net, begin = self.network.every(state.net), 0
            while begin < len(net):  # equal messages are a run, and looked at once
                end = bisect_right(net, net[begin], begin)
                total += self._marks_of(net[begin], end - begin)
                begin = end
            return mix(total & MASK)
        last, place = -1, FLYING
        order = self.tables.order
        for e in self.network.every(state.net):
            place = place + 1 if order[e] == last else FLYING
            last = order[e]
            total += mark(place, envelopes[e])
        return mix(total & MASK)

    def _marks_of(self, envelope: int, copies: int) -> int:
        """The sum of the marks of so many equal messages: a queue may grow by one in each of many thousand states."""
        sums = self._marks.setdefault(envelope, [0])
        while len(sums) <= copies:
            sums.append(sums[-1] + mark(FLYING + len(sums) - 1, self.tables.envelopes.keys[envelope]))
        return sums[copies]

    # --- actions ------------------------------------------------------------------------------------

    def actions(self, state: State) -> list[Action]:
        """The enabled actions, in the order of their canonical encodings."""
        return sorted(self.enabled(state), key=lambda action: action.code)

    def enabled(self, state: State) -> list[Action]:
        """The enabled actions, in no order that may be relied on."""
        here = self._here(state)
        if here is None:
            return []
        locals_, net, target = state.locals, state.net, self.tables.target
        found = self._unstruck(state, here)
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
        if self.machines.members:
            overtakers = self.network.overtakers(net) if here.left.reorders else ()
            found += self.machines.actions(locals_, here, self.network.heads(net), overtakers)
        return found

    def unstruck(self, state: State) -> list[Action]:
        """Those without a fault, found without looking for faults, of which there are mostly more."""
        here = self._here(state)
        if here is None:
            return []
        found = self._unstruck(state, here)
        for machine in self.machines.members:
            found += self.machines.restart(machine, self.machines.mine(machine, state.locals))
        return found

    def _here(self, state: State) -> Enabled | None:
        """The rows of a state; None where a machine has failed: nothing that happens then can be trusted."""
        failed = self.tables.failed
        if failed and not failed.keys().isdisjoint(state.locals):
            return None
        full = self.is_full(state.locals) if self._down_max is not None else False
        return self._enabled.get((state.budgets, state.cuts, full)) or self.under(state.budgets, state.cuts, full)

    def _unstruck(self, state: State, here: Enabled) -> list[Action]:
        """What happens by itself, but for machines."""
        locals_, target, heads, own = state.locals, self.tables.target, here.heads, here.own
        found: list[Action] = []
        for e in self.network.heads(state.net):
            local = locals_[target[e]]
            actions = heads.get((local, e))
            found += here.head(local, e) if actions is None else actions
        for local in locals_[: self.width]:
            actions = own.get(local)
            found += here.itself(local) if actions is None else actions
        found += here.healing
        return found

    def met(self) -> Iterator[Action]:
        """Every action that was enabled in a state asked about so far."""
        for here in dict.fromkeys(self._enabled.values()):
            for rows in (here.heads, here.struck_heads, here.struck_behind):
                for row in rows.values():
                    yield from row
            for row in (*here.own.values(), *here.struck_own.values()):
                yield from row

    def around(self, state: State) -> Enabled:
        """The rows of a state."""
        return self.under(state.budgets, state.cuts, self._down_max is not None and self.is_full(state.locals))

    def under(self, budgets: tuple[int, ...], cuts: tuple[int, ...], full: bool = False) -> Enabled:
        """The rows under these budgets and cuts; budgets that allow the same share them."""
        found = self._enabled.get((budgets, cuts, full))
        if found is None:
            some = tuple(min(count, 1) for count in budgets)
            found = self._enabled.get((some, cuts, full))
            if found is None:
                found = Enabled(self.system, self.tables, self.budget.left(some), cuts, full)
                self._enabled[some, cuts, full] = found
            self._enabled[budgets, cuts, full] = found
        return found

    def is_full(self, locals_: tuple[int, ...]) -> bool:
        """Whether as many are down, or gone, as may be at once; a machine counts as one."""
        low = self.tables.low
        return sum(any(locals_[i] in low for i in unit) for unit in self.machines.units) >= (self._down_max or 0)

    def deferred(self, state: State, envelope: int) -> str | None:
        """Why an envelope in flight cannot be delivered now; None if it can."""
        thing = self.tables.envelopes.things[envelope]
        local = state.locals[self.tables.target[envelope]]
        if local in self.tables.down:
            return f"{thing.target} is down"
        for c in state.cuts:
            if self.crosses(c, envelope):
                return f"the cut {self._cut_names[c]} holds it"
        if envelope not in self.network.heads(state.net):
            return "another message of its pair is ahead of it"
        if not self.tables.delivery(local, envelope):
            return f"{thing.target} defers it in state {self.tables.view(local).state}"
        return None

    # --- steps --------------------------------------------------------------------------------------

    def apply(self, state: State, action: Action) -> State:
        """The state after `action`, which must be enabled in `state`."""
        locals_, net, budgets, cuts = state
        i, local, consumed, delivered, sends, heard, spends, cut, others = action.effect
        if local >= 0:
            locals_ = (*locals_[:i], local, *locals_[i + 1 :])
            for i, local in others:
                locals_ = (*locals_[:i], local, *locals_[i + 1 :])
            if heard:
                locals_ = self.tables.notify(locals_, heard)
        if consumed >= 0:
            network = self.network
            net = (network.deliver if delivered else network.remove)(net, consumed)
        if sends:
            net = self.network.add(net, sends)
        for slot in spends:
            budgets = (*budgets[:slot], budgets[slot] - 1, *budgets[slot + 1 :])
        if cut >= 0:
            cuts = tuple(sorted({*cuts} ^ {cut}))
        if self._vanishes:
            net = self._without_inner(action.fells, net) if action.fells else net
            net = self._arriving(locals_, net, cuts) if self.lasting else net
        return State(locals_, net, budgets, cuts)

    def _without_inner(self, machine: str, net: Net) -> Net:
        """What is in flight without what is in flight inside of this machine, which crashed."""
        inside = self.system.machines[machine]
        for envelope in self.network.every(net):
            thing = self.tables.envelopes.things[envelope]
            if thing.source in inside and thing.target in inside:
                net = self.network.remove(net, envelope)
        return net

    def _arriving(self, locals_: tuple[int, ...], net: Net, cuts: tuple[int, ...]) -> Net:
        """What is in flight without what can never arrive: its target is gone, or a cut for good holds it."""
        lasting = [c for c in cuts if c >= len(self.system.cuts)]
        gone = self.tables.gone
        if not lasting and gone.isdisjoint(locals_):
            return net
        for envelope in self.network.every(net):
            lost = locals_[self.tables.target[envelope]] in gone
            if lost or any(self.crosses(c, envelope) for c in lasting):
                net = self.network.remove(net, envelope)
        return net

    def crosses(self, cut: int, envelope: int) -> bool:
        """Whether the cut of this number holds an envelope."""
        known = list(self.system.cuts.values())
        thing = self.tables.envelopes.things[envelope]
        return known[cut % len(known)].holds(thing.source, thing.target)

    def changes(self, state: State, action: Action) -> bool:
        """Whether `action` leads to another state."""
        return action.always_changes or self.apply(state, action) != state

    def quiescent(self, state: State) -> bool:
        """Whether no progress action that changes the state is enabled."""
        return not any(action.progress and self.changes(state, action) for action in self.unstruck(state))

    def budget_left(self, state: State) -> list[tuple[FaultEntry, int | None]]:
        """What is left of each entry of the budget; None is unlimited."""
        return left_of(self.budget, state.budgets)


def _row_text(cls: str, row: Row) -> str:
    guards = [*row.conditions, *(f"not {name}" for name in row.unless)]
    return f"{cls}  {row}" + (f" if {', '.join(guards)}" if guards else "")
