"""roundsim: deterministic simulation of consensus rounds written as explicit state machines.

The names here are the public ones. What every model needs is imported at once; engines, ledgers and whatever else only
some models need are imported when they are first used, so that `import sim` stays cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sim.base.errors import ConfigError, DivergenceError, ModelError, ScenarioError, SimError, TableError
from sim.base.values import Emission, Fault, Message, Record
from sim.faults import AgentTimeout, ConsensusFailure, Disconnect, EmptyResponse, RateLimited
from sim.graph.system import System
from sim.machine.process import Monitor, Process, View
from sim.machine.table import DEFER, IGNORE
from sim.system.declaration import Cut, cut
from sim.system.properties import (
    always,
    always_eventually,
    eventually,
    eventually_always,
    leads_to,
    rests,
    sometimes,
    within,
)
from sim.world.timing import Timing

if TYPE_CHECKING:
    from sim.checker.exhaustive import check
    from sim.checker.result import CheckResult
    from sim.fuzzer.discovery import Discovery
    from sim.fuzzer.fuzz import FuzzResult, fuzz
    from sim.fuzzer.recovery import Recovery, recovers
    from sim.graph.action import Action
    from sim.graph.graph import Graph
    from sim.graph.state import State
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
    from sim.minimiser.counterexample import Counterexample
    from sim.minimiser.minimise import minimise
    from sim.run.simulation import simulate
    from sim.run.trace import Run, Trace
    from sim.strategy import Drawn, Replay, Strategy, TwoPhase, Uniform, VirtualTime
    from sim.testing import PropertyViolation, SystemMachine, replay_text, schedules, state_machine
    from sim.world.finding import Finding

_LATER = {
    "Accepted": "sim.machine.ledgers",
    "Action": "sim.graph.action",
    "Applied": "sim.machine.ledgers",
    "Cancelled": "sim.machine.ledgers",
    "CheckResult": "sim.checker.result",
    "Counted": "sim.machine.ledgers",
    "Counterexample": "sim.minimiser.counterexample",
    "Crashed": "sim.machine.ledgers",
    "Discovery": "sim.fuzzer.discovery",
    "Drawn": "sim.strategy",
    "EffectLedger": "sim.machine.ledgers",
    "Finding": "sim.world.finding",
    "FuzzResult": "sim.fuzzer.fuzz",
    "Graph": "sim.graph.graph",
    "InputLedger": "sim.machine.ledgers",
    "PropertyViolation": "sim.testing",
    "Received": "sim.machine.ledgers",
    "Recovery": "sim.fuzzer.recovery",
    "Rejected": "sim.machine.ledgers",
    "Replay": "sim.strategy",
    "Replayed": "sim.machine.used",
    "Restarted": "sim.machine.ledgers",
    "Run": "sim.run.trace",
    "State": "sim.graph.state",
    "Strategy": "sim.strategy",
    "SystemMachine": "sim.testing",
    "Trace": "sim.run.trace",
    "TwoPhase": "sim.strategy",
    "Uniform": "sim.strategy",
    "Used": "sim.machine.used",
    "VirtualTime": "sim.strategy",
    "check": "sim.checker.exhaustive",
    "fuzz": "sim.fuzzer.fuzz",
    "minimise": "sim.minimiser.minimise",
    "recovers": "sim.fuzzer.recovery",
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
    "Counterexample",
    "Crashed",
    "Cut",
    "Disconnect",
    "Discovery",
    "DivergenceError",
    "Drawn",
    "EffectLedger",
    "Emission",
    "EmptyResponse",
    "Fault",
    "Finding",
    "FuzzResult",
    "Graph",
    "InputLedger",
    "Message",
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
    "always_eventually",
    "check",
    "cut",
    "eventually",
    "eventually_always",
    "fuzz",
    "leads_to",
    "minimise",
    "recovers",
    "replay_text",
    "rests",
    "schedules",
    "simulate",
    "sometimes",
    "state_machine",
    "within",
]

__roundsim__ = True
"""By this the pytest plugin knows the package from a project's own that is called `sim` as well."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_LATER[name]), name)
    return value
