"""What a scheduler owes beyond weak fairness, which every world assumes: what stays enabled is taken."""

from __future__ import annotations

from typing import NamedTuple

from sim.world.choice import FIRE, MOVE, Choice


class Fairness(NamedTuple):
    """Assumptions on runs that never end.

    - `moves`: spontaneous moves and timers, as `agent.answer`: one that is enabled infinitely often is taken infinitely
      often (strong fairness)
    - `choices`: where something with choices is taken infinitely often in one local value, each of its outcomes is
    """

    moves: frozenset[str] = frozenset()
    choices: bool = False

    @property
    def is_weak(self) -> bool:
        """Whether nothing is assumed beyond weak fairness."""
        return not self.moves and not self.choices

    def owes(self, choice: Choice) -> bool:
        """Whether `choice` is taken infinitely often if it is enabled infinitely often."""
        return choice.takes[0] in (FIRE, MOVE) and f"{choice.mover}.{choice.takes[2]}" in self.moves


WEAK = Fairness()
