"""How the metrics of a run are counted: the key `metrics` of a scenario file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sim.metrics.cost import DEFAULT_BUDGET_USD
from sim.metrics.prices import EPOCH
from sim.metrics.session import DEFAULT_WINDOW

Rates = Mapping[str, Decimal | str | int | float]
"""USD per million tokens, by kind of token."""


@dataclass(frozen=True)
class MetricsSettings:
    """Settings of a run's metrics.

    - `enabled`: whether a run is measured at all, unless the command line says otherwise
    - `window`: how many recent prompts predict the next (0 behaves as 1)
    - `context_window`: how many tokens a prompt may have; None if unknown
    - `models`: the model that each agent calls, by agent; without any, nothing has a price
    - `prices`: your own price table, by model; the rest comes from genai-prices' snapshot
    - `budget_usd`: the budget of a run
    - `planned_turns`: the turns of the whole session; a projection covers those that are left
    - `as_of`: the instant whose prices apply
    """

    enabled: bool = True
    window: int = DEFAULT_WINDOW
    context_window: int | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    prices: Mapping[str, Rates] = field(default_factory=dict)
    budget_usd: Decimal = DEFAULT_BUDGET_USD
    planned_turns: int | None = None
    as_of: datetime = EPOCH
