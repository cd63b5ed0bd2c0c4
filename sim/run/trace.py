"""The record of a run, and its digest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from hashlib import sha256
from typing import Any

from sim.base.values import Emission
from sim.machine.ledgers import Rejected
from sim.world.choice import Choice, Start
from sim.world.finding import Finding
from sim.world.slowdown import Slowdown
from sim.world.story import Story
from sim.world.world import AnyWorld


class Ending(Enum):
    """Why a run ended; the values are the sentences users read."""

    QUIESCENT = "nothing more can happen by itself"
    SCHEDULE = "the schedule is used up"
    STEPS = "the bound on steps was hit"
    ROUND = "it can go round like this forever"
    VIOLATED = "a property is violated"
    INTERRUPTED = "the caller stopped it"


Step = tuple[int | None, Choice]
"""One step of a run: the virtual time in milliseconds (None where it is not simulated), and the action."""


@dataclass
class Trace:
    """What happened: where it began, and the actions taken. Everything else follows from them."""

    world: AnyWorld
    start: Start[Any]
    steps: list[Step] = field(default_factory=list)
    end: Any = None
    """The place after the last step, if it is known; `places` finds it in any case."""

    slowdowns: list[Slowdown] = field(default_factory=list)
    """What was slowed down. It is not an action: it shows in the times of the steps."""

    def places(self) -> list[Any]:
        """The place before the first step and after each."""
        found = [self.start.place]
        for _, choice in self.steps:
            found.append(self.world.apply(found[-1], choice))
        return found

    @property
    def emissions(self) -> list[Emission]:
        """The emissions of the processes, in order."""
        return [*self.start.emissions, *(emission for _, choice in self.steps for emission in choice.emissions)]

    def emitted(self) -> dict[str, int]:
        """How many emissions there were of each class, by name."""
        return dict(sorted(Counter(type(emission).__name__ for emission in self.emissions).items()))

    def rejected(self) -> dict[str, int]:
        """How many inputs were rejected for each reason."""
        reasons = Counter(emission.reason for emission in self.emissions if isinstance(emission, Rejected))
        return dict(sorted(reasons.items()))

    def struck(self) -> dict[str, int]:
        """How many faults of each kind struck."""
        kinds = [kind for _, choice in self.steps for kind in choice.strikes]
        return dict(sorted(Counter([*kinds, *(slow.kind for slow in self.slowdowns)]).items()))

    @property
    def time_ms(self) -> int | None:
        """The virtual time at the end; None where it is not simulated."""
        return self.steps[-1][0] if self.steps else 0

    @property
    def sent(self) -> int:
        """How many messages were sent."""
        sends = (len(choice.brings) for _, choice in self.steps if choice.address.verb != "duplicate")
        return len(self.start.brings) + sum(sends)

    @property
    def delivered(self) -> int:
        """How many messages were delivered."""
        return sum(choice.address.verb == "deliver" for _, choice in self.steps)

    @property
    def handler_calls(self) -> int:
        """How often handlers have run in its world so far."""
        return self.world.handler_calls

    def tell(self) -> Story:
        """What happened, in words."""
        return self.world.tell(self.start, self.steps, self.slowdowns)

    def schedule(self) -> list[str]:
        """The addresses of the actions, as a scenario file keeps them."""
        return self.world.schedule(self.start, [choice for _, choice in self.steps])

    def lines(self) -> list[bytes]:
        """The canonical form: where it began, each step, where it ended."""
        found = [self.start.record]
        found += [(b"" if time is None else time.to_bytes(8, "big")) + choice.record for time, choice in self.steps]
        end = self.places()[-1] if self.end is None else self.end
        return [*found, self.world.record(end)]

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical form, in hexadecimal."""
        return sha256(b"".join(self.lines())).hexdigest()


@dataclass(repr=False)
class Run:
    """A run: its trace, how it ended, and what the properties said of it."""

    trace: Trace
    place: Any
    """Where it ended."""
    ending: Ending
    finding: Finding | None
    reached: dict[str, bool]
    """For each goal whether it is met: of a `sometimes` or `eventually` whether it held at some point."""
    round: int = 0
    """How many of its last steps can be repeated forever, as far as this was looked for; 0: none."""

    @property
    def verdict(self) -> str:
        """`ok`, `violated`, or `incomplete` where the bound on steps came first."""
        if self.finding is not None:
            return "violated"
        return "incomplete" if self.ending in (Ending.STEPS, Ending.INTERRUPTED) else "ok"

    @property
    def steps(self) -> int:
        return len(self.trace.steps)

    @property
    def ends(self) -> Mapping[str, str]:
        """The state of every process and monitor at the end, by name."""
        return self.trace.world.states(self.place)

    def __repr__(self) -> str:
        why = self.finding.message if self.finding is not None else self.ending.value
        return f"<run of {self.steps} steps, {self.verdict}: {why}>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """For Hypothesis and IPython, which else print every field of a dataclass."""
        printer.text("\n    ".join((repr(self)[:-1], *self.trace.schedule())) + ">")

    @cached_property
    def digest(self) -> str:
        return self.trace.digest
