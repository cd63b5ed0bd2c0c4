"""What a run used and what it will use next: tokens, duplicates, replays, latency, cost.

What belongs here: the numbers, their arithmetic and their exports. It imports nothing from the simulation (only
`sim.base.errors`), so a production coordinator can use a `SessionMetrics` as it is. What does not: who used the tokens
and when. An observer reports that, by calling `record_turn`.

Only `usage` is imported here, the rest when one of its names is first used: a process that counts tokens need not know
prices, and a model that reports what it used need not count at all. `export` is imported by name.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sim.metrics.checked import MetricsError
from sim.metrics.usage import NO_USAGE, TokenUsage

if TYPE_CHECKING:
    from sim.metrics.breakdown import Share, Wasted
    from sim.metrics.cost import Budget, BudgetAlert, BudgetLevel, Cost, CostMeter
    from sim.metrics.prices import PriceTable
    from sim.metrics.session import SessionMetrics, SessionSnapshot

_LATER = {
    **dict.fromkeys(("SessionMetrics", "SessionSnapshot"), "session"),
    **dict.fromkeys(("Budget", "BudgetAlert", "BudgetLevel", "Cost", "CostMeter"), "cost"),
    **dict.fromkeys(("Share", "Wasted"), "breakdown"),
    "PriceTable": "prices",
}

__all__ = [
    "NO_USAGE",
    "Budget",
    "BudgetAlert",
    "BudgetLevel",
    "Cost",
    "CostMeter",
    "MetricsError",
    "PriceTable",
    "SessionMetrics",
    "SessionSnapshot",
    "Share",
    "TokenUsage",
    "Wasted",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'sim.metrics' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"sim.metrics.{_LATER[name]}"), name)
    return value
