"""The coordinator with what a run has around its stages, each off by default: guardrails ahead of them, gates between, and an
aggregator in each."""

from __future__ import annotations

from typing import ClassVar

from . import gates, guarded
from .aggregator import Aggregating
from .coordinator import Coordinator
from .gates import Gated
from .guarded import Guarded
from .parts import Names


class Staged(Gated, Guarded, Aggregating, Coordinator):
    """Ours, with the rows of what is on; a row of what is off has a guard that never holds."""

    states: ClassVar[Names] = (*Coordinator.states, "guarding", "awaiting")
    hot: ClassVar[Names] = (*Coordinator.hot, "guarding", "awaiting")
    durable: ClassVar[Names] = (*Coordinator.durable, "flight", "gate")
    transitions = (*gates.ROWS, *guarded.ROWS, *Coordinator.transitions)
