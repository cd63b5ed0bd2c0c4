"""A portfolio: several strategies in turn, since none is best at every bug (as Coyote's does)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.base.mixer import derive
from sim.strategy.base import Strategy
from sim.strategy.pctcp import PCTCP
from sim.strategy.pos import POS
from sim.strategy.swarm import Swarm
from sim.strategy.timed import Timed
from sim.strategy.uniform import Uniform
from sim.world.choice import Choice, Start
from sim.world.world import AnyWorld

MEMBERS = (Uniform.name, PCTCP.name, POS.name, Swarm.name, Timed.name)
"""Whose turn it is, by the number of the schedule."""


class Portfolio:
    """The member whose turn it is, or for a schedule without a number one by its seed."""

    name = "portfolio"

    def __init__(self, seed: int = 0, number: int | None = None, depth: int | None = None) -> None:
        self.seed = seed
        turn = derive(seed, self.name) if number is None else number
        makers: dict[str, Callable[[], Strategy]] = {
            Uniform.name: lambda: Uniform(seed),
            PCTCP.name: lambda: PCTCP(seed, depth),
            POS.name: lambda: POS(seed),
            Swarm.name: lambda: Swarm(seed),
            Timed.name: lambda: Timed(seed),
        }
        self.member = makers[MEMBERS[turn % len(MEMBERS)]]()

    @property
    def now_ms(self) -> int | None:
        return self.member.now_ms

    def begin(self, world: AnyWorld) -> Start[Any]:
        return self.member.begin(world)

    def pick(self, at: Any) -> Choice | None:
        return self.member.pick(at)

    def took(self, choice: Choice, at: Any) -> None:
        self.member.took(choice, at)
