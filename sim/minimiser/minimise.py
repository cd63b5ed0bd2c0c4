"""Minimising: of a violation the fewest deviations from the canonical schedule, then the fewest actions.

Every edit is tried by running it (`Guided`): what no longer fits is left out, what is missing is done as
usual, and what really happened is recorded anew. A run is kept if it violates the same property and is
less; so whatever comes out is a run of the system that ends in the violation. Bounded by a number of
steps, not by a clock: the same run gives the same counterexample everywhere.

The idea of minimising by edits is delta debugging (Zeller, Hildebrandt: "Simplifying and isolating
failure-inducing input", TSE 2002); the last stage also looks breadth first for a shortcut.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sim.minimiser.counterexample import Counterexample, counterexample_of, shape_of
from sim.minimiser.deviations import Deviation, Unusual, counted, deviations, is_plain
from sim.minimiser.fewest import Over, Wanted, fewest
from sim.minimiser.guided import Guided, GuideItem
from sim.minimiser.shortcut import Shortcut, shortcuts
from sim.run.simulation import ended, simulate
from sim.run.trace import Run
from sim.world.choice import FIRE, Choice, Start, Subject
from sim.world.finding import Finding
from sim.world.world import AnyWorld

EFFORT = 400_000
"""Steps that minimising may take, all trials together."""
PAIRS_MAX = 40
"""Actions up to which all pairs are tried."""


def following(actions: Sequence[Choice], step: int) -> list[int]:
    """The step and those that follow from it, in their order: the deliveries of what they sent."""
    found, sent = [step], [*actions[step].brings]
    for at in range(step + 1, len(actions)):
        if actions[at].ends and actions[at].takes in sent:
            sent.remove(actions[at].takes)
            sent += actions[at].brings
            found.append(at)
    return found


def minimise(
    world: AnyWorld,
    start: Start[Any],
    actions: Sequence[Choice],
    finding: Finding,
    *,
    effort: int = EFFORT,
    known: Container[tuple[str, ...]] = (),
    longest: int | None = None,
    over: Over = None,
    wanted: Wanted | None = None,
) -> Counterexample:
    """Reduce a run of `world` that ends in `finding`. `effort` bounds the steps of all trials; one that
    comes to a shape in `known` is not looked into any further, and one of more than `longest` steps is not taken. When `over`
    says so, what is least so far is it. What is less is as good if it violates the same property, or else if it is `wanted`."""
    with world.walking():
        return _minimised(world, start, actions, finding, effort, known, longest, over, wanted)


def _minimised(
    world: AnyWorld,
    start: Start[Any],
    actions: Sequence[Choice],
    finding: Finding,
    effort: int,
    known: Container[tuple[str, ...]],
    longest: int | None,
    over: Over,
    wanted: Wanted | None,
) -> Counterexample:
    if world.usual(start.place) is not None:
        few = fewest(world, start, actions, finding, wanted or _violating_too(finding), over, known)
        return counterexample_of(world, few.start, few.choices, few.finding, complete=few.complete)
    least = _Minimiser(world, finding, effort, longest, over, wanted).run(start, list(actions), known)
    return counterexample_of(world, least.start, least.actions, least.finding, complete=least.complete)


def _violating_too(finding: Finding) -> Wanted:
    """Runs that violate the same property."""

    def wanted(run: Run) -> Finding | None:
        return run.finding if run.finding is not None and run.finding.property == finding.property else None

    return wanted


Edits = Iterator[tuple[Start[Any], list[GuideItem]] | tuple[Start[Any], list[GuideItem], frozenset[Subject]]]
"""What to try: where to begin, the items to follow, and what to hold back."""


@dataclass
class _Candidate:
    """A run that ends in the violation, on the way to the least."""

    finding: Finding
    start: Start[Any]
    actions: list[Choice]
    deviations: list[Deviation]
    complete: bool = True
    """Whether every edit was tried before the effort was used up."""

    @property
    def cost(self) -> tuple[int, int]:
        """What is minimised: deviations, then actions."""
        return len(self.deviations), len(self.actions)


class _Minimiser:
    def __init__(
        self,
        world: AnyWorld,
        finding: Finding,
        effort: int,
        longest: int | None,
        over: Over,
        wanted: Wanted | None,
    ) -> None:
        self._over = over
        self._wanted = wanted or _violating_too(finding)
        self._is_judged = wanted is None
        """Whether what is looked for shows at a place, without the way there."""
        self.world = world
        self.longest = longest
        self.finding = finding
        self.effort = effort
        self.known: dict[object, _Candidate | None] = {}
        """What came of each trial: ways that differ at first soon come to the same ones."""

    def run(self, start: Start[Any], actions: list[Choice], known: Container[tuple[str, ...]]) -> _Candidate:
        unusual = counted(deviations(self.world, start, actions))
        best = self._reduced(_Candidate(self.finding, start, actions, unusual, complete=False))
        if known and shape_of(action.address for action in best.actions) in known:
            return best
        near = self._first_less(best, self._near(best))
        if near is not None:
            best = self._reduced(near)
        better = True
        while better and self.effort > 0:
            better = False
            for path in self._shortcuts(best) if self._is_judged else ():
                self.effort -= path.looked
                if path.choices is not None:
                    other = self._run(best.start, [*map(GuideItem, path.choices)], len(path.choices))
                    other = self._reduced(other) if other is not None else None
                    if other is not None and other.cost < best.cost:
                        best, better = other, True
                        break
                if self.effort <= 0:
                    break
        best.complete = self.effort > 0
        return best

    def _reduced(self, best: _Candidate) -> _Candidate:
        """`best` after all edits, again and again until none makes it less."""
        better = True
        while better and self.effort > 0:
            better = False
            for edits in (self._without, self._plain, self._ordered, self._started, self._without_two, self._elsewhere):
                found = self._first_less(best, edits(best))
                while found is not None:
                    best, better = found, True
                    found = self._first_less(best, edits(best))
        return best

    def _shortcuts(self, best: _Candidate) -> Iterator[Shortcut]:
        args = best.start, best.actions, self.finding.property, len(best.deviations)
        return shortcuts(self.world, *args)

    def _first_less(self, best: _Candidate, edits: Edits) -> _Candidate | None:
        for start, items, *held in edits:
            if self.effort <= 0:
                return None
            found = self._run(start, items, len(best.actions), *held)
            if found is not None and found.cost < best.cost:
                return found
        return None

    def _run(
        self, start: Start[Any], items: list[GuideItem], length: int, held: frozenset[Subject] = frozenset()
    ) -> _Candidate | None:
        """What really happens with these items; None if it does not violate the property.

        It may become longer on the way to fewer deviations, but not without bound.
        """
        key = (start.choices, length, held, tuple((item.choice, item.plain) for item in items))
        if key not in self.known:
            self.known[key] = self._violating(start, items, length, held)
        return self.known[key]

    def _violating(
        self, start: Start[Any], items: list[GuideItem], length: int, held: frozenset[Subject]
    ) -> _Candidate | None:
        run = self._trial(start, items, length, held)
        finding = self._wanted(run)
        if finding is None:
            return None
        actions = [action for _, action in run.trace.steps]
        if run.round and self._is_judged:
            found, length = ended(self.world, start, actions, round_of=finding.property)
            finding, actions = found or finding, actions[:length]
        if self.longest is not None and len(actions) > self.longest:
            return None
        return _Candidate(finding, start, actions, counted(deviations(self.world, start, actions)))

    def _trial(
        self, start: Start[Any], items: list[GuideItem], length: int, held: frozenset[Subject] = frozenset()
    ) -> Run:
        guided = Guided(start, items, held)
        run = simulate(self.world, guided, max_steps=2 * length + 20)
        self.effort -= run.steps + 1
        if self._over is not None and self._over():
            self.effort = 0
        return run

    # --- edits --------------------------------------------------------------------------------------

    def _near(self, best: _Candidate) -> Edits:
        """The canonical schedule, and every run that deviates from it once: something comes early, or late,
        a fault strikes, or a timer
        fires and what was due before it stays on its way."""
        if not best.deviations:
            return
        first = self.world.starts()[0]
        yield first, []
        if len(best.deviations) == 1:
            return
        usual = self._trial(first, [], len(best.actions)).trace
        items = [GuideItem(choice) for _, choice in usual.steps]
        for at, (place, (_, choice)) in enumerate(zip(usual.places(), usual.steps, strict=False)):
            enabled = self._enabled(place)
            flying = frozenset(other.takes for other in enabled if is_plain(other))
            for other in enabled:
                if other != choice:
                    yield first, [*items[:at], GuideItem(other)]
                if other.takes[0] == FIRE and not other.strikes:
                    yield first, [*items[:at], GuideItem(other)], flying
            yield first, items[:at], frozenset({choice.takes})

    def _enabled(self, place: Any) -> list[Choice]:
        return sorted(self.world.enabled(place), key=lambda choice: choice.code)

    def _without(self, best: _Candidate) -> Edits:
        """Leave out a stretch of actions, long ones first."""
        items = [*map(GuideItem, best.actions)]
        length = len(items)
        while length:
            for at in range(0, len(items) - length + 1, max(1, length // 2)):
                yield best.start, items[:at] + items[at + length :]
            length //= 2

    def _without_two(self, best: _Candidate) -> Edits:
        """Leave out two actions."""
        if len(best.actions) <= PAIRS_MAX:
            for one, other in combinations(range(len(best.actions)), 2):
                yield best.start, [GuideItem(a) for at, a in enumerate(best.actions) if at not in (one, other)]

    def _plain(self, best: _Candidate) -> Edits:
        """Let something happen in its plain way: without the fault, with the first choice."""
        for deviation in best.deviations:
            if deviation.kind in (Unusual.FAULT, Unusual.CHOICE):
                yield best.start, [GuideItem(a, plain=at == deviation.step) for at, a in enumerate(best.actions)]

    def _ordered(self, best: _Candidate) -> Edits:
        """Move what is out of order to where it belongs, alone or with what follows from it, or its
        counterpart, or what the environment does to later (what follows from it then comes later too), or as
        usual from there on."""
        items = [*map(GuideItem, best.actions)]
        for deviation in best.deviations:
            if deviation.kind is Unusual.LATE:
                late = following(best.actions, deviation.step)
                for moved in ([deviation.step], late) if len(late) > 1 else ([deviation.step],):
                    rest = [item for at, item in enumerate(items) if at not in moved]
                    for at in range(deviation.step):
                        yield best.start, [*rest[:at], *(items[step] for step in moved), *rest[at:]]
            elif deviation.kind in (Unusual.EARLY, Unusual.ENVIRONMENT):
                rest = items[: deviation.step] + items[deviation.step + 1 :]
                for at in range(len(rest), deviation.step, -1):
                    yield best.start, [*rest[:at], items[deviation.step], *rest[at:]]
        for deviation in best.deviations:
            if deviation.step >= 0:
                yield best.start, items[: deviation.step]

    def _elsewhere(self, best: _Candidate) -> Edits:
        """Let a fault of the same kind strike something else, and leave out what was there for it to strike."""
        faults = [deviation.step for deviation in best.deviations if deviation.kind is Unusual.FAULT]
        others = [deviation.step for deviation in best.deviations if deviation.kind in _BY_ITSELF]
        for fault in faults:
            kinds = best.actions[fault].strikes
            for other in others:
                if other == fault:
                    continue
                items = [GuideItem(a, plain=at == fault) for at, a in enumerate(best.actions) if at != other]
                run = self._trial(best.start, items, len(best.actions)).trace
                items = [GuideItem(choice) for _, choice in run.steps]
                for at, (place, _) in enumerate(zip(run.places(), run.steps, strict=False)):
                    for struck in self._enabled(place):
                        if struck.strikes == kinds:
                            yield best.start, [*items[:at], GuideItem(struck), *items[at:]]

    def _started(self, best: _Candidate) -> Edits:
        """Begin with the first choices."""
        first = self.world.starts()[0]
        if first.choices != best.start.choices:
            yield first, [*map(GuideItem, best.actions)]


_BY_ITSELF = (Unusual.FAULT, Unusual.ENVIRONMENT)
"""What happens though nothing is late or early."""
