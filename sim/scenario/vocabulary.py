"""The vocabulary of a model: which messages and emissions its module and its machines know, and which outputs a crash
can follow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import sim.machine.ledgers
from sim.base.errors import unknown
from sim.base.values import Emission, Message
from sim.faults.plan import FaultEntry
from sim.live.emitting import CancellationIgnored
from sim.live.program_parts import ProgramParts
from sim.scenario.parsed import Opened
from sim.system.declaration import Declaration


@dataclass(frozen=True)
class Vocabulary:
    """Message and emission classes of a model, by name."""

    messages: dict[str, type]
    emissions: dict[str, type]

    def outputs(self, system: Opened, process: str) -> list[str]:
        """What `crashing after` may name at a process: messages, emissions, writes of durable fields."""
        versions = [versions[process] for versions in (system.processes, system.updates) if process in versions]
        on_host = [system.processes[member] for member in system.machines.get(process, ())]
        durable = sorted({field for version in (*versions, *on_host) for field in type(version).table.durable})
        return [*self.messages, *self.emissions, *(f"writing {field}" for field in durable)]

    def misfits(self, entry: FaultEntry, system: Opened) -> list[str]:
        """What an entry of a plan names that the model lacks; the system has checked the rest."""
        if not isinstance(system, Declaration):
            return []  # the names of tasks and servers are known when it runs
        found = []
        if (
            entry.target is not None
            and "->" not in entry.target
            and entry.target not in (*system.processes, *system.machines, *system.cuts, *self.messages)
        ):
            found.append(unknown("message type", entry.target, self.messages))
        if entry.after is not None:
            versions = (*system.processes.values(), *system.updates.values())
            fields = {field for p in versions for field in type(p).table.durable}
            known = [*self.messages, *self.emissions, *sorted(fields)]
            if entry.after not in known:
                found.append(unknown("output", entry.after, known))
        return [f"fault {str(entry)!r}: {wrong}" for wrong in found]


def vocabulary(module: ModuleType, system: Opened) -> Vocabulary:
    """The vocabulary of a model, from its module and its system."""
    messages = {**classes_of(module, system, Message), **message_triggers(system)}
    return Vocabulary(messages, classes_of(module, system, Emission))


def classes_of(module: ModuleType, system: Opened, base: type) -> dict[str, type]:
    """The subclasses of `base`, by name, that the model's module and those of its machines know."""
    found: dict[str, type] = {}
    machines = (*system.processes.values(), *system.monitors.values(), *system.updates.values())
    names = dict.fromkeys([module.__name__, *(c.__module__ for m in machines for c in type(m).__mro__)])
    for space in _spaces(module, list(names)):
        for thing in list(vars(space).values()):
            if _is_a(thing, base):
                found.setdefault(thing.__name__, thing)
    if base is Emission:
        found |= {thing.__name__: thing for thing in vars(sim.machine.ledgers).values() if _is_a(thing, Emission)}
        if isinstance(system, ProgramParts):
            found[CancellationIgnored.__name__] = CancellationIgnored
    return found


def _is_a(thing: object, base: type) -> bool:
    """Whether `thing` is a class of this kind that a process sends or emits itself."""
    return isinstance(thing, type) and issubclass(thing, base) and thing is not base and thing not in _FRAMEWORK


_FRAMEWORK = (sim.machine.ledgers.Received, sim.machine.ledgers.Crashed, sim.machine.ledgers.Restarted)
"""What only monitors hear: no process emits it, so no run counts it."""


def _spaces(module: ModuleType, names: list[str]) -> Iterator[ModuleType]:
    """The modules with these names, then those that they hold as attributes (`from mymodel import messages`)."""
    first = [module, *(sys.modules[name] for name in names if name in sys.modules)]
    for space in first:
        yield space
        for thing in list(vars(space).values()):
            if isinstance(thing, ModuleType):
                yield thing


def message_triggers(system: Opened) -> dict[str, type]:
    """The message classes that some process of the system has a row for, by name."""
    found: dict[str, type] = {}
    for process in (*system.processes.values(), *system.updates.values()):
        for trigger in type(process).table.triggers:
            if isinstance(trigger, type) and issubclass(trigger, Message):
                found.setdefault(trigger.__name__, trigger)
    return found
