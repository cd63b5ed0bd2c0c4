"""The parts of tests of a system: schedules and machines for Hypothesis, and what the pytest plugin provides.

What belongs here: drawing schedules from Hypothesis, running what pytest asks for, and reporting a failure so that it
can be replayed. What does not: what a schedule is and what is wrong with it (`sim.world`), settings of
Hypothesis, which are the user's. Only `stateful` and `whole` import Hypothesis, and only when they are used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sim.testing.told import PropertyViolation, replay_text

if TYPE_CHECKING:
    from sim.testing.exploring import explore
    from sim.testing.stateful import SystemMachine, state_machine
    from sim.testing.whole import schedules

_LATER = {
    "SystemMachine": "stateful",
    "explore": "exploring",
    "schedules": "whole",
    "state_machine": "stateful",
}

__all__ = ["PropertyViolation", "SystemMachine", "explore", "replay_text", "schedules", "state_machine"]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'sim.testing' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"sim.testing.{_LATER[name]}"), name)
    return value
