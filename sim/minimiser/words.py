"""A counterexample in words: as usual, except for its deviations from the canonical schedule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sim.minimiser.deviations import Deviation, Unusual
from sim.run.simulation import simulate
from sim.strategy.canonical import Canonical
from sim.world.address import Address, parse_address
from sim.world.choice import Choice, Pending, Start
from sim.world.finding import Finding
from sim.world.world import AnyWorld

PENDING_MAX = 4
"""Things still to come that are named."""
USUAL_MAX = 1_000
"""Steps after which the canonical schedule is taken to lead nowhere."""


def told(
    world: AnyWorld,
    start: Start[Any],
    choices: Sequence[Choice],
    unusual: Sequence[Deviation],
    finding: Finding,
) -> list[str]:
    """Lines that say how a run goes that ends in `finding`: each deviation, then what has not happened yet."""
    if world.usual(start.place) is not None:
        return _told_by_story(world, start, choices, unusual)
    words = _Words(world, start, choices)
    if unusual:
        lines = ["As usual, except:", *_counted([words.deviation(one) for one in unusual])]
    elif is_usual(world, choices, finding):
        lines = ["As usual: first in, first out, no fault; the canonical schedule itself leads there."]
    else:
        lines = ["As usual, without any fault, before everything has arrived that is on its way."]
    pending = words.pending()
    return [*lines, f"Still to come when it happens: {pending}."] if pending else lines


def _told_by_story(
    world: AnyWorld, start: Start[Any], choices: Sequence[Choice], unusual: Sequence[Deviation]
) -> list[str]:
    """What departs from the usual, as the story of the run tells it."""
    if not unusual:
        return ["As usual, without any fault: the usual order itself leads there."]
    events = world.tell(start, [(None, choice) for choice in choices], ()).events
    first: dict[int, int] = {}
    for number, event in enumerate(events):
        first.setdefault(event.step, number)
    clauses = []
    for one, item in zip(unusual, world.schedule(start, choices), strict=True):
        at = first.get(one.step + 1)
        if at is None:  # nothing of it is anything that a reader sees
            clauses.append(item)
            continue
        when = f", just after {events[at - 1].text}" if parse_address(item).after and at > 1 else ""
        clauses.append(events[at].text + when)
    return ["As usual, except:", *(f"- {'then ' if number else ''}{clause}" for number, clause in enumerate(clauses))]


def _counted(clauses: list[str]) -> list[str]:
    """A line for each clause; what is said more than once stands where it is said first, with how often."""
    often = Counter(clauses)
    return [f"- {clause} ({often[clause]} times)" if often[clause] > 1 else f"- {clause}" for clause in often]


def is_usual(world: AnyWorld, choices: Sequence[Choice], finding: Finding) -> bool:
    """Whether the canonical schedule itself comes to this: the same steps, or the same property violated."""
    usual = simulate(world, Canonical(), max_steps=max(USUAL_MAX, len(choices)), round_ends=True)
    if usual.finding is not None and usual.finding.property == finding.property:
        return True
    return [choice.code for _, choice in usual.trace.steps[: len(choices)]] == [choice.code for choice in choices]


class _Words:
    def __init__(self, world: AnyWorld, start: Start[Any], choices: Sequence[Choice]) -> None:
        self.world = world
        self.start = start
        self.choices = choices
        self._alike: dict[tuple[str, str, str], list[Mapping[str, str]]] = {}
        """The fields of what was sent in this run, by source, target and type."""
        self._pending = self._follow()

    def deviation(self, one: Deviation) -> str:
        """One deviation as a clause."""
        if one.kind is Unusual.START:
            return f"at the start, {', '.join(self.start.address.choosing or ())} is chosen"
        choice = self.choices[one.step]
        if one.kind is Unusual.FAULT:
            return self._fault(choice, one.step)
        if one.kind is Unusual.ENVIRONMENT:
            return f"{self._happens(choice)}, {self._when(one.step)}"
        if one.kind is Unusual.CHOICE:
            return f"{choice.owner} chooses {', '.join(choice.address.choosing or ())} when {self._happens(choice)}"
        if one.kind is Unusual.AGAIN:
            return f"{self._happens(choice)} once more"
        if one.waits is not None:
            return f"{self._happens(choice)} before {self._happens(one.waits)}"
        other = self.choices[one.other]
        if one.kind is Unusual.EARLY:
            return f"{self._happens(choice)} before {self._happens(other)}"
        return f"{self._happens(choice)} only after {self._happened(other)}"

    def pending(self) -> str:
        """What would be next, had the run not ended."""
        found = list(dict.fromkeys(map(self._happens, self._pending)))
        more = len(found) - PENDING_MAX
        return "; ".join([*found[:PENDING_MAX], *([f"and {more} more"] if more > 0 else [])])

    def _follow(self) -> list[Choice]:
        """Notes what is sent in this run; what would be next at its end."""
        usual = Canonical()
        usual.begin(self.world, self.start)
        at = self.start.place
        self._note(self.world.due(self.start, at))
        for choice in self.choices:
            after = self.world.apply(at, choice)
            usual.follow(at, choice, after)
            self._note(self.world.due(choice, after))
            at = after
        return [ways[0] for ways in usual.due(at)]

    def _note(self, due: Sequence[Pending]) -> None:
        for address in (pending.address for pending in due if pending.address is not None):
            self._alike.setdefault(_kind(address), []).append(address.fields or {})

    def _fault(self, choice: Choice, step: int) -> str:
        how = self._struck(choice, step)
        address = choice.address
        if address.crashing is None:
            return how
        crash = f"{choice.owner} crashes {address.crashing} when"
        return f"{crash} {how if address.under or address.reordered else self._happens(choice)}"

    def _struck(self, choice: Choice, step: int) -> str:
        address = choice.address
        if address.verb == "drop":
            return f"{self._message(address)} is lost"
        if address.verb == "duplicate":
            return f"{self._message(address)} is duplicated"
        if address.under is not None:
            return f"{address.under} strikes {self._message(address)}"
        if address.reordered:
            return f"{self._message(address)} overtakes what was sent before it"
        if address.verb == "cut":
            return f"the cut {address.subject} takes effect, {self._when(step)}"
        return f"{address.process} crashes, {self._when(step)}"

    def _when(self, step: int) -> str:
        return f"after {self._happened(self.choices[step - 1])}" if step else "before anything else"

    def _happens(self, choice: Choice) -> str:
        return self._says(choice.address, 0)

    def _happened(self, choice: Choice) -> str:
        emitted = ", ".join(type(emission).__name__ for emission in choice.emissions)
        return self._says(choice.address, 1) + (f" ({emitted})" if emitted else "")

    def _says(self, address: Address, tense: int) -> str:
        verb = _VERBS.get(address.verb, (f"{address.verb}s", f"{address.verb}ed"))[tense]
        what = f" {address.subject}" if address.verb not in _BY_THEMSELVES and address.subject else ""
        return f"{self._doer(address)} {verb}{what}"

    def _doer(self, address: Address) -> str:
        if address.source:
            return self._message(address)
        if address.verb == "fire":
            return f"{address.process}'s timer {address.subject}"
        return address.process or f"the cut {address.subject}"

    def _message(self, address: Address) -> str:
        """`gemini's Response(attempt=1) to coordinator`, with the fields in which others of its kind differ."""
        alike = self._alike.get(_kind(address), [])
        mine = address.fields or {}
        telling = [f"{name}={text}" for name, text in mine.items() if any(other.get(name) != text for other in alike)]
        fields = f"({', '.join(telling)})" if telling else ""
        return f"{address.source}'s {address.type}{fields} to {address.target}"


def _kind(address: Address) -> tuple[str, str, str]:
    return address.source, address.target, address.type


_VERBS = {
    "deliver": ("arrives", "arrived"),
    "fire": ("fires", "fired"),
    "move": ("does", "did"),
    "crash": ("crashes", "crashed"),
    "restart": ("restarts", "restarted"),
    "drop": ("is lost", "was lost"),
    "duplicate": ("is duplicated", "was duplicated"),
    "cut": ("takes effect", "took effect"),
    "heal": ("heals", "healed"),
}
"""What happens, and happened. Verbs that are not here are conjugated as they come."""
_BY_THEMSELVES = ("fire", "cut", "heal")
"""Where the subject is what does it."""
