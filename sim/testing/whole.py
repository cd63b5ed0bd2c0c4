"""One whole schedule in one draw."""

from __future__ import annotations

from hypothesis import strategies as st

from sim.graph.graph import Graph
from sim.graph.judge import Judge
from sim.run.simulation import simulate
from sim.run.trace import Run
from sim.strategy.drawn import Drawn
from sim.system.system import System

DRAWN_STEPS = 100


def schedules(system: System | Graph, max_steps: int = DRAWN_STEPS) -> st.SearchStrategy[Run]:
    """Draws runs of `system`: `max_steps` steps are drawn, what follows them is canonical (first in, first
    out, no fault), up to quiescence; a run ends at the first finding.

    A run is one draw of bytes (see `Drawn`), so it costs Hypothesis as much as one integer does, and a
    failing one shrinks towards the canonical schedule: what is left of it are the deviations that matter.
    """
    graph = system if isinstance(system, Graph) else Graph(system)
    return _runs(graph, Judge(graph), max_steps)


@st.composite
def _runs(draw: st.DrawFn, graph: Graph, judge: Judge, max_steps: int) -> Run:
    """As a composite, and no `map`: Hypothesis then shows the run, not the bytes it was made of."""
    return simulate(graph, Drawn(draw(st.binary(min_size=max_steps, max_size=max_steps))), judge=judge)
