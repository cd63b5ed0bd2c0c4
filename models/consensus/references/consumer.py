"""The upstream's consumer: it takes what comes, says so too early, and hears that a run is to end."""

from __future__ import annotations

from sim import IGNORE

from ..consumer import Consumer
from ..messages import Cancel, Decision, Stop, Tick
from .deviating import Deviating


class ReferenceConsumer(Deviating, Consumer):
    """Once it is inactive, it acknowledges what arrives and throws it away."""

    states = (*Consumer.states, "inactive")
    transitions = (
        {
            "trigger": Decision,
            "source": "open",
            "dest": None,
            "conditions": ["acks_on_receipt", "is_new"],
            "unless": ["is_foreign", "counts_down"],
            "after": ["acknowledge", "take"],
        },
        *Consumer.transitions,
        *({"trigger": wish, "source": ["open", "counting", "inactive"], "dest": "inactive"} for wish in (Stop, Cancel)),
        {"trigger": Decision, "source": "inactive", "dest": None, "after": "acknowledge"},
        {"trigger": Tick, "source": "inactive", "dest": IGNORE},
    )

    def is_foreign(self, decision: Decision) -> bool:
        return super().is_foreign(decision) and not self.switches.takes_any_decision

    def is_new(self, decision: Decision) -> bool:
        return super().is_new(decision) or self.switches.takes_any_decision

    def acks_on_receipt(self) -> bool:
        return self.switches.acks_on_receipt

    def count_down(self, decision: Decision) -> None:
        if self.switches.acks_on_receipt and not self.is_waiting(decision):
            self.acknowledge(decision)
        super().count_down(decision)

    def take_at_last(self) -> None:
        if not self.switches.acks_on_receipt:
            super().take_at_last()
        elif self.waiting is not None:
            self.take(self.waiting)

    def is_ours(self, tick: Tick) -> bool:
        if self.switches.ticks_by_id:
            return self.waiting is not None and tick.id == self.countdowns
        return super().is_ours(tick)
