"""The nodes and steps of a search in a log that grows, and is forgotten from its beginning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sim.conform.conformance import Judging
from sim.conform.logged import LoggedRun, LogLine
from sim.conform.search import Search, SearchNode
from sim.graph.action import Action
from sim.graph.state import GraphStart


class Violation(NamedTuple):
    """What is wrong on a way, and in the step that explains which line."""

    told: str
    line: LogLine | None


class FrontNode:
    """How a node was come by. `wrong` is what the properties say of the way there."""

    __slots__ = ("action", "before", "depth", "line", "node", "start", "wrong")

    def __init__(
        self,
        node: SearchNode,
        start: GraphStart,
        before: FrontNode | None = None,
        action: Action | None = None,
        line: LogLine | None = None,
        wrong: Violation | None = None,
    ) -> None:
        self.node, self.start, self.before, self.action, self.line = node, start, before, action, line
        self.depth: int = 0 if before is None else before.depth + 1
        self.wrong = wrong

    def chain(self) -> list[FrontNode]:
        """From what is settled to here."""
        found: list[FrontNode] = []
        at: FrontNode | None = self
        while at is not None:
            found.append(at)
            at = at.before
        return found[::-1]


class GrowingSearch(Search):
    """The steps of a search whose queues grow, and are forgotten from their beginning."""

    def __init__(self, judging: Judging, names: Mapping[str, str]) -> None:
        super().__init__(judging.graph, LoggedRun("", [], names), judging.fitting, skew_ms=judging.skew_ms)
        self._skew_ms = judging.skew_ms
        self.ends_killed = False
        self.queues: list[dict[int, LogLine]] = [{} for _ in names]  # type: ignore[assignment]
        self._before: list[dict[int, list[tuple[int, int]]]] = [{} for _ in names]  # type: ignore[assignment]

    def put(self, slot: int, line: LogLine, ids: dict[str, tuple[int, int]]) -> int:
        """One more line of a process; returns its place in the queue."""
        at = self.whole[slot]
        before = [(other, place + 1) for other, place in (ids[cause] for cause in line.causes) if other != slot]
        if self._skew_ms is not None and line.at is not None:
            for other, queue in enumerate(self.queues):
                earlier = (i for i in reversed(queue) if _is_before(queue[i], line.at - self._skew_ms))
                last = next(earlier, None) if other != slot else None
                before += [] if last is None else [(other, last + 1)]
        self.queues[slot][at] = line
        self._before[slot][at] = before
        self.whole = (*self.whole[:slot], at + 1, *self.whole[slot + 1 :])
        return at

    def forget(self, slot: int, least: int) -> Iterator[LogLine]:
        """Forget the lines before this place; gives them."""
        queue = self.queues[slot]
        while queue and (first := next(iter(queue))) < least:
            del self._before[slot][first]
            yield queue.pop(first)

    def steps_of(self, reached: FrontNode) -> Iterator[tuple[Action | None, LogLine | None, SearchNode]]:
        """What may come next. A process says that it started before it does anything."""
        node = reached.node
        unsaid = set()
        for slot, name in enumerate(self.names):
            line = self.next_line(node, slot) if node.cursors[slot] == 0 else None
            if line is not None and "start" in line.said["input"]:
                unsaid.add(name)
                index = self.graph.tables.index[name]
                outputs = dict(reached.start.outputs).get(name, ())
                if self.fitting.starts(line.said, index, reached.start.place.locals[index], outputs):
                    cursors = (*node.cursors[:slot], 1, *node.cursors[slot + 1 :])
                    yield None, line, SearchNode(node.state, cursors)
        yield from (step for step in self.steps(node) if step[0].process not in unsaid)

    def steps_ahead(self, node: SearchNode) -> Iterator[SearchNode]:
        """What may come next, if processes that are at the end of their lines may do anything."""
        yield from (after for _, _, after in self.steps(node))
        for action in self.graph.actions(node.state):
            slot = self._slot.get(action.process)
            if slot is not None and node.cursors[slot] == self.whole[slot]:
                yield SearchNode(self.graph.apply(node.state, action), node.cursors)


def _is_before(line: LogLine, at: int) -> bool:
    return line.at is not None and line.at < at
