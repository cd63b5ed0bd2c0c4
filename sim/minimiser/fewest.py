"""Minimising where places say what is usual: the fewest departures from it, then the fewest steps.

A run is what departs from the usual, so edits are made to that list alone: items are left out, said with less, or made
elsewhere; what no longer fits is passed over. Every edit is tried by running it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace
from itertools import cycle, permutations
from typing import Any, NamedTuple

from sim.minimiser.counterexample import shape_of
from sim.run.simulation import simulate
from sim.run.trace import Run
from sim.strategy.departing import opportunities
from sim.world.address import Address, parse_address
from sim.world.choice import Choice, Start
from sim.world.finding import Finding
from sim.world.world import AnyWorld, usual_at

EFFORT = 100_000
"""Calls of the program's code that minimising may take, all trials together."""

FEW = 3
"""Departures that are read at a glance."""

PLACES = 16
"""Of those where something could happen instead, the first so many are tried."""

Items = tuple[Address, ...]
Over = Callable[[], bool] | None
Wanted = Callable[[Run], Finding | None]
"""Says of a run what is wrong with it, if that is what is looked for."""


class Least(NamedTuple):
    """The least run that was found."""

    start: Start[Any]
    choices: list[Choice]
    finding: Finding
    items: Items
    complete: bool = True

    @property
    def cost(self) -> tuple[int, int, int]:
        """What is minimised: departures, steps, and how much is said of where they are."""
        return len(self.items), len(self.choices), sum(bool(item.after) + bool(item.ordinal) for item in self.items)


def fewest(
    world: AnyWorld,
    start: Start[Any],
    choices: Sequence[Choice],
    finding: Finding,
    wanted: Wanted,
    over: Over = None,
    known: Container[tuple[str, ...]] = (),
) -> Least:
    """The least run that is `wanted`, as this one is for its `finding`; one that comes to a shape in `known` is not looked into
    any further."""
    items = tuple(map(parse_address, world.schedule(start, choices)))
    return _Search(world, wanted, over).run(Least(start, list(choices), finding, items), known)


