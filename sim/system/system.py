"""A system: processes, network, fault budget and properties. A closed world, checked when it is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from sim.base.errors import ConfigError, ModelError, listing, nearest, unknown
from sim.base.renaming import exchange, renamed
from sim.base.values import Fault, Message, describe, encode, show
from sim.faults.catalogue import OF_THE_GRAPH, TIMED_KINDS, strikes_messages
from sim.faults.plan import FaultEntry, parse_plan
from sim.machine.process import Monitor, Process
from sim.machine.purity import impure, impurities
from sim.system.network import NETWORKS
from sim.system.properties import BUILT_IN, Property
from sim.system.timing import Timing


@dataclass(frozen=True)
class Cut:
    """A named cut: while in force it holds every envelope between `side` and `other` (None: all the
    rest); `one_way` holds only those from `side` to `other`."""

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
    """A cut between the processes of `side` and those of `other`, or all the rest."""
    if isinstance(side, str) or isinstance(other, str):
        raise ModelError("a side of a cut is a collection of process names, not one string")
    return Cut(frozenset(side), None if other is None else frozenset(other), one_way)


@dataclass(frozen=True)
class System:
    """Processes by name, and what surrounds them.

    - `network`: `any` (a multiset; each message once, in any order), `fifo` (per pair), `set` (sent once,
      there for ever)
    - `faults`: a budget in the syntax of plans, such as `drop:1,crash:1@coordinator`
    - `carriers`: for each domain fault the message types it strikes
    - `cuts`: named cuts, for the fault kind `cut`
    - `within`: bounds a check
    - `timing`: how long things take in a run on virtual time
    - `interchangeable`: groups of process names that may be swapped without changing what the system does:
      `(("rm1", "rm2", "rm3"),)`; of one class, and at the start alike but for names in their fields. A
      reduced check goes by it, and holds it against what they do
    - `judged`: what it is judged by, see `judging`; all if empty

    Raises `ModelError` with one line for each thing that does not fit.
    """

    processes: Mapping[str, Process]
    network: str = "any"
    properties: Sequence[Property] = ()
    monitors: Mapping[str, Monitor] = field(default_factory=dict)
    faults: str | tuple[FaultEntry, ...] = ()
    carriers: Mapping[type[Fault], Sequence[type[Message]]] = field(default_factory=dict)
    cuts: Mapping[str, Cut] = field(default_factory=dict)
    within: Property | None = None
    timing: Timing = field(default_factory=Timing)
    interchangeable: Sequence[Sequence[str]] = ()
    judged: tuple[str, ...] = ()

    def __new__(cls, *_: Any, **parts: Any) -> Self:
        """Says which name was meant, before Python says that there is none."""
        mistakes = unknown("a system", parts, [f.name for f in fields(cls)])
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
                *self._carrier_mistakes(),
                *self._timing_mistakes(),
                *self._group_mistakes(),
            ]
        if not mistakes:
            machines = dict.fromkeys(map(type, (*self.processes.values(), *self.monitors.values())))
            mistakes = [line for cls in machines for line in impurities(cls)]
            mistakes += [f"{prop}: {line}" for prop in self.properties for line in impure(prop.predicate)]
        if not mistakes:
            found = {name: monitor.misfits(self.processes) for name, monitor in self.monitors.items()}
            mistakes = [f"monitor {name!r}: {wrong}" for name, misfits in found.items() for wrong in misfits]
        if mistakes:
            raise ModelError(*mistakes)
        entries = parse_plan(self.faults, self.own_kinds) if isinstance(self.faults, str) else tuple(self.faults)
        object.__setattr__(self, "faults", entries)
        mistakes = [m for entry in entries for m in self._entry_mistakes(entry)]
        if mistakes:
            raise ModelError(*mistakes)

    @property
    def budget(self) -> tuple[FaultEntry, ...]:
        """The fault budget as entries."""
        assert isinstance(self.faults, tuple)
        return self.faults

    @property
    def timed_faults(self) -> tuple[FaultEntry, ...]:
        """The entries that only a run on virtual time can strike with."""
        return tuple(entry for entry in self.budget if entry.kind in TIMED_KINDS)

    @property
    def own_kinds(self) -> tuple[str, ...]:
        """The kinds of the domain faults that this system can carry."""
        return tuple(fault.kind for fault in self.carriers)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the processes, then of the monitors, in their declared order."""
        return (*self.processes, *self.monitors)

    def with_(self, **changes: Any) -> System:
        """The same system but for `changes`."""
        return replace(self, **changes)

    def judging(self, *names: str) -> System:
        """The same system judged by these properties and monitors alone (and by monitors that they read):
        what else is violated does not end a run. `stuck` is one of them; an exception and an input that is
        not handled always end it. Raises `ModelError` for a name that is none."""
        known = [*(prop.name for prop in self.properties), *self.monitors, *BUILT_IN]
        mistakes = [
            f"{name!r} is no property{nearest(name, known)}; there are {listing(known, 'and')}"
            for name in names
            if name not in known
        ]
        if mistakes or not names:
            raise ModelError(*mistakes or ["a system is judged by one property at least; name one"])
        kept = [prop for prop in self.properties if prop.name in names]
        needed = {*names, *(name for prop in [*kept, *([self.within] if self.within else [])] for name in prop.reads)}
        monitors = {name: monitor for name, monitor in self.monitors.items() if name in needed}
        return replace(self, properties=kept, monitors=monitors, judged=tuple(dict.fromkeys(names)))

    def judges(self, name: str) -> bool:
        """Whether this property is judged."""
        return not self.judged or name in self.judged

    def _shape_mistakes(self) -> list[str]:
        """Parts that are no mapping, or no sequence, of what they should hold."""
        mistakes = []
        for name in ("processes", "monitors", "carriers", "cuts"):
            part = getattr(self, name)
            if not isinstance(part, Mapping):
                mistakes.append(f"{name} is {describe(part)}; give a mapping, such as {name}={{...}}")
        for name in ("properties", "interchangeable"):
            part = getattr(self, name)
            if isinstance(part, str) or not isinstance(part, Sequence):
                mistakes.append(f"{name} is {describe(part)}; give a tuple; behind a single item goes a comma")
        if not isinstance(self.faults, str | tuple):
            mistakes.append(f"faults is {describe(self.faults)}; give the text of a plan, such as 'drop:1'")
        if not isinstance(self.timing, Timing):
            mistakes.append(f"timing is {describe(self.timing)}; give a Timing")
        return mistakes

    def _machine_mistakes(self) -> list[str]:
        mistakes = []
        if not self.processes:
            mistakes.append("a system needs at least one process")
        if self.network not in NETWORKS:
            mistakes.append(
                f"network {self.network!r} is none{nearest(self.network, NETWORKS)}; use {listing(NETWORKS)}"
            )
        for name, process in self.processes.items():
            if not isinstance(process, Process):
                where = "; it goes to monitors" if isinstance(process, Monitor) else ""
                mistakes.append(f"process {name!r} is {describe(process)}; give an instance of a Process{where}")
            if not name or any(c.isspace() or c in "#@>,[](){}" for c in name):
                mistakes.append(f"{name!r} cannot name a process: use letters, digits, '_', '-' and '.'")
        for name, monitor in self.monitors.items():
            if not isinstance(monitor, Monitor):
                mistakes.append(f"monitor {name!r} is {describe(monitor)}; give an instance of a Monitor")
            if name in self.processes:
                mistakes.append(f"{name!r} names both a process and a monitor")
        return mistakes

    def _property_mistakes(self) -> list[str]:
        mistakes, seen = [], set(self.monitors)
        for prop in (*self.properties, *([self.within] if self.within else [])):
            if not isinstance(prop, Property):
                mistakes.append(f"property {describe(prop)} is none; use always, sometimes, eventually or within")
                continue
            if (prop.kind == "within") is not (prop is self.within):
                mistakes.append(f"{prop}: a bound goes to `within`, and only a bound")
            if prop.name in seen:
                mistakes.append(f"two properties are named {prop.name!r}")
            seen.add(prop.name)
            mistakes += [
                f"{prop} reads {name!r}, which is no process or monitor{nearest(name, self.names)}"
                for name in prop.reads
                if name not in self.names
            ]
        return mistakes

    def _timing_mistakes(self) -> list[str]:
        """Names that a timing is for; one that is misspelt would change nothing."""
        mistakes = []
        for link in self.timing.links:
            ends = link.split("->")
            if len(ends) != 2:
                mistakes.append(f"timing: {link!r} is no link; write source->target, either side may be *")
            mistakes += [
                f"timing: link {link!r} names {end!r}, which is no process{nearest(end, self.processes)}"
                for end in ends
                if len(ends) == 2 and end != "*" and end not in self.processes
            ]
        for move in self.timing.moves:
            process, _, name = move.rpartition(".")
            table = type(self.processes[process]).table if process in self.processes else None
            known = (*table.must, *table.may) if table is not None else ()
            if name not in known:
                moves = [f"{p}.{m}" for p, x in self.processes.items() for m in (*x.table.must, *x.table.may)]
                mistakes.append(f"timing: {move!r} is no spontaneous move{nearest(move, moves)}; write process.move")
        return mistakes

    def _group_mistakes(self) -> list[str]:
        mistakes: list[str] = []
        placed: set[str] = set()
        for group in self.interchangeable:
            if isinstance(group, str) or not isinstance(group, Collection):
                such = f"({group!r}, ...)" if isinstance(group, str) else "('p', 'q')"
                shown = repr(group) if isinstance(group, str) else describe(group)
                mistakes.append(f"interchangeable holds {shown}; give groups of names, such as ({such},)")
                continue
            for name in group:
                if name not in self.processes:
                    hint = nearest(name, self.processes) if isinstance(name, str) else ""
                    mistakes.append(f"interchangeable names {name!r}, which is no process{hint}")
                elif name in placed:
                    mistakes.append(f"interchangeable names {name!r} twice; a process is in one group, and there once")
                placed.add(name)
            known = [name for name in group if isinstance(self.processes.get(name), Process)]
            for name in known[1:]:
                mistakes += self._differences(known[0], name)
        return mistakes

    def _differences(self, one: str, other: str) -> list[str]:
        """What a process would tell of which of the two it is: its class, or what it is given at the start."""
        first, second = self.processes[one], self.processes[other]
        if type(first) is not type(second):
            kinds = f"{one} is a {type(first).__name__}, {other} a {type(second).__name__}"
            return [f"interchangeable: {kinds}; give processes of one class"]
        names = exchange(one, other)
        return [
            f"interchangeable: {one} and {other} begin with {field}={show(mine)} and {show(theirs)}; "
            "give processes that differ in their names alone"
            for field, mine, theirs in zip(
                type(first).table.fields, first.field_values(), second.field_values(), strict=True
            )
            if encode(renamed(mine, names)) != encode(theirs)
        ]

    def _cut_mistakes(self) -> list[str]:
        return [
            f"cut {name!r} names {member!r}, which is no process{nearest(member, self.processes)}"
            for name, cut_ in self.cuts.items()
            for member in sorted(cut_.side | (cut_.other or frozenset()))
            if member not in self.processes
        ]

    def _carrier_mistakes(self) -> list[str]:
        mistakes, kinds = [], [*OF_THE_GRAPH, *TIMED_KINDS]
        for fault, types in self.carriers.items():
            name = getattr(fault, "__name__", repr(fault))
            if not (isinstance(fault, type) and issubclass(fault, Fault) and fault.kind):
                mistakes.append(f"carriers: {name} is no domain fault: make it a subclass of Fault with a kind")
                continue
            if fault.kind in kinds:
                mistakes.append(f"carriers: the kind {fault.kind!r} of {name} is taken; choose another")
            kinds.append(fault.kind)
            if isinstance(types, type) or not isinstance(types, Collection):
                shown = getattr(types, "__name__", repr(types))
                mistakes.append(f"carriers of {name}: {shown} is no collection of message types; write ({shown},)")
                continue
            if not types:
                mistakes.append(f"carriers of {name}: no message type, so it could never strike; leave it out")
            mistakes += [
                f"carriers of {name}: {getattr(kind, '__name__', repr(kind))} is no message type"
                for kind in types
                if not (isinstance(kind, type) and issubclass(kind, Message))
            ]
        return mistakes

    def _entry_mistakes(self, entry: FaultEntry) -> list[str]:
        known = (*OF_THE_GRAPH, *self.own_kinds, *TIMED_KINDS)
        if entry.kind not in known:
            return [f"fault {str(entry)!r}: nothing here carries {entry.kind}; there are {listing(known, 'and')}"]
        if entry.kind == "reorder" and self.network != "fifo":
            return [f"fault {str(entry)!r}: only a fifo network has an order to break; this one is {self.network!r}"]
        if entry.kind == "duplicate" and self.network == "set":
            return [
                f"fault {str(entry)!r}: in a `set` network what was sent is there for ever; it cannot be duplicated"
            ]
        if entry.kind == "cut" and not self.cuts:
            return [f"fault {str(entry)!r}: this system names no cuts"]
        if entry.kind == "pause" and entry.count is None:
            return [f"fault {str(entry)!r}: one pause would follow the other for ever; give a count"]
        return self._target_mistakes(entry)

    def _target_mistakes(self, entry: FaultEntry) -> list[str]:
        """What is wrong with where an entry strikes."""
        if entry.target is None or self._names_type(entry):
            return []
        known = [*self.cuts] if entry.kind == "cut" else [*self.processes]
        source, arrow, target = entry.target.partition("->")
        if arrow and not strikes_messages(entry.kind):
            return [f"fault {str(entry)!r}: {entry.kind} does not strike a link; there are {listing(known, 'and')}"]
        return [
            f"fault {str(entry)!r}: no {name!r} here{nearest(name, known)}; there are {listing(known, 'and')}"
            for name in ((source, target) if arrow else (source,))
            if name not in known
        ]

    def _names_type(self, entry: FaultEntry) -> bool:
        """A target of a network or domain fault may be a message type, by its name. One that no process has a
        row for may still be in flight, so that any capital letter will do."""
        named = entry.target is not None and entry.target[:1].isupper() and "->" not in entry.target
        return named and strikes_messages(entry.kind)


def refuse_timed(system: System, reader: str) -> None:
    """Raises `ConfigError` if the plan has delays or pauses and `reader`, which has no clock, is to go by it."""
    if system.timed_faults:
        raise ConfigError(
            *(
                f"fault {str(entry)!r}: {reader} knows no time, every speed is among what it tries; leave it out"
                for entry in system.timed_faults
            )
        )
