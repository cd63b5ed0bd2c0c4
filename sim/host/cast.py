"""Who plays which process of a system: a machine here, an adapter, or another host. Made once for each configuration, and
shared by the sessions that have it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from sim.base.errors import ConfigError, ModelError, SimError, failure, listing, unknown
from sim.base.values import Emission, Fault, Message, Value
from sim.machine.codec import Codec
from sim.machine.handler import Decide, Handler
from sim.machine.ledgers import Crashed, Received, Restarted
from sim.machine.process import Process
from sim.machine.purity import names_in
from sim.system.declaration import Declaration
from sim.system.links import kind_of

Carries = Mapping[str, tuple[str, ...]]
"""For a class of messages, of which classes of messages it brings the payloads on: of those that its sender took, and that
agree with it in every field that they share."""


class Cast:
    """A system with its handlers, and who is where. Raises `ModelError` or `ConfigError` for what cannot be hosted."""

    def __init__(
        self,
        system: Declaration,
        here: Collection[str] | None,
        played: Collection[str],
        there: Collection[str],
        decide: Mapping[str, Decide],
        carries: Carries,
    ) -> None:
        self.system = system
        processes = system.processes
        self.played = frozenset(played)
        self.there = frozenset(there)
        own = [name for name in processes if name not in self.played and name not in self.there]
        self.here: tuple[str, ...] = tuple(own if here is None else here)
        mistakes = _mistakes(system, self.here, self.played, self.there, decide)
        if mistakes:
            raise ConfigError(*mistakes)
        self.machines = tuple(name for name in processes if name in self.played or name in self.here)
        monitors = system.monitors if not self.there else {}
        self.handlers = {name: Handler(name, processes[name]) for name in self.machines}
        self.monitors = {name: Handler(name, monitor) for name, monitor in monitors.items()}
        roles = [(n, "played" if n in self.played else "here") for n in self.machines]
        roles += [(name, "monitor") for name in self.monitors]
        self.roles = {name: (role, place) for place, (name, role) in enumerate(roles)}
        """For each machine what it is, and where it stands among them."""
        self.codec = Codec(
            [*(type(machine) for machine in (*processes.values(), *system.monitors.values())), *system.carriers]
        )
        self._check_carries(carries)
        self.decide = dict(decide)
        self.carries = dict(carries)
        self.faults = {fault.kind: fault for fault in system.carriers}
        self._networks: dict[tuple[str, str], str] = {}
        self._must: dict[tuple[str, str], tuple[str, ...]] = {}
        self._hears: dict[type, tuple[str, ...]] = {}
        self.hears_anything = any(self.hearing(kind) for kind in (Received, Crashed, Restarted))

    def _check_carries(self, carries: Carries) -> None:
        """Refuses what is not a message: nothing would ever bring anything."""
        known = [kind.__name__ for kind in self.codec.kinds() if issubclass(kind, Message) and kind is not Message]
        names = dict.fromkeys(name for message, kinds in carries.items() for name in (message, *kinds))
        mistakes = [f"carries: {unknown('message', name, known)}" for name in names if name not in known]
        if mistakes:
            raise ConfigError(*mistakes)

    def hearing(self, kind: type[Emission]) -> tuple[str, ...]:
        """The monitors that listen to emissions of this class."""
        found = self._hears.get(kind)
        if found is None:
            listening = [name for name, handler in self.monitors.items() if kind in handler.table.triggers]
            found = self._hears[kind] = tuple(listening)
        return found

    def must(self, process: str, state: str) -> tuple[str, ...]:
        """The moves that a process may have to make by itself in this state; its guards say whether it has."""
        found = self._must.get((process, state))
        if found is None:
            table = self.handlers[process].table
            rows = [row.trigger for row in table.rows if state in row.sources]
            found = self._must[process, state] = tuple(move for move in table.must if move in rows)
        return found

    def network(self, source: str, target: str) -> str:
        """The kind of network between two processes."""
        found = self._networks.get((source, target))
        if found is None:
            found = self._networks[source, target] = kind_of(self.system.network, source, target)
        return found

    def fault_of(self, kind: str, message: Message) -> type[Fault] | None:
        """The domain fault of this kind, if it can strike such a message."""
        fault = self.faults.get(kind)
        return fault if fault is not None and type(message) in self.system.carriers[fault] else None

    def target(self, source: str, target: str, message: Message) -> str:
        """The process that a message is for. Raises `ModelError` if there is none."""
        if target not in self.system.processes:
            what = unknown("process", target, self.system.processes)
            raise ModelError(f"{source} sends {type(message).__name__}: {what}")
        return target

    def is_hot(self, process: str, state: str) -> bool:
        """Whether a machine in this state owes something."""
        return process in self.here and state in self.handlers[process].table.hot


def _mistakes(
    system: Declaration,
    here: tuple[str, ...],
    played: Collection[str],
    there: Collection[str],
    decide: Mapping[str, Any],
) -> list[str]:
    processes = system.processes
    mistakes = []
    for what, names in (("here", here), ("adapters", played), ("links", there), ("decide", decide)):
        mistakes += [f"{what}: {unknown('process', name, processes)}" for name in names if name not in processes]
    if mistakes:
        return mistakes
    for name in processes:
        places = [what for what, names in _places(here, played, there) if name in names]
        if len(places) > 1:
            mistakes.append(f"{name} is {listing(places)}; a process is in one place")
        if not places:
            mistakes.append(f"{name} is nowhere: name it in here, adapters or links")
    for name in here:
        if name not in decide and chooses(type(processes[name])):
            kind = type(processes[name]).__name__
            mistakes.append(
                f"{name}: {kind} chooses, and nobody says what: pass decide={{{name!r}: function of the outcomes}}, "
                "or an adapter that stands for it"
            )
    mistakes += [
        f"{what}: a host has no {what}; leave them out of the system that is hosted"
        for what, given in (("machines", system.machines), ("updates", system.updates))
        if given
    ]
    return mistakes


def _places(
    here: Collection[str], played: Collection[str], there: Collection[str]
) -> tuple[tuple[str, Collection[str]], ...]:
    return ("a machine here", here), ("played by an adapter", played), ("on another host", there)


def chooses(cls: type[Process]) -> bool:
    """Whether any method of this class, but for what `Process` itself brings, calls `choose`."""
    own = [base for base in cls.__mro__ if base not in Process.__mro__]
    return any("choose" in names_in(function) for base in own for function in vars(base).values())


def made(system: Declaration | Callable[..., Declaration], config: Mapping[str, Value], model: str) -> Declaration:
    """The system of a session. Raises `ConfigError` if the model refuses this configuration."""
    if isinstance(system, Declaration):
        if config:
            raise ConfigError(
                f"config {listing([*config])}: this host has one system; give it a function that makes one"
            )
        return system
    try:
        found = system(**config)
    except SimError:
        raise
    except Exception as error:
        raise ConfigError(f"{model or 'the model'} cannot be made with this config: {failure(error)}") from None
    if not isinstance(found, Declaration):
        raise ConfigError(f"{model or 'the model'} made {type(found).__name__}; expected a System")
    return found
