"""What is enabled, piece by piece: an envelope in flight, a process, the cuts.

A piece's actions depend on the local value it concerns, on which entries of the fault budget have
something left and on the cuts in force, and on nothing else. `Surroundings` stands for one combination of
the last two and remembers the answers, so that the enabled actions of a state are a concatenation of
rows. The plain walk and the compiled one concatenate the same rows in the same order.
"""

from __future__ import annotations

from sim.action import Action, Kind
from sim.allowance import Allowance
from sim.system import System
from sim.tables import Tables

Row = tuple[Action, ...]


class Surroundings:
    """The rows under one allowance of the budget and one set of cuts in force."""

    def __init__(self, system: System, tables: Tables, allowance: Allowance, cuts: tuple[int, ...]) -> None:
        self._tables = tables
        self._left = allowance
        names = list(system.cuts)
        self._cuts = [system.cuts[names[c]] for c in cuts]
        self.heads: dict[tuple[int, int], Row] = {}
        self.behind: dict[tuple[int, int], Row] = {}
        self.own: dict[int, Row] = {}
        self.reaches_behind = allowance.reorders or bool(allowance.in_flight)
        """Whether anything may happen to an envelope that stands behind another."""
        healing = [tables.cutting(Kind.HEAL, c) for c in cuts]
        cutting = [a for c in range(len(names)) if allowance.cuts and c not in cuts for a in allowance.cut(c)]
        self.around: Row = (*healing, *cutting)

    def head(self, local: int, envelope: int) -> Row:
        """What may happen to an envelope that may be delivered to a target with this local value."""
        found: list[Action] = []
        if not self._held(envelope):
            found += self._tables.delivery(local, envelope)
            if self._left.domain:
                found += self._left.under(local, envelope)
        row = self.heads[local, envelope] = (*self._struck(found), *self._in_flight(envelope))
        return row

    def late(self, local: int, envelope: int) -> Row:
        """What may happen to an envelope that stands behind another of its pair."""
        found: list[Action] = []
        if self._left.reorders and not self._held(envelope):
            found += self._left.overtaking(local, envelope)
        row = self.behind[local, envelope] = (*self._struck(found), *self._in_flight(envelope))
        return row

    def itself(self, local: int) -> Row:
        """What a process with this local value may do by itself, and its crash."""
        row: Row = self._struck(list(self._tables.own_actions(local)))
        if self._left.crashes:
            row += self._left.crash(local)
        self.own[local] = row
        return row

    def _struck(self, handlers: list[Action]) -> Row:
        """These handlers, and each with a crash in its windows."""
        if self._left.crashes:
            handlers += [window for action in tuple(handlers) for window in self._left.windows(action)]
        return tuple(handlers)

    def _in_flight(self, envelope: int) -> Row:
        return self._left.on_envelope(envelope) if self._left.in_flight else ()

    def _held(self, envelope: int) -> bool:
        thing = self._tables.envelopes.things[envelope]
        return any(cut.holds(thing.source, thing.target) for cut in self._cuts)
