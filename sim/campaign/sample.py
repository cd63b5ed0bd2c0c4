"""What the runs of a campaign use: one schedule of each chunk is measured, like a run of `sim status`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal

from sim.campaign.campaign_plan import CampaignPlan
from sim.fuzzer.fuzz import schedule_seed
from sim.metrics.settings import MetricsSettings
from sim.run.metering import meter
from sim.run.simulation import simulate
from sim.run.trace import Ending
from sim.scenario import Target
from sim.strategy import make_strategy
from sim.world.world import AnyWorld


@dataclass(frozen=True)
class Sample:
    """The metrics of several runs, added up. `usd` is exact, as a text; None if no price is known."""

    runs: int = 0
    turns: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    duplicates: int = 0
    replays: int = 0
    usd: str | None = None
    usd_is_whole: bool = True
    """Whether every turn had a price; otherwise `usd` is a lower bound."""

    def __add__(self, other: Sample) -> Sample:
        usd = [Decimal(one.usd) for one in (self, other) if one.usd is not None]
        return Sample(
            self.runs + other.runs,
            self.turns + other.turns,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.duplicates + other.duplicates,
            self.replays + other.replays,
            str(sum(usd, Decimal(0))) if usd else None,
            self.usd_is_whole and other.usd_is_whole,
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Sample:
        return cls(**json.loads(text))


def sample_of(
    target: Target, world: AnyWorld, plan: CampaignPlan, number: int, over: Callable[[], bool] | None = None
) -> Sample:
    """The metrics of schedule `number`; empty if the scenario switches metrics off, and if the time is `over`."""
    settings = target.scenario.metrics if target.scenario is not None else MetricsSettings()
    if not settings.enabled:
        return Sample()
    picking = make_strategy(plan.strategy, schedule_seed(plan.seed, number), number=number)
    run = simulate(world, picking, max_steps=plan.max_steps, over=over)
    if run.ending is Ending.INTERRUPTED:
        return Sample()
    found = meter(run.trace, settings)
    snapshot, cost = found.snapshot, found.cost.total if found.cost is not None else None
    return Sample(
        runs=1,
        turns=snapshot.turn_count,
        input_tokens=snapshot.running_total.input_tokens,
        output_tokens=snapshot.running_total.output_tokens,
        duplicates=snapshot.duplicate_items,
        replays=snapshot.replay_updates,
        usd=None if cost is None else str(cost.usd),
        usd_is_whole=cost is None or cost.is_known,
    )
