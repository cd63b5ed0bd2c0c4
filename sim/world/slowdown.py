"""What only a clock sees of a run: something that took longer."""

from __future__ import annotations

from typing import NamedTuple


class Slowdown(NamedTuple):
    """A delay or a pause that struck: after how many steps, when, which kind, and what it was as a sentence."""

    step: int
    time_ms: int
    kind: str
    text: str
