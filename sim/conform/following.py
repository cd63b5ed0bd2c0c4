"""The search in a log that goes on: all states in which the model may be, given the lines so far.

After each line there is a front: every node on which all lines are explained, come by in the order of the log. The
fronts of the last `BACK` lines are kept, and nothing before them: not the lines, and the path to them, as far as all
share it, is in a file. So memory is bounded where the fronts are.

Lines of different processes may come in another order than they happened, as a line is written when its process is done
with it. So where no node of the last front explains a line, older fronts are gone back to, and the lines since then
taken in every order. What is not explained then may still be early: it waits, unless nothing that the other processes
could do next would explain it; and at most until `LATE` lines have come after it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from sim.base.errors import ConfigError, brief
from sim.conform.conformance import JudgedLog, Judging, violation
from sim.conform.growing_search import FrontNode, GrowingSearch, Violation
from sim.conform.lanes import LaneLine, Lanes, lane_line
from sim.conform.logged import LogLine
from sim.conform.parting import Parting, parting, parting_at_start
from sim.conform.search import Path, SearchNode, check_line
from sim.conform.settled import Settled
from sim.conform.since import Histories

BACK = 16
"""Among so many lines another order is looked for."""
LATE = 100
"""A line comes after at most so many lines that it led to."""
IDS_MAX = 100_000
"""Of so many lines the ids are known as causes."""
AHEAD_MAX = 10_000
"""So many nodes are looked at to see whether another order, or a line that is late, explains a line."""
SETTLE_EVERY = 64
"""Lines between two looks at what is settled."""


Front = dict[SearchNode, FrontNode]
"""Nodes, and how each was come by; best in a way on which nothing is wrong."""


class Follower:
    """One run of a log, line by line. `add` returns whether it is certain by now that the run does not conform."""

    def __init__(self, judging: Judging, name: str, observed: Mapping[str, str] | None = None) -> None:
        self.judging, self.name = judging, name
        self.graph, self.fitting = judging.graph, judging.fitting
        self.count = self.nodes = 0
        self._early: list[LogLine] | None = []
        self._ids: dict[str, tuple[int, int]] = {}
        self._held: dict[str, deque[LogLine]] = {}
        self._clocks: dict[str, LogLine] = {}
        self._begin(observed or {})

    # --- lines --------------------------------------------------------------------------------------

    def add(self, line: LogLine) -> bool:
        """One more line. Raises `ConfigError` where it cannot be a line of this log."""
        check_line(self.graph, line)
        self._check_clock(line)
        self.count += 1
        if self._early is not None:
            self._early.append(line)
        if line.process not in self._slot:
            self._observe(line)
        elif self._is_open:
            self._take(line)
        if not self._is_open:
            if "start" in line.said["input"]:
                return False  # others start too: as long as nobody does more, it is not known who is observed
            self._open()
        if self.count > LATE:
            self._early = None
        for process, queue in self._held.items():
            if queue and self._arrived[queue[0]] < self.count - LATE:
                missing = next(cause for cause in queue[0].causes if cause not in self._ids)
                what = f"the cause {brief(missing)} is not an id of a line before it, nor of {LATE} lines after it"
                raise ConfigError(f"{queue[0].place}: {process}: {what}; log that one too")
        return self.is_refuted()

    def _observe(self, line: LogLine) -> None:
        """A process writes for the first time: until now its steps were taken for silent, so begin again."""
        if self._early is None:
            what = f"{line.process} writes for the first time after {LATE} lines, so it was taken for not observed"
            raise ConfigError(f'{line.place}: {what}; name it in the header: "processes": ["{line.process}", ...]')
        was_open = self._is_open
        self._begin({**self._names, line.process: ""})
        if was_open:
            self._open()

    def _begin(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)
        self._slot = {name: slot for slot, name in enumerate(names)}
        self._search = GrowingSearch(self.judging, self._names)
        self._histories = Histories(self.graph)
        self._begun = False
        self._settled = Settled()
        self._started: list[LogLine] = []
        self._arrived: dict[LogLine, int] = {}
        self._ids.clear()
        self._held = {name: deque() for name in names}
        self._fronts: deque[Front] = deque()
        self._explored: Front = {}
        self._waiting = self._put_count = 0
        self._is_full = self._is_unstarted = False
        self._is_open = False

    def _open(self) -> None:
        """Looks at where the model may begin, if the lines are true that say how processes start, and takes the
        others."""
        self._is_open = True
        lines = list(self._early or ())
        firsts = {line.process: line for line in reversed(lines)}
        self._started = [line for line in lines if firsts[line.process] is line and _is_start(line)]
        for line in self._started:
            self._arrived[line] = self.count
            self._register(self._slot[line.process], line)
        front: Front = {}
        for start in self.graph.starts():
            if (cursors := self._search.begins(start)) is not None:
                node = SearchNode(start.place, cursors)
                front.setdefault(node, FrontNode(node, start, wrong=self._wrong(node, None)))
        self._is_unstarted = not front
        self._explored = self._spread(front)
        self._fronts.append(self._explored)
        for line in lines:
            if line not in self._arrived and front:
                self._take(line)

    def _check_clock(self, line: LogLine) -> None:
        before = self._clocks.get(line.process)
        if line.at is None:
            return
        if before is not None and before.at is not None and line.at < before.at:
            what = f"at {line.at} comes after at {before.at} of {brief(before.place)}"
            raise ConfigError(f"{line.place}: the clock of {line.process} goes back: {what}; use a steady clock")
        self._clocks[line.process] = line

    def _take(self, line: LogLine) -> None:
        """The line, and whatever waited for it, is there to be explained. It waits for its causes, and so does what its
        process wrote after it."""
        self._arrived[line] = self.count
        self._held[line.process].append(line)
        moved = True
        while moved:
            moved = False
            for process, queue in self._held.items():
                while queue and all(cause in self._ids for cause in queue[0].causes):
                    self._put(self._slot[process], queue.popleft())
                    moved = True

    def _put(self, slot: int, line: LogLine) -> None:
        self._register(slot, line)
        self._advance()
        self._put_count += 1
        if self._put_count % SETTLE_EVERY == 0 and not self._waiting:
            self._settle()

    def _register(self, slot: int, line: LogLine) -> None:
        at = self._search.put(slot, line, self._ids)
        if line.id is not None:
            if line.id in self._ids:
                raise ConfigError(f"{line.place}: id {brief(line.id)} stands in an earlier line too; give each its own")
            self._ids[line.id] = (slot, at)
            if len(self._ids) > IDS_MAX:
                del self._ids[next(iter(self._ids))]

    # --- fronts -------------------------------------------------------------------------------------

    def _advance(self) -> None:
        """The next front, from the last one if it explains the new line, else from an older one, with the lines since
        then in any order; the line waits if none does."""
        last = len(self._fronts) - 1
        for back in dict.fromkeys(max(0, last - back) for back in (0, BACK // 4, BACK)):
            self._explored = self._spread(self._fronts[back])
            if self._is_fine(self._explored):
                break
        else:
            self._search.ends_killed = True
            self._explored = self._spread(self._explored)
            self._search.ends_killed = False
        whole = self._search.whole
        after = {node: one for node, one in self._explored.items() if node.cursors == whole}
        if after and (self._is_fine(self._explored) or not self._could_be_explained()):
            self._fronts.append(after)
            self._waiting = 0
            if len(self._fronts) > BACK + 1:
                self._fronts.popleft()
        else:
            self._waiting += 1

    def _is_fine(self, front: Front) -> bool:
        """Whether there is a way on which all lines are explained and nothing is wrong."""
        whole = self._search.whole
        return any(one.wrong is None and node.cursors == whole for node, one in front.items())

    def _spread(self, front: Front) -> Front:
        """All that can be reached from there."""
        found, stack = dict(front), list(front.values())
        while stack:
            reached = stack.pop()
            if found[reached.node] is not reached:
                continue  # by now there is a better way there
            for action, line, node in self._search.steps_of(reached):
                known = found.get(node)
                if known is not None and (known.wrong is None or reached.wrong is not None):
                    continue
                wrong = reached.wrong or (self._wrong(node, line) if action is not None else None)
                if known is not None and wrong is not None:
                    continue
                found[node] = after = FrontNode(node, reached.start, reached, action, line, wrong)
                self.nodes += known is None
                stack.append(after)
            if len(found) > self.judging.max_nodes:
                self._is_full = True
                break
        return found

    def _wrong(self, node: SearchNode, line: LogLine | None) -> Violation | None:
        finding = self.graph.judge(node.state)
        return None if finding is None else Violation(f"{finding.property}: {finding.message}", line)

    @property
    def _remembered(self) -> list[FrontNode]:
        return [*(one for front in self._fronts for one in front.values()), *self._explored.values()]

    def _settle(self) -> None:
        """Puts away the part of the path that all fronts share, and forgets the lines that it explains."""
        self._explored = self._fronts[-1]
        heads = dict.fromkeys(self._remembered)
        for slot in range(len(self._names)):
            least = min(one.node.cursors[slot] for one in heads)
            for line in self._search.forget(slot, least):
                self._arrived.pop(line, None)
        self.fitting.forget()
        while len(heads) > 1:
            deepest = max(one.depth for one in heads)
            for one in [one for one in heads if one.depth == deepest]:
                del heads[one]
                if one.before is None:
                    return  # several ways to begin are still possible
                heads[one.before] = None
        (shared,) = heads
        for step in shared.chain():
            self._put_away(step)
        shared.before = shared.action = shared.line = None

    def _put_away(self, step: FrontNode) -> None:
        if not self._begun:
            self._begun = True
            self._histories.begin(step.start.place, self._started)
        if step.action is not None:
            self._histories.add(step.action, step.line)
            self._settled.add(str(step.action.address), [step.line] if step.line is not None else ())
        elif step.line is not None:
            self._histories.hear(step.line)
            self._started.append(step.line)

    # --- answers ------------------------------------------------------------------------------------

    def is_refuted(self) -> bool:
        """Whether nothing that may still come makes this run one that conforms."""
        if not self._is_open:
            return False
        if self._is_full or self._is_unstarted or self._waiting > LATE:
            return True
        if not self._waiting:
            return not any(one.wrong is None for one in self._fronts[-1].values())
        return not self._could_be_explained()

    def _could_be_explained(self) -> bool:
        """Whether all lines may be explained once the processes that are at the end of theirs do whatever they can;
        also where that is too much to find out."""
        whole = self._search.whole
        stack = [node for node, one in self._explored.items() if one.wrong is None]
        seen = set(stack)
        while stack:
            node = stack.pop()
            if node.cursors == whole or len(seen) > AHEAD_MAX + len(self._explored):
                return True
            for after in self._search.steps_ahead(node):
                if after not in seen and self.graph.judge(after.state) is None:
                    seen.add(after)
                    stack.append(after)
        return False

    def answer(self, *, ended: bool) -> JudgedLog:
        """What is said of the run so far; `ended` if no more lines come."""
        if not self._is_open:
            self._open()
        if self._is_unstarted:
            where = parting_at_start(self._search)
            return JudgedLog(self.name, "violated", self.count, 0, self.nodes, (), **self._where(where))
        if self._is_full:
            words = (f"the bound of {self.judging.max_nodes:,} nodes was hit; raise --max-nodes, or log more",)
            return self._said("incomplete", self._best(), words=words)
        front = [one for node, one in self._explored.items() if node.cursors == self._search.whole]
        fine = [one for one in front if one.wrong is None]
        held = [queue[0] for queue in self._held.values() if queue]
        if fine and not held:
            return self._said("ok", min(fine, key=lambda one: one.depth))
        if not ended and (fine or not self.is_refuted()):
            waiting = self.count - sum(self._best().node.cursors)
            words = (f"{waiting} lines wait for lines of other processes that have not come",)
            return self._said("incomplete", self._best(), words=words)
        if fine:
            missing = next(cause for cause in held[0].causes if cause not in self._ids)
            what = f"the cause {brief(missing)} is not an id of a line of this run; log that one too"
            raise ConfigError(f"{held[0].place}: {what}")
        most = max(sum(node.cursors) for node in self._explored)
        furthest = [one for node, one in self._explored.items() if sum(node.cursors) == most]
        clean = [one for one in furthest if one.wrong is None]
        if clean:
            return self._parted(clean)
        first = min(furthest, key=lambda one: one.depth)
        assert first.wrong is not None, "a way on which nothing is wrong would be clean"
        at = first
        while at.before is not None and at.before.wrong is not None:
            at = at.before
        return self._said("violated", at, **violation(*first.wrong))

    def _best(self) -> FrontNode:
        return max(self._explored.values(), key=lambda one: (sum(one.node.cursors), -one.depth))

    def _parted(self, ends: Sequence[FrontNode]) -> JudgedLog:
        furthest = [self._path(one) for one in ends]
        where: Parting | None = parting(self._search, furthest, self._history)
        assert where is not None, "a line is left that nothing explains"
        shown = furthest[0].node if where.closest is None else where.closest.path.node
        return self._said(
            "violated",
            next(one for one in ends if one.node == shown),
            **self._where(where),
        )

    def _where(self, where: Parting) -> dict[str, Any]:
        """What an answer says of where the log and the model part."""
        left = (where.line, *where.others)
        said: dict[str, Any] = {"line": left[0].place, "number": left[0].number, "process": left[0].process}
        if self.judging.lanes:
            said["lanes"] = Lanes(((),), tuple(map(lane_line, left)))
        return {
            **said,
            "possible": tuple(one.address for one in where.possible),
            "differs": tuple(one.said for one in where.differs),
            "words": tuple(where.words()),
        }

    def _path(self, reached: FrontNode) -> Path:
        steps = tuple((one.action, one.line) for one in reached.chain() if one.action is not None)
        return Path(reached.start, steps, reached.node)

    def _history(self, path: Path) -> Histories:
        found = self._histories.copy()
        if not self._begun:
            found.begin(path.start.place, self._started)
        for action, line in path.steps:
            found.add(action, line)
        return found

    def _said(self, verdict: str, end: FrontNode, *, lanes: Lanes | None = None, **more: Any) -> JudgedLog:
        chain = end.chain()
        addresses: list[str] = [str(end.start.address)] if end.start.choices else []
        beside: list[tuple[LaneLine, ...]] = []
        begun = [*self._started, *(one.line for one in chain if one.action is None and one.line is not None)]
        for kept in self._settled.steps():
            addresses.append(kept.address)
            beside.append(kept.lines)
        for one in chain:
            if one.action is not None:
                addresses.append(str(one.action.address))
                beside.append(() if one.line is None else (lane_line(one.line),))
        if self.judging.lanes:
            more["lanes"] = Lanes((tuple(map(lane_line, begun)), *beside), () if lanes is None else lanes.left)
        schedule = tuple(addresses) if self._settled.is_whole else None
        return JudgedLog(self.name, verdict, self.count, sum(end.node.cursors), self.nodes, schedule, **more)

    @property
    def kept(self) -> int:
        """How many nodes are kept."""
        return len(self._remembered)

    @property
    def remembered(self) -> int:
        """How many lines are remembered."""
        return len(self._arrived)


def _is_start(line: LogLine) -> bool:
    return "start" in line.said["input"] and not line.causes
