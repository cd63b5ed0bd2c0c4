"""What may happen next, and what is still to come: all that a walker knows of either."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from sim.base.values import Emission, Value
from sim.world.address import Address
from sim.world.timing import Range, Timing

Subject = tuple[str, int, str]
"""What a choice happens to, whichever way it goes: what it is, a number, a name. Equal in all choices about one thing
of one world, and meaningless outside of it. PCTCP orders everything but messages by number and name: there they may
not depend on what was met before."""

MESSAGE, FIRE, MOVE, RESTART, CUT = "message", "fire", "move", "restart", "cut"
"""What a subject can be: a message in flight, an armed timer, a move of its own, a process that is down, a cut. A world
may have others; they are treated as moves."""


class Pending(NamedTuple):
    """Something that will happen unless it becomes void: a message in flight, an armed timer, a move, a restart."""

    subject: Subject
    owner: str
    """The process at which it happens; a step of that process may enable or void it. Empty: any step may."""
    address: Address | None = None
    """Of a message: source, target, type and fields."""
    delay_ms: Range | None = None
    """How long it takes, if it says so itself, as a timer does; otherwise the timing of the world says it."""
    owed: bool = True
    """False of what the environment may do or leave."""
    again: bool = False
    """Whether it counts anew although it may have been pending before: a message sent, a timer armed."""
    ready: bool = True
    """Whether it is enabled now, apart from what a network or a cut holds back."""
    places: tuple[str, ...] = ()
    """What an entry of a fault plan may name to strike it."""
    apart: bool = False
    """Whether it follows from what it did before and from nothing else, as a task does whoever has woken it."""

    def delay(self, timing: Timing) -> Range | None:
        """How long it takes from when it is pending; None is forever."""
        kind, _, name = self.subject
        if self.delay_ms is not None:
            return self.delay_ms
        if self.address is not None:
            return timing.link(self.address.source, self.address.target)
        if kind in (RESTART, CUT):
            return timing.restart_ms if kind == RESTART else timing.heal_ms
        return timing.moves.get(f"{self.owner}.{name}", (0, 0) if self.owed else timing.may_ms)


class Sent(NamedTuple):
    """A message that was sent."""

    subject: Subject
    target: str


class Choice(Protocol):
    """One enabled thing that can happen next, with each outcome of its own choices being a choice of its own.
    Immutable. Asked for again at the same place it is equal, and no other choice there has its code. What it did
    (`record`, `brings`, `emissions`, `puts`) need not be known before it was taken where it was enabled, and may be
    something else elsewhere."""

    @property
    def address(self) -> Address:
        """What schedules call it, without an ordinal."""

    @property
    def code(self) -> bytes:
        """Its canonical encoding: the same in every process, different for different choices."""

    @property
    def key(self) -> int:
        """64 bits of `code`. Picks use it, never an order."""

    @property
    def record(self) -> bytes:
        """What it is and what it did, for the digest of a run."""

    @property
    def like(self) -> Hashable:
        """Equal in choices that differ in the contents of a message alone."""

    @property
    def choices(self) -> tuple[Value, ...]:
        """What was chosen inside of it."""

    @property
    def progress(self) -> bool:
        """Whether it happens by itself: no fault, and not the environment's."""

    @property
    def strikes(self) -> tuple[str, ...]:
        """The kinds of fault it strikes with; empty for anything else."""

    @property
    def pays(self) -> tuple[int, ...]:
        """The entries of the fault budget it draws on, as indices of `World.faults`."""

    @property
    def inside(self) -> bytes | None:
        """Of a crash in the middle of a choice without a fault: the code of that choice."""

    @property
    def takes(self) -> Subject:
        """What it happens to."""

    @property
    def ends(self) -> bool:
        """Whether what it happens to is no longer pending after it."""

    @property
    def retries(self) -> bool:
        """Of a fault: whether what it strikes is left as it was, and takes as long once more."""

    @property
    def ripe(self) -> bool:
        """Of a fault: whether what it strikes is about to go on because of what happened, and does not know it yet."""

    @property
    def brings(self) -> tuple[Subject, ...]:
        """The messages that it sends, each as often as it does."""

    @property
    def owner(self) -> str:
        """The process it happens at, or where what it changes is waited for; empty: anywhere."""

    @property
    def mover(self) -> str:
        """The process whose value it may change; empty: none."""

    @property
    def movers(self) -> tuple[str, ...]:
        """All processes whose values it may change, that one first."""

    @property
    def always_changes(self) -> bool:
        """Whether it leads from every place at which it is enabled to another."""

    @property
    def covers(self) -> tuple[str, int] | None:
        """The row of `World.rows` it takes."""

    @property
    def emissions(self) -> Sequence[Emission]:
        """What it emits."""

    @property
    def puts(self) -> Sequence[Emission | Sent]:
        """What it emits and sends, in its order."""


def addresses(start: Start[Any], choices: Iterable[Choice]) -> list[str]:
    """The addresses of a whole run: how it began, if there was a choice, then each choice."""
    begin = [str(start.address)] if start.choices else []
    return [*begin, *(str(choice.address) for choice in choices)]


Place = TypeVar("Place", bound=Hashable, covariant=True)


class Start(Protocol[Place]):
    """One way to begin."""

    @property
    def place(self) -> Place:
        """Where it leads."""

    @property
    def address(self) -> Address:
        """`start`, with what was chosen."""

    @property
    def choices(self) -> tuple[Value, ...]:
        """What was chosen."""

    @property
    def record(self) -> bytes:
        """Where it begins, for the digest of a run."""

    @property
    def brings(self) -> tuple[Subject, ...]:
        """The messages that are in flight from the beginning, in the order in which they were sent."""

    @property
    def emissions(self) -> Sequence[Emission]:
        """What was emitted."""

    @property
    def puts(self) -> Sequence[tuple[str, Sequence[Emission | Sent]]]:
        """What each process emitted and sent, in its order."""
