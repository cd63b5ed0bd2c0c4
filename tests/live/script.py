"""A run of a program under simulation, taken down as a script that another loop can play: turn for turn what came before it,
what the poll reported and at which time; and, to be compared, what ran and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sim import Program
from sim.live.audience import Audience
from sim.live.execution import CANCEL, MIDST, STOP, TURN, WORK, Execution
from sim.live.handles import LiveHandle, LiveTimer, task_of
from sim.live.live_world import LiveWorld
from sim.live.naming import called, spot_of
from sim.run.trace import Trace
from sim.world.choice import FIRE

WIND_UP = "wind up"
"""Main was told to end, and has: what is left is cancelled, as `asyncio.run` does."""
PIPE = -1
"""The descriptor by which the loop wakes itself, which is another on each loop."""

Event = tuple[Any, ...]
"""`(CANCEL, task)`, `(STOP,)`, `(WIND_UP,)`, `(WORK, thread, when)`, or the subject of what arrives or strikes the network, and how."""


@dataclass
class Turn:
    """A turn of the loop."""

    before: list[Event]
    """What happened since the turn before, in this order."""
    now_s: float
    polled: list[tuple[int, int]] = field(default_factory=list)
    """What the poll reported: descriptors and events."""
    within: list[tuple[int, Event]] = field(default_factory=list)
    """What happened in the midst of it, after so many that ran."""
    ran: list[str] = field(default_factory=list)
    """Tasks by their numbers, in the order made, and what else was called."""


@dataclass
class Told:
    """What a run looks like from outside."""

    turns: list[Turn] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    finding: str = ""
    """What a monitor or a property says, or who takes care of exceptions that nobody takes."""
    held: list[str] = field(default_factory=list)
    """The goals that have held."""
    tasks: list[str] = field(default_factory=list)
    """What became of each, in the order made."""
    hashes: list[int] = field(default_factory=list)
    """Of the tasks: sets of them have the order that these give."""
    after: list[Event] = field(default_factory=list)
    """What happened after the last turn."""

    def ran(self) -> list[list[str]]:
        return [turn.ran for turn in self.turns]


def first_difference(one: Told, other: Told) -> str:
    """Where two runs part, and how; empty if they do not."""
    for part in ("ran", "heard", "finding", "held", "tasks"):
        said, others = (getattr(told, part)() if part == "ran" else getattr(told, part) for told in (one, other))
        if said == others:
            continue
        if isinstance(said, str):
            return f"{part}: {said!r} and {others!r}"
        for at in range(max(len(said), len(others))):
            mine, theirs = said[at : at + 1], others[at : at + 1]
            if mine != theirs:
                return f"{part} {at + 1}: {mine} and {theirs}"
    return ""


def name_of(callback: Any) -> str:
    """What a callback is called, whichever loop it belongs to."""
    return called(callback).rpartition(".")[2]


def fate(task: Any) -> str:
    """What became of a task."""
    if not task.done():
        return f"waits at {spot_of(task.get_coro())}"
    if task.cancelled():
        return "was cancelled"
    error = task._exception if hasattr(task, "_exception") else task.exception()
    return "has ended" if error is None else f"failed with {error!r}"


class Scripted(Execution):
    """An execution that takes itself down."""

    def __init__(self, program: Program) -> None:
        self.told = Told()
        self._events: list[Event] = []
        super().__init__(program, Audience(program.listeners))
        process_events = self.loop._process_events

        def noted(reported: Any) -> None:
            self.told.turns[-1].polled = [(self._descriptor(key.fd), mask) for key, mask in reported]
            process_events(reported)

        self.loop._process_events = noted

    def _descriptor(self, fd: int) -> int:
        """As if the pipe were not among the sockets of the run."""
        pipe = getattr(self.loop, "_ssock", None)
        if pipe is None or fd < pipe.fileno():
            return fd
        return PIPE if fd == pipe.fileno() else fd - 2

    def _take(self, subject: Any, how: str) -> None:
        kind, number, _ = subject
        if kind == CANCEL:
            self._events.append((CANCEL, [task.number for task in self.tasks].index(number)))
        elif kind == STOP:
            self._events.append((STOP,))
        elif kind == WORK:
            self._works(subject[2])
        elif kind not in (TURN, FIRE):
            self._events.append((subject, how))
        super()._take(subject, how)

    def _works(self, name: str) -> None:
        event = (WORK, name, self.loop.now_s)
        if self.phase == MIDST:
            turn = self.told.turns[-1]
            turn.within.append((len(turn.ran), event))
        else:
            self._events.append(event)

    def _turn(self) -> None:
        if self.phase != MIDST:
            self.told.turns.append(Turn(self._events, self.loop.now_s))
            self._events = []
        super()._turn()

    def _cancel_the_rest(self) -> None:
        self._events.append((WIND_UP,))
        super()._cancel_the_rest()

    def before(self, handle: LiveHandle | LiveTimer) -> bool:
        if not super().before(handle):
            return False
        task = task_of(handle)
        name = name_of(handle._callback) if task is None else f"task {list(self.tasks).index(task)}"
        if name != "_leave_main":
            self.told.turns[-1].ran.append(name)
        return True

    def hear(self, emission: Any) -> None:
        self.told.heard.append(f"turn {len(self.told.turns)}: {emission}")
        super().hear(emission)

    def sum_up(self) -> Told:
        told = self.told
        told.finding = "" if self.finding is None else f"{self.finding.property}: {self.finding.message}"
        told.held = list(self.watching.held)
        told.tasks = [fate(task) for task in self.tasks]
        told.hashes = [hash(task) for task in self.tasks]
        told.after = self._events
        return told


def script_of(program: Program, trace: Trace) -> Told:
    """The run of these choices, taken down."""
    world: Any = trace.world
    assert isinstance(world, LiveWorld)
    with world.walking():
        places = trace.places()
        choices = [choice for _, choice in trace.steps]
        return lead(program, [(choice.doing, place.left) for choice, place in zip(choices, places[1:], strict=True)])


def lead(program: Program, way: Sequence[tuple[Any, Any]]) -> Told:
    world = program.world()
    with world.walking():
        run = Scripted(program)
        try:
            for doing, left in way:
                run.take(doing.subject, doing.how, lambda left=left: world._possible.forced(run, left))
            return run.sum_up()
        finally:
            run.close()
