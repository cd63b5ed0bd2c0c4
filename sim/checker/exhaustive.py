"""The exhaustive check: every state, breadth first, by the faster engine."""

from __future__ import annotations

import time

from sim.base import printing
from sim.base.errors import ConfigError
from sim.checker.compiled.jit import interrupt_afterwards
from sim.checker.engine import Engine, hand_over_at, lacking, unloadable
from sim.checker.memory import default_bound
from sim.checker.plain import Limits, PlainWalk, only_plain
from sim.checker.reduction.alike import ToldApart
from sim.checker.reduction.reduction import Reduction
from sim.checker.result import CheckResult, Progress
from sim.graph.graph import Graph
from sim.graph.state import State
from sim.system.declaration import Declaration
from sim.world.world import refuse_timed

PAYS_AT = 10_000
"""States from which the compiled walk takes over by itself: before, loading it costs more than it saves."""


def check(
    system: Declaration,
    *,
    max_states: int | None = None,
    progress: Progress | None = None,
    engine: Engine = "auto",
    exact: bool = False,
    max_memory: int | None = None,
    reduce: bool = False,
) -> CheckResult:
    """Walk every state of `system` within its fault budget and bound; stops at the first violation.

    With breadth first the counterexample is a shortest one. `max_states` bounds the number of distinct
    states, `max_memory` the bytes that this process holds (default: 80 % of the machine's): the verdict is
    then `incomplete` unless a violation was met. A KeyboardInterrupt ends the walk with what was covered.

    `engine`: `plain`; `compiled` (needs numba); or `auto`, which switches to the compiled walk when the system turns
    out to be large. The result is the same. A compiled walk knows states by 64-bit fingerprints
    (`collision_probability`), or by all their cells if `exact`; the plain one is always exact.

    `reduce`: explore fewer states, each of which stands for many (see docs/checking.md); the verdict is the same,
    counts are smaller, and `reduced` says what was applied.

    Raises `ModelError` if the model breaks a rule of the framework, `ConfigError` for an engine that is unknown or
    cannot run here, for a bound below 1, and for delays and pauses in the plan.
    """
    for name, bound in (("max_states", max_states), ("max_memory", max_memory)):
        if bound is not None and bound <= 0:
            raise ConfigError(f"{name} is {bound}; must be more than 0")
    lacks = lacking(engine)
    limits = Limits(max_states, max_memory if max_memory is not None else default_bound())
    apart: dict[tuple[str, ...], str] = {}
    started = time.perf_counter()
    while True:
        graph = Graph(system)
        refuse_timed(graph, "a check")
        try:
            reduction = Reduction(graph, apart) if reduce else None
            walk = PlainWalk(
                graph, limits, progress, reduction if reduction is not None and reduction.is_of_use else None
            )
            result = _run(walk, engine, lacks, exact, started)
        except ToldApart as error:  # a declaration that does not hold costs its reduction
            apart[error.members] = error.why
            continue
        except KeyboardInterrupt:  # while the reduction was prepared: nothing was walked yet
            return CheckResult(graph=graph, stopped="interrupted", seconds=time.perf_counter() - started)
        if reduction is not None:
            result.reduced = reduction.report
        return result


def _run(walk: PlainWalk, engine: Engine, lacks: str, exact: bool, started: float) -> CheckResult:
    """A whole walk, by the faster engine; `lacks` says why it cannot be the compiled one."""
    preparing = 0.0
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
            preparing = _compiled(walk, level, exact)
    except KeyboardInterrupt:
        result.stopped = "interrupted"
        result.states = max(result.states, len(walk.parents))
    result.seconds = time.perf_counter() - started - preparing
    result.handler_calls = walk.graph.handler_calls
    return result


def _compiled(walk: PlainWalk, level: list[State], exact: bool) -> float:
    """The rest of the walk, compiled; the seconds that imports and compilation took."""
    started = time.perf_counter()
    with interrupt_afterwards():
        from sim.checker.compiled.walk import CompiledWalk

        taken_over = CompiledWalk(walk, level, exact)
    preparing = time.perf_counter() - started
    taken_over.run()
    return preparing
