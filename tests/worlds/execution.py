"""A few asyncio coroutines, run one step at a time on a loop of asyncio's own without its poll.

Between two steps nothing happens. A step lets one task go on, delivers a message into the mailbox of a task (each link
is a queue), fires a timer (any that is armed: late by as much as you like), or loses a message. Callbacks that are no
task's run at the end of the step that made them ready.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from sim.base.values import Emission, Message, Value, show, shown_fields
from sim.world.address import Address
from sim.world.choice import FIRE, MESSAGE, MOVE, Pending, Sent, Subject
from sim.world.finding import Finding
from sim.world.story import Look, Shown
from sim.world.timing import Timing

RESUME = "resume"


@dataclass(frozen=True)
class Aim:
    """A goal: `sometimes` or `eventually` something holds of the program."""

    name: str
    kind: str
    holds: Callable[[Any], bool]


class Program:
    """A few coroutines and what they share, made anew for every execution. Attributes are values and are shown, but
    for those with an underscore."""

    names: ClassVar[tuple[str, ...]]
    """Its tasks."""
    servers: ClassVar[tuple[str, ...]] = ()
    """Those that may wait for ever."""
    begins: ClassVar[tuple[Value, ...]] = ()
    """What it may begin with, the usual first."""
    faults: ClassVar[str] = "none"
    timing: ClassVar[Timing] = Timing()
    aims: ClassVar[tuple[Aim, ...]] = ()

    def __init__(self, begin: Value) -> None:
        self._begin = begin
        self._puts: list[Emission | tuple[Address, Message]] = []
        self._boxes: dict[str, asyncio.Queue[Message]] = {name: asyncio.Queue() for name in self.names}

    def task(self, name: str) -> Coroutine[Any, Any, None]:
        """What the task of this name runs."""
        raise NotImplementedError

    def wrong(self) -> Finding | None:
        """What is wrong now."""
        return None

    async def receive(self) -> Any:
        """The next message that arrives at this task."""
        return await self._boxes[_me()].get()

    def send(self, target: str, message: Message) -> None:
        address = Address("deliver", _me(), target, type(message).__name__, shown_fields(message))
        self._puts.append((address, message))

    def emit(self, emission: Emission) -> None:
        self._puts.append(emission)


def _me() -> str:
    task = asyncio.current_task()
    assert task is not None
    return task.get_name()


class Loop(asyncio.BaseEventLoop):
    """The loop of asyncio with the poll taken out: it runs nothing by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 0
        self.ready: list[tuple[object, asyncio.Handle]] = []
        """What could run, and the task whose step it is."""
        self.timers: dict[tuple[str, str], asyncio.TimerHandle] = {}
        """By task and name."""
        self.armed: list[tuple[str, str]] = []
        """Those armed in this step."""

    def time(self) -> float:
        return self.now_ms / 1000

    def call_soon(  # type: ignore[override]  # the arguments of each callback are its own affair
        self, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self.ready.append((getattr(callback, "__self__", None), handle))
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        key = _me(), "timeout" if callback.__name__ == "_on_timeout" else "sleep"
        assert key not in self.timers or self.timers[key].cancelled(), f"{key} is armed twice: no address tells which"
        self.timers[key] = handle
        self.armed.append(key)
        return handle


class Sight(NamedTuple):
    """All that is to be seen where an execution stands, and what the step that led there put out."""

    puts: tuple[Emission | Sent, ...]
    due: tuple[Pending, ...]
    """What is pending: the messages just sent, the timers just armed, then all timers and tasks."""
    flying: tuple[Pending, ...]
    """All messages in flight, in the order sent."""
    looks: tuple[Look, ...]
    """Of each task, then of what they share."""
    finding: Finding | None
    rest: Finding | None
    held: frozenset[str]
    """The aims that hold here."""


class Execution:
    """A program that is running."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._loop = Loop()
        self._flying: list[tuple[Address, Message]] = []
        self._tasks = {name: self._loop.create_task(program.task(name), name=name) for name in program.names}
        for task in self._tasks.values():
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # most are left in the middle

    def take(self, subject: Subject, *, lost: bool = False) -> Sight:
        """Take a step. Raises `LookupError` if there is no such thing here."""
        kind, number, name = subject
        self.program._puts.clear()
        self._loop.armed.clear()
        try:
            with _running(self._loop):
                self._step(kind, number, name, lost=lost)
        except StopIteration:
            raise LookupError(name) from None
        self._flying += [put for put in self.program._puts if isinstance(put, tuple)]
        return self.sight()

    def _step(self, kind: str, number: int, name: str, *, lost: bool) -> None:
        if kind == MESSAGE:
            letter = next(letter for letter in self._flying if letter[0].message == name)
            self._flying.remove(letter)
            if not lost:
                self.program._boxes[letter[0].target].put_nowait(letter[1])
        elif kind == FIRE:
            handle = self._loop.timers.pop((self.program.names[number], name))
            self._loop.now_ms = max(self._loop.now_ms, _ms(handle.when()))
            handle._run()
        else:
            self._run(self._tasks[self.program.names[number]])
        while any(task not in self._tasks.values() for task, _ in self._loop.ready):
            self._run(None)

    def _run(self, task: asyncio.Task[None] | None) -> None:
        """Run the step of a task, or else the first callback that is no task's."""
        mine = self._tasks.values()
        found = next(one for one in self._loop.ready if one[0] is task or (task is None and one[0] not in mine))
        self._loop.ready.remove(found)
        if not found[1].cancelled():
            found[1]._run()

    # --- what is to be seen -------------------------------------------------------------------------

    def sight(self) -> Sight:
        """All that is to be seen."""
        puts = self.program._puts
        sent = [_flying(put[0]) for put in puts if isinstance(put, tuple)]
        own = list(self._own())
        return Sight(
            puts=tuple(Sent(_letter(put[0]), put[0].target) if isinstance(put, tuple) else put for put in puts),
            due=(*sent, *(p for p in own if p.again), *(p for p in own if not p.again)),
            flying=tuple(_flying(address) for address, _ in self._flying),
            looks=(*map(self._look, self._tasks), self._shared()),
            finding=self._failed() or self.program.wrong(),
            rest=self._left(),
            held=frozenset(aim.name for aim in self.program.aims if aim.holds(self.program)),
        )

    def _own(self) -> Iterator[Pending]:
        """The armed timers, then the tasks that could go on, in the order in which they became ready."""
        names = self.program.names
        for (name, timer), handle in self._loop.timers.items():
            if not handle.cancelled():
                left = max(0, _ms(handle.when()) - self._loop.now_ms)
                again = (name, timer) in self._loop.armed
                yield Pending((FIRE, names.index(name), timer), name, delay_ms=(left, left), again=again)
        for task, _ in self._loop.ready:
            if isinstance(task, asyncio.Task):
                yield Pending((MOVE, names.index(task.get_name()), RESUME), task.get_name())

    def _look(self, name: str) -> Look:
        task = self._tasks[name]
        timers = tuple(timer for (owner, timer), h in self._loop.timers.items() if owner == name and not h.cancelled())
        if task.done():
            return Look("failed" if self._error(name) else "done", timers=timers)
        ready = any(other is task for other, _ in self._loop.ready)
        at = task.get_coro()
        while inspect.iscoroutine(inner := getattr(at, "cr_await", None)):
            at = inner
        where = (Shown("at", getattr(at, "__qualname__", "")),)
        return Look("ready" if ready else "waiting", where, timers, hot=name not in self.program.servers)

    def _shared(self) -> Look:
        shared = {name: value for name, value in vars(self.program).items() if not name.startswith("_")}
        return Look("shared", tuple(Shown(name, show(value)) for name, value in shared.items()))

    def _error(self, name: str) -> str:
        error = self._tasks[name].exception()
        return f"{type(error).__name__}: {error}" if error is not None else ""

    def _failed(self) -> Finding | None:
        errors = ((name, self._error(name)) for name, task in self._tasks.items() if task.done())
        return next((Finding("no exception", f"{name} ends with {error}") for name, error in errors if error), None)

    def _left(self) -> Finding | None:
        """Who still waits, if nothing more comes."""
        left = [name for name, task in self._tasks.items() if not task.done() and name not in self.program.servers]
        return Finding("nobody waits for ever", f"{left[0]} still waits") if left else None

    def close(self) -> None:
        """Leave it in the middle."""
        with _running(self._loop):
            for task in self._tasks.values():
                if not task.done():
                    task.get_coro().close()
        self._loop.close()


@contextmanager
def _running(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Makes `loop` the one that runs. Another may be running: what is left in the middle is closed whenever the garbage
    collector comes by."""
    before = asyncio._get_running_loop()
    asyncio._set_running_loop(loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(before)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _letter(address: Address) -> Subject:
    return (MESSAGE, 0, address.message)


def _flying(address: Address) -> Pending:
    source, target = address.source, address.target
    places = (source, target, f"{source}->{target}", address.type)
    return Pending(_letter(address), target, address, again=True, places=places)
