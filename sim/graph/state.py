"""A state of the graph, and the ways to begin, in the integers of its tabulation."""

from __future__ import annotations

from typing import NamedTuple

from sim.base.values import Emission, Value, show
from sim.graph.action import puts_of
from sim.machine.outputs import Arm, Emit, Output
from sim.system.network import Net
from sim.world.address import START, Address
from sim.world.choice import MESSAGE, Sent, Subject


class State(NamedTuple):
    """A state of the system, in the integers of its graph."""

    locals: tuple[int, ...]
    """The local value of each process, then of each monitor."""
    net: Net
    budgets: tuple[int, ...]
    """What is left of each finite entry of the fault budget."""
    cuts: tuple[int, ...]
    """The cuts in force."""


class GraphStart(NamedTuple):
    """One way to begin: the choices made in `on_start`, and what came of them."""

    choices: tuple[Value, ...]
    place: State
    sends: tuple[int, ...]
    outputs: tuple[tuple[str, tuple[Output, ...]], ...]
    arms: tuple[tuple[int, Arm], ...]
    record: bytes
    """The canonical encoding of the names of the system and of the state, for the digest of a run."""
    before: int = 0
    """How many of `sends`, the first ones, were sent before: nobody who starts puts them there."""

    @property
    def address(self) -> Address:
        return Address(START, choosing=tuple(map(show, self.choices)) or None)

    @property
    def brings(self) -> tuple[Subject, ...]:
        return tuple((MESSAGE, envelope, "") for envelope in self.sends)

    @property
    def puts(self) -> list[tuple[str, tuple[Emission | Sent, ...]]]:
        found, sends = [], self.sends[self.before :]
        for name, outputs in self.outputs:
            puts = puts_of(outputs, sends)
            found.append((name, puts))
            sends = sends[sum(isinstance(put, Sent) for put in puts) :]
        return found

    @property
    def emissions(self) -> list[Emission]:
        return [output.emission for _, outputs in self.outputs for output in outputs if isinstance(output, Emit)]
