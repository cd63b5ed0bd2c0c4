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
from sim.machine.table import DOWN, GONE
from sim.system.declaration import Declaration
from sim.system.links import STRUCK_ON
from sim.system.network import NETWORKS, Envelope
from sim.world.address import FOR_GOOD


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
        self.lasting = any(entry.for_good for entry in self.entries)
        """Whether anything may be struck for good."""
        lasting_cuts = any(entry.for_good and entry.kind == "cut" for entry in self.entries)
        self.cuts = [*system.cuts, *(f"{name} {FOR_GOOD}" for name in system.cuts if lasting_cuts)]
        """The cuts as a state has them: those for good after all others."""
        self.cut_names = list(system.cuts)
        self.on_machines = {name for names in system.machines.values() for name in names}
        self._tables = tables
        self._left: dict[tuple[int, ...], BudgetLeft] = {}
        self._paid: dict[tuple[Action, tuple[int, ...], str], Action] = {}

    def left(self, budgets: tuple[int, ...]) -> BudgetLeft:
        """What these counts allow."""
        found = self._left.get(budgets)
        if found is None:
            available = [i for i in range(len(self.entries)) if i not in self.slot or budgets[self.slot[i]] > 0]
            found = self._left[budgets] = BudgetLeft(self, self._tables, available)
        return found

    def paid(self, action: Action, entries: tuple[int, ...], said: str = "") -> Action:
        """`action` as one that draws on these entries; `said` in its address."""
        found = self._paid.get((action, entries, said))
        if found is None:
            spends = tuple(self.slot[i] for i in entries if i in self.slot)
            found = replace(action, pays=entries, paid=said, effect=action.effect._replace(spends=spends))
            self._paid[action, entries, said] = found
        return found

    def each_way(self, action: Action, fitting: Sequence[int]) -> list[Action]:
        """`action` as one that draws on one of these entries: once for each that could make a difference later (it may
        draw on others already)."""
        ways = self.to_draw_on(fitting)
        before = [action.paid] * bool(action.paid)
        said = [" and ".join([*before, place_text(self.entries[i])]) if len(ways) > 1 else action.paid for i in ways]
        return [self.paid(action, (*action.pays, i), text) for i, text in zip(ways, said, strict=True)]

    def to_draw_on(self, fitting: Sequence[int]) -> list[int]:
        """Of entries that fit, those worth drawing on. One without limit costs nothing. Otherwise an entry is left for
        later where another fits that could strike in fewer places, all of them among its own: what is left is then good
        for whatever would have been left otherwise, and more."""
        endless = [i for i in fitting if i not in self.slot]
        if endless:
            return endless[:1]
        entries = self.entries
        return [i for i in fitting if not any(i != j and is_narrower(entries[j], entries[i]) for j in fitting)]


