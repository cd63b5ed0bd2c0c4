"""Minimising where places say what is usual: the fewest departures from it, then the fewest steps.

A run is what departs from the usual, so edits are made to that list alone: items are left out, said with less, or made
elsewhere; what no longer fits is passed over. Every edit is tried by running it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sim.run.simulation import simulate
from sim.run.trace import Run
from sim.strategy.departing import opportunities
from sim.world.address import Address, parse_address
from sim.world.choice import Choice, Start
from sim.world.finding import Finding
from sim.world.world import AnyWorld, usual_at

EFFORT = 100_000
"""Calls of the program's code that minimising may take, all trials together."""

Items = tuple[Address, ...]


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
    world: AnyWorld, start: Start[Any], choices: Sequence[Choice], finding: Finding, over: Callable[[], bool] | None
) -> Least:
    """The least run that violates the same property as this one."""
    items = tuple(map(parse_address, world.schedule(start, choices)))
    return _Search(world, finding, over).run(Least(start, list(choices), finding, items))


class _Search:
    def __init__(self, world: AnyWorld, finding: Finding, over: Callable[[], bool] | None) -> None:
        self._world, self._finding, self._over = world, finding, over
        self._until = world.handler_calls + EFFORT
        self._known: dict[tuple[str, ...], Least | None] = {}

    def run(self, best: Least) -> Least:
        better = True
        while better and not self._is_over():
            better = False
            for edits in (self._fewer, self._barer, self._once):
                found = self._first_less(best, edits(best))
                while found is not None:
                    best, better = found, True
                    found = self._first_less(best, edits(best))
        return best._replace(complete=not self._is_over())

    def _is_over(self) -> bool:
        return self._world.handler_calls > self._until or (self._over is not None and self._over())

    def _first_less(self, best: Least, edits: Iterator[Items | list[Choice]]) -> Least | None:
        for edit in edits:
            if self._is_over():
                return None
            found = self._tried(edit, best)
            if found is not None and found.cost < best.cost:
                return found
        return None

    def _tried(self, edit: Items | list[Choice], best: Least) -> Least | None:
        if isinstance(edit, list):
            return self._violating(Led(edit), best)
        key = tuple(map(str, edit))
        if key not in self._known:
            self._known[key] = self._violating(Loosely(edit), best)
        return self._known[key]

    def _violating(self, strategy: Led | Loosely, best: Least) -> Least | None:
        run = simulate(self._world, strategy, max_steps=2 * len(best.choices) + 20)
        return self._least(run) if run.finding is not None and run.finding.property == self._finding.property else None

    def _least(self, run: Run) -> Least:
        choices = [choice for _, choice in run.trace.steps]
        assert run.finding is not None
        items = tuple(map(parse_address, self._world.schedule(run.trace.start, choices)))
        return Least(run.trace.start, choices, run.finding, items)

    # --- edits --------------------------------------------------------------------------------------

    def _fewer(self, best: Least) -> Iterator[Items]:
        """Leave out a stretch of items, long ones first; and what remains said with less."""
        items, length = best.items, len(best.items)
        while length:
            for at in range(0, len(items) - length + 1, max(1, length // 2)):
                rest = items[:at] + items[at + length :]
                yield rest
                yield tuple(map(_bare, rest))
            length //= 2

    def _barer(self, best: Least) -> Iterator[Items]:
        """Make one item at the first place where it is possible."""
        for at, item in enumerate(best.items):
            if item != _bare(item):
                yield (*best.items[:at], _bare(item), *best.items[at + 1 :])

    def _once(self, best: Least) -> Iterator[list[Choice]]:
        """Every run that departs once from the usual; of one that departs once already, in the same way elsewhere."""
        if not best.items:
            return
        alike = {str(_bare(item)) for item in best.items} if len(best.items) == 1 else None
        usual = simulate(self._world, Led([]), max_steps=2 * len(best.choices) + 20)
        before: list[Choice] = []
        for place, (_, choice) in zip(usual.trace.places(), usual.trace.steps, strict=False):
            for other in self._world.enabled(place):
                if other != choice and (alike is None or str(_bare(other.address)) in alike):
                    yield [*before, other]
            before.append(choice)


def _bare(item: Address) -> Address:
    return replace(item, after="", ordinal=None)


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
