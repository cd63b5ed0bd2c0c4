"""What a clock alone sees of a run: something that took longer."""

from __future__ import annotations

from typing import NamedTuple


class Slowdown(NamedTuple):
    """A delay or a pause that struck: behind how many steps, when, which kind, and what it was as a sentence."""

    step: int
    time_ms: int
    kind: str
    text: str
