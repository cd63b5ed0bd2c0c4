"""What a fault budget still allows: the fault actions of one state of the budget, each found once.

Which faults may strike an envelope, a process or a handler depends on the budget that is left and on
nothing else, and budgets have few states: so for each of them the answers are remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sim.faults.catalogue import TIMED_KINDS
from sim.faults.plan import FaultEntry
from sim.graph.action import Action, Kind, outputs_named
from sim.graph.tabulation import Tabulation
from sim.system.declaration import Declaration
from sim.system.links import STRUCK_ON
from sim.system.network import NETWORKS, Envelope


class FaultBudget:
    """The entries of a system's budget; the finite ones have a slot in the state. Faults of time are not
    among them: the graph knows no time."""

    def __init__(self, system: Declaration, tables: Tabulation) -> None:
        self.entries = [entry for entry in system.budget if entry.count != 0 and entry.kind not in TIMED_KINDS]
        finite = [i for i, entry in enumerate(self.entries) if entry.count is not None]
        self.slot = {i: slot for slot, i in enumerate(finite)}
        self.full = tuple(self.entries[i].count or 0 for i in finite)
        self.endless = len(finite) < len(self.entries)
        self.own_kinds = system.own_kinds
        self.cuts = list(system.cuts)
        self._tables = tables
        self._left: dict[tuple[int, ...], BudgetLeft] = {}
        self._paid: dict[tuple[Action, tuple[int, ...]], Action] = {}

    def left(self, budgets: tuple[int, ...]) -> BudgetLeft:
        """What these counts allow."""
        found = self._left.get(budgets)
        if found is None:
            available = [i for i in range(len(self.entries)) if i not in self.slot or budgets[self.slot[i]] > 0]
            found = self._left[budgets] = BudgetLeft(self, self._tables, available)
        return found

    def paid(self, action: Action, entries: tuple[int, ...]) -> Action:
        """`action` as one that draws on these entries."""
        found = self._paid.get((action, entries))
        if found is None:
            spends = tuple(self.slot[i] for i in entries if i in self.slot)
            found = replace(action, pays=entries, effect=action.effect._replace(spends=spends))
            self._paid[action, entries] = found
        return found


class BudgetLeft:
    """The fault actions that some of the entries allow. Where two entries fit, the one with a target is
    drawn on before the one without, then the one written first."""

    def __init__(self, budget: FaultBudget, tables: Tabulation, available: list[int]) -> None:
        self._budget = budget
        self._tables = tables
        self._by_kind: dict[str, list[int]] = {}
        for i in sorted(available, key=lambda i: (budget.entries[i].target is None, i)):
            self._by_kind.setdefault(budget.entries[i].kind, []).append(i)
        self.in_flight = [kind for kind in (Kind.DROP, Kind.DUPLICATE) if kind.value in self._by_kind]
        self.reorders = "reorder" in self._by_kind
        self.crashes = "crash" in self._by_kind
        self.cuts = "cut" in self._by_kind
        self.domain = [kind for kind in self._by_kind if kind in budget.own_kinds]
        self._on_envelope: dict[int, tuple[Action, ...]] = {}
        self._overtaking: dict[tuple[int, int], tuple[Action, ...]] = {}
        self._under: dict[tuple[int, int], tuple[Action, ...]] = {}
        self._crash: dict[int, tuple[Action, ...]] = {}
        self._windows: dict[Action, tuple[Action, ...]] = {}

    def on_envelope(self, envelope: int) -> tuple[Action, ...]:
        """The loss and the duplication of an envelope in flight."""
        found = self._on_envelope.get(envelope)
        if found is None:
            link = self._tables.kind[envelope]
            kinds = [kind for kind in self.in_flight if link in STRUCK_ON.get(kind.value, NETWORKS)]
            struck = [(kind, self._entry(kind.value, *self._places(envelope))) for kind in kinds]
            found = self._on_envelope[envelope] = tuple(
                self._budget.paid(self._tables.in_flight(kind, envelope), (i,)) for kind, i in struck if i >= 0
            )
        return found

    def overtaking(self, local: int, envelope: int) -> tuple[Action, ...]:
        """The deliveries of an envelope ahead of those before it."""
        key = (local, envelope)
        found = self._overtaking.get(key)
        if found is None:
            can = self._tables.kind[envelope] in STRUCK_ON["reorder"]
            entry = self._entry("reorder", *self._places(envelope)) if can else -1
            usual = self._tables.delivery(local, envelope) if entry >= 0 else ()
            found = self._overtaking[key] = tuple(
                self._budget.paid(self._tables.overtaking(action), (entry,)) for action in usual
            )
        return found

    def under(self, local: int, envelope: int) -> tuple[Action, ...]:
        """The deliveries of an envelope under each domain fault that has an opportunity."""
        key = (local, envelope)
        found = self._under.get(key)
        if found is None:
            found = self._under[key] = tuple(self._find_under(local, envelope))
        return found

    def _find_under(self, local: int, envelope: int) -> Iterable[Action]:
        entries, places = self._budget.entries, self._places(envelope)
        for kind in self.domain:
            hints: set[int | None] = set()
            for i in self._by_kind[kind]:
                if entries[i].target in (None, *places) and entries[i].hint_ms not in hints:
                    hints.add(entries[i].hint_ms)  # another hint is another fault
                    for action in self._tables.delivery_under(local, envelope, entries[i]):
                        yield self._budget.paid(action, (i,))

    def crash(self, local: int) -> tuple[Action, ...]:
        """The crash of a process that is up, between two inputs."""
        found = self._crash.get(local)
        if found is None:
            name = self._tables.names[self._tables.locals.things[local][0]]
            entry = -1 if local in self._tables.down else self._crash_entry(name)
            paid = (self._budget.paid(self._tables.crash(local), (entry,)),) if entry >= 0 else ()
            found = self._crash[local] = paid
        return found

    def windows(self, action: Action) -> tuple[Action, ...]:
        """The handler of `action` with a crash in each of its windows that the entries allow."""
        found = self._windows.get(action)
        if found is None:
            found = self._windows[action] = tuple(self._find_windows(action))
        return found

    def _find_windows(self, action: Action) -> Iterable[Action]:
        if not action.effect.delivered or action.effect.local in self._tables.failed:
            return ()
        windows = self._tables.windows(action)
        drawn: dict[int, int] = {}
        entry = self._crash_entry(action.process)
        if entry >= 0:
            drawn = dict.fromkeys(range(len(windows)), entry)
        for i in self._by_kind["crash"]:
            place = self._budget.entries[i]
            if place.after and place.target in (None, action.process):
                for n in outputs_named(action, place.after):
                    drawn.setdefault(n, i)
        return [self._budget.paid(windows[n], (*action.pays, i)) for n, i in drawn.items()]

    def cut(self, index: int) -> tuple[Action, ...]:
        """The cut of this number taking effect."""
        entry = self._entry("cut", self._budget.cuts[index])
        return (self._budget.paid(self._tables.cutting(Kind.CUT, index), (entry,)),) if entry >= 0 else ()

    def _entry(self, kind: str, *places: str) -> int:
        """The entry of `kind` to draw on at one of `places`, or -1."""
        entries = self._budget.entries
        return next((i for i in self._by_kind.get(kind, ()) if entries[i].target in (None, *places)), -1)

    def _crash_entry(self, process: str) -> int:
        """The entry for a crash at any time, or -1; one with a place is for its windows only."""
        entries = self._budget.entries
        fitting = (i for i in self._by_kind["crash"] if entries[i].target in (None, process))
        return next((i for i in fitting if entries[i].after is None), -1)

    def _places(self, envelope: int) -> tuple[str, ...]:
        return places(self._tables.envelopes.things[envelope])


def places(envelope: Envelope) -> tuple[str, ...]:
    """What an entry may call its target to strike this envelope: either end, the link, or the type."""
    source, target = envelope.source, envelope.target
    return source, target, f"{source}->{target}", type(envelope.message).__name__


def is_struck(entry: FaultEntry, fault: Action, usual: Action, last: Action | None, pair: Sequence[int]) -> bool:
    """Whether `fault` is what an entry of a plan does at this opportunity: `usual` is about to happen, after `last`.

    Domain and network faults strike the envelope that is about to be delivered; a crash strikes the handler that is
    about to run, after the output that its entry names (else after all of them); a cut comes before the action, or
    after one with the output that its entry names. `pair` numbers the link of each envelope.
    """
    if entry.kind == "crash":
        if fault.window is None or fault.inside != usual.code:
            return False
        windows = outputs_named(usual, entry.after) if entry.after else [len(usual.all_outputs)]
        return fault.window in windows[:1]
    if entry.kind == "cut":
        return entry.after is None or (last is not None and bool(outputs_named(last, entry.after)))
    if fault.window is not None or usual.kind is not Kind.DELIVER:
        return False
    if entry.kind == "reorder":
        return pair[fault.number] == pair[usual.number]
    return fault.number == usual.number


def left_of(budget: FaultBudget, budgets: tuple[int, ...]) -> list[tuple[FaultEntry, int | None]]:
    """What is left of each entry; None is unlimited."""
    return [(e, budgets[budget.slot[i]] if i in budget.slot else None) for i, e in enumerate(budget.entries)]
