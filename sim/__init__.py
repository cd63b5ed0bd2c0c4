"""roundsim: deterministic simulation of consensus rounds written as explicit state machines.

The names here are the public ones. What every model needs is imported at once; engines, ledgers and what
else not everybody needs come when they are first used, so that `import sim` stays cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sim.errors import ConfigError, DivergenceError, ModelError, ScenarioError, SimError, TableError
from sim.faults import AgentTimeout, ConsensusFailure, Disconnect, EmptyResponse, RateLimited
from sim.process import Monitor, Process, View
from sim.properties import always, eventually, sometimes, within
from sim.system import Cut, System, cut
from sim.table import DEFER, IGNORE
from sim.timing import Timing
from sim.values import Emission, Fault, Message, Record

if TYPE_CHECKING:
    from sim.action import Action
    from sim.explore.check import check
    from sim.explore.fuzz import FuzzFinding, FuzzResult, fuzz
    from sim.explore.minimise import Minimised, minimise
    from sim.explore.recovery import Recovery, recovers
    from sim.explore.result import CheckResult
    from sim.graph import Graph, State
    from sim.judge import Finding
    from sim.ledgers import (
        Accepted,
        Applied,
        Cancelled,
        Counted,
        Crashed,
        EffectLedger,
        InputLedger,
        Received,
        Rejected,
        Restarted,
    )
    from sim.simulation import simulate
    from sim.strategy import Drawn, Replay, Strategy, TwoPhase, Uniform, VirtualTime
    from sim.testing import PropertyViolation, SystemMachine, replay_text, schedules, state_machine
    from sim.trace import Run, Trace
    from sim.usage import Replayed, Used

_LATER = {
    "Accepted": "sim.ledgers",
    "Action": "sim.action",
    "Applied": "sim.ledgers",
    "Cancelled": "sim.ledgers",
    "CheckResult": "sim.explore.result",
    "Counted": "sim.ledgers",
    "Crashed": "sim.ledgers",
    "Drawn": "sim.strategy",
    "EffectLedger": "sim.ledgers",
    "Finding": "sim.judge",
    "FuzzFinding": "sim.explore.fuzz",
    "FuzzResult": "sim.explore.fuzz",
    "Graph": "sim.graph",
    "InputLedger": "sim.ledgers",
    "Minimised": "sim.explore.minimise",
    "PropertyViolation": "sim.testing",
    "Received": "sim.ledgers",
    "Recovery": "sim.explore.recovery",
    "Rejected": "sim.ledgers",
    "Replay": "sim.strategy",
    "Replayed": "sim.usage",
    "Restarted": "sim.ledgers",
    "Run": "sim.trace",
    "State": "sim.graph",
    "Strategy": "sim.strategy",
    "SystemMachine": "sim.testing",
    "Trace": "sim.trace",
    "TwoPhase": "sim.strategy",
    "Uniform": "sim.strategy",
    "Used": "sim.usage",
    "VirtualTime": "sim.strategy",
    "check": "sim.explore.check",
    "fuzz": "sim.explore.fuzz",
    "minimise": "sim.explore.minimise",
    "recovers": "sim.explore.recovery",
    "replay_text": "sim.testing",
    "schedules": "sim.testing",
    "simulate": "sim.simulation",
    "state_machine": "sim.testing",
}

__all__ = [
    "DEFER",
    "IGNORE",
    "Accepted",
    "Action",
    "AgentTimeout",
    "Applied",
    "Cancelled",
    "CheckResult",
    "ConfigError",
    "ConsensusFailure",
    "Counted",
    "Crashed",
    "Cut",
    "Disconnect",
    "DivergenceError",
    "Drawn",
    "EffectLedger",
    "Emission",
    "EmptyResponse",
    "Fault",
    "Finding",
    "FuzzFinding",
    "FuzzResult",
    "Graph",
    "InputLedger",
    "Message",
    "Minimised",
    "ModelError",
    "Monitor",
    "Process",
    "PropertyViolation",
    "RateLimited",
    "Received",
    "Record",
    "Recovery",
    "Rejected",
    "Replay",
    "Replayed",
    "Restarted",
    "Run",
    "ScenarioError",
    "SimError",
    "State",
    "Strategy",
    "System",
    "SystemMachine",
    "TableError",
    "Timing",
    "Trace",
    "TwoPhase",
    "Uniform",
    "Used",
    "View",
    "VirtualTime",
    "always",
    "check",
    "cut",
    "eventually",
    "fuzz",
    "minimise",
    "recovers",
    "replay_text",
    "schedules",
    "simulate",
    "sometimes",
    "state_machine",
    "within",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_LATER[name]), name)
    return value
