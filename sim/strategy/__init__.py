"""Strategies: each picks the next action among the enabled ones. One file a strategy.

What belongs here: orders of events, and their seeds. What does not: what an action does (`sim.graph`),
what is right (`sim.judge`), what is recorded (`sim.trace`).
"""

from sim.strategy.base import Strategy
from sim.strategy.replay import Replay
from sim.strategy.uniform import Uniform
from sim.strategy.virtual_time import Canonical, VirtualTime

__all__ = ["Canonical", "Replay", "Strategy", "Uniform", "VirtualTime"]
