"""The worst schedule: of those that a fuzz has run the one that costs most, takes longest or uses most tokens; made to read well.

The best known run is kept as it is searched for in performance fuzzing (Lemieux, Padhye, Sen, Song: "PerfFuzz", ISSTA 2018); here
schedules are drawn without regard to it, and what is minimised afterwards is what departs from the usual, while no less is used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sim.base.durations import show_duration
from sim.base.errors import ConfigError, listing, unknown
from sim.fuzzer.discovery import Discovery
from sim.metrics.of_run import RunMetrics, price_table
from sim.metrics.prices import PriceTable, usd_text
from sim.metrics.settings import MetricsSettings
from sim.minimiser.minimise import minimise
from sim.run.metering import meter
from sim.run.simulation import simulate
from sim.run.trace import Run
from sim.strategy import Canonical, Replay, Strategy
from sim.world.finding import Finding
from sim.world.world import AnyWorld

Amount = int | Decimal


class Meter(NamedTuple):
    """How runs are measured."""

    settings: MetricsSettings
    prices: PriceTable

    def __call__(self, run: Run) -> RunMetrics:
        return meter(run.trace, self.settings, self.prices)


def _tokens(run: Run, metered: Meter) -> Amount:
    return metered(run).snapshot.running_total.total_tokens


def _cost(run: Run, metered: Meter) -> Amount:
    metrics = metered(run)
    if metrics.cost is None:
        if not metrics.snapshot.turn_count:
            return Decimal(0)
        raise ConfigError(
            "--worst cost: nothing has a price; name the model of each agent in metrics.models of a scenario"
        )
    if not metrics.cost.total.is_known:
        raise ConfigError(f"--worst cost: {_unpriced(metrics)} no known price; give it in metrics.prices of a scenario")
    return metrics.cost.total.usd


def _unpriced(metrics: RunMetrics) -> str:
    agents = metrics.unpriced_agents()
    models = sorted({metrics.settings.models.get(agent) or agent for agent in agents})
    return f"{listing(models, 'and')} {'has' if len(models) == 1 else 'have'}"


def _latency(run: Run, _: Meter) -> Amount:
    passed = run.trace.world.clock_ms(run.place)
    if passed is None:
        raise ConfigError(
            "--worst latency: a model has no clock, and a fuzz no virtual time; use tokens or cost, or a program"
        )
    return passed


MEASURES: dict[str, Callable[[Run, Meter], Amount]] = {"cost": _cost, "latency": _latency, "tokens": _tokens}
"""What a schedule may be worst in: USD; milliseconds of simulated time; tokens."""


def checked_measure(measure: str | None, engine: str) -> str | None:
    """Raises `ConfigError` for an unknown measure, and for an engine that measures nothing."""
    if measure is not None and measure not in MEASURES:
        raise ConfigError(unknown("measure", measure, MEASURES))
    if measure is not None and engine == "compiled":
        raise ConfigError("the compiled engine measures nothing: ask for the worst schedule of another")
    return measure


def amount_text(measure: str, amount: Amount) -> str:
    """An amount of this measure, in words: `1,230 tokens`, `0.0058 USD`, `12.5s`."""
    if measure == "latency":
        return show_duration(int(amount))
    return f"{usd_text(Decimal(amount))} USD" if measure == "cost" else f"{amount:,} tokens"


@dataclass(frozen=True)
class Worst:
    """The worst schedule of a fuzz, beside the usual one."""

    measure: str
    usual: Amount
    """Of the schedule in which nothing departs from the usual."""
    middle: Amount
    """Half of the schedules come to no more."""
    amount: Amount
    """Of the schedule that is kept: no less than any that was run."""
    discovery: Discovery
    """That schedule, and which one came to it first."""
    verdict: str
    """Of that schedule, as a scenario file expects it."""
    violation: str | None

    @property
    def expected(self) -> dict[str, str]:
        """What a scenario file of it expects; nothing where it never ends."""
        if self.verdict == "incomplete":
            return {}
        return {"verdict": self.verdict, **({} if self.violation is None else {"violation": self.violation})}

    @property
    def ratio(self) -> float | None:
        """How many times the usual it is; None where the usual is nothing."""
        return float(Decimal(self.amount) / Decimal(self.usual)) if self.usual else None

    def as_dict(self) -> dict[str, Any]:
        """What it comes to, under stable names, for JSON."""
        amounts = {"amount": self.amount, "usual": self.usual, "middle": self.middle}
        return {
            "measure": self.measure,
            **{name: usd_text(amount) if isinstance(amount, Decimal) else amount for name, amount in amounts.items()},
            "ratio": None if self.ratio is None else round(self.ratio, 6),
            "verdict": self.verdict,
        }

    @property
    def middle_text(self) -> str:
        return amount_text(self.measure, self.middle)

    @property
    def sentence(self) -> str:
        """What it comes to, beside the usual."""
        amount, usual = amount_text(self.measure, self.amount), amount_text(self.measure, self.usual)
        if self.amount == self.usual:
            return f"{amount}, which is the usual: no schedule came to more"
        return (
            f"{amount}, and the usual is {usual}"
            if self.ratio is None
            else f"{amount}, {self.ratio:,.1f} times the usual {usual}"
        )


class WorstSoFar:
    """Measures schedules one after the other, and keeps the first of those that come to most.

    Raises `ConfigError` for what cannot be measured in this world.
    """

    def __init__(self, world: AnyWorld, measure: str, settings: MetricsSettings | None, max_steps: int) -> None:
        self._world, self._measure = world, measure
        self._max_steps = max_steps
        settings = settings or MetricsSettings()
        self._meter = Meter(settings, price_table(settings))
        self._amounts: Counter[Amount] = Counter()
        self._most: tuple[Run, Strategy, int] | None = None
        self._usual_run = simulate(world, Canonical(), max_steps=max_steps)
        self._usual = self._top = self._of(self._usual_run)

    def _of(self, run: Run) -> Amount:
        return MEASURES[self._measure](run, self._meter)

    def note(self, run: Run, picking: Strategy, number: int) -> None:
        """A schedule that came to its end."""
        amount = self._of(run)
        self._amounts[amount] += 1
        if amount > self._top:
            self._top, self._most = amount, (run, picking, number)

    def least(self, over: Callable[[], bool] | None = None) -> Worst:
        """The worst schedule, in which nothing is left that does not make it so."""
        run, picking, number = self._most or (self._usual_run, Canonical(), 0)
        start, choices = run.trace.start, [choice for _, choice in run.trace.steps]

        def wanted(other: Run) -> Finding | None:
            amount = self._of(other)
            return self._said(amount) if amount >= self._top else None

        counterexample = minimise(self._world, start, choices, self._said(self._top), over=over, wanted=wanted)
        again = simulate(self._world, Replay(counterexample.schedule), max_steps=self._max_steps)
        return Worst(
            measure=self._measure,
            usual=self._usual,
            middle=self._middle(),
            amount=self._of(again),
            discovery=Discovery(counterexample, picking.name, picking.seed, number, run.steps),
            verdict=again.verdict,
            violation=None if again.finding is None else again.finding.property,
        )

    def _said(self, amount: Amount) -> Finding:
        return Finding(f"worst {self._measure}", amount_text(self._measure, amount))

    def _middle(self) -> Any:
        left = sum(self._amounts.values()) / 2
        for amount in sorted(self._amounts):
            left -= self._amounts[amount]
            if left <= 0:
                return amount
        return self._usual
