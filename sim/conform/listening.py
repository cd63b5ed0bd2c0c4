"""Monitors alone: they judge what a program emitted, also where no model says what it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sim.base.annotations import mismatches
from sim.base.errors import ConfigError, SimError, unknown
from sim.base.values import Emission, Message
from sim.conform.conformance import JudgedLog
from sim.conform.logged import LoggedRun, LogLine
from sim.conform.reviving import revived
from sim.graph.graph import Graph
from sim.machine.ledgers import Crashed, Received, Restarted
from sim.system.declaration import Declaration


class Listener:
    """The monitors of a system, to be told what was emitted."""

    def __init__(self, system: Declaration) -> None:
        if not system.monitors:
            raise ConfigError("--monitors-only: the system has no monitors, so nothing would be judged; leave it out")
        self.graph = Graph(system)
        handlers = self.graph.tables.handlers[self.graph.width :]
        kinds = (kind for handler in handlers for kind in handler.table.triggers)
        self.kinds = {kind.__name__: kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Emission)}

        given = {kind for handler in self.graph.tables.handlers[: self.graph.width] for kind in handler.table.triggers}
        self.messages = {k.__name__: k for k in given if isinstance(k, type) and issubclass(k, Message)}

    def judge(self, run: LoggedRun) -> JudgedLog:
        """What the monitors say of this run, its lines taken in their order."""
        hearing = Hearing(self, run.name)
        for line in run.lines:
            if hearing.add(line):
                break
        return hearing.answer(len(run.lines))

    def emissions(self, line: LogLine) -> Iterator[Emission]:
        """What monitors hear of a line, in the order in which the simulation would say it."""
        given = line.said["input"]
        if "restart" in given and "Restarted" in self.kinds:
            yield Restarted(line.process)
        arrival = given.get("deliver")
        if arrival is not None and "Received" in self.kinds and arrival["message"] in self.messages:
            yield Received(line.process, self._made(line, self.messages[arrival["message"]], arrival))
        for put in line.said.get("outputs") or ():
            if "emit" in put and put["emit"]["name"] in self.kinds:
                yield self._made(line, self.kinds[put["emit"]["name"]], put["emit"])
        if "crash" in given and "Crashed" in self.kinds:
            yield Crashed(line.process)

    def _made(self, line: LogLine, kind: type[Any], put: Mapping[str, Any]) -> Any:
        fields = put.get("fields") or {}
        known = list(getattr(kind, "__dataclass_fields__", {}))
        for name in fields:
            if name not in known:
                raise ConfigError(f"{line.place}: {kind.__name__}: {unknown('field', name, known)}")
        try:
            made = kind(**{name: revived(kind, name, value) for name, value in fields.items()})
        except (TypeError, ValueError, SimError) as error:
            raise ConfigError(f"{line.place}: {kind.__name__} cannot be made of these fields: {error}") from None
        for name in known:
            for mistake in mismatches(kind, name, getattr(made, name)):
                raise ConfigError(f"{line.place}: {kind.__name__}: {mistake}")
        return made


class Hearing:
    """One run, line by line. `add` returns whether a property is violated."""

    def __init__(self, listener: Listener, name: str) -> None:
        self.listener, self.name = listener, name
        self.state = listener.graph.initial()[0]
        self.count = self.heard = 0
        self._first: LogLine | None = None
        self._told: dict[str, Any] = {}

    def add(self, line: LogLine) -> bool:
        """One more line."""
        graph = self.listener.graph
        self._first = self._first or line
        for emission in self.listener.emissions(line):
            number = graph.tables.emissions(emission)
            self.state = self.state._replace(locals=graph.tables.notify(self.state.locals, (number,)))
            self.heard += 1
            finding = graph.judge(self.state)
            if finding is not None:
                told = f"{finding.property}: {finding.message}"
                words = (f"{line.place}: {line.process}: {told}",)
                self._told = {"finding": told, "words": words, "line": line.place}
                self._told |= {"number": line.number, "process": line.process}
                return True
        self.count += 1
        return False

    def answer(self, lines: int | None = None, *, ended: bool = True) -> JudgedLog:
        """What is said of the run so far, which has so many lines (by default those that were heard)."""
        if self._told:
            return JudgedLog(self.name, "violated", lines or self.count + 1, self.count, 0, **self._told)
        if not self.heard and ended and self._first is not None:
            listens = ", ".join(sorted(self.listener.kinds))
            raise ConfigError(f"{self._first.place}: no monitor hears anything of this log; they listen to {listens}")
        return JudgedLog(self.name, "ok", self.count, self.count, 0, words=(f"monitors heard {self.heard} emissions",))
