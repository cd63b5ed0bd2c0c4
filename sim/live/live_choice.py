"""What can be chosen where a program stands still, and where it stands."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sim.base.mixer import key64
from sim.base.values import Emission, Value, encode
from sim.live.net.exchange import AGENT_TIMEOUT
from sim.world.address import START, Address
from sim.world.choice import Sent, Subject

if TYPE_CHECKING:
    from sim.live.live_world import LiveWorld
    from sim.world.choice import Pending
    from sim.world.finding import Finding


FAULT = "fault"
"""What covers an entry of the fault budget, in `LiveWorld.rows`."""


class Place:
    """The choices that led somewhere: a node in the tree of those that were tried from one start."""

    __slots__ = (
        "_after",
        "before",
        "by",
        "chain",
        "covered",
        "due",
        "enabled",
        "finding",
        "heard",
        "held",
        "hidden",
        "left",
        "mark",
        "puts",
        "rest",
        "world",
    )  # fmt: skip

    world: LiveWorld
    before: Place | None
    by: LiveChoice | None
    left: tuple[int | None, ...]
    """What is left of each entry of the fault budget."""
    enabled: tuple[LiveChoice, ...]
    """What may happen here, the usual first."""
    hidden: tuple[Subject, ...]
    """What is on its way, and comes after the next turn at the earliest."""
    chain: int
    """64 bits for all that ran on the way here."""
    covered: tuple[int, ...]
    """What ran one after the other in the last step, two by two."""
    finding: Finding | None
    rest: Finding | None
    """What is wrong if nothing more happens here."""
    held: frozenset[str]
    mark: int | None
    """64 bits for all that a run could still depend on here."""
    heard: tuple[int, ...]
    """What the monitors have heard by now."""
    puts: tuple[Emission | Sent, ...]
    due: tuple[Pending, ...] | None

    def __init__(
        self, world: LiveWorld, before: Place | None, by: LiveChoice | None, left: tuple[int | None, ...]
    ) -> None:
        self.world, self.before, self.by, self.left = world, before, by, left
        self._after: dict[bytes, Place] | None = None
        self.due = self.mark = None

    @property
    def after(self) -> dict[bytes, Place]:
        """Where each choice that was taken here led, by its code."""
        if self._after is None:
            self._after = {}
        return self._after

    def way(self) -> list[tuple[LiveChoice, Place]]:
        """The choices that led here, from the first, each with the place it led to."""
        found = []
        place: Place = self
        while place.by is not None and place.before is not None:
            found.append((place.by, place))
            place = place.before
        return found[::-1]


class Doing:
    """What a choice does, wherever it is made."""

    __slots__ = ("code", "how", "key", "pays", "progress", "record", "ripe", "strikes", "subject", "verb", "who")

    def __init__(
        self,
        verb: str,
        who: str,
        subject: Subject,
        how: str,
        pays: tuple[int, ...],
        strikes: tuple[str, ...],
        ripe: bool,
    ) -> None:
        self.verb, self.who, self.subject, self.how, self.pays, self.strikes = verb, who, subject, how, pays, strikes
        self.ripe = ripe
        self.progress = not strikes
        self.record = encode((verb, who, subject, how))  # who pays for it is not what happens
        self.code = encode((verb, who, subject, how, pays))
        self.key = key64(self.code)


@lru_cache(maxsize=100_000)
def doing(
    verb: str,
    who: str,
    subject: Subject,
    how: str = "",
    pays: tuple[int, ...] = (),
    strikes: tuple[str, ...] = (),
    ripe: bool = False,
) -> Doing:
    """What is done, made once: most of it comes again in every schedule."""
    return Doing(verb, who, subject, how, pays, strikes, ripe)


class LiveChoice:
    """One thing that can happen at a place. What it did is known once it was made there."""

    __slots__ = ("_address", "at", "doing")

    choices: tuple[Value, ...] = ()
    inside = None
    retries = False
    always_changes = True
    owner = "loop"
    mover = "loop"
    movers = ("loop",)

    def __init__(self, at: Place, what: Doing) -> None:
        self.at = at
        self.doing = what
        self._address: Address | None = None

    @property
    def ends(self) -> bool:
        return self.doing.how != AGENT_TIMEOUT  # then it comes late

    @property
    def address(self) -> Address:
        if self._address is None:
            self._address = self.at.world.address_of(self)
        return self._address

    @property
    def code(self) -> bytes:
        return self.doing.code

    @property
    def key(self) -> int:
        return self.doing.key

    @property
    def takes(self) -> Subject:
        return self.doing.subject

    @property
    def strikes(self) -> tuple[str, ...]:
        return self.doing.strikes

    @property
    def ripe(self) -> bool:
        return self.doing.ripe

    @property
    def pays(self) -> tuple[int, ...]:
        return self.doing.pays

    @property
    def progress(self) -> bool:
        return self.doing.progress

    @property
    def covers(self) -> tuple[str, int] | None:
        return (FAULT, self.doing.pays[0]) if self.doing.pays else None

    @property
    def like(self) -> str:
        return str(replace(self.address, fields=None, after=""))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LiveChoice) and self.doing.code == other.doing.code

    def __hash__(self) -> int:
        return self.doing.key

    def __repr__(self) -> str:
        return f"<{self.doing.verb} {self.doing.who}>"

    # --- what it did --------------------------------------------------------------------------------

    @property
    def leads(self) -> Place:
        """Where it led."""
        return self.at.world.apply(self.at, self)

    @property
    def emissions(self) -> tuple[Emission, ...]:
        return tuple(put for put in self.leads.puts if isinstance(put, Emission))

    @property
    def puts(self) -> tuple[Emission | Sent, ...]:
        return self.leads.puts

    @property
    def brings(self) -> tuple[Subject, ...]:
        return tuple(put.subject for put in self.leads.puts if isinstance(put, Sent))

    @property
    def record(self) -> bytes:
        return self.doing.record + self.at.world.record(self.leads)


class LiveStart:
    """The way to begin."""

    def __init__(self, place: Place) -> None:
        self.place = place

    address = Address(START)
    choices: tuple[Value, ...] = ()
    brings: tuple[Subject, ...] = ()
    emissions: tuple[Emission, ...] = ()
    puts: tuple[Any, ...] = ()

    @property
    def record(self) -> bytes:
        return self.place.world.record(self.place)
