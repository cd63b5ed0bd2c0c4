"""Faults: what can strike, and how plans spell it.

What belongs here: the kinds, the domain faults that machines are given instead of a message, the syntax
of plans and budgets. What does not: when a fault strikes, which is a pick of a strategy.
"""

from sim.faults.kinds import (
    DOMAIN_FAULTS,
    AgentTimeout,
    ConsensusFailure,
    Disconnect,
    EmptyResponse,
    RateLimited,
)
from sim.faults.plan import UNLIMITED, FaultEntry, parse_plan, show_plan

__all__ = [
    "DOMAIN_FAULTS",
    "UNLIMITED",
    "AgentTimeout",
    "ConsensusFailure",
    "Disconnect",
    "EmptyResponse",
    "FaultEntry",
    "RateLimited",
    "parse_plan",
    "show_plan",
]
