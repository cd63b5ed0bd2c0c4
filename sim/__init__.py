"""roundsim: deterministic simulation of consensus rounds written as explicit state machines.

The names here are the public ones. What every model needs is imported at once; engines, ledgers and what
else not everybody needs come when they are first used, so that `import sim` stays cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sim.base.errors import ConfigError, DivergenceError, ModelError, ScenarioError, SimError, TableError
from sim.base.values import Emission, Fault, Message, Record
from sim.faults import AgentTimeout, ConsensusFailure, Disconnect, EmptyResponse, RateLimited
from sim.machine.process import Monitor, Process, View
from sim.machine.table import DEFER, IGNORE
from sim.system.properties import always, eventually, sometimes, within
from sim.system.system import Cut, System, cut
from sim.system.timing import Timing

if TYPE_CHECKING:
    from sim.check.exhaustive import check
    from sim.check.result import CheckResult
    from sim.fuzz.fuzzer import FuzzFinding, FuzzResult, fuzz
    from sim.fuzz.recovery import Recovery, recovers
    from sim.graph.action import Action
    from sim.graph.graph import Graph, State
    from sim.graph.judge import Finding
    from sim.machine.ledgers import (
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
    from sim.machine.used import Replayed, Used
    from sim.minimise.minimise import Minimised, minimise
    from sim.run.simulation import simulate
    from sim.run.trace import Run, Trace
    from sim.strategy import Drawn, Replay, Strategy, TwoPhase, Uniform, VirtualTime
    from sim.testing import PropertyViolation, SystemMachine, replay_text, schedules, state_machine

_LATER = {
    "Accepted": "sim.machine.ledgers",
    "Action": "sim.graph.action",
    "Applied": "sim.machine.ledgers",
    "Cancelled": "sim.machine.ledgers",
    "CheckResult": "sim.check.result",
    "Counted": "sim.machine.ledgers",
    "Crashed": "sim.machine.ledgers",
    "Drawn": "sim.strategy",
    "EffectLedger": "sim.machine.ledgers",
    "Finding": "sim.graph.judge",
    "FuzzFinding": "sim.fuzz.fuzzer",
    "FuzzResult": "sim.fuzz.fuzzer",
    "Graph": "sim.graph.graph",
    "InputLedger": "sim.machine.ledgers",
    "Minimised": "sim.minimise.minimise",
    "PropertyViolation": "sim.testing",
    "Received": "sim.machine.ledgers",
    "Recovery": "sim.fuzz.recovery",
    "Rejected": "sim.machine.ledgers",
    "Replay": "sim.strategy",
    "Replayed": "sim.machine.used",
    "Restarted": "sim.machine.ledgers",
    "Run": "sim.run.trace",
    "State": "sim.graph.graph",
    "Strategy": "sim.strategy",
    "SystemMachine": "sim.testing",
    "Trace": "sim.run.trace",
    "TwoPhase": "sim.strategy",
    "Uniform": "sim.strategy",
    "Used": "sim.machine.used",
    "VirtualTime": "sim.strategy",
    "check": "sim.check.exhaustive",
    "fuzz": "sim.fuzz.fuzzer",
    "minimise": "sim.minimise.minimise",
    "recovers": "sim.fuzz.recovery",
    "replay_text": "sim.testing",
    "schedules": "sim.testing",
    "simulate": "sim.run.simulation",
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
