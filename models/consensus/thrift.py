"""A coordinator with a budget of money: an agent is asked again only while the budget has room for it."""

from __future__ import annotations

from decimal import Decimal

from sim import View, always
from sim.metrics import Budget

from .coordinator import Coordinator


class Thrifty(Coordinator):
    """Asks its budget before it asks an agent again, and gives up on whom it cannot pay for. First questions are asked in
    any case. The budget is nominal, like that of a retry: each question costs what is expected of it."""

    budget_usd: str = "2.00"
    """What the questions of a stage may cost; a text, since a process holds no exact amounts."""
    ask_usd: str = "0.01"
    """What a question and its answer are expected to cost."""

    def affords(self, more: int) -> bool:
        """Besides what was asked, and what whoever backs off will be asked."""
        budget, each = Budget(self.budget_usd), Decimal(self.ask_usd)
        budget.spend(sum(self.journal.attempts) * each)
        return budget.allows((len(self.waiting) + more) * each)


def _is_within(coordinator: View) -> bool:
    attempts = coordinator.journal.attempts
    asked = sum(attempts) * Decimal(coordinator.ask_usd)
    return max(attempts, default=0) <= 1 or asked <= Decimal(coordinator.budget_usd)


WITHIN_BUDGET = always("no question beyond the budget", lambda coordinator: _is_within(coordinator))
"""Whoever was asked again was asked within the budget."""
