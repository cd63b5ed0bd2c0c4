"""Fair rounds inside of a component: what is still waiting, how to serve it, and what cannot be served."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sim.checker.explored import TimeIsUp, WholeGraph, connected
from sim.graph.action import Action
from sim.world.choice import Subject
from sim.world.fairness import Fairness

Step = tuple[int, Action, int]
"""From a state, by an action, to a state."""
Served = Callable[[Step], bool]


class Fair:
    """What fairness asks of a round in an explored graph. Raises `TimeIsUp` when that is said."""

    ask_every = 10_000
    """After looking at so many states it asks for the time."""

    def __init__(self, explored: WholeGraph, fairness: Fairness, time_is_up: Callable[[], bool] = bool) -> None:
        self.explored, self.fairness, self.time_is_up = explored, fairness, time_is_up
        self._looked = 0

    def moves_from(self, number: int) -> list[tuple[Action, int]]:
        """The progress from a state that leads elsewhere."""
        self._looked += 1
        if self._looked % self.ask_every == 0 and self.time_is_up():
            raise TimeIsUp
        return self.explored.moves_from(number)

    def owed(self, number: int) -> set[Subject]:
        """What may progress in a state, whatever it chooses."""
        return {action.takes for action, _ in self.moves_from(number)}

    def outcomes(self, number: int, taken: Action) -> list[tuple[Action, int]]:
        """All outcomes of what was taken in a state that lead elsewhere."""
        return [(action, after) for action, after in self.moves_from(number) if action.takes == taken.takes]

    def waiting(self, steps: list[Step]) -> Served | None:
        """What a round does not serve yet, as a test of the steps that would; None: it is fair."""
        taken = {action.takes for _, action, _ in steps}
        passed = [self.owed(number) for number, _, _ in steps]
        waiting = set.intersection(*passed) - taken
        if waiting:
            first = min(waiting)
            return lambda step: step[1].takes == first or first not in self.owed(step[2])
        if self.fairness.is_weak:
            return None
        actions = {action for _, action, _ in steps}
        for number, action, _ in steps:
            for other, _ in self.moves_from(number):
                if self.fairness.owes(other) and other.takes not in taken:
                    return lambda step, subject=other.takes: step[1].takes == subject  # type: ignore[misc]
            if self.fairness.choices and action.choices:
                missing = next((one for one, _ in self.outcomes(number, action) if one not in actions), None)
                if missing is not None:
                    return lambda step: step[1] is missing
        return None


class Loop(NamedTuple):
    """States among which one can go round fairly, and the actions that must not be taken on it."""

    members: set[int]
    banned: frozenset[Action] = frozenset()


def fair_parts(fair: Fair, part: Loop) -> Iterator[Loop]:
    """The parts of a strongly connected component in which one can go round fairly, each as large as can be.

    Where something that must be taken cannot be taken inside, one keeps away from where it is enabled; where an outcome of
    a choice cannot come about inside, one does not take that choice.
    """
    waiting = [part]
    while waiting:
        members, banned = waiting.pop()
        inside = [(n, *step) for n in sorted(members) for step in fair.moves_from(n)]
        taken = [(n, a, to) for n, a, to in inside if to in members and a not in banned]
        served = {action.takes for _, action, _ in taken}
        unserved = {n for n, a, _ in inside if fair.fairness.owes(a) and a.takes not in served}
        lacking = _lacking(inside, taken) if fair.fairness.choices else set()
        if unserved or lacking - banned:
            less, more = members - unserved, banned | lacking
            waiting += [Loop(one, more) for one in _connected(fair, less, more)]
        elif set.intersection(*(fair.owed(n) for n in members)) <= served:
            yield Loop(members, banned)


def _lacking(inside: list[Step], taken: list[Step]) -> set[Action]:
    """Choices with an outcome that does not come about inside: all outcomes of each."""
    groups: dict[tuple[int, Subject], set[Action]] = {}
    for _, action, _ in inside:
        if action.choices:
            groups.setdefault((action.before, action.takes), set()).add(action)
    have = {action for _, action, _ in taken}
    return {action for group in groups.values() if not group <= have for action in group}


def _connected(fair: Fair, members: set[int], banned: frozenset[Action] | set[Action]) -> list[set[int]]:
    """The strongly connected components of more than one of these states, without these actions."""
    states = sorted(members)
    numbers = {state: i for i, state in enumerate(states)}
    start, to = [0], []
    for state in states:
        steps = fair.moves_from(state)
        to += [numbers[after] for action, after in steps if after in numbers and action not in banned]
        start.append(len(to))
    return [{states[i] for i in one} for one in connected(start, to, fair.time_is_up)]


def fair_round(fair: Fair, part: Loop, start: int) -> list[Step]:
    """A fair round through `start` inside of a part: the shortest, and as long as that is not fair, detours to where
    what waits is served."""
    steps = _way(fair, part, start, lambda step: step[2] == start)
    while (served := fair.waiting(steps)) is not None:
        steps += _way(fair, part, start, served)
        if steps[-1][2] != start:
            steps += _way(fair, part, steps[-1][2], lambda step: step[2] == start)
    return steps


def _way(fair: Fair, part: Loop, start: int, arrived: Served) -> list[Step]:
    """A shortest way from `start` inside of the part whose last step has `arrived`."""
    links: dict[int, Step | None] = {start: None}
    queue = deque([start])
    while queue:
        number = queue.popleft()
        for action, after in fair.moves_from(number):
            if after not in part.members or action in part.banned:
                continue
            step = (number, action, after)
            if arrived(step):
                return [*_back(links, number), step]
            if after not in links:
                links[after] = step
                queue.append(after)
    raise AssertionError("a component is strongly connected")


def _back(links: dict[int, Step | None], number: int) -> list[Step]:
    found = []
    while (step := links[number]) is not None:
        found.append(step)
        number = step[0]
    return found[::-1]
