"""The online partition of events into chains: Agarwal and Garg, "Efficient dependency tracking for relevant
events in shared-memory systems" (PODC 2005), as PCTCP uses it.

Events come in an order in which nothing that follows comes before what it follows from; with at most w
independent events there are at most w(w+1)/2 chains. (First fit would need more without bound.)
"""

from __future__ import annotations

from sim.strategy.events import Event


class Chains:
    """The chain of each event, by number. The chains stand in rows, i of them in the i-th; an event joins
    a chain of the first row that has one whose last event it follows from (or an empty one), and then the
    rest of that row and the row before it change places."""

    def __init__(self) -> None:
        self.of: list[int] = []
        self._last: list[Event] = []
        self._rows: list[list[int]] = []
        """Chains by row; a free place is -1."""

    @property
    def count(self) -> int:
        """Chains so far."""
        return len(self._last)

    def add(self, event: Event) -> None:
        """Give `event` its chain."""
        row = 0
        while True:
            if row == len(self._rows):
                self._rows.append([-1] * (row + 1))
            place = self._place(self._rows[row], event)
            if place is not None:
                break
            row += 1
        chain = self._rows[row].pop(place)
        if chain < 0:
            chain = len(self._last)
            self._last.append(event)
        self._last[chain] = event
        self.of.append(chain)
        if row:
            self._rows[row], self._rows[row - 1] = self._rows[row - 1], self._rows[row]
        self._rows[row].append(chain)

    def _place(self, row: list[int], event: Event) -> int | None:
        """Where in a row `event` can go: after what it follows from, otherwise to a free place."""
        for place, chain in enumerate(row):
            if chain >= 0 and event.follows >> self._last[chain].number & 1:
                return place
        return row.index(-1) if -1 in row else None
