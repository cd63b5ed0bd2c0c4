"""What a program says of itself, from anywhere in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.base.values import Emission
    from sim.live.execution import Execution

active: Execution | None = None
"""The execution that is under way in this moment."""


def emit(emission: Emission) -> None:
    """Let monitors, ledgers and the trace of a run hear of something. Outside of a run it does nothing."""
    if active is not None:
        active.hear(emission)
