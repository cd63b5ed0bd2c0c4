"""The record of a run, and its digest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from hashlib import sha256
from typing import Any

from sim.base.values import Emission, encode
from sim.graph.action import Action
from sim.graph.graph import Graph, Start, State
from sim.graph.judge import Finding
from sim.machine.ledgers import Rejected
from sim.machine.process import Emit, Output
from sim.world.slowdown import Slowdown


class Ending(Enum):
    """Why a run ended; the values are the sentences users read."""

    QUIESCENT = "nothing more can happen by itself"
    SCHEDULE = "the schedule is used up"
    STEPS = "the bound on steps was hit"
    VIOLATED = "a property is violated"
    INTERRUPTED = "whoever picked went no further"


Step = tuple[int | None, Action]
"""One step of a run: the virtual time in milliseconds (None where it is not simulated), and the action."""


@dataclass
class Trace:
    """What happened: where it began, and the actions taken. Everything else follows from them."""

    graph: Graph
    start: Start
    steps: list[Step] = field(default_factory=list)
    end: State | None = None
    """The state after the last step, if it is known; `states` finds it in any case."""

    slowdowns: list[Slowdown] = field(default_factory=list)
    """What was slowed down. It is no action: it shows in the times of the steps."""

    def states(self) -> list[State]:
        """The state before the first step and after each."""
        found = [self.start.state]
        for _, action in self.steps:
            found.append(self.graph.apply(found[-1], action))
        return found

    @property
    def outputs(self) -> list[Output]:
        """Everything the processes put out, in order."""
        found = [output for _, outputs in self.start.outputs for output in outputs]
        for _, action in self.steps:
            found += action.outputs
        return found

    @property
    def emissions(self) -> list[Emission]:
        """The emissions of the processes, in order."""
        return [output.emission for output in self.outputs if isinstance(output, Emit)]

    def emitted(self) -> dict[str, int]:
        """How many emissions there were of each class, by name."""
        return dict(sorted(Counter(type(emission).__name__ for emission in self.emissions).items()))

    def rejected(self) -> dict[str, int]:
        """How many inputs were rejected for each reason."""
        reasons = Counter(emission.reason for emission in self.emissions if isinstance(emission, Rejected))
        return dict(sorted(reasons.items()))

    def struck(self) -> dict[str, int]:
        """How many faults of each kind struck."""
        kinds = [kind for _, action in self.steps for kind in action.strikes]
        return dict(sorted(Counter([*kinds, *(slow.kind for slow in self.slowdowns)]).items()))

    def schedule(self) -> list[str]:
        """The addresses of the actions, as a scenario file keeps them."""
        start = [str(self.start.address)] if self.start.choices else []
        return start + [str(action.address) for _, action in self.steps]

    def lines(self) -> list[bytes]:
        """The canonical form: where it began, each step, where it ended."""
        found = [encode((self.graph.names, self.graph.value(self.start.state)))]
        found += [(b"" if time is None else time.to_bytes(8, "big")) + action.record for time, action in self.steps]
        end = self.states()[-1] if self.end is None else self.end
        return [*found, encode(self.graph.value(end))]

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical form, in hexadecimal."""
        return sha256(b"".join(self.lines())).hexdigest()


@dataclass(repr=False)
class Run:
    """A run: its trace, how it ended, and what the properties said of it."""

    trace: Trace
    state: State
    ending: Ending
    finding: Finding | None
    reached: dict[str, bool]
    """For each `sometimes` and `eventually` property whether it held at some point."""

    @property
    def verdict(self) -> str:
        """`ok`, `violated`, or `incomplete` where the bound on steps came first."""
        if self.finding is not None:
            return "violated"
        return "incomplete" if self.ending in (Ending.STEPS, Ending.INTERRUPTED) else "ok"

    @property
    def steps(self) -> int:
        return len(self.trace.steps)

    def __repr__(self) -> str:
        why = self.finding.message if self.finding is not None else self.ending.value
        return "\n    ".join((f"<run of {self.steps} steps, {self.verdict}: {why}", *self.trace.schedule())) + ">"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """For Hypothesis and IPython, which else print every field of a dataclass."""
        printer.text(repr(self))

    @cached_property
    def digest(self) -> str:
        return self.trace.digest
