"""The door: what may be known of a world by whoever walks it.

A graph of states is a world, and so is a program that is run again by the path of its choices. Strategies, runs, the
fuzz, the minimiser, campaigns and reports ask nothing beyond this; the exhaustive check asks for a graph.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from sim.base.errors import ConfigError, ModelError
from sim.base.values import describe
from sim.faults.plan import FaultEntry
from sim.world.address import Address
from sim.world.choice import Choice, Pending, Start, Subject
from sim.world.fairness import Fairness
from sim.world.finding import Debt, Finding
from sim.world.slowdown import Slowdown
from sim.world.story import Story
from sim.world.timing import Timing

Place = TypeVar("Place", bound=Hashable)
"""Where a walk stands: a state of a graph, or the choices that led there."""
Chosen = TypeVar("Chosen", bound=Choice)
"""What a world's choices are."""


class Goal(Protocol):
    """Something that is to hold in a run, some time or in the end."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def kind(self) -> str:
        """`sometimes`, or one of `sim.system.properties.IN_THE_END`."""


class World(Protocol[Place, Chosen]):
    """What can happen, and what is wrong with it."""

    @property
    def places_are_values(self) -> bool:
        """Whether two ways may lead to one place. Cycles and shortcuts are looked for only there."""

    def stays(self, subject: Subject) -> bool:
        """Whether this is a message that is in flight forever, delivered or not."""

    @property
    def scenario_keys(self) -> Mapping[str, Any]:
        """What a scenario file says besides model and configuration to open this world again."""

    @property
    def timing(self) -> Timing:
        """How long things take."""

    @property
    def faults(self) -> Sequence[FaultEntry]:
        """The entries of the fault budget."""

    @property
    def slow_faults(self) -> Sequence[FaultEntry]:
        """The entries that only a clock can strike with: delays and pauses."""

    @property
    def judged(self) -> Sequence[str]:
        """What is judged at every place, as a report names it: `always no overdraft`, `monitor once`."""

    @property
    def goals(self) -> Sequence[Goal]:
        """What is to hold at some place."""

    @property
    def fairness(self) -> Fairness:
        """What is assumed of runs that never end, beyond weak fairness."""

    @property
    def verbs(self) -> Sequence[str]:
        """The verbs of what there may be besides faults and what ends them."""

    @property
    def rows(self) -> Mapping[tuple[str, int], str]:
        """What can be covered, and how each part is called; what is one to a reader has one name."""

    @property
    def handler_calls(self) -> int:
        """How often the author's code has run so far."""

    def world(self) -> World[Place, Chosen]:
        """Itself: whoever takes what opens a world takes a world too."""

    def walking(self) -> AbstractContextManager[None]:
        """Around many walks: what they share is made once, and nothing is left of them after it. A walk outside of it costs
        more, and is the same."""

    def starts(self) -> Sequence[Start[Place]]:
        """The ways to begin, the usual one first."""

    def enabled(self, at: Place, /) -> Sequence[Chosen]:
        """What may happen next, in no order that may be relied on."""

    def unstruck(self, at: Place, /) -> Sequence[Chosen]:
        """Those of them without a fault; who needs no others need not wait until all are found."""

    def apply(self, at: Place, choice: Chosen, /) -> Place:
        """Where `choice`, which must be enabled at `at`, leads."""

    def usual(self, at: Place, /) -> Sequence[Chosen] | None:
        """What is to come without a fault, the usual first, where the place alone says it; None where it follows from how
        long things take (`sim.strategy.Canonical`)."""

    def covered(self, at: Place, /) -> Sequence[Hashable]:
        """What a run covers by coming here, of which `fingerprint` knows 64 bits."""

    def schedule(self, start: Start[Place], choices: Sequence[Chosen], /) -> list[str]:
        """A run as a scenario file keeps it: the addresses of all choices, or, where places say what is `usual`, of those
        in which it departs from that."""

    def changes(self, at: Place, choice: Chosen, /) -> bool:
        """Whether `choice` leads to another place."""

    def quiescent(self, at: Place, /) -> bool:
        """Whether nothing more happens by itself."""

    def ways(self, at: Place, subject: Subject, /) -> Sequence[Chosen] | None:
        """The choices without a fault that happen to `subject` here, the usual first: none while it has to wait, None
        if it is no longer pending."""

    def due(self, taken: Start[Place] | Chosen, at: Place, /) -> Sequence[Pending]:
        """What became pending by `taken`, which led to `at`: the messages sent, then the timers armed, in their order;
        then whatever else is pending at its mover (at every process, of a start), and became pending elsewhere."""

    @property
    def ripens(self) -> bool:
        """Whether any fault is ripe, at any place."""

    def may_strike(self, at: Place, /) -> bool:
        """Whether anything of the fault budget is left."""

    def is_struck(self, entry: FaultEntry, fault: Chosen, usual: Chosen, last: Chosen | None, /) -> bool:
        """Whether `fault` is what `entry` of a plan does when `usual` is about to happen, after `last`."""

    def judge(self, at: Place, /) -> Finding | None:
        """What is wrong at this place, whatever led there."""

    def rest(self, at: Place, /) -> Finding | None:
        """What is wrong if nothing more happens from here."""

    def holds(self, goal: str, at: Place, /) -> bool:
        """Whether the goal of this name holds here."""

    def begins(self, goal: str, at: Place, /) -> bool:
        """Whether what leads to a goal of the kind `leads_to` holds here."""

    def owed(self, at: Place, /) -> Mapping[Debt, Hashable]:
        """What is owed here, and what it looks like: equal where nothing of it is different."""

    def only_messages(self) -> bool:
        """Whether all that happens is messages, each taken whenever it comes, without any fault: what the bound of
        PCTCP is proved for."""

    def fingerprint(self, at: Place, /) -> int:
        """64 bits that tell this place from others, the same in every process."""

    def clock_ms(self, at: Place, /) -> int | None:
        """What the clock of whoever runs has come to at a place, in milliseconds from the start; None where nobody has one."""

    def record(self, at: Place, /) -> bytes:
        """The canonical encoding of a place, for the digest of a run."""

    def states(self, at: Place, /) -> Mapping[str, str]:
        """The state of every process and monitor, by name."""

    def tell(
        self, start: Start[Place], steps: Sequence[tuple[int | None, Chosen]], slow: Sequence[Slowdown], /
    ) -> Story:
        """What happened in a run: with each step its virtual time, and what took longer."""

    def why_not(self, at: Place, address: Address, /) -> str:
        """Why nothing that fits `address` is enabled here; `NOT_IN_FLIGHT` of a message that is not."""


AnyWorld: TypeAlias = World[Any, Any]
"""A world to whoever needs not know which."""
NOT_IN_FLIGHT = "no such message is in flight"


@runtime_checkable
class Walkable(Protocol):
    """What opens a world: a system, a program, a world itself."""

    def world(self) -> AnyWorld:
        """A world, in which nothing was done yet."""


def usual_at(world: AnyWorld, at: Any) -> Choice | None:
    """What is usual at a place that says so itself; None where nothing more happens without a fault."""
    return next(iter(world.usual(at) or ()), None)


def world_of(target: Walkable) -> AnyWorld:
    """The world that `target` opens. Raises `ModelError` for what opens none."""
    if not callable(getattr(target, "world", None)) or isinstance(target, type):
        raise ModelError(f"{describe(target)} is not a System: make one of your processes")
    return target.world()


def refuse_timed(world: AnyWorld, reader: str) -> None:
    """Raises `ConfigError` if the plan has delays or pauses and `reader` has no clock."""
    if world.slow_faults:
        raise ConfigError(
            *(
                f"fault {str(entry)!r}: {reader} has no clock, it explores every timing; leave it out"
                for entry in world.slow_faults
            )
        )
