"""Where a log and its model part: the line, what the model could do there instead, and what differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sim.conform.fitting import Disagreement, Fitting, input_text
from sim.conform.logged import LogLine
from sim.conform.search import Path, Search

POSSIBLE_MAX = 5
"""How many steps of the model are shown."""


@dataclass(frozen=True)
class Alternative:
    """A step that the model could take where the log has something else."""

    address: str
    differs: tuple[Disagreement, ...]
    path: Path

    @property
    def is_other(self) -> bool:
        """Whether it is another step altogether: then what would come of it does not matter."""
        return any(one.what in ("input", "message", "crash") for one in self.differs)

    @property
    def distance(self) -> int:
        return sum(one.weight for one in self.differs)


@dataclass(frozen=True)
class Parting:
    """The first line that nothing explains. `others` are the next lines of other processes, `explanations` how many
    ways to explain what is explained there are, `agreed` the last line where log and model said the same of what differs."""

    line: LogLine
    others: tuple[LogLine, ...]
    explanations: int
    possible: tuple[Alternative, ...]
    agreed: LogLine | None
    waits: bool = False
    """Whether lines that came before it are not explained either."""

    @property
    def closest(self) -> Alternative | None:
        return self.possible[0] if self.possible else None

    def words(self) -> Iterator[str]:
        """What is wrong, for a person."""
        given = input_text(self.line.said["input"])
        yield f"{self.line.place}: the model has no such step: {self.line.process}: {given}"
        if self.closest is None:
            yield f"  there {self.line.process} could do nothing at all"
        elif not self.closest.is_other:
            yield f"  the model can do that, but then {self.line.process} is not as the log says:"
            yield from (f"    {one.what}: log {one.log}, model {one.model}" for one in self.closest.differs)
        else:
            yield f"  there {self.line.process} could only:"
            for one in self.possible:
                yield f"    {one.address}"
                if not one.is_other:
                    yield from (f"      {d.what}: log {d.log}, model {d.model}" for d in one.differs)
        if self.agreed is not None:
            yield f"  log and model last said the same of it in {self.agreed.place}"
        if self.explanations > 1:
            yield f"  {self.explanations} explanations go this far; the one that comes closest is shown"
        for other in self.others:
            yield f"  not explained either: {other.place}: {other.process}: {input_text(other.said['input'])}"


def parting(search: Search, furthest: list[Path]) -> Parting | None:
    """Where the ways that explain the most end; None where nothing was explained because no start fits and no line is next."""
    stuck: dict[LogLine, LogLine] = {}
    by_line: dict[LogLine, dict[str, Alternative]] = {}
    for path in furthest:
        for slot, queue in enumerate(search.queues):
            at = path.node.cursors[slot]
            if at == len(queue):
                continue
            stuck.setdefault(queue[at], queue[at])
            if search.next_line(path.node, slot) is None:
                continue
            line = queue[at]
            for one in _alternatives(search, path, line):
                known = by_line.setdefault(line, {})
                if one.address not in known or one.distance < known[one.address].distance:
                    known[one.address] = one
    if not stuck:
        return None
    ready = [line for key, line in stuck.items() if by_line.get(key)] or list(stuck.values())
    blamed = min(ready, key=lambda line: (line.number, line.place))
    possible = sorted(by_line.get(blamed, {}).values(), key=lambda one: (one.distance, one.address))
    others = tuple(line for line in stuck.values() if line is not blamed and line.process != blamed.process)
    return Parting(
        blamed,
        tuple(sorted(others, key=lambda line: (line.number, line.place))),
        len(furthest),
        tuple(possible[:POSSIBLE_MAX]),
        _agreed(search, blamed, possible[0].differs if possible else ()),
    )


def _alternatives(search: Search, path: Path, line: LogLine) -> Iterator[Alternative]:
    fitting: Fitting = search.fitting
    for action in search.graph.actions(path.node.state):
        if action.process == line.process:
            differs = tuple(fitting.differences(line.said, action))
            yield Alternative(str(action.address), differs, path)


def _agreed(search: Search, line: LogLine, differs: tuple[Disagreement, ...]) -> LogLine | None:
    """The last explained line of its process that said something of the field, or the state, that differs first."""
    what = next((one.what for one in differs if one.what == "state" or one.what.startswith("field ")), None)
    if what is None:
        return None
    queue = search.queues[search.names.index(line.process)]
    before = queue[: queue.index(line)]
    said = (one for one in reversed(before) if _says(one.said, what))
    return next(said, None)


def _says(said: Any, what: str) -> bool:
    return "state" in said if what == "state" else what.removeprefix("field ") in (said.get("fields") or {})


def unstarted(search: Search) -> LogLine:
    """The line that says of a start what no start of the model is."""
    for slot, queue in enumerate(search.queues):
        name = search.names[slot]
        index = search.graph.tables.index[name]
        first = queue[0]
        if "start" in first.said["input"] and not any(
            search.fitting.starts(first.said, index, start.place.locals[index], dict(start.outputs).get(name, ()))
            for start in search.graph.starts()
        ):
            return first
    return search.queues[0][0]
