"""PCT for messages: Ozkan, Majumdar, Niksic, Befrouei, Weissenbacher, "Randomized testing of distributed
systems with probabilistic guarantees" (OOPSLA 2018).

Events are partitioned online into chains, each of which is ordered by cause and effect. A chain gets a
random priority when it begins; the pending event of the highest chain comes next. At d-1 steps, drawn in
advance among n, the chain whose turn it is falls below all others: the i-th of the draws to level d-i.
A bug of depth d (d events in an order, each as late as causes and effects let it be) shows with a
probability of at least 1/(w^2 * n^(d-1)): the first of the d events is in the lowest of at most w(w+1)/2
chains, and each draw hits the step of its event.

Departures from the paper:

- Its events are messages, and what is sent will be delivered. Here timers, spontaneous moves, restarts
  and heals are events too, and may become void. The bound is claimed only where there are none of them
  (`World.only_messages`): messages alone, each taken whenever it comes, no fault, no choice.
- "n: the maximum number of events" is the length of the canonical schedule, not given by the user.
- Faults strike at moments drawn apart (`sim.strategy.strikes`) and are not counted among the n.
- What follows from itself alone (`Pending.apart`), as a task of a program does, is a chain of its own. Of tasks alone this is
  PCT: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A randomized scheduler with probabilistic guarantees of finding bugs"
  (ASPLOS 2010), with at least 1/(k * n^(d-1)) for k tasks.
- An event that can go several ways goes any of them with equal probability.
"""

from __future__ import annotations

from typing import Any

from sim.base.mixer import between, derive, stream
from sim.strategy.base import choose_start, least_moving
from sim.strategy.canonical import usual_length
from sim.strategy.chains import Chains
from sim.strategy.events import Events, grouped, least_key
from sim.strategy.strikes import Strikes
from sim.world.choice import Choice, Start, Subject
from sim.world.world import AnyWorld

DEPTH = 3
_ABOVE = 1 << 64
"""More than any level."""


class PCTCP:
    """Runs the pending event of the chain with the highest priority; `depth` is d, `length` is n (by
    default the length of the canonical schedule)."""

    name = "pctcp"
    now_ms = None

    def __init__(self, seed: int = 0, depth: int | None = None, length: int | None = None) -> None:
        self.seed = seed
        self.depth = DEPTH if depth is None else depth
        self._given = length
        self._draws = derive(seed, self.name)

    def begin(self, world: AnyWorld) -> Start[Any]:
        self._world = world
        self.length = usual_length(world) if self._given is None else self._given
        self._levels: dict[int, list[int]] = {}
        """The levels to which chains fall, by the number of the event at which they do."""
        for i in range(1, self.depth):
            point = between(stream(self._draws, i - 1), 1, self.length)
            self._levels.setdefault(point, []).append(self.depth - i)
        self._chain_draws = derive(self._draws, "chains")
        self._priorities: list[int] = []
        """Of each chain: random, and above those of chains that were lowered, which have their level."""
        self._strikes = Strikes(world, self.seed, self.length)
        self._step = 0
        self._events_taken = 0
        start = choose_start(world, self.seed)
        self.events = Events(world, start)
        self.chains = Chains()
        self._join()
        return start

    def pick(self, at: Any) -> Choice | None:
        self._step += 1
        if self._strikes.is_due(self._step - 1):
            fault = self._strikes.strike(self._step - 1, self._world.enabled(at))
            if fault is not None:
                return fault
        ways = self._by_chain(at, grouped(self._world.unstruck(at)))
        best = self._highest(at, ways)
        if best is None:
            return None
        self._events_taken += 1
        for level in self._levels.get(self._events_taken, ()):
            self._priorities[best[0]] = level
            best = self._highest(at, ways) or best
        return best[1]

    def took(self, choice: Choice, at: Any) -> None:
        self.events.took(choice, at)
        self._join()

    def _by_chain(self, at: Any, groups: dict[Subject, list[Choice]]) -> dict[int, list[Choice]]:
        """The ways of each event by its chain: no two that are pending are in one, as one would follow from the other."""
        ways: dict[int, list[Choice]] = {}
        anew = []
        pending, chain_of = self.events.pending, self.chains.of
        for subject, group in groups.items():
            numbers = pending.get(subject)
            if numbers:
                ways[chain_of[numbers[0]]] = group
            else:
                anew.append(group)
        for group in sorted(anew, key=least_key) if anew else ():
            if any(self._world.changes(at, way) for way in group):
                number = self.events.make(group[0].takes)
                self._join()
                ways[chain_of[number]] = group
        return ways

    def _highest(self, at: Any, ways: dict[int, list[Choice]]) -> tuple[int, Choice] | None:
        """The highest chain of `ways` whose event leads elsewhere, and how; what does not is left out from then on."""
        while ways:
            chain = max(ways, key=self._priorities.__getitem__)
            way = least_moving(self._world, at, ways[chain], self._draws, self._step)
            if way is not None:
                return chain, way
            del ways[chain]
        return None

    def _join(self) -> None:
        """Gives the events that were made since the last time their chains, and new chains their priorities."""
        chains, parents = self.chains, self.events.parents
        for number in range(len(chains.of), len(parents)):
            (chains.add_apart if self.events.apart[number] else chains.add)(parents[number])
        for chain in range(len(self._priorities), chains.count):
            self._priorities.append(_ABOVE + stream(self._chain_draws, chain))
