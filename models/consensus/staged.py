"""The coordinator with what a run has around its stages, each off by default: guardrails ahead of them."""

from __future__ import annotations

from typing import ClassVar

from . import guarded
from .coordinator import Coordinator
from .guarded import Guarded
from .parts import Names


class Staged(Guarded, Coordinator):
    """Ours, with the rows of what is on; a row of what is off has a guard that never holds."""

    states: ClassVar[Names] = (*Coordinator.states, "guarding")
    hot: ClassVar[Names] = (*Coordinator.hot, "guarding")
    durable: ClassVar[Names] = (*Coordinator.durable, "flight")
    transitions = (*guarded.ROWS, *Coordinator.transitions)
