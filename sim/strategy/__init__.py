"""Strategies: each picks the next action among the enabled ones. One file a strategy.

What belongs here: orders of events, and their seeds. What does not: what a choice does and what is wrong with it
(`sim.world`), what is recorded (`sim.run`).
"""

from collections.abc import Callable

from sim.base.errors import ConfigError, unknown
from sim.strategy.base import Strategy
from sim.strategy.canonical import LENGTH_MAX, Canonical
from sim.strategy.delay_bounded import DelayBounded
from sim.strategy.drawn import Drawn
from sim.strategy.pctcp import PCTCP
from sim.strategy.portfolio import Portfolio
from sim.strategy.pos import POS
from sim.strategy.replay import Replay
from sim.strategy.swarm import Swarm
from sim.strategy.timed import Timed
from sim.strategy.two_phase import TwoPhase
from sim.strategy.uniform import Uniform
from sim.strategy.virtual_time import VirtualTime

STRATEGIES: dict[str, Callable[[int], Strategy]] = {
    one.name: one for one in (VirtualTime, Uniform, PCTCP, POS, Swarm, Timed, DelayBounded, Portfolio)
}
"""Every strategy that takes a seed, by name."""

__all__ = [
    "PCTCP",
    "POS",
    "STRATEGIES",
    "Canonical",
    "DelayBounded",
    "Drawn",
    "Portfolio",
    "Replay",
    "Strategy",
    "Swarm",
    "Timed",
    "TwoPhase",
    "Uniform",
    "VirtualTime",
    "make_strategy",
]


def make_strategy(name: str, seed: int, *, number: int | None = None, depth: int | None = None) -> Strategy:
    """The strategy called `name` with `seed`; `number` is that of the schedule in a fuzz, by which a
    portfolio rotates, `depth` that of the bugs that PCTCP looks for.

    Raises `ConfigError` for an unknown name, and for a depth that is not a whole number from 1 to `LENGTH_MAX`.
    """
    if name not in STRATEGIES:
        raise ConfigError(unknown("strategy", name, STRATEGIES))
    if depth is not None and (type(depth) is not int or not 1 <= depth <= LENGTH_MAX):
        raise ConfigError(f"depth is {depth!r}; must be a whole number from 1 to {LENGTH_MAX}")
    if name == Portfolio.name:
        return Portfolio(seed, number, depth)
    return PCTCP(seed, depth) if name == PCTCP.name else STRATEGIES[name](seed)
