"""The online partition of events into chains: Agarwal and Garg, "Efficient dependency tracking for relevant
events in shared-memory systems" (PODC 2005), as PCTCP uses it.

Events come in an order in which nothing that follows comes before what it follows from; with at most w
independent events there are at most w(w+1)/2 chains. (First fit would need more without bound.)

The last events of the chains of one row are independent of each other, so a row has at most one that an event
follows from; and a row is opened only when no other has a free place. Hence a row is known by what is in it, in no
order, and the cost of an event does not grow with the length of a schedule.
"""

from __future__ import annotations

NONE = -1


class Chains:
    """The chain of each event, by number. The chains stand in rows, i of them in the i-th; an event joins
    a chain of the first row that has one whose last event it follows from (or an empty one), and then the
    rest of that row and the row before it change places."""

    def __init__(self) -> None:
        self.of: list[int] = []
        self._last: list[int] = []
        """The last event of each chain."""
        self._up: list[int] = []
        """For each event that is the last of its chain itself; for others, one that it follows from, and between the
        two none is the last of a chain. NONE: there is no such event."""
        self._parent: list[int] = []
        self._set: list[int] = []
        """For each chain the set that it is in."""
        self._row: list[int] = []
        """For each set the row where it stands."""
        self._standing: list[int] = []
        """For each row its set."""
        self._open, self._free = NONE, 0
        """The set that has free places, and how many."""

    @property
    def count(self) -> int:
        """Chains so far."""
        return len(self._last)

    def add(self, parent: int) -> None:
        """Give the next event, which `parent` brought about, its chain."""
        number = len(self.of)
        self._parent.append(parent)
        chain, row = NONE, self._row[self._open] if self._free else len(self._standing)
        last = parent
        while last != NONE and (last := self._nearest(last)) != NONE:
            here = self._row[self._set[self.of[last]]]
            if here < row or (here == row and chain == NONE):
                chain, row = self.of[last], here
            last = self._parent[last]
        if chain == NONE:
            chain = self._new_chain(number)
        else:
            before = self._last[chain]
            self._up[before] = self._parent[before]
        self._last[chain] = number
        self._up.append(number)
        self.of.append(chain)
        self._change_places(chain)

    def add_apart(self, before: int) -> None:
        """Give the next event the chain of the one `before` it; if there is none, one that stands in no row, and that nothing
        else joins."""
        number = len(self.of)
        self._parent.append(before)
        self._up.append(NONE)
        if before == NONE:
            self._last.append(number)
            self._set.append(NONE)
            self.of.append(len(self._last) - 1)
        else:
            self._last[self.of[before]] = number
            self.of.append(self.of[before])

    def _new_chain(self, event: int) -> int:
        """An empty chain: of the row with free places, or of a new one."""
        if not self._free:
            self._open, self._free = len(self._row), len(self._row) + 1
            self._row.append(len(self._standing))
            self._standing.append(self._open)
        self._free -= 1
        self._last.append(event)
        self._set.append(self._open)
        return len(self._last) - 1

    def _change_places(self, chain: int) -> None:
        rest = self._set[chain]
        row = self._row[rest]
        if row:
            before = self._standing[row - 1]
            self._standing[row - 1], self._standing[row] = rest, before
            self._row[rest], self._row[before] = row - 1, row
            self._set[chain] = before

    def _nearest(self, event: int) -> int:
        """The first event that is the last of its chain, from `event` on along what it follows from. What lies between
        is passed over for good: an event that was the last of its chain never is again."""
        up, top = self._up, event
        while top != NONE and up[top] != top:
            top = up[top]
        while event != top:
            up[event], event = top, up[event]
        return top
