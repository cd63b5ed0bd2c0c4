"""One whole schedule in one draw."""

from __future__ import annotations

from hypothesis import strategies as st

from sim.run.simulation import simulate
from sim.run.trace import Run
from sim.strategy.drawn import Drawn
from sim.world.world import AnyWorld, Walkable, world_of

DRAWN_STEPS = 100


def schedules(system: Walkable, max_steps: int = DRAWN_STEPS) -> st.SearchStrategy[Run]:
    """Draws runs of `system`: `max_steps` steps are drawn, the rest is canonical (first in, first out, no fault), up to
    quiescence; a run ends at the first finding.

    A run is one draw of bytes (see `Drawn`), so it costs Hypothesis as little as one integer, and a failing one shrinks
    towards the canonical schedule: what remains are the deviations that matter.
    """
    return _runs(world_of(system), max_steps)


@st.composite
def _runs(draw: st.DrawFn, world: AnyWorld, max_steps: int) -> Run:
    """A composite instead of `map`: Hypothesis then shows the run, not the bytes it was made of."""
    return simulate(world, Drawn(draw(st.binary(min_size=max_steps, max_size=max_steps))))
