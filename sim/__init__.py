"""roundsim: deterministic simulation of consensus rounds written as explicit state machines.

The names here are the public ones. Each is imported when it is first used: what an ordinary program takes from
`sim.consensus`, `sim.metrics` or `sim.faults` loads nothing of the simulation.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.base.errors import ConfigError, DivergenceError, ModelError, ScenarioError, SimError, TableError
    from sim.base.values import Emission, Fault, Message, Record
    from sim.checker.exhaustive import check
    from sim.checker.result import CheckResult
    from sim.faults import AgentTimeout, ConsensusFailure, Disconnect, EmptyResponse, RateLimited
    from sim.fuzzer.discovery import Discovery
    from sim.fuzzer.fuzz import FuzzResult, fuzz
    from sim.fuzzer.recovery import Recovery, recovers
    from sim.graph.action import Action
    from sim.graph.graph import Graph
    from sim.graph.state import State
    from sim.graph.system import System
    from sim.live.emitting import CancellationIgnored, emit
    from sim.live.program import Program
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
    from sim.machine.process import Monitor, Process, View
    from sim.machine.table import DEFER, IGNORE
    from sim.machine.used import Replayed, Used
    from sim.minimiser.counterexample import Counterexample
    from sim.minimiser.minimise import minimise
    from sim.run.simulation import simulate
    from sim.run.trace import Run, Trace
    from sim.strategy import Drawn, Replay, Strategy, TwoPhase, Uniform, VirtualTime
    from sim.system.declaration import Cut, cut
    from sim.system.persisted import Persisted, Persisting, begun_from
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
    from sim.testing import PropertyViolation, SystemMachine, explore, replay_text, schedules, state_machine
    from sim.world.finding import Finding
    from sim.world.timing import Timing

_WHERE = {
    "Accepted": "sim.machine.ledgers",
    "Action": "sim.graph.action",
    "AgentTimeout": "sim.faults",
    "Applied": "sim.machine.ledgers",
    "CancellationIgnored": "sim.live.emitting",
    "Cancelled": "sim.machine.ledgers",
    "CheckResult": "sim.checker.result",
    "ConfigError": "sim.base.errors",
    "ConsensusFailure": "sim.faults",
    "Counted": "sim.machine.ledgers",
    "Counterexample": "sim.minimiser.counterexample",
    "Crashed": "sim.machine.ledgers",
    "Cut": "sim.system.declaration",
    "DEFER": "sim.machine.table",
    "Disconnect": "sim.faults",
    "Discovery": "sim.fuzzer.discovery",
    "DivergenceError": "sim.base.errors",
    "Drawn": "sim.strategy",
    "EffectLedger": "sim.machine.ledgers",
    "Emission": "sim.base.values",
    "EmptyResponse": "sim.faults",
    "Fault": "sim.base.values",
    "Finding": "sim.world.finding",
    "FuzzResult": "sim.fuzzer.fuzz",
    "Graph": "sim.graph.graph",
    "IGNORE": "sim.machine.table",
    "InputLedger": "sim.machine.ledgers",
    "Message": "sim.base.values",
    "ModelError": "sim.base.errors",
    "Monitor": "sim.machine.process",
    "Persisted": "sim.system.persisted",
    "Persisting": "sim.system.persisted",
    "Process": "sim.machine.process",
    "Program": "sim.live.program",
    "PropertyViolation": "sim.testing",
    "RateLimited": "sim.faults",
    "Received": "sim.machine.ledgers",
    "Record": "sim.base.values",
    "Recovery": "sim.fuzzer.recovery",
    "Rejected": "sim.machine.ledgers",
    "Replay": "sim.strategy",
    "Replayed": "sim.machine.used",
    "Restarted": "sim.machine.ledgers",
    "Run": "sim.run.trace",
    "ScenarioError": "sim.base.errors",
    "SimError": "sim.base.errors",
    "State": "sim.graph.state",
    "Strategy": "sim.strategy",
    "System": "sim.graph.system",
    "SystemMachine": "sim.testing",
    "TableError": "sim.base.errors",
    "Timing": "sim.world.timing",
    "Trace": "sim.run.trace",
    "TwoPhase": "sim.strategy",
    "Uniform": "sim.strategy",
    "Used": "sim.machine.used",
    "View": "sim.machine.process",
    "VirtualTime": "sim.strategy",
    "always": "sim.system.properties",
    "always_eventually": "sim.system.properties",
    "begun_from": "sim.system.persisted",
    "check": "sim.checker.exhaustive",
    "cut": "sim.system.declaration",
    "emit": "sim.live.emitting",
    "eventually": "sim.system.properties",
    "eventually_always": "sim.system.properties",
    "explore": "sim.testing",
    "fuzz": "sim.fuzzer.fuzz",
    "leads_to": "sim.system.properties",
    "minimise": "sim.minimiser.minimise",
    "recovers": "sim.fuzzer.recovery",
    "replay_text": "sim.testing",
    "rests": "sim.system.properties",
    "schedules": "sim.testing",
    "simulate": "sim.run.simulation",
    "sometimes": "sim.system.properties",
    "state_machine": "sim.testing",
    "within": "sim.system.properties",
}

__all__ = [
    "DEFER",
    "IGNORE",
    "Accepted",
    "Action",
    "AgentTimeout",
    "Applied",
    "CancellationIgnored",
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
    "Persisted",
    "Persisting",
    "Process",
    "Program",
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
    "begun_from",
    "check",
    "cut",
    "emit",
    "eventually",
    "eventually_always",
    "explore",
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
    if name not in _WHERE:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_WHERE[name]), name)
    return value
