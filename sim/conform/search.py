"""The search for a path of the graph that explains a log.

A node is a state of the graph beside one cursor for each observed process: how many of its lines are explained. A step
of a process that is observed has to explain its next line. What nobody wrote down is silent: steps of processes
that are not observed, losses, copies and cuts, and the crash of a program that was killed before it could say so.
Depth first with a visited set finds one explanation, which is enough; only if there is none the same nodes are walked
breadth first, for a shortest way to each of those that explain the most.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sim.base.errors import ConfigError, unknown
from sim.conform.fitting import Fitting
from sim.conform.logged import LoggedRun, LogLine
from sim.graph.action import Action, Kind
from sim.graph.definition import Definition
from sim.graph.graph import Graph
from sim.graph.state import GraphStart, State

MAX_NODES = 1_000_000
TELL_EVERY = 1024
"""Nodes between two words on how far a search is."""
_RISES = {"restart", "start"}

Cursors = tuple[int, ...]


class SearchNode(NamedTuple):
    """A state, and how much of the log explains it."""

    state: State
    cursors: Cursors


Parents = dict[SearchNode, tuple[SearchNode | GraphStart, Action | None, LogLine | None]]
"""How each node was come by first."""


class Path(NamedTuple):
    """A way to a node: how it begins, then each action with the line that it explains."""

    start: GraphStart
    steps: tuple[tuple[Action, LogLine | None], ...]
    node: SearchNode


class Wrong(NamedTuple):
    """What is wrong on a way, in the model's own words; the line that the step explains where it is; the way up to
    there."""

    told: str
    line: LogLine | None
    path: Path


@dataclass
class Found:
    """What came of a search: the explanation, or the ways to all nodes that explain the most."""

    verdict: str
    nodes: int
    explanation: Path | None = None
    furthest: list[Path] = field(default_factory=list)
    wrong: Wrong | None = None
    """What the model's own properties say of the explained path."""

    @property
    def explained(self) -> int:
        path = self.explanation or (self.furthest[0] if self.furthest else None)
        return sum(path.node.cursors) if path is not None else 0


