"""What a run used and what it will use next: tokens, duplicates, replays, latency, cost.

What belongs here: the numbers, their arithmetic and their exports. It imports nothing from the simulation (only
`sim.base.errors`), so a production coordinator can use a `SessionMetrics` as it is. What does not: who used the tokens
and when. An observer reports that, by calling `record_turn`.

Only `usage` is imported here; `session` is imported when one of its names is first used, `cost` and `export` are
imported by name, because a process that counts tokens need not know prices, and a model that reports what it used need
not count at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.metrics.checked import MetricsError
from sim.metrics.usage import NO_USAGE, TokenUsage

if TYPE_CHECKING:
    from sim.metrics.session import SessionMetrics, SessionSnapshot

__all__ = ["NO_USAGE", "MetricsError", "SessionMetrics", "SessionSnapshot", "TokenUsage"]


def __getattr__(name: str) -> Any:
    if name not in ("SessionMetrics", "SessionSnapshot"):
        raise AttributeError(f"module 'sim.metrics' has no attribute {name!r}")
    from sim.metrics import session

    value = globals()[name] = getattr(session, name)
    return value
