"""A log judged: every run of it, and what is said of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sim.conform.fitting import Fitting
from sim.conform.lanes import Lanes, lanes_of
from sim.conform.log_of_run import refuse_what_no_line_says
from sim.conform.logged import LoggedRun, LogLine
from sim.conform.parting import history, parting, parting_at_start
from sim.conform.search import MAX_NODES, Found, Path, Search, Wrong
from sim.conform.spoiling import Strength, refutes_something, strength_of
from sim.graph.graph import Graph
from sim.system.declaration import Declaration
from sim.world.choice import addresses

SAID = {"ok": "conforms", "violated": "does not conform", "incomplete": "incomplete"}
"""A verdict in words."""
HINT_TIMES = 10
"""How many times the nodes of the explanation may be looked at, to see whether the log could refute anything: a log that takes
longer to be explained when it is spoilt says something."""


@dataclass(frozen=True)
class JudgedLog:
    """What is said of one run of a log. `schedule` is the explained path, or its longest prefix; None if none was asked
    for."""

    run: str
    verdict: str
    lines: int
    explained: int
    nodes: int
    schedule: tuple[str, ...] | None = None
    line: str | None = None
    number: int | None = None
    process: str | None = None
    possible: tuple[str, ...] = ()
    differs: tuple[Mapping[str, str | None], ...] = ()
    finding: str | None = None
    words: tuple[str, ...] = ()
    strength: Strength | None = None
    lanes: Lanes | None = None

    @property
    def headline(self) -> str:
        """The verdict in words, and on how much of the log it rests."""
        run = f"run {self.run}: " if self.run else ""
        return f"{run}{SAID[self.verdict]}: {self.explained} of {self.lines} lines explained, {self.nodes:,} nodes"

    @property
    def said(self) -> Mapping[str, Any]:
        """As JSON has it."""
        return {
            "run": self.run,
            "verdict": self.verdict,
            "lines": self.lines,
            "explained": self.explained,
            "nodes": self.nodes,
            "line": self.number,
            "place": self.line,
            "process": self.process,
            "possible": list(self.possible),
            "differs": list(self.differs),
            "violation": self.finding,
            "scenario": None,
            "strength": None if self.strength is None else self.strength.data(),
        }


@dataclass
class Judging:
    """How logs are judged: against which graph, with what bounds."""

    system: Declaration
    skew_ms: int | None = None
    max_nodes: int = MAX_NODES
    strength: bool = False
    hints: bool = True
    """Whether a log that could refute nothing is told apart."""
    lanes: bool = False
    """Whether answers hold their lines in words, for pages."""
    tell: Callable[[int], None] | None = None
    """Told now and then how many nodes a search has seen."""
    graph: Graph = field(init=False)
    fitting: Fitting = field(init=False)

    def __post_init__(self) -> None:
        refuse_what_no_line_says(self.system)
        self.graph = Graph(self.system)
        self.fitting = Fitting(self.graph)

    def search(self, run: LoggedRun) -> Search:
        return Search(self.graph, run, self.fitting, skew_ms=self.skew_ms, max_nodes=self.max_nodes, tell=self.tell)

    def judge(self, run: LoggedRun) -> JudgedLog:
        """What is said of this run. Raises `ConfigError` if this model could never write its lines."""
        self.fitting.forget()
        search = self.search(run)
        found = search.result()
        if found.verdict == "ok" and found.explanation is not None:
            return self._conforms(run, found)
        if found.verdict == "incomplete":
            words = (f"the bound of {self.max_nodes:,} nodes was hit; raise --max-nodes, or log more",)
            return self._answer(run, found, words=words)
        if found.wrong is not None:
            return self._violating(run, found, found.wrong)
        if (
            found.furthest
            and (wrong := search.wrong(min(found.furthest, key=lambda path: len(path.steps)))) is not None
        ):
            return self._violating(
                run, found, wrong
            )  # nobody can say what a model does once something is wrong with it
        return self._parted(run, search, found)

    def _violating(self, run: LoggedRun, found: Found, wrong: Wrong) -> JudgedLog:
        """Explained, but only by what violates a property; the path ends where it does."""
        return self._answer(run, found, path=wrong.path, **violation(wrong.told, wrong.line))

    def _conforms(self, run: LoggedRun, found: Found) -> JudgedLog:
        strength: Strength | None = None
        words: tuple[str, ...] = ()
        if self.strength:
            strength = strength_of(run, self._accepts)
            words = tuple(strength.words())
        elif self.hints and not refutes_something(
            run, partial(self._accepts, max_nodes=HINT_TIMES * found.nodes + 100)
        ):
            words = ("this log could refute nothing: spoilt in every way that was tried it still conforms; log more",)
        return self._answer(run, found, strength=strength, words=words)

    def _accepts(self, run: LoggedRun, max_nodes: int | None = None) -> bool | None:
        """Whether there is an explanation; None if a bound came first."""
        search = self.search(run)
        search.max_nodes = min(search.max_nodes, max_nodes or search.max_nodes)
        verdict = search.result(explain=False).verdict
        return None if verdict == "incomplete" else verdict == "ok"

    def _parted(self, run: LoggedRun, search: Search, found: Found) -> JudgedLog:
        where = parting(search, found.furthest, lambda path: history(search, path)) if found.furthest else None
        where = where or parting_at_start(search)
        if where.closest is not None:
            found.furthest = [where.closest.path]
        return self._answer(
            run,
            found,
            left=(where.line, *where.others),
            possible=tuple(one.address for one in where.possible),
            differs=tuple(one.said for one in where.differs),
            words=tuple(where.words()),
        )

    def _answer(
        self, run: LoggedRun, found: Found, *, path: Path | None = None, left: Sequence[LogLine] = (), **more: Any
    ) -> JudgedLog:
        path = path or found.explanation or (found.furthest[0] if found.furthest else None)
        schedule = () if path is None else tuple(addresses(path.start, (action for action, _ in path.steps)))
        if left:
            more |= {"line": left[0].place, "number": left[0].number, "process": left[0].process}
        if self.lanes:
            more |= {"lanes": lanes_of([()] if path is None else self._lines_by_step(run, path), left)}
        explained = min(found.explained, len(run.lines))
        return JudgedLog(run.name, found.verdict, len(run.lines), explained, found.nodes, schedule, **more)

    def _lines_by_step(self, run: LoggedRun, path: Path) -> list[list[LogLine]]:
        steps = [[] if line is None else [line] for _, line in path.steps]
        return [self.search(run).lines_of_start(path.start), *steps]


def violation(told: str, line: LogLine | None) -> dict[str, Any]:
    """What an answer says of a property that the only explanations violate, in the step that explains `line`."""
    where = {} if line is None else {"line": line.place, "number": line.number, "process": line.process}
    before = "" if line is None else f"{line.place}: {line.process}: "
    return {"finding": told, "words": (f"{before}explained, but {told}",), **where}


def judge_runs(judging: Judging, runs: Sequence[LoggedRun]) -> list[JudgedLog]:
    """Each run, in their order."""
    return [judging.judge(run) for run in runs]
