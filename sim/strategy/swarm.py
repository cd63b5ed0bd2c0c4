"""Swarm testing: Groce, Zhang, Eide, Chen, Regehr, "Swarm testing" (ISSTA 2012).

Each schedule may use a random subset of the kinds of fault, and picks uniformly otherwise. A kind that is
always possible hides what shows only without it: a budget spent on drops leaves nothing to duplicate.
"""

from __future__ import annotations

from typing import Any

from sim.base.mixer import derive
from sim.strategy.base import choose_start, least_moving
from sim.world.choice import Choice, Start
from sim.world.world import AnyWorld


class Swarm:
    """Uniform picks among what the kinds of fault of this schedule allow; each kind is in with probability
    one half."""

    name = "swarm"
    now_ms = None

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._picks = derive(seed, self.name)

    def begin(self, world: AnyWorld) -> Start[Any]:
        self._world = world
        self._step = 0
        kinds = dict.fromkeys(entry.kind for entry in world.faults)
        self.kinds = [kind for kind in kinds if derive(self._picks, f"kind {kind}") & 1]
        self._all = len(self.kinds) == len(kinds)
        return choose_start(world, self.seed)

    def pick(self, at: Any) -> Choice | None:
        actions = self._world.enabled(at)
        if not self._all:
            actions = [a for a in actions if not a.strikes or all(kind in self.kinds for kind in a.strikes)]
        self._step += 1
        return least_moving(self._world, at, actions, self._picks, self._step - 1)

    def took(self, choice: Choice, at: Any) -> None:
        """Nothing to remember."""
