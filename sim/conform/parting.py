"""Where a log and its model part: the line, what the model could do there instead, and what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sim.conform.fitting import Disagreement, Fitting, input_text
from sim.conform.logged import LogLine
from sim.conform.search import Path, Search
from sim.conform.since import Histories, sent_at, values_of
from sim.graph.action import Action
from sim.graph.state import GraphStart

POSSIBLE_MAX = 5
"""How many steps of the model are shown."""


@dataclass(frozen=True)
class PartedValue:
    """What the log and the model say differently; where the log last said what the model has, and since where the model
    has what it has."""

    what: str
    log: str
    model: str
    agreed: str | None = None
    since: str | None = None

    @property
    def said(self) -> dict[str, str | None]:
        return {"what": self.what, "log": self.log, "model": self.model, "agreed": self.agreed, "since": self.since}

    def words(self) -> Iterator[str]:
        yield f"{self.what}: log {self.log}, model {self.model}"
        if self.agreed is not None:
            yield f"  log and model last said the same of it in {self.agreed}"
        if self.since is not None:
            yield f"  the model has had that since {self.since}"


@dataclass(frozen=True)
class Alternative:
    """A step that the model could take where the log has something else."""

    action: Action
    differs: tuple[Disagreement, ...]
    path: Path

    @property
    def address(self) -> str:
        return str(self.action.address)

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
    ways to explain what is explained there are, `differs` is about the first of `possible`."""

    line: LogLine
    others: tuple[LogLine, ...] = ()
    explanations: int = 1
    possible: tuple[Alternative, ...] = ()
    differs: tuple[PartedValue, ...] = ()
    starts: bool = False
    """Whether no start of the model is like that."""
    unplanned: str = ""
    """The kind of fault that the line tells of, where the budget has none of it."""

    @property
    def closest(self) -> Alternative | None:
        return self.possible[0] if self.possible else None

    def words(self) -> Iterator[str]:
        """What is wrong, for a person."""
        given, who = input_text(self.line.said["input"]), self.line.process
        what = "the model does not start like that" if self.starts else "the model has no such step"
        yield f"{self.line.place}: {what}: {who}: {given}"
        if self.starts:
            yield from (f"    {text}" for one in self.differs for text in one.words())
        elif self.closest is None:
            yield f"  there {who} could do nothing at all"
        elif not self.closest.is_other:
            yield f"  the model can do that, but then {who} is not as the log says:"
            yield from (f"    {text}" for one in self.differs for text in one.words())
        else:
            yield f"  there {who} could only:"
            for one in self.possible:
                yield f"    {one.address}"
                if not one.is_other:
                    yield from (f"      {d.what}: log {d.log}, model {d.model}" for d in one.differs)
        if self.unplanned:
            yield f"  the fault budget has no {self.unplanned}; if it may happen, give --faults {self.unplanned}:1"
        if self.explanations > 1:
            yield f"  {self.explanations} explanations go this far; the one that comes closest is shown"
        for other in self.others:
            yield f"  not explained either: {other.place}: {other.process}: {input_text(other.said['input'])}"


HistoryOf = Callable[[Path], Histories]


def parting(search: Search, furthest: Sequence[Path], history_of: HistoryOf) -> Parting | None:
    """Where the ways that explain the most end; None if every line is explained."""
    stuck: dict[LogLine, None] = {}
    by_line: dict[LogLine, dict[str, Alternative]] = {}
    for path in furthest:
        for slot, whole in enumerate(search.whole):
            at = path.node.cursors[slot]
            if at == whole:
                continue
            line = search.queues[slot][at]
            stuck[line] = None
            if search.next_line(path.node, slot) is None:
                continue
            for one in _alternatives(search, path, line):
                known = by_line.setdefault(line, {})
                if one.address not in known or one.distance < known[one.address].distance:
                    known[one.address] = one
    if not stuck:
        return None
    ready = [line for line in stuck if by_line.get(line)] or list(stuck)
    blamed = min(ready, key=_in_order)
    possible = sorted(by_line.get(blamed, {}).values(), key=lambda one: (one.distance, one.address))[:POSSIBLE_MAX]
    others = (line for line in stuck if line.process != blamed.process)
    return Parting(
        blamed,
        tuple(sorted(others, key=_in_order)),
        len(furthest),
        tuple(possible),
        _differences(search, blamed, possible[0], history_of) if possible else (),
        unplanned=_unplanned(search, blamed),
    )


def _unplanned(search: Search, line: LogLine) -> str:
    given = line.said["input"]
    kind = given.get("fault") or ("crash" if "crash" in given else "")
    return "" if any(entry.kind == kind for entry in search.graph.system.budget) else kind


def _in_order(line: LogLine) -> tuple[int, str]:
    return line.number, line.place


def _alternatives(search: Search, path: Path, line: LogLine) -> Iterator[Alternative]:
    fitting: Fitting = search.fitting
    for action in search.graph.actions(path.node.state):
        if action.process == line.process:
            yield Alternative(action, tuple(fitting.differences(line.said, action)), path)


def history(search: Search, path: Path) -> Histories:
    """All that an explanation has brought about."""
    found = Histories(search.graph)
    found.begin(path.start.place, search.lines_of_start(path.start))
    for action, line in path.steps:
        found.add(action, line)
    return found


def _differences(search: Search, line: LogLine, closest: Alternative, history_of: HistoryOf) -> tuple[PartedValue, ...]:
    """What differs, and since where: of a field who gave it its value, of a message who sent it."""
    action, found = closest.action, []
    known = history_of(closest.path)
    after = (
        dict(values_of(search.graph, action.effect.process, action.effect.local)) if action.effect.local >= 0 else {}
    )
    for one in closest.differs:
        difference = PartedValue(one.what, one.log, one.model)
        origin, said = known.origin(line.process, one.what), known.said(line.process, one.what)
        if one.what in after:
            had = origin is not None and origin.value == after[one.what]
            difference = replace(
                difference,
                agreed=None if said is None else said.place,
                since=origin.place if had and origin is not None else f"{line.place} itself",
            )
        elif one.what == "sender" or one.what.startswith("message"):
            difference = replace(difference, since=sent_at(closest.path.start, closest.path.steps, action))
        found.append(difference)
    return tuple(found)


def parting_at_start(search: Search) -> Parting:
    """The line that says of a start what no start of the model is: of the start that fits best the first that does
    not."""
    best: tuple[Any, ...] | None = None
    for start in search.graph.starts():
        misfits = list(_misfits(search, start))
        weight = sum(one.weight for _, differs in misfits for one in differs)
        if best is None or (len(misfits), weight) < best[:2]:
            best = (len(misfits), weight, misfits)
    assert best is not None, "a system can start"
    line, differs = min(best[2], key=lambda one: _in_order(one[0]))
    return Parting(line, differs=tuple(PartedValue(d.what, d.log, d.model) for d in differs), starts=True)


def _misfits(search: Search, start: GraphStart) -> Iterator[tuple[LogLine, list[Disagreement]]]:
    outputs = dict(start.outputs)
    for name, queue in zip(search.names, search.queues, strict=True):
        index = search.graph.tables.index[name]
        if queue and "start" in queue[0].said["input"]:
            said, local = queue[0].said, start.place.locals[index]
            if differs := list(search.fitting.start_differences(said, index, local, outputs.get(name, ()))):
                yield queue[0], differs
