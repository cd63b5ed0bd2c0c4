"""What tests of a system are made of: schedules and machines for Hypothesis.

What belongs here: drawing schedules from Hypothesis, and telling a failure so that it can be replayed.
What does not: what a schedule is (`sim.graph`), what is right (`sim.judge`), settings of Hypothesis,
which are the user's. The only part of roundsim that imports Hypothesis.
"""

from __future__ import annotations

from sim.testing.stateful import SystemMachine, state_machine
from sim.testing.told import PropertyViolation, replay_text
from sim.testing.whole import schedules

__all__ = ["PropertyViolation", "SystemMachine", "replay_text", "schedules", "state_machine"]
