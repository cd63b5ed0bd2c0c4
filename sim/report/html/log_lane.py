"""The data of the lane of a log: which lines each step explains, and what is said of the first that none does."""

from __future__ import annotations

from typing import Any

from sim.conform.conformance import SAID, JudgedLog
from sim.conform.lanes import LaneLine


def log_data(log: JudgedLog) -> dict[str, Any]:
    """What a page shows of a log that was judged."""
    assert log.lanes is not None, "a log is judged with lanes where a page is written"
    return {
        "said": SAID[log.verdict],
        "verdict": log.verdict,
        "headline": log.headline,
        "words": list(log.words),
        "lane": [[_line(line) for line in lines] for lines in log.lanes.steps],
        "left": [_line(line) for line in log.lanes.left],
        "possible": list(log.possible),
        "differs": [list(one.values()) for one in log.differs],
    }


def _line(line: LaneLine) -> list[Any]:
    """Place, number, process, text, what came of it."""
    return [line.place, line.number, line.process, line.text, list(line.more)]