class Search:
    """The search in one log; `skew_ms` is by how much clocks of different processes may differ (None: no clock
    counts); `tell` is told now and then how many nodes were seen."""

    def __init__(
        self,
        graph: Graph,
        run: LoggedRun,
        fitting: Fitting | None = None,
        *,
        skew_ms: int | None = None,
        max_nodes: int = MAX_NODES,
        tell: Callable[[int], None] | None = None,
    ) -> None:
        self.graph, self.max_nodes, self.tell = graph, max_nodes, tell
        self.fitting = fitting or Fitting(graph)
        self.names = list(dict.fromkeys((*run.observed, *(line.process for line in run.lines))))
        self.queues = [[line for line in run.lines if line.process == name] for name in self.names]
        self.whole = tuple(map(len, self.queues))
        self._slot = {name: slot for slot, name in enumerate(self.names)}
        for line in run.lines:
            check_line(graph, line)
        for name, place in run.observed.items():
            if name not in graph.system.processes:
                raise ConfigError(f"{place}: {unknown('process', name, graph.system.processes)}")
        self._before = _order(self.queues, skew_ms)
        self._set_aside: list[SearchNode] = []
        self._judging = True
        self.ends_killed = True
        """Whether a process that has no more lines may have been killed."""

    def result(self, *, explain: bool = True) -> Found:
        """Depth first; then, only if there is no explanation and it is wanted to know why, breadth first."""
        parents: Parents = {}
        for judging in (True, False):
            self._judging = judging
            stack = self._set_aside if not judging else self._roots(parents)
            if (found := self._deep(stack, parents)) is not None:
                return found
        furthest = self._furthest() if explain else []
        return Found("violated", len(parents), furthest=furthest)

    def _roots(self, parents: Parents) -> list[SearchNode]:
        stack = []
        for start in self.graph.starts():
            cursors = self.begins(start)
            if cursors is not None and (node := SearchNode(start.place, cursors)) not in parents:
                parents[node] = (start, None, None)
                stack.append(node)
        return stack[::-1]

    def _deep(self, stack: list[SearchNode], parents: Parents) -> Found | None:
        best: SearchNode | None = None
        looked = 0
        strata = [stack]  # by how many silent faults lead there: an explanation with fewer of them is likelier
        while any(strata):
            looked += 1
            struck = next(count for count, nodes in enumerate(strata) if nodes)
            node = strata[struck].pop()
            if self.tell is not None and looked % TELL_EVERY == 0:
                self.tell(len(parents))
            if self._judging and self.graph.judge(node.state) is not None:
                self._set_aside.append(node)
                continue
            if best is None or sum(node.cursors) > sum(best.cursors):
                best = node
            if node.cursors == self.whole:
                path = self._path(node, parents)
                return Found("ok" if self._judging else "violated", len(parents), path, wrong=self.wrong(path))
            if len(parents) > self.max_nodes:
                return Found("incomplete", len(parents), furthest=[self._path(best, parents)])
            for action, line, after in self.steps(node):
                if after not in parents:
                    parents[after] = (node, action, line)
                    more = struck + (line is None and len(action.strikes) > 0)
                    while len(strata) <= more:
                        strata.append([])
                    strata[more].append(after)
        return None

    def _furthest(self) -> list[Path]:
        """The ways to all nodes that explain the most lines, breadth first; if on some of them nothing is wrong, only
        these."""
        parents: Parents = {}
        tainted: set[SearchNode] = set()
        queue = deque(self._roots(parents)[::-1])
        tainted.update(node for node in queue if self.graph.judge(node.state) is not None)
        while queue:
            node = queue.popleft()
            is_fine = node not in tainted
            for action, line, after in reversed(list(self.steps(node))):
                if after in parents and not (is_fine and after in tainted):
                    continue
                is_fine_after = is_fine and self.graph.judge(after.state) is None
                if after in parents and not is_fine_after:
                    continue
                (tainted.discard if is_fine_after else tainted.add)(after)
                parents[after] = (node, action, line)
                queue.append(after)
        most = max((sum(node.cursors) for node in parents), default=0)
        ends = [node for node in parents if sum(node.cursors) == most]
        return [self._path(node, parents) for node in [end for end in ends if end not in tainted] or ends]

    def _path(self, node: SearchNode, parents: Parents) -> Path:
        steps: list[tuple[Action, LogLine | None]] = []
        at = node
        while True:
            before, action, line = parents[at]
            if action is None:
                assert isinstance(before, GraphStart)
                return Path(before, tuple(steps[::-1]), node)
            assert isinstance(before, SearchNode)
            steps.append((action, line))
            at = before

    def wrong(self, path: Path) -> Wrong | None:
        """The first that is wrong on this path."""
        state, cursors = path.start.place, self.begins(path.start) or ()
        for count, (action, line) in enumerate(((None, None), *path.steps)):
            if action is not None:
                state = self.graph.apply(state, action)
                slot = None if line is None else self._slot[line.process]
                cursors = tuple(at + (one == slot) for one, at in enumerate(cursors))
            finding = self.graph.judge(state)
            if finding is not None:
                way = Path(path.start, path.steps[:count], SearchNode(state, cursors))
                return Wrong(f"{finding.property}: {finding.message}", line, way)
        return None

    def lines_of_start(self, start: GraphStart) -> list[LogLine]:
        """The lines in which processes say that they start so."""
        cursors = self.begins(start) or ()
        return [queue[0] for queue, cursor in zip(self.queues, cursors, strict=False) if cursor]

    # --- one node -----------------------------------------------------------------------------------

    def begins(self, start: GraphStart) -> Cursors | None:
        """The cursors after the lines in which processes say that they start; None if one started otherwise."""
        outputs = dict(start.outputs)
        cursors = []
        for name, queue in zip(self.names, self.queues, strict=True):
            index = self.graph.tables.index[name]
            if not queue or "start" not in queue[0].said["input"]:
                cursors.append(0)
            elif self.fitting.starts(queue[0].said, index, start.place.locals[index], outputs.get(name, ())):
                cursors.append(1)
            else:
                return None
        return tuple(cursors)

    def steps(self, node: SearchNode) -> Iterator[tuple[Action, LogLine | None, SearchNode]]:
        """What may come next: what is taken last comes first."""
        graph, state = self.graph, node.state
        silent, explaining = [], []
        for action in graph.actions(state):
            slot = self._slot.get(action.process)
            if slot is not None:
                line = self.next_line(node, slot)
                if line is not None and self.fitting.fits(line, action):
                    cursors = (*node.cursors[:slot], node.cursors[slot] + 1, *node.cursors[slot + 1 :])
                    explaining.append((action, line, SearchNode(graph.apply(state, action), cursors)))
            if (slot is None or self._is_killed(action, node, slot)) and graph.changes(state, action):
                silent.append((action, None, SearchNode(graph.apply(state, action), node.cursors)))
        yield from sorted(silent, key=lambda step: -len(step[0].strikes))
        yield from explaining

    def _is_killed(self, action: Action, node: SearchNode, slot: int) -> bool:
        """Whether it is a crash that nobody could write down: what comes next is that the process is started again."""
        if action.kind is not Kind.CRASH and action.window is None:
            return False
        at = node.cursors[slot]
        if at == self.whole[slot]:
            return self.ends_killed
        return not _RISES.isdisjoint(self.queues[slot][at].said["input"])

    def next_line(self, node: SearchNode, slot: int) -> LogLine | None:
        """The next line of a process, unless lines that came before it are still to be explained."""
        at = node.cursors[slot]
        if at == self.whole[slot]:
            return None
        ready = all(node.cursors[other] >= count for other, count in self._before[slot][at])
        return self.queues[slot][at] if ready else None