class BudgetLeft:
    """The fault actions that some of the entries allow. Where several entries fit, there is an action for each way to
    draw on them that makes a difference (see `FaultBudget.to_draw_on`)."""

    def __init__(self, budget: FaultBudget, tables: Tabulation, available: list[int]) -> None:
        self._budget = budget
        self.each_way = budget.each_way
        self._tables = tables
        self._by_kind: dict[str, list[int]] = {}
        for i in sorted(available, key=lambda i: (budget.entries[i].target is None, i)):
            self._by_kind.setdefault(budget.entries[i].kind, []).append(i)
        self.in_flight = [kind for kind in (Kind.DROP, Kind.DUPLICATE) if kind.value in self._by_kind]
        self.reorders = "reorder" in self._by_kind
        self.crashes = "crash" in self._by_kind
        self.lasts = (False, True) if budget.lasting else (False,)
        self.cuts = "cut" in self._by_kind
        self.cuts_known = len(budget.cuts)
        self.domain = [kind for kind in self._by_kind if kind in budget.own_kinds]
        self._on_envelope: dict[int, tuple[Action, ...]] = {}
        self._overtaking: dict[tuple[int, int], tuple[Action, ...]] = {}
        self._under: dict[tuple[int, int], tuple[Action, ...]] = {}
        self.updates = "update" in self._by_kind
        self._update: dict[int, tuple[Action, ...]] = {}
        self._crash: dict[int, tuple[Action, ...]] = {}
        self._windows: dict[Action, tuple[Action, ...]] = {}

    def on_envelope(self, envelope: int) -> tuple[Action, ...]:
        """The loss and the duplication of an envelope in flight."""
        found = self._on_envelope.get(envelope)
        if found is None:
            link = self._tables.kind[envelope]
            kinds = [kind for kind in self.in_flight if link in STRUCK_ON.get(kind.value, NETWORKS)]
            struck = [(kind, self._fitting(kind.value, *self._places(envelope))) for kind in kinds]
            found = self._on_envelope[envelope] = tuple(
                paid
                for kind, fitting in struck
                if fitting
                for paid in self._budget.each_way(self._tables.in_flight(kind, envelope), fitting)
            )
        return found

    def overtaking(self, local: int, envelope: int) -> tuple[Action, ...]:
        """The deliveries of an envelope ahead of those before it."""
        key = (local, envelope)
        found = self._overtaking.get(key)
        if found is None:
            can = self._tables.kind[envelope] in STRUCK_ON["reorder"]
            fitting = self._fitting("reorder", *self._places(envelope)) if can else ()
            usual = self._tables.delivery(local, envelope) if fitting else ()
            found = self._overtaking[key] = tuple(
                paid for action in usual for paid in self._budget.each_way(self._tables.overtaking(action), fitting)
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
            by_hint: dict[int | None, list[int]] = {}  # another hint is another fault
            for i in self._by_kind[kind]:
                if entries[i].target in (None, *places):
                    by_hint.setdefault(entries[i].hint_ms, []).append(i)
            for fitting in by_hint.values():
                for action in self._tables.delivery_under(local, envelope, entries[fitting[0]]):
                    yield from self._budget.each_way(action, fitting)

    def crash(self, local: int) -> tuple[Action, ...]:
        """The crash of a process that is up, between two inputs."""
        found = self._crash.get(local)
        if found is None:
            name = self._tables.called[self._tables.locals.things[local][0]]
            up = self._tables.locals.things[local][1].up
            found = self._crash[local] = tuple(
                paid
                for for_good in (self.lasts if up else ())
                if (fitting := self.crashing(name, for_good))
                for paid in self._budget.each_way(self._tables.crash(local, GONE if for_good else DOWN), fitting)
            )
        return found

    def update(self, local: int) -> tuple[Action, ...]:
        """The updates of a process with this local value."""
        found = self._update.get(local)
        if found is None:
            ways = self._tables.update(local)
            fitting = self._fitting("update", ways[0].process) if ways else []
            found = self._update[local] = tuple(
                paid for action in (ways if fitting else ()) for paid in self._budget.each_way(action, fitting)
            )
        return found

    def windows(self, action: Action) -> tuple[Action, ...]:
        """The handler of `action` with a crash in each of its windows that the entries allow."""
        found = self._windows.get(action)
        if found is None:
            found = self._windows[action] = tuple(
                window for for_good in self.lasts for window in self._find_windows(action, for_good)
            )
        return found

    def _find_windows(self, action: Action, for_good: bool) -> Iterable[Action]:
        if not action.effect.delivered or action.effect.local in self._tables.failed:
            return ()
        windows = self._tables.windows(action, GONE if for_good else DOWN)
        return self.in_windows(action, action.process, windows, for_good)

    def in_windows(self, action: Action, name: str, windows: Sequence[Action], for_good: bool) -> list[Action]:
        """Those of the windows of `action` in which a crash of `name` (a process or a machine) is paid for."""
        anywhere = self.crashing(name, for_good)
        fitting = {n: list(anywhere) for n in range(len(windows))} if anywhere else {}
        for i in self._fitting("crash", name, for_good=for_good):
            after = self._budget.entries[i].after
            for n in dict.fromkeys(outputs_named(action, after) if after else ()):
                fitting.setdefault(n, []).append(i)
        struck = ((replace(windows[n], pays=action.pays, paid=action.paid), found) for n, found in fitting.items())
        return [paid for window, found in struck for paid in self._budget.each_way(window, found)]

    def cut(self, index: int) -> tuple[Action, ...]:
        """The cut of this number taking effect."""
        names = self._budget.cut_names
        fitting = self._fitting("cut", names[index % len(names)], for_good=index >= len(names))
        return tuple(self._budget.each_way(self._tables.cutting(Kind.CUT, index), fitting)) if fitting else ()

    def _fitting(self, kind: str, *places: str, for_good: bool = False) -> list[int]:
        """The entries of `kind` that can strike at one of `places`."""
        found = [(i, self._budget.entries[i]) for i in self._by_kind.get(kind, ())]
        named = kind == "crash" and places[0] in self._budget.on_machines  # by itself only where an entry names it
        fitting = places if named else (None, *places)
        return [i for i, entry in found if entry.target in fitting and entry.for_good is for_good]

    def crashing(self, name: str, for_good: bool) -> list[int]:
        """The entries for a crash of a process or a machine at any time; one with a place is for its windows only."""
        found = self._fitting("crash", name, for_good=for_good)
        return [i for i in found if self._budget.entries[i].after is None]

    def _places(self, envelope: int) -> tuple[str, ...]:
        return places(self._tables.envelopes.things[envelope])


def places(envelope: Envelope) -> tuple[str, ...]:
    """What an entry may call its target to strike this envelope: either end, the link, or the type."""
    source, target = envelope.source, envelope.target
    return source, target, f"{source}->{target}", type(envelope.message).__name__


def place_text(entry: FaultEntry) -> str:
    """An entry as an address says that it pays: as it is written, without its count."""
    return str(replace(entry, count=None)).replace(":unlimited", "", 1)


def is_narrower(one: FaultEntry, other: FaultEntry) -> bool:
    """Whether all that one entry could strike the other, of the same fault, could strike too."""
    ends = (one.target or "").split("->")
    within = other.target in (None, one.target) or (len(ends) > 1 and other.target in ends)
    return within and other.after in (None, one.after)


def is_struck(entry: FaultEntry, fault: Action, usual: Action, last: Action | None, pair: Sequence[int]) -> bool:
    """Whether `fault` is what an entry of a plan does at this opportunity: `usual` is about to happen, after `last`.

    Domain and network faults strike the envelope that is about to be delivered; a crash strikes the handler that is
    about to run, after the output that its entry names (else after all of them); an update comes before the action, so
    does a cut, or after one with the output that its entry names. `pair` numbers the link of each envelope.
    """
    if entry.kind == "crash":
        if fault.window is None or fault.inside != usual.code:
            return False
        windows = outputs_named(usual, entry.after) if entry.after else [len(usual.all_outputs)]
        return fault.window in windows[:1]
    if entry.kind == "cut":
        return entry.after is None or (last is not None and bool(outputs_named(last, entry.after)))
    if entry.kind == "update":
        return fault.window is None
    if fault.window is not None or usual.kind is not Kind.DELIVER:
        return False
    if entry.kind == "reorder":
        return pair[fault.number] == pair[usual.number]
    return fault.number == usual.number


def left_of(budget: FaultBudget, budgets: tuple[int, ...]) -> list[tuple[FaultEntry, int | None]]:
    """What is left of each entry; None is unlimited."""
    return [(e, budgets[budget.slot[i]] if i in budget.slot else None) for i, e in enumerate(budget.entries)]
