"""A portfolio: several strategies in turn, since none is best at every bug (as Coyote's does)."""

from __future__ import annotations

from collections.abc import Callable

from sim.base.mixer import derive
from sim.graph.action import Action
from sim.graph.graph import Graph, Start, State
from sim.strategy.base import Strategy
from sim.strategy.pctcp import PCTCP
from sim.strategy.pos import POS
from sim.strategy.swarm import Swarm
from sim.strategy.timed import Timed
from sim.strategy.uniform import Uniform

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

    def begin(self, graph: Graph) -> Start:
        return self.member.begin(graph)

    def pick(self, state: State) -> Action | None:
        return self.member.pick(state)

    def took(self, action: Action) -> None:
        self.member.took(action)
