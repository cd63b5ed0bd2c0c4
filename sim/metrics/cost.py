"""What a run costs, what its remaining rounds will cost, and when its budget runs out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import Enum
from typing import Any

from sim.metrics.breakdown import OTHER, BoundedTable
from sim.metrics.checked import MetricsError, checked_count, checked_label
from sim.metrics.prices import EXACT, Price, PriceTable, exact_usd, usd_text
from sim.metrics.session import DEFAULT_ROWS, DEFAULT_WINDOW, checked_size, checked_window
from sim.metrics.usage import TokenUsage

DEFAULT_BUDGET_USD = Decimal("2.00")
PROJECTION_STEP_USD = Decimal("0.000001")
"""Projections are rounded to this: a mean is seldom a finite decimal, and is an estimate anyway."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Exact USD of the turns whose model has a price, and how many turns and tokens had none.

    Sums of costs are exact, so they do not depend on order or grouping.
    """

    usd: Decimal = Decimal(0)
    turns: int = 0
    unknown_turns: int = 0
    unknown_tokens: int = 0

    @property
    def is_known(self) -> bool:
        """Whether `usd` is the whole cost; otherwise it is at least that much."""
        return self.unknown_turns == 0

    def __add__(self, other: Cost) -> Cost:
        if not isinstance(other, Cost):
            return NotImplemented
        return Cost(
            EXACT.add(self.usd, other.usd),
            self.turns + other.turns,
            self.unknown_turns + other.unknown_turns,
            self.unknown_tokens + other.unknown_tokens,
        )

    def as_dict(self) -> dict[str, object]:
        """USD as a string, because a JSON number may be read as a float."""
        return {
            "usd": usd_text(self.usd),
            "known": self.is_known,
            "turns": self.turns,
            "unknown_turns": self.unknown_turns,
            "unknown_tokens": self.unknown_tokens,
        }


def cost_of(usage: TokenUsage, price: Price | None) -> Cost:
    """The cost of one turn; without a price it is unknown, not zero and not a guess."""
    if price is None:
        return Cost(turns=1, unknown_turns=1, unknown_tokens=usage.total_tokens)
    return Cost(price.of(usage), turns=1)


class BudgetLevel(Enum):
    """The percentages at which a budget alerts."""

    WARNING = 80
    CRITICAL = 90
    EXCEEDED = 100


@dataclass(frozen=True, slots=True)
class BudgetAlert:
    """That a budget has reached a level, and what was spent when it did."""

    level: BudgetLevel
    spent_usd: Decimal
    limit_usd: Decimal

    @property
    def sentence(self) -> str:
        spent, limit = usd_text(self.spent_usd), usd_text(self.limit_usd)
        return f"{self.level.name.lower()}: {spent} of {limit} USD spent ({self.level.value} % reached)"

    def as_dict(self) -> dict[str, object]:
        return {
            "level": self.level.name.lower(),
            "percent": self.level.value,
            "spent_usd": usd_text(self.spent_usd),
            "limit_usd": usd_text(self.limit_usd),
        }


class Budget:
    """A limit for one run (default 2.00 USD). Each level alerts once, when it is first reached: `warn` is called with it.

    A coordinator asks `allows(estimate)` before it asks an agent again, and says what it spent with `spend`. Raises
    `MetricsError` for a limit that is not an amount over 0.
    """

    __slots__ = ("_alerts", "_warn", "limit_usd", "spent_usd")

    def __init__(
        self,
        limit_usd: Decimal | str | int | float = DEFAULT_BUDGET_USD,
        *,
        warn: Callable[[BudgetAlert], object] | None = None,
    ) -> None:
        self.limit_usd = exact_usd("budget", limit_usd)
        if not self.limit_usd:
            raise MetricsError("budget is 0 USD; expected more (None: no budget)")
        self.spent_usd = Decimal(0)
        self._alerts: list[BudgetAlert] = []
        self._warn = warn

    def allows(self, estimate_usd: Decimal | str | int | float) -> bool:
        """Whether that much more can be spent within the limit: exactly the limit is within. Never alerts: nothing was
        spent. Raises `MetricsError` if the estimate is not an amount."""
        estimate = exact_usd("estimate", estimate_usd)
        return EXACT.add(self.spent_usd, estimate) <= self.limit_usd

    def spend(self, usd: Decimal | str | int | float) -> tuple[BudgetAlert, ...]:
        """Count what was spent; the alerts that it raises for the first time. Raises `MetricsError` if it is not an
        amount; then nothing is counted."""
        return self.check(EXACT.add(self.spent_usd, exact_usd("spent", usd)))

    def check(self, spent_usd: Decimal) -> tuple[BudgetAlert, ...]:
        """Take over what was spent in total; the alerts that it raises for the first time, mildest first; usually
        empty."""
        self.spent_usd = spent_usd
        reached = tuple(
            BudgetAlert(level, spent_usd, self.limit_usd)
            for level in list(BudgetLevel)[len(self._alerts) :]
            if EXACT.multiply(spent_usd, 100) >= EXACT.multiply(self.limit_usd, level.value)
        )
        self._alerts += reached
        if self._warn is not None:
            for alert in reached:
                self._warn(alert)
        return reached

    @property
    def alerts(self) -> tuple[BudgetAlert, ...]:
        """Every alert raised so far."""
        return tuple(self._alerts)

    def left_usd(self, spent_usd: Decimal) -> Decimal:
        """What may still be spent, 0 or more."""
        return max(Decimal(0), EXACT.subtract(self.limit_usd, spent_usd))

    def utilisation(self, spent_usd: Decimal) -> Decimal:
        """The part of the limit that was spent, to 28 digits; 1 is all of it."""
        return Context(prec=28).divide(spent_usd, self.limit_usd)

    def as_dict(self, spent_usd: Decimal) -> dict[str, object]:
        """For JSON, with what is left and the part that was spent."""
        return {
            "limit_usd": usd_text(self.limit_usd),
            "left_usd": usd_text(self.left_usd(spent_usd)),
            "utilisation": float(self.utilisation(spent_usd)),
            "alerts": [alert.as_dict() for alert in self._alerts],
        }


@dataclass(frozen=True, slots=True)
class Projection:
    """What this many more turns will cost if they are like those of the window.

    `usd` is None if the window holds no priced turn. `is_known` is False if it holds unpriced ones:
    they enter the mean as 0, so `usd` is a lower bound.
    """

    turns: int
    usd: Decimal | None
    is_known: bool

    def as_dict(self) -> dict[str, object]:
        usd = None if self.usd is None else usd_text(self.usd)
        return {"turns": self.turns, "usd": usd, "known": self.is_known}


class _CostRow:
    __slots__ = ("cost",)

    def __init__(self) -> None:
        self.cost = Cost()

    def absorb(self, other: _CostRow, /) -> None:
        self.cost += other.cost


def _cost_table(rows: int) -> BoundedTable[_CostRow]:
    return BoundedTable(_CostRow, rows, BoundedTable(_CostRow, 1))


def _costs(table: BoundedTable[_CostRow]) -> dict[str, Cost]:
    """By the single label of the table's keys; the row of those beyond the bound is `OTHER`."""
    named, other = table.levels()
    costs = [(key[0], row.cost) for key, row in named.items()]
    return dict([*costs, *((OTHER, row.cost) for _, row in other.items())])


