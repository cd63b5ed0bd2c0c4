"""A counterexample in plain data: what is printed, kept as a file, and sent between processes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sim.minimiser.deviations import counted, deviations
from sim.minimiser.words import told
from sim.world.address import Address
from sim.world.choice import Choice, Start
from sim.world.finding import Finding
from sim.world.world import AnyWorld


@dataclass(frozen=True)
class Counterexample:
    """A violated property, and a schedule that leads there."""

    finding: Finding
    schedule: tuple[str, ...]
    """The addresses of the run, as a scenario file keeps them."""
    words: tuple[str, ...]
    """What happens, in words."""
    steps: int
    deviations: int
    """In how much it deviates from the canonical schedule; timers that do not wait for what never comes are told, and not
    counted."""
    complete: bool
    """Whether everything was tried to make it shorter; else there may be a shorter one."""
    shape: tuple[str, ...]
    """What happens (or what departs from the usual), in no order and without the fields of messages: equal for
    counterexamples that show the same."""

    @property
    def cost(self) -> tuple[int, int]:
        """What is minimised: deviations, then steps."""
        return self.deviations, self.steps

    @property
    def size(self) -> str:
        """How long it is, in words."""
        of_which = "" if len(self.schedule) >= self.steps else f", {self.deviations} of them not the usual"
        return f"{self.steps} steps{of_which}"

    @property
    def message(self) -> str:
        """What is wrong at its end."""
        return self.finding.message

    @property
    def property(self) -> str:
        """The name of the property that is violated."""
        return self.finding.property


def counterexample_of(
    world: AnyWorld, start: Start[Any], choices: Sequence[Choice], finding: Finding, *, complete: bool
) -> Counterexample:
    """A run that ends in `finding`, as it is."""
    unusual = deviations(world, start, choices)
    return Counterexample(
        finding=finding,
        schedule=tuple(world.schedule(start, choices)),
        words=tuple(told(world, start, choices, unusual, finding)),
        steps=len(choices),
        deviations=len(counted(unusual)),
        complete=complete,
        shape=shape_of(
            choice.address
            for choice in ([choices[one.step] for one in unusual] if world.usual(start.place) is not None else choices)
        ),
    )


def shape_of(said: Iterable[Address]) -> tuple[str, ...]:
    """The shape of what happens, by which counterexamples are grouped: without fields, and wherever it happens."""
    return tuple(sorted(str(replace(address, fields=None, after="", ordinal=None)) for address in said))