def _order(queues: Sequence[Sequence[LogLine]], skew_ms: int | None) -> list[list[list[tuple[int, int]]]]:
    """For each line how many lines of which other processes come before it."""
    places = {line.id: (slot, at) for slot, queue in enumerate(queues) for at, line in enumerate(queue) if line.id}
    clocks = [[line.at for line in queue] for queue in queues]
    sorted_clocks = [_filled(clock) for clock in clocks]
    found: list[list[list[tuple[int, int]]]] = []
    for slot, queue in enumerate(queues):
        rows = []
        for line in queue:
            before = [(other, at + 1) for other, at in (places[cause] for cause in line.causes) if other != slot]
            if skew_ms is not None and line.at is not None:
                for other, clock in enumerate(sorted_clocks):
                    count = bisect_left(clock, line.at - skew_ms) if other != slot else 0
                    before += [(other, count)] if count else []
            rows.append(before)
        found.append(rows)
    return found


def _filled(clock: Sequence[int | None]) -> list[int]:
    """A clock with what it did not say: at least as much as the next time that it says."""
    found: list[int] = []
    later = 1 << 62
    for at in reversed(clock):
        later = at if at is not None else later
        found.append(later)
    return found[::-1]


def check_line(graph: Definition, line: LogLine) -> None:
    """Refuses what no step of this model could say."""
    processes = graph.system.processes
    if line.process not in processes:
        raise ConfigError(f"{line.place}: {unknown('process', line.process, processes)}")
    table = type(processes[line.process]).table
    given = line.said["input"]
    known = {
        "fire": ("timer", table.timers),
        "move": ("move", (*table.must, *table.may)),
        "fault": ("fault", graph.system.own_kinds),
    }
    for key, (what, names) in known.items():
        if key in given and given[key] not in names:
            raise ConfigError(f"{line.place}: {line.process}: {unknown(what, given[key], names)}")
    sender = given.get("deliver", given).get("from") if "deliver" in given or "fault" in given else None
    if sender is not None and sender not in processes:
        raise ConfigError(f"{line.place}: {unknown('process', sender, processes)}")
