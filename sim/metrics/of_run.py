"""`RunMetrics`: everything about one run, summed from what was observed of it.

The sums are made after the run, from its turns. A record of a run (the JSON of `sim run --json`) holds the
turns as well, so a reader sums them again and gets the same numbers, or finds that it was changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

from sim.metrics.breakdown import OTHER, Wasted
from sim.metrics.checked import MetricsError, checked_count, checked_label
from sim.metrics.cost import Cost, CostMeter
from sim.metrics.export import Metric, Origin, collect
from sim.metrics.prices import Price, PriceTable, exact_usd, instant, usd_text
from sim.metrics.session import WINDOW_MAX, SessionMetrics, SessionSnapshot, checked_size
from sim.metrics.settings import MetricsSettings
from sim.metrics.turns import Observed, Turn


def price_table(settings: MetricsSettings) -> PriceTable:
    """The prices of these settings."""
    return PriceTable(settings.prices, source="the scenario's own table", as_of=settings.as_of)


class RunMetrics:
    """The metrics of one run. `cost` is None if no agent's model is known.

    `prices` replaces the price table of the settings; a record brings the prices it was made with.
    """

    def __init__(self, settings: MetricsSettings, observed: Observed, prices: PriceTable | None = None) -> None:
        self.settings = settings
        self.observed = observed
        self.session = SessionMetrics(settings.window)
        for turn in observed.turns:
            _record(self.session, turn)
        self.session.record_duplicate_items(observed.duplicate_items)
        self.session.record_replay(observed.replay_updates)
        self.cost = self._cost(prices) if settings.models else None

    @cached_property
    def snapshot(self) -> SessionSnapshot:
        """The session at the end of the run."""
        return self.session.snapshot()

    def _cost(self, prices: PriceTable | None) -> CostMeter:
        """Prices turn by turn; the window of its projection is as many *rounds* as the session's has turns."""
        settings = self.settings
        table = prices or price_table(settings)
        window = min(WINDOW_MAX, max(1, settings.window) * len(settings.models))
        meter = CostMeter(table, budget_usd=settings.budget_usd, window=window)
        for turn in self.observed.turns:
            if turn.usage is not None:
                model = settings.models.get(turn.agent, "")
                meter.record(turn.usage, model=model, agent=turn.agent, stage=turn.stage, wasted=turn.wasted or "")
        return meter

    @property
    def is_empty(self) -> bool:
        """Whether nothing was recorded."""
        session = self.session
        return not (session.turn_count or session.duplicate_items or session.replay_updates)

    @property
    def remaining_turns(self) -> int:
        """The turns still to come of those planned; 1, the next one, if nothing was planned."""
        planned = self.settings.planned_turns
        return 1 if planned is None else max(0, planned - self.session.turn_count)

    @property
    def utilisation(self) -> float | None:
        """The part of the context window that the last prompt filled; None if the window is not known."""
        window = self.settings.context_window
        return None if window is None else self.session.context_utilisation(window)

    def wasted(self) -> list[tuple[Wasted, Cost | None]]:
        """What was used for answers that did not count, by agent and reason, with its cost where models are known."""
        costs = self.cost.wasted() if self.cost is not None else None
        return [
            (row, None if costs is None else costs.get((row.agent, row.reason), Cost())) for row in self.snapshot.wasted
        ]

    def unpriced_agents(self) -> list[str]:
        """Agents with turns whose cost is unknown, because the model's name or its price is missing."""
        if self.cost is None:
            return []
        return [agent for agent, cost in self.cost.by_agent().items() if not cost.is_known]

    def metrics(self) -> tuple[Metric, ...]:
        """For the exports. Sizes are distributions unless the breakdown had to fold agents or stages."""
        folded = any(row.agent == OTHER for row in self.snapshot.billed)
        models = self.settings.models
        sellers = {agent: model.partition("/")[0] for agent, model in models.items() if "/" in model}
        origin = Origin(providers=sellers, models=models)
        return collect(self.snapshot, origin=origin, cost=self.cost, turns=None if folded else self.observed.turns)

    # --- as data -----------------------------------------------------------------------------

    def as_dict(self) -> dict[str, Any]:
        """Everything under stable names, for JSON: the snapshot, `context`, `cost`, `settings`, `turns`."""
        settings = self.settings
        return {
            **self.snapshot.as_dict(),
            "wasted": [
                {**row.as_dict(), "cost": None if cost is None else cost.as_dict()} for row, cost in self.wasted()
            ],
            "context": {"window_tokens": settings.context_window, "utilisation": self.utilisation},
            "cost": self.cost.as_dict(remaining_turns=self.remaining_turns) if self.cost is not None else None,
            "settings": {
                "window": settings.window,
                "context_window": settings.context_window,
                "models": dict(settings.models),
                "budget_usd": usd_text(settings.budget_usd),
                "planned_turns": settings.planned_turns,
                "as_of": settings.as_of.isoformat(),
            },
            "turns": [turn.as_dict() for turn in self.observed.turns],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunMetrics:
        """The metrics that `as_dict` gave, summed again; other keys are left alone.

        Raises `MetricsError` if it is not such a mapping, or if its sums are not those of its turns.
        """
        try:
            cost = data["cost"]
            observed = Observed(
                tuple(map(Turn.from_dict, data["turns"])),
                checked_count("duplicate_items", data["duplicate_items"]),
                checked_count("replay_updates", data["replay_updates"]),
            )
            prices = {} if cost is None else {m: p and Price.from_dict(p) for m, p in cost["prices"].items()}
            metrics = cls(_settings(data["settings"]), observed, PriceTable.of(prices))
            summed = metrics.as_dict()
        except (KeyError, TypeError, AttributeError, ArithmeticError) as error:  # the last one: numbers out of range
            raise MetricsError(f"these are not the metrics of a run ({type(error).__name__}: {error})") from None
        if "wasted" not in data:  # a record of 0.1 does not say it
            del summed["wasted"], summed["turns"]
        for name, value in summed.items():
            if data.get(name) != value:
                raise MetricsError(f"the record was changed: its {name} is not what its turns add up to")
        return metrics


def _record(session: SessionMetrics, turn: Turn) -> None:
    if turn.usage is None:
        session.record_turn_without_usage(
            agent=turn.agent, stage=turn.stage, run=turn.run, attempt=turn.attempt, wasted=turn.wasted or ""
        )
        return
    session.record_turn(
        turn.usage,
        agent=turn.agent,
        stage=turn.stage,
        run=turn.run,
        attempt=turn.attempt,
        latency_ms=turn.latency_ms,
        wasted=turn.wasted or "",
    )


def _settings(data: Mapping[str, Any]) -> MetricsSettings:
    for agent, model in data["models"].items():
        checked_label(f"the model of {agent}", model)
    if data["context_window"] is not None:
        checked_size("context_window", data["context_window"])
    if data["planned_turns"] is not None:
        checked_count("planned_turns", data["planned_turns"])
    return MetricsSettings(
        window=checked_count("window", data["window"]),
        context_window=data["context_window"],
        models=dict(data["models"]),
        budget_usd=_budget(data["budget_usd"]),
        planned_turns=data["planned_turns"],
        as_of=instant("as_of", data["as_of"]),
    )


def _budget(value: object) -> Decimal:
    if not isinstance(value, str):
        raise MetricsError(f"budget_usd is {value!r}; expected USD as a text")
    return exact_usd("budget_usd", value)
