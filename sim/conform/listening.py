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
        state = self.graph.initial()[0]
        heard = 0
        for done, line in enumerate(run.lines):
            for emission in self._emissions(line):
                number = self.graph.tables.emissions(emission)
                state = state._replace(locals=self.graph.tables.notify(state.locals, (number,)))
                heard += 1
                finding = self.graph.judge(state)
                if finding is not None:
                    told = f"{finding.property}: {finding.message}"
                    words = (f"{line.place}: {line.process}: {told}",)
                    where = {"line": line.place, "number": line.number, "process": line.process}
                    return self._answer(run, "violated", done, finding=told, words=words, **where)
        if not heard:
            listens = ", ".join(sorted(self.kinds))
            raise ConfigError(f"{run.lines[0].place}: no monitor hears anything of this log; they listen to {listens}")
        return self._answer(run, "ok", len(run.lines), words=(f"monitors heard {heard} emissions",))

    def _emissions(self, line: LogLine) -> Iterator[Emission]:
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

    def _answer(self, run: LoggedRun, verdict: str, explained: int, **more: Any) -> JudgedLog:
        return JudgedLog(run.name, verdict, len(run.lines), explained, 0, **more)