class _Search:
    def __init__(self, world: AnyWorld, wanted: Wanted, over: Over) -> None:
        self._world, self._wanted, self._over = world, wanted, over
        self._until = world.handler_calls + EFFORT
        self._known: dict[tuple[str, ...], Least | None] = {}

    def run(self, best: Least, known: Container[tuple[str, ...]]) -> Least:
        """One way to make it less after the other, until none of them does."""
        best = self._fewer(best)
        if known and shape_of(best.items) in known:
            return best
        ways = (self._barer, self._once, self._elsewhere, self._fewer)
        in_vain = 1
        for way in cycle(ways):
            if in_vain == len(ways) or self._is_over():
                break
            found = way(best)
            in_vain = in_vain + 1 if found is best else 0
            best = found
        return best._replace(complete=not self._is_over())

    def _is_over(self) -> bool:
        return self._world.handler_calls > self._until or (self._over is not None and self._over())

    def _less(self, best: Least, items: Items) -> Least | None:
        """What really happens with these items, where that is less."""
        key = tuple(map(str, items))
        if key not in self._known:
            self._known[key] = self._tried(Loosely(items), best)
        found = self._known[key]
        return found if found is not None and found.cost < best.cost else None

    def _tried(self, strategy: Led | Loosely, best: Least) -> Least | None:
        if self._is_over():
            return None
        run = simulate(self._world, strategy, max_steps=_longest(best))
        finding = self._wanted(run)
        if finding is None:
            return None
        choices = [choice for _, choice in run.trace.steps]
        items = tuple(map(parse_address, self._world.schedule(run.trace.start, choices)))
        return Least(run.trace.start, choices, finding, items)

    # --- ways to make it less: each gives back `best` itself where it finds nothing -------------------------

    def _fewer(self, best: Least) -> Least:
        """Leave out a stretch of items, long ones first; and what remains said with less."""
        length = len(best.items)
        while length:
            at = 0
            while at + length <= len(best.items):
                rest = best.items[:at] + best.items[at + length :]
                found = self._less(best, rest) or self._less(best, tuple(map(_bare, rest)))
                if found is None:
                    at += max(1, length // 2)
                else:
                    best = found
            length = min(length // 2, len(best.items))
        return best

    def _barer(self, best: Least) -> Least:
        """Make one item at the first place where it is possible."""
        for at in range(len(best.items)):
            if at < len(best.items) and best.items[at] != _bare(best.items[at]):
                best = self._less(best, (*best.items[:at], _bare(best.items[at]), *best.items[at + 1 :])) or best
        return best

    def _once(self, best: Least) -> Least:
        """Depart once from the usual: in a way in which this run does, or in any if it departs often; of one that departs once
        already, elsewhere."""
        if not best.items:
            return best
        usual = Elsewhere(best.items)
        simulate(self._world, usual, max_steps=_longest(best))
        for departing in usual.ways():
            found = self._tried(Led(departing), best)
            if found is not None and found.cost < best.cost:
                if len(found.items) < len(best.items):
                    return found
                best = found
        return best

    def _elsewhere(self, best: Least) -> Least:
        """Of a few items leave one out, and let another happen at another place."""
        if not 1 < len(best.items) <= FEW:
            return best
        for left_out, moved in permutations(range(len(best.items)), 2):
            for ordinal in range(1, PLACES + 1):
                items = [*best.items]
                items[moved] = replace(_bare(items[moved]), ordinal=ordinal if ordinal > 1 else None)
                found = self._less(best, tuple(item for at, item in enumerate(items) if at != left_out))
                if found is not None:
                    return found
        return best


def _longest(best: Least) -> int:
    """So many steps a run may have that departs less: it may become longer, but not without bound."""
    return 2 * len(best.choices) + 20 if len(best.items) > 1 else len(best.choices)


def _bare(item: Address) -> Address:
    return replace(item, after="", ordinal=None)


def _kind(item: Address) -> tuple[str, str]:
    return item.verb, item.under or ""


class Led:
    """Takes the choices of a list, then what is usual."""

    name, seed, now_ms = "led", 0, None

    def __init__(self, choices: Sequence[Choice]) -> None:
        self._choices = choices

    def begin(self, world: AnyWorld) -> Start[Any]:
        self._world, self._step = world, 0
        return world.starts()[0]

    def pick(self, at: Any) -> Choice | None:
        self._step += 1
        if self._step <= len(self._choices):
            wanted = self._choices[self._step - 1]
            found = next((choice for choice in self._world.enabled(at) if choice == wanted), None)
            if found is not None:
                took: Choice = found
                return took
        return usual_at(self._world, at)

    def took(self, choice: Choice, at: Any) -> None:
        """Nothing to remember."""


class Loosely:
    """Departs from the usual by these items, in their order, and passes over those that never fit."""

    name, seed, now_ms = "loosely", 0, None

    def __init__(self, items: Items) -> None:
        self._items = items

    def begin(self, world: AnyWorld) -> Start[Any]:
        self._world, self._next, self._met = world, 0, 0
        return world.starts()[0]

    def pick(self, at: Any) -> Choice | None:
        usual = usual_at(self._world, at)
        if self._next < len(self._items):
            item = self._items[self._next]
            found = opportunities(item, [choice for choice in self._world.enabled(at) if choice != usual])
            wanted = (item.ordinal or 1) - self._met
            if len(found) >= wanted:
                self._next, self._met = self._next + 1, 0
                return found[wanted - 1]
            self._met += len(found)
        return usual

    def took(self, choice: Choice, at: Any) -> None:
        """Nothing to remember."""


class Elsewhere:
    """Takes what is usual, and notes where it could depart from that in a way in which `items` do: of one item the same happens
    elsewhere, of a few something of the kind of one of them, and many are worth to look at everything. An address is asked for
    where it can be said at once."""

    name, seed, now_ms = "elsewhere", 0, None

    def __init__(self, items: Items) -> None:
        self._said: Callable[[Address], object] = _kind if len(items) > 1 else _bare
        self._wanted = [self._said(item) for item in items] if len(items) <= FEW else None
        self._noted: list[tuple[Choice, list[Choice]]] = []
        """Each usual choice, and what could have been made in its place."""

    def begin(self, world: AnyWorld) -> Start[Any]:
        self._world = world
        return world.starts()[0]

    def pick(self, at: Any) -> Choice | None:
        usual = usual_at(self._world, at)
        others = [choice for choice in self._world.enabled(at) if choice != usual]
        wanted = self._wanted
        noted = others if wanted is None else [one for one in others if self._said(one.address) in wanted]
        if usual is not None:
            self._noted.append((usual, noted))
        return usual

    def took(self, choice: Choice, at: Any) -> None:
        """Nothing to remember."""

    def ways(self) -> Iterator[list[Choice]]:
        """The choices of each way to depart once, up to there."""
        before: list[Choice] = []
        for usual, others in self._noted:
            yield from ([*before, other] for other in others)
            before.append(usual)
