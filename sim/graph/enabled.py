"""What is enabled, piece by piece: an envelope in flight, a process, the cuts.

A piece's actions depend on the local value it concerns, on which entries of the fault budget have
something left and on the cuts in force, and on nothing else. `Enabled` stands for one combination of
the last two and remembers the answers, so that the enabled actions of a state are a concatenation of
rows. The plain walk and the compiled one concatenate the same rows in the same order.
"""

from __future__ import annotations

from sim.graph.action import Action, Kind
from sim.graph.budget import BudgetLeft
from sim.graph.tabulation import Tabulation
from sim.system.declaration import Declaration

Actions = tuple[Action, ...]


class Enabled:
    """The rows under one rest of the budget and one set of cuts in force. What happens by itself and
    what a fault does are rows apart: in a state all of the former come first, so that of two equally short
    counterexamples the one with the later fault is met first."""

    def __init__(
        self, system: Declaration, tables: Tabulation, left: BudgetLeft, cuts: tuple[int, ...], full: bool = False
    ) -> None:
        self._tables = tables
        self.full = full
        """Whether as many are down as may be: only who comes back may crash then."""
        self.left = left
        known = list(system.cuts.values())
        self._cuts = [known[c] for c in cuts if c < len(known)]
        taken = {c % len(known) for c in cuts}
        self.heads: dict[tuple[int, int], Actions] = {}
        self.own: dict[int, Actions] = {}
        self.struck_heads: dict[tuple[int, int], Actions] = {}
        self.struck_behind: dict[tuple[int, int], Actions] = {}
        self.struck_own: dict[int, Actions] = {}
        self.healing: Actions = tuple(tables.cutting(Kind.HEAL, c) for c in cuts if c < len(known))
        free = [c for c in range(left.cuts_known) if left.cuts and c % len(known) not in taken]
        self.cutting: Actions = tuple(action for c in free for action in left.cut(c))
        self.strikes_process = left.crashes or left.updates
        self.strikes_head = bool(left.in_flight or left.domain) or left.crashes
        self.strikes_behind = bool(left.in_flight) or left.reorders

    def head(self, local: int, envelope: int) -> Actions:
        """The deliveries of an envelope to a target with this local value."""
        row = () if self.held(envelope) else self._tables.delivery(local, envelope)
        self.heads[local, envelope] = row
        return row

    def itself(self, local: int) -> Actions:
        """What a process with this local value may do by itself."""
        row = self.own[local] = self._tables.own_actions(local)
        return row

    def struck_head(self, local: int, envelope: int) -> Actions:
        """The faults of an envelope that may be delivered, and of its deliveries."""
        usual = () if self.held(envelope) else self._tables.delivery(local, envelope)
        under = () if self.held(envelope) or not self.left.domain else self.left.under(local, envelope)
        row = (*self._in_flight(envelope), *under, *self._windows(usual), *self._windows(under))
        self.struck_heads[local, envelope] = row
        return row

    def struck_late(self, local: int, envelope: int) -> Actions:
        """The faults of an envelope that is queued after another of its pair."""
        reordering = self.left.reorders and not self.held(envelope)
        found = self.left.overtaking(local, envelope) if reordering else ()
        row = self.struck_behind[local, envelope] = (*self._in_flight(envelope), *found, *self._windows(found))
        return row

    def struck_itself(self, local: int) -> Actions:
        """The crash of a process, and the crashes inside of what it does by itself."""
        crash = self.left.crash(local) if self.left.crashes and not self.full else ()
        back = local in self._tables.down
        updates = self.left.update(local)
        windows = self._windows(self._tables.own_actions(local), back=back)
        row = self.struck_own[local] = (*crash, *updates, *windows, *self._windows(updates))
        return row

    def _windows(self, handlers: Actions, *, back: bool = False) -> Actions:
        """These handlers (of a process that comes `back`), each with a crash in its windows."""
        if not self.left.crashes or (self.full and not back):
            return ()
        return tuple(window for action in handlers for window in self.left.windows(action))

    def _in_flight(self, envelope: int) -> Actions:
        return self.left.on_envelope(envelope) if self.left.in_flight else ()

    def held(self, envelope: int) -> bool:
        """Whether a cut in force holds an envelope."""
        thing = self._tables.envelopes.things[envelope]
        return any(cut.holds(thing.source, thing.target) for cut in self._cuts)
