"""What a run used and what it will use next: tokens, duplicates, replays, latency, cost.

What belongs here: the numbers, their arithmetic and their exports. It imports nothing of the
simulation (only `sim.errors`), so a production coordinator can keep a `SessionMetrics` as it is.
What does not: who used the tokens and when. An observer tells that, by calling `record_turn`.

Only `usage` and `session` are imported here; `cost` and `export` are asked for by name, because a
process that counts tokens need not know prices.
"""

from __future__ import annotations

from sim.metrics.session import SessionMetrics, SessionSnapshot
from sim.metrics.usage import NO_USAGE, MetricsError, TokenUsage

__all__ = ["NO_USAGE", "MetricsError", "SessionMetrics", "SessionSnapshot", "TokenUsage"]
