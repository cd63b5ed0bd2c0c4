"""What swapping two alike processes does to local values, envelopes, emissions and states, in the integers
of a graph; each found once.

A swap acts on everything that a name is part of: on which process has which local value, on strings equal
to a name inside of fields and messages, on sources and targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

from sim.base.mixer import key64
from sim.base.renaming import exchange, renamed
from sim.base.values import Value, encode
from sim.checker.reduction.alike import ToldApart
from sim.graph.graph import Graph
from sim.graph.state import State
from sim.machine.handler import Local
from sim.system.network import Envelope

_ME = "\x00me"
Views = tuple[int, ...]
"""How a thing looks from each member of each class: 64 bits each, in the order of the members."""


class Images:
    """The swaps of the members of `classes`, numbered, and their images."""

    def __init__(self, graph: Graph, classes: Sequence[tuple[str, ...]]) -> None:
        self.graph = graph
        self.classes = list(classes)
        index = graph.tables.index
        self.members = [tuple(index[name] for name in names) for names in classes]
        """For each class the numbers of its processes."""
        self.pairs = [pair for members in self.members for pair in combinations(members, 2)]
        """Swap number -> the two processes, smaller number first."""
        self.number = {pair: swap for swap, pair in enumerate(self.pairs)}
        self.steps = [self.number[pair] for members in self.members for pair in pairwise(members)]
        """Swaps of neighbours: every permutation is made of them."""
        self._names = [exchange(*self.names(number)) for number in range(len(self.pairs))]
        self._places = [{a: b, b: a} for a, b in self.pairs]
        self._locals: dict[tuple[int, int], int] = {}
        self._envelopes: dict[tuple[int, int], int] = {}
        self._emissions: dict[tuple[int, int], int] = {}
        self._seen_as = [self._blind(c, name) for c, names in enumerate(classes) for name in names]
        self._local_views: dict[int, Views | None] = {}
        self._envelope_views: dict[int, Views | None] = {}
        self.found_locals: list[tuple[int, int, int]] = []
        """(local value, swap, image) in the order in which they were found, for the compiled walk to take over."""
        self.found_envelopes: list[tuple[int, int, int]] = []
        self.seen_locals: list[tuple[int, Views | None]] = []
        self.seen_envelopes: list[tuple[int, Views | None]] = []

    def _blind(self, own: int, me: str) -> dict[str, str]:
        """Member `me`'s view: itself, and the others by their class alone."""
        found = {name: f"\x00{c}" for c, names in enumerate(self.classes) for name in names}
        return {**found, me: _ME} if me in self.classes[own] else found

    def names(self, swap: int) -> tuple[str, str]:
        """The two that a swap exchanges."""
        a, b = self.pairs[swap]
        return self.graph.names[a], self.graph.names[b]

    def told_apart(self, swap: int, by: str) -> ToldApart:
        """The error that the two of a swap behave differently."""
        one, other = self.names(swap)
        members = next(names for names in self.classes if one in names)
        return ToldApart(members, f"{one} and {other} are told apart by {by}")

    # --- images -------------------------------------------------------------------------------------

    def place(self, swap: int, process: int) -> int:
        """Where the local value of a process (or monitor) goes."""
        return self._places[swap].get(process, process)

    def local(self, swap: int, local: int) -> int:
        """The image of a local value."""
        key = (swap, local)
        found = self._locals.get(key)
        if found is None:
            tables, names = self.graph.tables, self._names[swap]
            process, value = tables.locals.things[local]
            image = Local(value.state, renamed(value.fields, names), value.timers)
            found = self._locals[key] = tables.local(self.place(swap, process), image)
            self.found_locals.append((local, swap, found))
        return found

    def envelope(self, swap: int, envelope: int) -> int:
        """The image of an envelope."""
        key = (swap, envelope)
        found = self._envelopes.get(key)
        if found is None:
            tables, names = self.graph.tables, self._names[swap]
            source, target, message = tables.envelopes.things[envelope]
            image = Envelope(names.get(source, source), names.get(target, target), renamed(message, names))
            found = self._envelopes[key] = tables.envelopes(image)
            self.found_envelopes.append((envelope, swap, found))
        return found

    def emission(self, swap: int, emission: int) -> int:
        """The image of an emission."""
        key = (swap, emission)
        found = self._emissions.get(key)
        if found is None:
            tables = self.graph.tables
            found = tables.emissions(renamed(tables.emissions.things[emission], self._names[swap]))
            self._emissions[key] = found
        return found

    def state(self, swap: int, state: State) -> State:
        """The image of a state; budgets and cuts stay, for nothing in them tells the two apart."""
        network = self.graph.network
        locals_ = [self.local(swap, local) for local in state.locals]
        a, b = self.pairs[swap]
        locals_[a], locals_[b] = locals_[b], locals_[a]
        flying = tuple(self.envelope(swap, e) for e in network.every(state.net))
        return State(tuple(locals_), network.add(network.empty(), flying), state.budgets, state.cuts)

    # --- views --------------------------------------------------------------------------------------

    def local_views(self, local: int) -> Views | None:
        """How a local value looks from each member; None if it looks the same from all of a class."""
        if local not in self._local_views:
            process, value = self.graph.tables.locals.things[local]
            self._local_views[local] = self._views(process, (value.state, value.fields, value.timers))
            self.seen_locals.append((local, self._local_views[local]))
        return self._local_views[local]

    def envelope_views(self, envelope: int) -> Views | None:
        """The same of an envelope."""
        if envelope not in self._envelope_views:
            self._envelope_views[envelope] = self._views(-1, self.graph.tables.envelopes.things[envelope].value())
            self.seen_envelopes.append((envelope, self._envelope_views[envelope]))
        return self._envelope_views[envelope]

    def _views(self, process: int, value: Value) -> Views | None:
        names = self.graph.names
        whose = names[process] if process >= 0 else None
        found = tuple(key64(encode(renamed((whose, value), seen_as))) for seen_as in self._seen_as)
        at = 0
        for members in self.members:
            if len(set(found[at : at + len(members)])) > 1:
                return found
            at += len(members)
        return None
