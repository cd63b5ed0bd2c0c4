"""The exhaustive check: every state, breadth first, by the faster engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, overload

from sim.base import printing
from sim.base.errors import ConfigError, ModelError
from sim.base.interrupted import interrupt_afterwards
from sim.base.overdue import NO_MEMORY
from sim.base.values import describe
from sim.checker.bounded import OF_PROGRAMS, check_schedules, refuse_for_schedules
from sim.checker.bounded_result import BoundedResult
from sim.checker.engine import Engine, hand_over_at, lacking, unloadable
from sim.checker.explored import TimeIsUp
from sim.checker.growth import grew
from sim.checker.liveness import debts
from sim.checker.memory import default_bound
from sim.checker.plain import TIME_IS_UP, Limits, PlainWalk, only_plain
from sim.checker.recurrence import Recurrence
from sim.checker.reduction.alike import ToldApart
from sim.checker.reduction.reduction import Reduction
from sim.checker.result import CheckResult, Progress
from sim.graph.graph import Graph
from sim.graph.judge import Judge
from sim.graph.state import State
from sim.system.declaration import Declaration
from sim.system.properties import IN_THE_END
from sim.world.world import Walkable, refuse_timed, world_of

PAYS_AT = 1_000
"""States from which the compiled walk takes over by itself: before, loading it costs more than it saves."""


@overload
def check(  # type: ignore[overload-overlap]  # what declares machines opens a world too, but is taken here
    system: Declaration,
    *,
    max_states: int | None = None,
    progress: Callable[[Any], None] | None = None,
    engine: Engine = "auto",
    exact: bool = False,
    max_memory: int | None = None,
    reduce: bool = False,
    cycles: bool = True,
    seconds: float | None = None,
    deviations: int | None = None,
) -> CheckResult: ...


@overload
def check(
    system: Walkable,
    *,
    max_states: int | None = None,
    progress: Callable[[Any], None] | None = None,
    engine: Engine = "auto",
    exact: bool = False,
    max_memory: int | None = None,
    reduce: bool = False,
    cycles: bool = True,
    seconds: float | None = None,
    deviations: int | None = None,
) -> BoundedResult: ...


def check(
    system: Walkable,
    *,
    max_states: int | None = None,
    progress: Callable[[Any], None] | None = None,
    engine: Engine = "auto",
    exact: bool = False,
    max_memory: int | None = None,
    reduce: bool = False,
    cycles: bool = True,
    seconds: float | None = None,
    deviations: int | None = None,
) -> CheckResult | BoundedResult:
    """Walk every state of a `System` within its fault budget and bound, or every schedule of a `Program` with at most so
    many `deviations`; stops at the first violation.

    With breadth first the counterexample is a shortest one. `max_states` bounds the number of distinct
    states, `max_memory` the bytes that this process holds (default: 80 % of the machine's), `seconds` the time: the
    verdict is then `incomplete` unless a violation was met. A KeyboardInterrupt ends the walk with what was covered.

    `engine`: `plain`; `compiled` (needs the native extension); or `auto`, which switches to the compiled walk when the system turns
    out to be large. The result is the same. A compiled walk knows states by 64-bit fingerprints
    (`collision_probability`), or by all their cells if `exact`; the plain one is always exact.

    `reduce`: explore fewer states, each of which stands for many (see docs/checking.md); the verdict is the same,
    counts are smaller, and `reduced` says what was applied.

    `cycles`: judge what is owed on cycles too, by a second walk where there could be one. Without, only states and rest
    are judged, and nothing is said to be proved that a run could violate which never rests.

    `deviations`: of a program, the most choices in a schedule that are not the usual one (default: 2). The first violation
    has as few as any.

    Raises `ModelError` if the model breaks a rule of the framework, `ConfigError` for an engine that is unknown or
    cannot run here, for a bound below 1, for delays and pauses in the plan, and for what does not apply: `deviations` to
    a system; `max_states`, `exact`, `reduce`, a compiled engine and `cycles` to a program. Raises `NondeterminismError` if a
    program does something else when it is run again.
    """
    for name, bound in (("max_states", max_states), ("max_memory", max_memory), ("seconds", seconds)):
        if bound is not None and bound <= 0:
            raise ConfigError(f"{name} is {bound}; must be more than 0")
    until = None if seconds is None else time.perf_counter() + seconds
    limits = Limits(max_states, max_memory if max_memory is not None else default_bound(), until)
    if not isinstance(system, Declaration):
        world = world_of(system)
        if not world.places_are_values:
            given = {"max_states": max_states, "engine": engine == "compiled", "exact": exact, "reduce": reduce}
            refuse_for_schedules({**given, "cycles": not cycles})
            return check_schedules(world, deviations, limits, progress)
        raise ModelError(f"{describe(system)} is not a System or a Program: a check takes one of them")
    if deviations is not None:
        raise ConfigError(OF_PROGRAMS)
    return _Check(limits, progress, engine, exact=exact, cycles=cycles).run(system, reduce=reduce)


class _Check:
    """One check: a walk, or two."""

    def __init__(self, limits: Limits, progress: Progress | None, engine: Engine, *, exact: bool, cycles: bool) -> None:
        self._limits, self._progress, self._engine = limits, progress, engine
        self._exact, self._cycles = exact, cycles
        self._lacks = lacking(engine)
        self._started = time.perf_counter()

    def run(self, system: Declaration, *, reduce: bool) -> CheckResult:
        apart: dict[tuple[str, ...], str] = {}
        while True:
            graph = Graph(system)
            refuse_timed(graph, "a check")
            try:
                reduction = Reduction(graph, apart) if reduce else None
                used = reduction if reduction is not None and reduction.is_of_use else None
                result = self._first(graph, used)
            except ToldApart as error:  # a declaration that does not hold costs its reduction
                apart[error.members] = error.why
                continue
            except KeyboardInterrupt:  # while the reduction was prepared: nothing was walked yet
                return CheckResult(graph=graph, stopped="interrupted", seconds=time.perf_counter() - self._started)
            if reduction is not None:
                result.reduced = reduction.report
            if result.verdict == "ok" and result.cycles is None:
                self._look_at_cycles(result, graph, reduced=used is not None)
            return result

    def _first(self, graph: Graph, reduction: Reduction | None) -> CheckResult:
        """The walk that judges states and rest; and cycles, if it has to keep edges anyway."""
        keeps_edges = any(prop.kind in IN_THE_END for prop in graph.system.properties)
        walk = PlainWalk(graph, self._limits, self._progress, reduction, cycles=self._cycles and keeps_edges)
        result = _run(walk, self._engine, self._lacks, self._exact, self._started)
        if keeps_edges and not self._cycles:
            result.cycles_off = "switched off"
        return result

    def _look_at_cycles(self, result: CheckResult, graph: Graph, *, reduced: bool) -> None:
        """A second walk, of all states, if something could be owed on a cycle forever."""
        try:
            owing = debts(Judge(graph))
            recurrence = Recurrence(graph, self._limits.time_is_up) if owing else None
            if recurrence is None:
                return
            places = [(graph.tables.index[debt.who], values) for debt, values in owing.items()]
            if not recurrence.is_possible or not any(recurrence.holding(*place) for place in places):
                result.cycles = 0
                return
            if not self._cycles:
                result.cycles_off = "switched off"
                return
            walk = PlainWalk(graph, self._limits, self._progress, None, cycles=True)
            second = _run(walk, self._engine, self._lacks, self._exact, self._started)
        except KeyboardInterrupt:
            result.stopped, result.complete = "interrupted", False
            return
        except TimeIsUp:
            result.cycles_off = TIME_IS_UP
            return
        result.seconds = second.seconds
        if second.finding is not None:
            result.finding, result.path, result.begin = second.finding, second.path, second.begin
        elif second.complete:
            result.cycles = second.cycles
        elif second.stopped == "interrupted":
            result.stopped, result.complete = "interrupted", False
        else:
            result.cycles_off = f"{second.stopped} of all states" if reduced else second.stopped


def _run(walk: PlainWalk, engine: Engine, lacks: str, exact: bool, started: float) -> CheckResult:
    """A whole walk, by the faster engine; `lacks` says why it cannot be the compiled one."""
    result = walk.result
    try:
        level = walk.run(hand_over_at(engine, PAYS_AT))
        result.states = len(walk.parents)
        if level:
            lacks = lacks or only_plain(walk.graph) or unloadable(engine)
        if level and lacks:
            printing.err(f"sim: {lacks}")
            walk.go_on(level)
            result.states = len(walk.parents)
        elif level:
            _compiled(walk, level, exact)
    except (KeyboardInterrupt, MemoryError) as error:
        result.stopped = "interrupted" if isinstance(error, KeyboardInterrupt) else NO_MEMORY
        result.states = max(result.states, len(walk.parents))
    result.seconds = time.perf_counter() - started
    if result.stopped and walk.last:
        result.grew = grew(walk.graph, walk.last)
    result.handler_calls = walk.graph.handler_calls
    return result


def _compiled(walk: PlainWalk, level: list[State], exact: bool) -> None:
    """The rest of the walk, compiled."""
    with interrupt_afterwards():
        from sim.checker.compiled.walk import CompiledWalk

    CompiledWalk(walk, level, exact).run()
