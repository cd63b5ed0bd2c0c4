"""What a program says of itself, from anywhere in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.base.values import Emission

if TYPE_CHECKING:
    from sim.live.execution import Execution


class CancellationIgnored(Emission):
    """A task that a fault had cancelled has ended in another way, and without `uncancel()`: who cancels it in production will
    take it for ended by that. A hint, and nothing that is judged unless a monitor does."""

    task: str


active: Execution | None = None
"""The execution that is under way in this moment."""


def emit(emission: Emission) -> None:
    """Let monitors, ledgers and the trace of a run hear of something. Outside of a run it does nothing."""
    if active is not None:
        active.hear(emission)
