"""Faults: what can strike, and how plans spell it; and the same faults for ordinary code.

What belongs here: the table of kinds, the domain faults that machines are given instead of a message, the
syntax of plans and budgets, the gate, and the injector for ordinary code behind it. What does not: when a
fault strikes in a run, which is a pick of a strategy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sim.faults.kinds import (
    DOMAIN_FAULTS,
    AgentTimeout,
    ConsensusFailure,
    Disconnect,
    EmptyResponse,
    RateLimited,
)
from sim.faults.plan import UNLIMITED, FaultEntry, parse_plan, show_plan
from sim.faults.raised import (
    AgentTimeoutError,
    ConsensusFailureError,
    DisconnectError,
    EmptyResponseError,
    InjectedFault,
    RateLimitedError,
)

if TYPE_CHECKING:
    from sim.faults.gate import Faults, close_gate, faults_left, faults_struck, next_fault, open_gate
    from sim.faults.injection import inject
    from sim.faults.points import CONSENSUS, SPEC_KIT, Agent, FaultScope

_LATER = {
    **dict.fromkeys(("Faults", "close_gate", "faults_left", "faults_struck", "next_fault", "open_gate"), "gate"),
    **dict.fromkeys(("CONSENSUS", "SPEC_KIT", "Agent", "FaultScope"), "points"),
    "inject": "injection",
}

__all__ = [
    "CONSENSUS",
    "DOMAIN_FAULTS",
    "SPEC_KIT",
    "UNLIMITED",
    "Agent",
    "AgentTimeout",
    "AgentTimeoutError",
    "ConsensusFailure",
    "ConsensusFailureError",
    "Disconnect",
    "DisconnectError",
    "EmptyResponse",
    "EmptyResponseError",
    "FaultEntry",
    "FaultScope",
    "Faults",
    "InjectedFault",
    "RateLimited",
    "RateLimitedError",
    "close_gate",
    "faults_left",
    "faults_struck",
    "inject",
    "next_fault",
    "open_gate",
    "parse_plan",
    "show_plan",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'sim.faults' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"sim.faults.{_LATER[name]}"), name)
    return value
