"""A world that is no graph: a program that is run again by the path of its choices.

What a coroutine holds can be neither copied nor compared. So a place is the choices that led there, and to get to a
place again the program begins anew and is led there, unless it stands just before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from weakref import finalize

from sim.base.errors import NondeterminismError
from sim.base.mixer import key64
from sim.base.values import Emission, Value, encode, show
from sim.faults.catalogue import TIMED_KINDS
from sim.faults.plan import FaultEntry, parse_plan
from sim.world.address import START, Address
from sim.world.choice import FIRE, MESSAGE, Pending, Sent, Start, Subject, addresses
from sim.world.fairness import WEAK
from sim.world.finding import Debt, Finding
from sim.world.slowdown import Slowdown
from sim.world.story import Story
from sim.world.timing import Timing
from sim.world.world import NOT_IN_FLIGHT, World
from tests.worlds.execution import Aim, Execution, Program, Sight


class Place:
    """The choices that led somewhere, as a node in the tree of all that were taken: one object for each way."""

    def __init__(self, begin: Value, sight: Sight, left: tuple[int | None, ...], print_: int) -> None:
        self.begin = begin
        """What the program began with."""
        self.sight = sight
        self.left = left
        """What is left of each entry of the fault budget."""
        self.print = print_
        self.before: Place | None = None
        self.by: PathChoice | None = None
        self.enabled: tuple[PathChoice, ...] = ()
        self.after: dict[bytes, Place] = {}
        """Where each choice that was taken here led, by its code."""

    def then(self, choice: PathChoice, sight: Sight) -> Place:
        """The place to which a choice led from here."""
        left = tuple(n if n is None or i not in choice.pays else n - 1 for i, n in enumerate(self.left))
        print_ = key64(self.print.to_bytes(8, "big") + choice.code)
        after = self.after[choice.code] = Place(self.begin, sight, left, print_)
        after.before, after.by = self, choice
        return after


@dataclass(frozen=True)
class PathStart:
    """One way to begin. No task runs before the first step, so nothing is sent or emitted."""

    place: Place
    choices: tuple[Value, ...]
    brings: tuple[Subject, ...] = ()
    emissions: tuple[Emission, ...] = ()
    puts: tuple[tuple[str, tuple[Emission | Sent, ...]], ...] = ()

    @property
    def address(self) -> Address:
        return Address(START, choosing=tuple(map(show, self.choices)) or None)

    @property
    def record(self) -> bytes:
        return encode(self.choices) + seen(self.place.sight)


@dataclass(frozen=True, eq=False)
class PathChoice:
    """One thing that can happen at a place. Choices of one code are equal, wherever they can be made; what one brings
    and emits is known once it was made there."""

    at: Place
    address: Address
    takes: Subject
    owner: str
    pays: tuple[int, ...] = ()
    choices: tuple[Value, ...] = ()
    inside: None = None
    ends: bool = True
    retries: bool = False
    ripe: bool = False
    always_changes: bool = True
    covers: None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PathChoice) and self.code == other.code

    def __hash__(self) -> int:
        return self.key

    def __repr__(self) -> str:
        return f"<{self.address}>"

    @cached_property
    def code(self) -> bytes:
        return encode((str(self.address), self.pays))

    @cached_property
    def key(self) -> int:
        return key64(self.code)

    @property
    def like(self) -> str:
        return str(replace(self.address, fields=None))

    @property
    def strikes(self) -> tuple[str, ...]:
        return (self.address.verb,) if self.pays else ()

    @property
    def progress(self) -> bool:
        return not self.pays

    @property
    def movers(self) -> tuple[str, ...]:
        return (self.mover,) if self.mover else ()

    @property
    def mover(self) -> str:
        return "" if self.pays else self.owner

    # --- what it did --------------------------------------------------------------------------------

    @property
    def puts(self) -> tuple[Emission | Sent, ...]:
        return self.at.after[self.code].sight.puts

    @property
    def brings(self) -> tuple[Subject, ...]:
        return tuple(put.subject for put in self.puts if isinstance(put, Sent))

    @property
    def emissions(self) -> tuple[Emission, ...]:
        return tuple(put for put in self.puts if isinstance(put, Emission))

    @property
    def record(self) -> bytes:
        return self.code + seen(self.at.after[self.code].sight)


class PathWorld:
    """The world of a program."""

    places_are_values = False
    fairness = WEAK
    scenario_keys: Mapping[str, Any] = {}
    verbs = ("deliver", "fire", "move")
    rows: Mapping[tuple[str, int], str] = {}

    def __init__(self, program: type[Program]) -> None:
        self.program = program
        plan = [entry for entry in parse_plan(program.faults) if entry.count != 0]
        self.faults: Sequence[FaultEntry] = [entry for entry in plan if entry.kind not in TIMED_KINDS]
        self.slow_faults: Sequence[FaultEntry] = [entry for entry in plan if entry.kind in TIMED_KINDS]
        self.timing: Timing = program.timing
        self.goals: Sequence[Aim] = program.aims
        self.judged: Sequence[str] = ()
        self.handler_calls = 0
        self.executions = 0
        self._stands: Place | None = None
        self._end: finalize[..., PathWorld] | None = None
        self._starts: list[PathStart] = []

    def world(self) -> PathWorld:
        return self

    def walking(self) -> AbstractContextManager[None]:
        return nullcontext()

    def starts(self) -> list[PathStart]:
        if not self._starts:
            for begin in self.program.begins or (None,):
                choices = () if begin is None else (begin,)
                left = tuple(entry.count for entry in self.faults)
                place = Place(begin, self._begin(begin), left, key64(encode(choices)))
                self._starts.append(PathStart(self._arrive(place), choices))
        return self._starts

    def enabled(self, at: Place) -> Sequence[PathChoice]:
        return at.enabled

    def unstruck(self, at: Place) -> Sequence[PathChoice]:
        return [choice for choice in at.enabled if not choice.strikes]

    def apply(self, at: Place, choice: PathChoice) -> Place:
        if choice.code not in at.after:
            mine = at.enabled[at.enabled.index(choice)]
            self._lead(at)
            self._arrive(at.then(mine, self._take(mine)))
        return at.after[choice.code]

    def changes(self, at: Place, choice: PathChoice) -> bool:
        return True

    def quiescent(self, at: Place) -> bool:
        return not any(choice.progress for choice in at.enabled)

    def ways(self, at: Place, subject: Subject) -> Sequence[PathChoice] | None:
        found = [choice for choice in at.enabled if choice.takes == subject and choice.progress]
        waits = any(pending.subject == subject for pending in at.sight.flying)
        return found if found or waits else None

    def due(self, taken: Start[Place] | PathChoice, at: Place) -> Sequence[Pending]:
        return at.sight.due

    def stays(self, subject: Subject) -> bool:
        return False

    ripens = False

    def may_strike(self, at: Place) -> bool:
        return any(left != 0 for left in at.left)

    def is_struck(self, entry: FaultEntry, fault: PathChoice, usual: PathChoice, last: PathChoice | None) -> bool:
        return fault.takes == usual.takes

    def judge(self, at: Place) -> Finding | None:
        return at.sight.finding

    def rest(self, at: Place) -> Finding | None:
        return at.sight.rest

    def holds(self, goal: str, at: Place) -> bool:
        return goal in at.sight.held

    def begins(self, goal: str, at: Place) -> bool:
        return False

    def owed(self, at: Place) -> dict[Debt, str]:
        return {}

    def usual(self, at: Place) -> None:
        return None

    def covered(self, at: Place) -> tuple[Place]:
        return (at,)

    def schedule(self, start: Start[Place], choices: Sequence[PathChoice]) -> list[str]:
        return addresses(start, choices)

    def only_messages(self) -> bool:
        return False

    def clock_ms(self, at: Place) -> int | None:
        return None

    def fingerprint(self, at: Place) -> int:
        return at.print

    def record(self, at: Place) -> bytes:
        return seen(at.sight)

    def states(self, at: Place) -> dict[str, str]:
        return {name: look.state for name, look in zip(self.program.names, at.sight.looks, strict=False)}

    def tell(
        self, start: Start[Place], steps: Sequence[tuple[int | None, PathChoice]], slow: Sequence[Slowdown] = ()
    ) -> Story:
        from tests.worlds.telling import tell

        return tell(self.program.names, start, steps, slow)

    def why_not(self, at: Place, address: Address) -> str:
        if address.source:
            flying = any(p.address is not None and address.describes(p.address) for p in at.sight.flying)
            return "it is in flight, but another message of its link is ahead of it" if flying else NOT_IN_FLIGHT
        if address.process not in self.program.names:
            return f"there is no task {address.process}"
        look = at.sight.looks[self.program.names.index(address.process)]
        timers = f" with timers {', '.join(look.timers) or 'none'}" if address.verb == FIRE else ""
        return f"{address.process} is {look.state}{timers}"

    # --- executions ---------------------------------------------------------------------------------

    def _begin(self, begin: Value) -> Sight:
        """Let the program begin anew."""
        if self._end is not None:
            self._end()
        self.executions += 1
        self._live = Execution(self.program(begin))
        self._end = finalize(self, self._live.close)
        return self._live.sight()

    def _take(self, choice: PathChoice) -> Sight:
        self.handler_calls += 1
        return self._live.take(choice.takes, lost=not choice.progress)

    def _arrive(self, at: Place) -> Place:
        self._stands = at
        at.enabled = tuple(self._find_enabled(at))
        return at

    def _lead(self, at: Place) -> None:
        """Lead the program to a place. Raises `NondeterminismError` if it does something else than before."""
        way: list[Place] = []
        place: Place | None = at
        while place is not None and place is not self._stands:
            way.append(place)
            place = place.before
        for number, after in enumerate(reversed(way)):
            try:
                again = self._begin(at.begin) if after.by is None else self._take(after.by)
            except LookupError:
                again = None
            if again != after.sight:
                raise NondeterminismError(f"{self.program.__name__}: run again, it did something else in step {number}")
        self._stands = at

    def _find_enabled(self, at: Place) -> list[PathChoice]:
        found = {}
        links = set()
        for flying in at.sight.flying:
            address = flying.address
            assert address is not None
            if (address.source, address.target) not in links:
                links.add((address.source, address.target))
                found[flying.subject] = [PathChoice(at, address, flying.subject, flying.owner)]
                entry = next((i for i, e in enumerate(self.faults) if at.left[i] != 0 and _fits(e, flying)), None)
                if entry is not None:
                    lost = replace(address, verb="drop")
                    found[flying.subject].append(PathChoice(at, lost, flying.subject, flying.owner, (entry,)))
        for pending in at.sight.due:
            kind, _, name = pending.subject
            if kind != MESSAGE:
                address = Address(kind, process=pending.owner, subject=name)
                found[pending.subject] = [PathChoice(at, address, pending.subject, pending.owner)]
        return [choice for ways in found.values() for choice in ways]


def _fits(entry: FaultEntry, flying: Pending) -> bool:
    return entry.target in (None, *flying.places)


def seen(sight: Sight) -> bytes:
    """What is to be seen, in a canonical encoding."""
    looks = tuple((look.state, tuple((s.name, s.text) for s in look.fields), look.timers) for look in sight.looks)
    return encode((looks, tuple(put if isinstance(put, Emission) else put.subject for put in sight.puts)))


def is_a_world(world: PathWorld) -> World[Place, PathChoice]:
    """For the type checker: the door is kept."""
    return world
