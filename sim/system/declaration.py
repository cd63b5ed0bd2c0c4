"""What a system is made of: processes, network, fault budget and properties; checked when it is written down."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, Self

from sim.base.annotations import mismatches
from sim.base.errors import ModelError, listing, unknown
from sim.base.renaming import exchange, renamed
from sim.base.values import Fault, Message, describe, encode, show
from sim.faults.catalogue import OF_THE_GRAPH, PROGRAM_KINDS, TIMED_KINDS, strikes_messages
from sim.faults.plan import FaultEntry, parse_plan
from sim.machine.process import Monitor, Process
from sim.machine.purity import impure, impurities
from sim.system.links import Kinds, kind_of, link_mistakes, network_mistakes, never_strikes
from sim.system.persisted import Persisted, fitted
from sim.system.persisted_form import form_of
from sim.system.properties import BUILT_IN, Property
from sim.world.fairness import Fairness
from sim.world.timing import Timing

if TYPE_CHECKING:
    from sim.machine.handler import Handler
    from sim.world.world import AnyWorld


@dataclass(frozen=True)
class Cut:
    """A named cut: while it is in effect it holds every envelope between `side` and `other` (None: all other
    processes); with `one_way` only those from `side` to `other`."""

    side: frozenset[str]
    other: frozenset[str] | None = None
    one_way: bool = False

    def holds(self, source: str, target: str) -> bool:
        """Whether an envelope from `source` to `target` is held."""
        return self._crosses(source, target) or (not self.one_way and self._crosses(target, source))

    def _crosses(self, source: str, target: str) -> bool:
        beyond = target not in self.side if self.other is None else target in self.other
        return source in self.side and beyond


def cut(side: Collection[str], other: Collection[str] | None = None, *, one_way: bool = False) -> Cut:
    """A cut between the processes of `side` and those of `other`, or all other processes."""
    if isinstance(side, str) or isinstance(other, str):
        raise ModelError("a side of a cut must be a collection of process names, not one string")
    return Cut(frozenset(side), None if other is None else frozenset(other), one_way)


@dataclass(frozen=True)
class Declaration:
    """Processes by name, and what surrounds them.

    - `network`: `any` (a multiset; each message once, in any order), `fifo` (per pair), `set` (sent once, in flight
      forever), `latest` (a newer message of a class replaces the older one on its link); or a kind for each link, with
      `*` for any process: `{"*": "any", "app->db": "fifo"}`. The most exact entry decides
    - `faults`: a budget in the syntax of plans, such as `drop:1,crash:1@coordinator`
    - `carriers`: for each domain fault the message types it strikes
    - `cuts`: named cuts, for the fault kind `cut`
    - `fair`: spontaneous `must` moves and timers, as `agent.answer`: one that is enabled infinitely often is taken
      infinitely often
    - `fair_choices`: where something with choices is taken infinitely often in one local value, each of its outcomes is
    - `machines`: which processes run on one machine, and crash and come back together: `{"m": ("kernel", "database")}`
    - `updates`: for processes the instance of another class that each becomes at the fault `update`
    - `down_max`: how many may be down at once (None: all), a machine as one
    - `within`: bounds a check
    - `timing`: how long things take in a run on virtual time
    - `interchangeable`: groups of process names that may be swapped without changing what the system does: `(("rm1",
      "rm2", "rm3"),)`; of one class, and at the start alike except for names in their fields. A reduced check uses it,
      and verifies it
    - `judged`: the properties it is judged by, see `judging`; all if empty
    - `begins`: what was persisted of a run, to begin there and not at the start (`begun_from`)

    Raises `ModelError` with one line for each mistake.
    """

    processes: Mapping[str, Process]
    network: Kinds = "any"
    properties: Sequence[Property] = ()
    monitors: Mapping[str, Monitor] = field(default_factory=dict)
    faults: str | tuple[FaultEntry, ...] = ()
    carriers: Mapping[type[Fault], Sequence[type[Message]]] = field(default_factory=dict)
    cuts: Mapping[str, Cut] = field(default_factory=dict)
    fair: Sequence[str] = ()
    fair_choices: bool = False
    within: Property | None = None
    timing: Timing = field(default_factory=Timing)
    interchangeable: Sequence[Sequence[str]] = ()
    judged: tuple[str, ...] = ()
    machines: Mapping[str, Sequence[str]] = field(default_factory=dict)
    down_max: int | None = None
    updates: Mapping[str, Process] = field(default_factory=dict)
    begins: Persisted | None = None

    def __new__(cls, *_: Any, **parts: Any) -> Self:
        """Suggests the right name, where Python would only reject the wrong one."""
        known = [f.name for f in fields(cls)]
        mistakes = [f"System: {unknown('part', name, known)}" for name in parts if name not in known]
        if mistakes:
            raise ModelError(*mistakes)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        mistakes = self._shape_mistakes()
        if not mistakes:
            mistakes = [
                *self._machine_mistakes(),
                *self._property_mistakes(),
                *self._cut_mistakes(),
                *self._machines_mistakes(),
                *self._update_mistakes(),
                *self._carrier_mistakes(),
                *self._timing_mistakes(),
                *self._fair_mistakes(),
                *self._group_mistakes(),
            ]
        if not mistakes:
            all_ = (*self.processes.values(), *self.monitors.values(), *self.updates.values())
            machines = dict.fromkeys(map(type, all_))
            mistakes = [line for cls in machines for line in impurities(cls)]
            mistakes += [f"{prop}: {line}" for prop in self.properties for line in impure(prop.predicate)]
        if not mistakes:
            found = {name: monitor.misfits(self.processes) for name, monitor in self.monitors.items()}
            mistakes = [f"monitor {name!r}: {wrong}" for name, misfits in found.items() for wrong in misfits]
        if not mistakes:
            mistakes = [
                f"{name}: {wrong}"
                for name, machine in (*self.processes.items(), *self.monitors.items(), *self.updates.items())
                for field, value in zip(type(machine).table.fields, machine.field_values(), strict=True)
                for wrong in mismatches(type(machine), field, value)
            ]
        if mistakes:
            raise ModelError(*mistakes)
        entries = parse_plan(self.faults, self.own_kinds) if isinstance(self.faults, str) else tuple(self.faults)
        object.__setattr__(self, "faults", entries)
        mistakes = [m for entry in entries for m in self._entry_mistakes(entry)]
        if mistakes:
            raise ModelError(*mistakes)
        if self.begins is not None:
            object.__setattr__(self, "begins", fitted(self, self.begins))

    def world(self, handler: type[Handler] | None = None) -> AnyWorld:
        """What can happen in it, to be walked: `sim.System` opens its graph."""
        raise NotImplementedError

    @property
    def fairness(self) -> Fairness:
        """What is assumed of runs that never end, beyond weak fairness."""
        return Fairness(frozenset(self.fair), self.fair_choices)

    @property
    def scenario_keys(self) -> dict[str, Any]:
        """What a scenario file says of it besides model and configuration."""
        network = self.network if isinstance(self.network, str) else dict(self.network)
        return {"network": network, "properties": list(self.judged) or None, "begins": form_of(self)}

    def kind_of(self, source: str, target: str) -> str:
        """The kind of network on a link."""
        return kind_of(self.network, source, target)

    @cached_property
    def only_kind(self) -> str | None:
        """The kind of network on all links, where it alone says what is in flight; None where links differ, or are `latest`."""
        kinds = {self.kind_of(source, target) for source, target in product(self.processes, repeat=2)}
        return kinds.pop() if len(kinds) == 1 and "latest" not in kinds else None

    @property
    def judged_properties(self) -> tuple[Property, ...]:
        """All properties, and the bound."""
        return (*self.properties, *([self.within] if self.within else []))

    @property
    def budget(self) -> tuple[FaultEntry, ...]:
        """The fault budget as entries."""
        assert isinstance(self.faults, tuple)
        return self.faults

    @property
    def timed_faults(self) -> tuple[FaultEntry, ...]:
        """The entries that only a run on virtual time can apply."""
        return tuple(entry for entry in self.budget if entry.kind in TIMED_KINDS)

    @property
    def built_in(self) -> tuple[str, ...]:
        """The properties that every system has."""
        return BUILT_IN

    @property
    def own_kinds(self) -> tuple[str, ...]:
        """The kinds of the domain faults that this system can carry."""
        return tuple(fault.kind for fault in self.carriers)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the processes, then of the monitors, in their declared order."""
        return (*self.processes, *self.monitors)

    def with_(self, **changes: Any) -> Self:
        """The same system with these `changes`."""
        return replace(self, **changes)

    def judging(self, *names: str) -> Self:
        """The same system judged by these properties and monitors only (and by monitors that they read): other
        violations do not end a run. `stuck` is one of them; an exception and an unhandled input always end it. Raises
        `ModelError` for an unknown name."""
        known = [*(prop.name for prop in self.properties), *self.monitors, *BUILT_IN]
        mistakes = [unknown("property", name, known) for name in names if name not in known]
        if mistakes or not names:
            raise ModelError(*mistakes or ["a system must be judged by at least one property; name one"])
        kept = [prop for prop in self.properties if prop.name in names]
        needed = {
            *names,
            *(name for prop in [*kept, *([self.within] if self.within else [])] for name in prop.machines),
        }
        monitors = {name: monitor for name, monitor in self.monitors.items() if name in needed}
        begins = None if self.begins is None else self.begins.of((*self.processes, *monitors))
        return replace(self, properties=kept, monitors=monitors, judged=tuple(dict.fromkeys(names)), begins=begins)

    def judges(self, name: str) -> bool:
        """Whether this property is judged."""
        return not self.judged or name in self.judged

    def _shape_mistakes(self) -> list[str]:
        """Parts that should be a mapping or a sequence, and are not."""
        mistakes = []
        for name in ("processes", "monitors", "carriers", "cuts", "machines", "updates"):
            part = getattr(self, name)
            if not isinstance(part, Mapping):
                mistakes.append(f"{name} is {describe(part)}; expected a mapping, such as {name}={{...}}")
        for name in ("properties", "interchangeable", "fair"):
            part = getattr(self, name)
            if isinstance(part, str) or not isinstance(part, Sequence):
                mistakes.append(f"{name} is {describe(part)}; expected a tuple (a single item needs a comma after it)")
        if not isinstance(self.faults, str | tuple):
            mistakes.append(f"faults is {describe(self.faults)}; expected the text of a plan, such as 'drop:1'")
        if not isinstance(self.timing, Timing):
            mistakes.append(f"timing is {describe(self.timing)}; expected a Timing")
        return mistakes

    def _machine_mistakes(self) -> list[str]:
        mistakes = []
        if not self.processes:
            mistakes.append("a system requires at least one process")
        mistakes += network_mistakes(self.network, self.processes)
        for name, process in self.processes.items():
            if not isinstance(process, Process):
                where = "; monitors go into `monitors`" if isinstance(process, Monitor) else ""
                mistakes.append(f"process {name!r} is {describe(process)}; expected an instance of a Process{where}")
            if not name or any(c.isspace() or c in "#@>,[](){}" for c in name):
                mistakes.append(f"{name!r} cannot name a process: use letters, digits, '_', '-' and '.'")
        for name, monitor in self.monitors.items():
            if not isinstance(monitor, Monitor):
                mistakes.append(f"monitor {name!r} is {describe(monitor)}; expected an instance of a Monitor")
            if name in self.processes:
                mistakes.append(f"{name!r} names both a process and a monitor")
        return mistakes

    def _property_mistakes(self) -> list[str]:
        mistakes, seen = [], set(self.monitors)
        tables = [type(process).table for process in self.processes.values() if isinstance(process, Process)]
        triggers = [row.trigger for table in tables for row in table.rows if isinstance(row.trigger, type)]
        sent = list(dict.fromkeys(t.__name__ for t in triggers if issubclass(t, Message)))
        for prop in self.judged_properties:
            if not isinstance(prop, Property):
                mistakes.append(f"{describe(prop)} is not a property; use always, sometimes, eventually or within")
                continue
            if (prop.kind == "within") is not (prop is self.within):
                mistakes.append(f"{prop}: `within` takes a bound, and only a bound")
            if prop.name in seen:
                mistakes.append(f"two properties are named {prop.name!r}")
            seen.add(prop.name)
            mistakes += [
                f"{prop}: {unknown('process or monitor', name, self.names)}"
                for name in prop.machines
                if name not in self.names
            ]
            mistakes += [f"{prop}: {unknown('message', m, sent)}" for m in prop.flying if m not in sent]
        return mistakes

    def _timing_mistakes(self) -> list[str]:
        """The names in a timing; a misspelt one would have no effect."""
        mistakes = [line for link in self.timing.links for line in link_mistakes("timing", link, self.processes)]
        for move in self.timing.moves:
            process, _, name = move.rpartition(".")
            table = type(self.processes[process]).table if process in self.processes else None
            known = (*table.must, *table.may) if table is not None else ()
            if name not in known:
                moves = [f"{p}.{m}" for p, x in self.processes.items() for m in (*x.table.must, *x.table.may)]
                mistakes.append(f"timing: {unknown('spontaneous move', move, moves)}")
        return mistakes

    def _fair_mistakes(self) -> list[str]:
        tables = {name: p.table for name, p in self.processes.items() if isinstance(p, Process)}
        known = [f"{name}.{move}" for name, table in tables.items() for move in (*table.must, *table.timers)]
        mistakes = [f"fair: {unknown('must move or timer', name, known)}" for name in self.fair if name not in known]
        if not isinstance(self.fair_choices, bool):
            mistakes.append(f"fair_choices is {describe(self.fair_choices)}; expected True or False")
        return mistakes

    def _group_mistakes(self) -> list[str]:
        mistakes: list[str] = []
        placed: set[str] = set()
        for group in self.interchangeable:
            if isinstance(group, str) or not isinstance(group, Collection):
                such = f"({group!r}, ...)" if isinstance(group, str) else "('p', 'q')"
                shown = repr(group) if isinstance(group, str) else describe(group)
                mistakes.append(f"interchangeable holds {shown}; expected groups of names, such as ({such},)")
                continue
            for name in group:
                if name not in self.processes:
                    mistakes.append(f"interchangeable: {unknown('process', name, self.processes)}")
                elif name in placed:
                    mistakes.append(f"interchangeable names {name!r} twice; a process belongs to one group, once")
                placed.add(name)
            known = [name for name in group if isinstance(self.processes.get(name), Process)]
            for name in known[1:]:
                mistakes += self._differences(known[0], name)
        return mistakes

    def _differences(self, one: str, other: str) -> list[str]:
        """What distinguishes two processes: their class, or their fields at the start."""
        first, second = self.processes[one], self.processes[other]
        if type(first) is not type(second):
            kinds = f"{one} is a {type(first).__name__}, {other} a {type(second).__name__}"
            return [f"interchangeable: {kinds}; they must be of one class"]
        if first.state != second.state:
            return [f"interchangeable: {one} and {other} start in states {first.state} and {second.state}"]
        names = exchange(one, other)
        return [
            f"interchangeable: {one} and {other} start with {field}={show(mine)} and {show(theirs)}; "
            "they may differ only in their names"
            for field, mine, theirs in zip(
                type(first).table.fields, first.field_values(), second.field_values(), strict=True
            )
            if encode(renamed(mine, names)) != encode(theirs)
        ]

    def _cut_mistakes(self) -> list[str]:
        return [
            f"cut {name!r}: {unknown('process', member, self.processes)}"
            for name, cut_ in self.cuts.items()
            for member in sorted(cut_.side | (cut_.other or frozenset()))
            if member not in self.processes
        ]

    def _machines_mistakes(self) -> list[str]:
        mistakes, placed = [], dict[str, str]()
        for name, members in self.machines.items():
            if name in self.names or not name or any(c.isspace() or c in "#@>,[](){}" for c in name):
                mistakes.append(f"machine {name!r}: a machine requires a name of its own, such as 'host'")
            if isinstance(members, str) or not isinstance(members, Sequence) or not members:
                mistakes.append(f"machine {name!r} holds {describe(members)}; expected names of processes, ('p', 'q')")
                continue
            for member in members:
                if member not in self.processes:
                    mistakes.append(f"machine {name!r}: {unknown('process', member, self.processes)}")
                elif member in placed:
                    mistakes.append(f"machine {name!r}: {member} is on {placed[member]!r} already, and only once")
                placed[member] = name
        if self.down_max is not None and (type(self.down_max) is not int or self.down_max < 0):
            mistakes.append(f"down_max is {describe(self.down_max)}; expected a number, 0 or more")
        return mistakes

    def _update_mistakes(self) -> list[str]:
        mistakes = []
        for name, new in self.updates.items():
            old = self.processes.get(name)
            if old is None:
                mistakes.append(f"updates: {unknown('process', name, self.processes)}")
            elif not isinstance(new, Process) or type(new) is type(old):
                mistakes.append(
                    f"updates: {name} becomes {describe(new)}; expected an instance of another Process class"
                )
            else:
                gone = sorted(type(old).table.durable - type(new).table.durable)
                kind = type(new).__name__
                mistakes += [f"updates: {name}: {kind} has no durable field {field!r}; declare it" for field in gone]
        return mistakes

    def _carrier_mistakes(self) -> list[str]:
        mistakes, kinds = [], [*OF_THE_GRAPH, *TIMED_KINDS]
        for fault, types in self.carriers.items():
            name = getattr(fault, "__name__", repr(fault))
            if not (isinstance(fault, type) and issubclass(fault, Fault) and fault.kind):
                mistakes.append(f"carriers: {name} is not a domain fault: make it a subclass of Fault with a kind")
                continue
            if fault.kind in kinds:
                mistakes.append(f"carriers: the kind {fault.kind!r} of {name} is taken; choose another")
            kinds.append(fault.kind)
            if isinstance(types, type) or not isinstance(types, Collection):
                shown = getattr(types, "__name__", repr(types))
                mistakes.append(f"carriers of {name}: {shown} is not a collection of message types; write ({shown},)")
                continue
            if not types:
                mistakes.append(f"carriers of {name}: no message type, so it could never strike; leave it out")
            mistakes += [
                f"carriers of {name}: {getattr(kind, '__name__', repr(kind))} is not a message type"
                for kind in types
                if not (isinstance(kind, type) and issubclass(kind, Message))
            ]
        return mistakes

    def _entry_mistakes(self, entry: FaultEntry) -> list[str]:
        if entry.kind not in (known := (*OF_THE_GRAPH, *self.own_kinds, *TIMED_KINDS)):
            ours = "declare carriers, or" if entry.kind not in PROGRAM_KINDS else "it strikes programs;"
            return [f"fault {str(entry)!r}: nothing carries {entry.kind}; {ours} use {listing(known)}"]
        mistakes = self._target_mistakes(entry) or never_strikes(entry, self.network, self._links_of(entry))
        if mistakes:
            return mistakes
        if entry.kind == "cut" and not self.cuts:
            return [f"fault {str(entry)!r}: this system declares no cuts"]
        if entry.kind == "update" and (entry.target or next(iter(self.updates), None)) not in self.updates:
            whom = f"of {entry.target}" if entry.target else "at all"
            return [f"fault {str(entry)!r}: this system declares no updates {whom}"]
        if entry.kind == "pause" and entry.count is None:
            return [f"fault {str(entry)!r}: pauses would follow each other forever; set a count"]
        return []

    def _target_mistakes(self, entry: FaultEntry) -> list[str]:
        """What is wrong with where an entry strikes."""
        if entry.target is None or self._names_type(entry):
            return []
        kind, known = ("cut", [*self.cuts]) if entry.kind == "cut" else ("process", [*self.processes])
        known += self.machines if entry.kind == "crash" else ()
        source, arrow, target = entry.target.partition("->")
        if arrow and not strikes_messages(entry.kind):
            return [f"fault {str(entry)!r}: {entry.kind} does not strike a link; use {listing(known)}"]
        return [
            f"fault {str(entry)!r}: {unknown(kind, name, known)}"
            for name in ((source, target) if arrow else (source,))
            if name not in known
        ]

    def _links_of(self, entry: FaultEntry) -> list[tuple[str, str]]:
        """The links on which the target of an entry lies."""
        anywhere = entry.target is None or self._names_type(entry)
        links = product(self.processes, repeat=2)
        return [(a, b) for a, b in links if anywhere or entry.target in (a, b, f"{a}->{b}")]

    def _names_type(self, entry: FaultEntry) -> bool:
        """A target of a network or domain fault may be a message type, by its name. A type that no process has a row
        for may still be in flight, so any name with a capital letter is accepted."""
        named = entry.target is not None and entry.target[:1].isupper() and "->" not in entry.target
        return named and strikes_messages(entry.kind)
