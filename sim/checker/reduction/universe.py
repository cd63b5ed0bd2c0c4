"""All that processes could ever do, whatever the others do: an abstraction that forgets who is where when.

From the ways to begin, every process takes every message that any process could ever send it, at any time and
as often as it likes, and every fault of the budget strikes at will. What it meets contains all local values
and messages of the real graph, and its moves contain every step of a process there. It is a sum over the
processes where the graph is a product, but it need not be finite where the graph is: so there is a bound.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sim.graph.enabled import Actions, Enabled
from sim.graph.graph import Graph

ROWS_SMALL = 1_000
"""(local value, message) pairs that are looked at in any case."""
ROWS_MAX = 10_000
"""The same where the walk is long: some seconds."""

Look = Callable[[Enabled, int, int], None]
"""Is told of each (surroundings, local value, envelope or -1) whose rows are looked at."""


class TooManyRows(Exception):
    """The bound was reached."""


class Universe:
    """Raises `TooManyRows` when it turns out large. `allowed` says how many pairs may be looked at; it is asked when
    there are more than a few."""

    def __init__(self, graph: Graph, look: Look, allowed: Callable[[], int] = lambda: ROWS_MAX) -> None:
        self.graph = graph
        self.locals: list[dict[int, None]] = [{} for _ in range(graph.width)]
        """For each process the local values it could have; without failures, after which nothing comes."""
        self.envelopes: list[dict[int, None]] = [{} for _ in range(graph.width)]
        """For each process what could be delivered to it."""
        self._waiting: deque[tuple[int, int]] = deque()
        # first come, first looked at: what grows without end would else be followed alone, and grow large
        for start in graph.starts():
            for local in start.place.locals[: graph.width]:
                self._meet_local(local)
            for envelope in start.sends:
                self._meet_envelope(envelope)
        self._around: dict[tuple[int, ...], Enabled] = {}
        self._look = look
        here = self.at(graph.budget.full)
        rows, rows_max = 0, ROWS_SMALL
        while self._waiting:
            rows += 1
            if rows == ROWS_SMALL + 1:
                rows_max = allowed()
            if rows > rows_max:
                raise TooManyRows(rows_max)
            local, envelope = self._waiting.popleft()
            look(here, local, envelope)
            for action in (*usual(here, local, envelope), *struck(here, local, envelope)):
                if action.effect.local >= 0:
                    self._meet_local(action.effect.local)
                for sent in action.effect.sends:
                    self._meet_envelope(sent)

    def at(self, budgets: tuple[int, ...]) -> Enabled:
        """The rows where so much is left of the budget, without cuts. They are not the graph's: what is looked
        at here need not happen, and is not to be counted as covered."""
        some = tuple(min(count, 1) for count in budgets)
        found = self._around.get(some)
        if found is None:
            graph = self.graph
            found = self._around[some] = Enabled(graph.system, graph.tables, graph.budget.left(some), ())
            if not self._waiting:  # else they are being looked at one by one
                for process, locals_ in enumerate(self.locals):
                    for local in locals_:
                        for envelope in (-1, *self.envelopes[process]):
                            self._look(found, local, envelope)
        return found

    def _meet_local(self, local: int) -> None:
        tables = self.graph.tables
        process = tables.locals.things[local][0]
        if local not in tables.failed and local not in self.locals[process]:
            self.locals[process][local] = None
            self._waiting.append((local, -1))
            self._waiting += [(local, envelope) for envelope in self.envelopes[process]]

    def _meet_envelope(self, envelope: int) -> None:
        process = self.graph.tables.target[envelope]
        if envelope not in self.envelopes[process]:
            self.envelopes[process][envelope] = None
            self._waiting += [(local, envelope) for local in self.locals[process]]


def usual(here: Enabled, local: int, envelope: int) -> Actions:
    """What a process does with an envelope, or (-1) by itself."""
    if envelope < 0:
        return here.own.get(local) or here.itself(local)
    return here.heads.get((local, envelope)) or here.head(local, envelope)


def struck(here: Enabled, local: int, envelope: int) -> Actions:
    """What faults do to an envelope, wherever it stands, and to its deliveries; or to a process by itself."""
    if envelope < 0:
        return here.struck_itself(local) if here.strikes_process else ()
    head = here.struck_head(local, envelope) if here.strikes_head else ()
    return (*head, *(here.struck_late(local, envelope) if here.strikes_behind else ()))