class CostMeter:
    """The cost of one run, turn by turn. Separate from `SessionMetrics`, to stay out of its hot path.

    Prices are applied to each turn as it comes, because a tier depends on the size of a single
    prompt. `window` is the number of recent turns that a projection looks at (0 behaves as 1): with several agents,
    pass the turns of a round. `budget_usd` is the run's budget (None: no budget). `rows` bounds each breakdown. Raises
    `MetricsError` for invalid numbers.
    """

    def __init__(
        self,
        prices: PriceTable | None = None,
        *,
        budget_usd: Decimal | str | int | float | None = DEFAULT_BUDGET_USD,
        window: int = DEFAULT_WINDOW,
        rows: int = DEFAULT_ROWS,
    ) -> None:
        self._prices = prices or PriceTable()
        self._recent: deque[Cost] = deque(maxlen=checked_window(window))
        checked_size("rows", rows)
        self.budget = None if budget_usd is None else Budget(budget_usd)
        self.total = Cost()
        self._by_model = _cost_table(rows)
        self._by_agent = _cost_table(rows)
        self._by_stage = _cost_table(rows)
        self._wasted = _cost_table(rows)

    def record(
        self, usage: TokenUsage, *, model: str, agent: str = "", stage: str = "", wasted: str = ""
    ) -> tuple[BudgetAlert, ...]:
        """Add the cost of one turn of `model`, of which `wasted` says why it did not count, if it did not; returns the
        budget alerts that it raised first."""
        for label, name in (("model", model), ("agent", agent), ("stage", stage), ("wasted", wasted)):
            checked_label(label, name)
        cost = cost_of(usage, self._prices.price(model))
        self.total += cost
        self._by_model.row((model,)).cost += cost
        self._by_agent.row((agent,)).cost += cost
        self._by_stage.row((stage,)).cost += cost
        if wasted:
            self._wasted.row((agent, wasted)).cost += cost
        self._recent.append(cost)
        return self.budget.check(self.total.usd) if self.budget else ()

    def by_model(self) -> dict[str, Cost]:
        """The cost of each model, by name."""
        return _costs(self._by_model)

    def by_agent(self) -> dict[str, Cost]:
        """The cost of each agent, by name; `""` holds what was not attributed."""
        return _costs(self._by_agent)

    def by_stage(self) -> dict[str, Cost]:
        """The cost of each stage, by name; `""` holds what was not attributed."""
        return _costs(self._by_stage)

    def wasted(self) -> dict[tuple[str, str], Cost]:
        """The cost of answers that did not count, by agent and reason; those beyond the bound are (`OTHER`, `OTHER`)."""
        named, other = self._wasted.levels()
        costs = [((key[0], key[1]), row.cost) for key, row in named.items()]
        return dict([*costs, *(((OTHER, OTHER), row.cost) for _, row in other.items())])

    def prices(self) -> dict[str, Price | None]:
        """The price, with its source and version, that each model was charged; None if unknown."""
        return {model: self._prices.price(model) for model in self.by_model() if model != OTHER}

    def projected(self, remaining_turns: int) -> Projection:
        """The mean cost of the window's turns times `remaining_turns` (0 or more), to 0.000001 USD.

        Remaining turns are remaining rounds times the agents of a round.
        """
        checked_count("remaining_turns", remaining_turns)
        recent = sum(self._recent, Cost())
        if recent.turns == recent.unknown_turns:
            return Projection(remaining_turns, None, is_known=False)
        rounding = Context(prec=200, rounding=ROUND_HALF_EVEN)
        mean = rounding.divide(rounding.multiply(recent.usd, remaining_turns), recent.turns)
        usd = rounding.quantize(mean, PROJECTION_STEP_USD)
        return Projection(remaining_turns, usd, recent.is_known)

    def as_dict(self, *, remaining_turns: int | None = None) -> dict[str, Any]:
        """Everything under stable names, for JSON; amounts are strings. No projection without a number."""
        projected = None if remaining_turns is None else self.projected(remaining_turns).as_dict()
        return {
            "total": self.total.as_dict(),
            "by_model": {name: cost.as_dict() for name, cost in self.by_model().items()},
            "by_agent": {name: cost.as_dict() for name, cost in self.by_agent().items()},
            "by_stage": {name: cost.as_dict() for name, cost in self.by_stage().items()},
            "prices": {name: price.as_dict() if price else None for name, price in self.prices().items()},
            "budget": self.budget.as_dict(self.total.usd) if self.budget else None,
            "projected": projected,
        }
