"""The aggregator, off by default: the last of a stage's roster, asked when the others are done, whose record sums up theirs.

Its record must have the keys of its stage; one that lacks any is of no use, as every such record is. What it says counts as
one answer: the verdict is computed from all answers whenever a stage is decided, and never read from what was written before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim import View, always
from sim.consensus import Round, Taken, lacking

from .asking import Asking
from .journal import Stage
from .messages import USABLE, Response

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "clarify": ("issues",),
    "plan": ("work_breakdown", "acceptance_mapping"),
    "checklist": ("requirements",),
    "tasks": ("tasks",),
    "analyze": ("issues",),
    "implement": ("implementation",),
    "validate": ("test_strategy",),
    "audit": ("audit_verdict",),
    "unlock": ("unlock_decision",),
}
"""Stage -> the keys that a record must have there, besides `stage` and `agent`."""


def record_in(response: Response) -> dict[str, Any]:
    """The record that an answer holds: nothing if it is empty or cannot be read, no key of its stage if it is keyless."""
    if response.answer in ("empty", "invalid"):
        return {}
    keys = REQUIRED[response.stage] if response.answer in USABLE else ()
    return {"stage": response.stage, "agent": response.agent, **dict.fromkeys(keys, response.answer)}


def is_whole(response: Response) -> bool:
    return not lacking(record_in(response), ("stage", "agent", *REQUIRED[response.stage]))


def aggregator_of(stage: Stage) -> str:
    """Who sums up a stage; nobody in a gate, and none where only one is asked."""
    return "" if stage.mode == "gate" or len(stage.roster) < 2 else stage.roster[-1]


class Aggregating(Asking):
    """Asks the aggregator last, and reads the records."""

    aggregator: bool = False

    def due(self) -> list[str]:
        if not self.aggregator:
            return super().due()
        last = aggregator_of(self.stage())
        others = [agent for agent in super().due() if agent != last]
        return others or super().due()

    def taken(self, response: Response) -> tuple[Round, Taken]:
        if not self.aggregator:
            return super().taken(response)
        return self.round().take(*self.claim(response), response.answer, usable=is_whole(response))


def _is_last(coordinator: View) -> bool:
    journal, stages = coordinator.journal, coordinator.stages
    key = journal.sequence[2]
    stage = stages[key[1] % len(stages) if key else 0]
    asked = dict(zip(stage.roster, journal.attempts, strict=False))
    done = {*journal.given_up, *(agent for agent, _ in journal.answers)}
    return not asked.get(aggregator_of(stage)) or done >= {*stage.roster[:-1]}


COMES_LAST = always("the aggregator comes last", lambda coordinator: _is_last(coordinator))
"""It is asked when nobody else is waited for."""
