"""A portfolio: several strategies in turn, since none is best at every bug (as Coyote's does)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.base.mixer import derive
from sim.strategy.base import Strategy
from sim.strategy.delay_bounded import DelayBounded
from sim.strategy.pctcp import PCTCP
from sim.strategy.pos import POS
from sim.strategy.swarm import Swarm
from sim.strategy.timed import Timed
from sim.strategy.uniform import Uniform
from sim.world.choice import Choice, Start
from sim.world.world import AnyWorld

MEMBERS = (Uniform.name, PCTCP.name, POS.name, Swarm.name, Timed.name)
"""Whose turn it is, by the number of the schedule."""
OF_PROGRAMS = (
    Uniform.name,
    DelayBounded.name,
    PCTCP.name,
    POS.name,
    DelayBounded.name,
    Swarm.name,
    Timed.name,
)
"""The same for programs. Their runs are long, with much in them that is harmless: few departures show most (`bench/members.py`)."""


class Portfolio:
    """The member whose turn it is, or for a schedule without a number one by its seed."""

    name = "portfolio"
    member: Strategy
    """From the beginning of a schedule on: which it is depends on the world."""

    def __init__(self, seed: int = 0, number: int | None = None, depth: int | None = None) -> None:
        self.seed = seed
        self._turn = derive(seed, self.name) if number is None else number
        self._depth = depth

    @property
    def now_ms(self) -> int | None:
        return self.member.now_ms

    def begin(self, world: AnyWorld) -> Start[Any]:
        members = MEMBERS if world.places_are_values else OF_PROGRAMS
        makers: dict[str, Callable[[int], Strategy]] = {
            Uniform.name: Uniform,
            DelayBounded.name: DelayBounded,
            PCTCP.name: lambda seed: PCTCP(seed, self._depth),
            POS.name: POS,
            Swarm.name: Swarm,
            Timed.name: Timed,
        }
        self.member = makers[members[self._turn % len(members)]](self.seed)
        return self.member.begin(world)

    def pick(self, at: Any) -> Choice | None:
        return self.member.pick(at)

    def took(self, choice: Choice, at: Any) -> None:
        self.member.took(choice, at)
