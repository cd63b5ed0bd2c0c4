"""The standard library's own loop, as it is, which plays a script: its selector reports what the script says, and the clock
that it reads is the script's. Nothing of the loop is replaced; who runs is seen by a profiler."""

from __future__ import annotations

import asyncio
import gc
import itertools
import signal
import sys
import time
from asyncio import events
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from selectors import SelectorKey, _BaseSelectorImpl
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from sim import Program
from sim.base.values import Emission
from sim.live import emitting
from sim.live.addressing import link_of
from sim.live.audience import Audience
from sim.live.dice import Dice
from sim.live.endings import thread_failed, untaken
from sim.live.execution import CANCEL, CUT, HEAL, RESET, STOP, WORK
from sim.live.naming import TaskNames
from sim.live.net.kernel import Kernel
from sim.live.orders import Numbers
from sim.live.servers import Servers
from sim.live.stage import Stage
from sim.live.surroundings import surroundings
from sim.live.threads.live_thread import LiveThread
from sim.live.threads.run_threads import RunThreads
from sim.live.watching import Watching
from sim.world.choice import MESSAGE
from sim.world.finding import Finding
from tests.live.script import PIPE, WIND_UP, Event, Told, Turn, fate, name_of

OWNER: ContextVar[str] = ContextVar("owner", default="main")
"""Who is running: what the ends of connections are called."""
NEEDED = ("_run_until_complete_cb", "_cancelled_by_a_timer")
"""Callbacks of a stock loop that a simulated one does without."""
OF_NAMES = {"_set_state": "done", "_call_check_cancel": ""}
"""What brings a name's address from a thread, as what brings it without one, if anything does."""
CLOSES_MAX = 20
UNKNOWN = 1_000_000
"""From here tasks are counted that the script does not know."""


class OffScript(AssertionError):
    """The script asks for what cannot be here."""


class StockTask(asyncio.Task):  # type: ignore[type-arg]
    """A task of the standard library, at the address that the script says: by it sets are ordered."""

    at: int
    owner: str

    def __new__(cls, _: Any, run: StockRun, **__: Any) -> StockTask:
        task = super().__new__(cls)
        number = len(run.made)
        task.at = run.script.hashes[number] if number < len(run.script.hashes) else UNKNOWN + number
        task.owner = OWNER.get()
        run.made.append(task)
        return task

    def __init__(self, coroutine: Any, _: StockRun, **rest: Any) -> None:
        super().__init__(coroutine, **rest)

    def __hash__(self) -> int:
        return self.at


class AtOnce(ThreadPoolExecutor):
    """Threads as fast as can be."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class ScriptedSelector(_BaseSelectorImpl):
    """Reports what the script says."""

    def __init__(self, run: StockRun) -> None:
        super().__init__()
        self._run = run

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        turn = self._run.next_turn()
        found = [self._reported(fd, mask) for fd, mask in turn.polled]
        said = {(key.fd, mask) for key, mask in found}
        missed = {(fd, mask) for fd, key in self._fd_to_key.items() if (mask := self._ready(fd) & key.events)} - said
        if missed:
            raise OffScript(f"a poll would report {missed} too")
        return found

    def _ready(self, fd: int) -> int:
        end = self._run.kernel.files.get(fd)
        return 0 if end is None else end.readiness()

    def _reported(self, fd: int, mask: int) -> tuple[SelectorKey, int]:
        key = self._fd_to_key.get(self._run.pipe if fd == PIPE else fd)
        if key is None or mask & ~key.events:
            raise OffScript(f"nobody asks for the events {mask} of the descriptor {fd}")
        if fd != PIPE and mask & ~self._ready(fd):
            raise OffScript(f"the descriptor {fd} is not ready for {mask}")
        return key, mask


class StockRun:
    """One run of `program` as `script` says. `by_timer`: what is cancelled is so by a timer of the loop, which is due with the
    poll of the turn before, behind all others; else by a signal during the poll, as Ctrl-C does under `asyncio.run`."""

    def __init__(self, program: Program, script: Told, *, by_timer: bool, has_threads: bool) -> None:
        self.program, self.script, self._by_timer = program, script, by_timer
        self.told = Told()
        self.made: list[StockTask] = []
        self.names = TaskNames()
        self.audience = Audience(program.listeners)
        self.watching = Watching(program.properties, self.audience)
        self.heard = self.audience.first
        self.finding: Finding | None = None
        self.now_s = 0.0
        self.kernel = Kernel(OWNER.get)
        self.servers = Servers(self)  # type: ignore[arg-type]
        self.beside = Beside(self) if has_threads else None
        self.threads = self.beside.threads if self.beside is not None else None

    # --- what the stage needs -----------------------------------------------------------------------

    @property
    def owner(self) -> str:
        return OWNER.get()

    @owner.setter
    def owner(self, name: str) -> None:
        OWNER.set(name)

    def spawn(self, name: str, coroutine: Any, owner: str = "") -> Any:
        name = self.names.new(name)
        before = OWNER.set(owner or name)
        try:
            return self.loop.create_task(coroutine, name=name)
        finally:
            OWNER.reset(before)

    def hear(self, emission: Emission) -> None:
        self.told.heard.append(f"turn {len(self.told.turns)}: {emission}")
        self.heard = self.audience.hears(self.heard, emission)
        self.finding = self.finding or self.audience.judge(self.heard)

    # --- the poll -----------------------------------------------------------------------------------

    def next_turn(self) -> Turn:
        """The poll of the next turn: what happens before it, and the time."""
        number = len(self.told.turns)
        if number == len(self.script.turns):
            raise OffScript("there is no further turn in the script")
        turn = self.script.turns[number]
        for event in turn.before:
            if not self._by_timer or event[0] not in (CANCEL, WIND_UP) or not number:
                self._happens(event)
        self.now_s = turn.now_s
        self.told.turns.append(Turn(turn.before, turn.now_s))
        last = number + 1 == len(self.script.turns)
        if self._by_timer:
            following = self.script.after if last else self.script.turns[number + 1].before
            cancels = [event for event in following if event[0] == CANCEL]
            if cancels:
                in_time = self.loop.time() + time.get_clock_info("monotonic").resolution / 2
                self.loop.call_at(in_time, self._cancelled_by_a_timer, cancels)
        if last:
            self.loop.stop()
        return turn

    def _cancelled_by_a_timer(self, cancels: list[Event]) -> None:
        for event in cancels:
            self._happens(event)

    def _happens(self, event: Event) -> None:
        if event[0] == CANCEL:
            self.made[event[1]].cancel()
        elif event[0] == STOP:
            self._stopped()
        elif event[0] == WORK:
            self._works(*event[1:])
        elif event[0] != WIND_UP:
            self._at_the_network(*event)

    def _works(self, name: str, when_s: float) -> None:
        self.now_s = when_s
        assert self.beside is not None
        thread = self.beside.threads.called(name)
        if thread is None or thread not in self.beside.threads.runnable():
            raise OffScript(f"the thread {name} cannot go on")
        self.beside.threads.go(thread)

    def _stopped(self) -> None:
        handler = next(iter(self.loop._signal_handlers), None)  # type: ignore[attr-defined]
        if handler is None:
            self.main.cancel()
        else:
            signal.raise_signal(handler)

    def _at_the_network(self, subject: Any, how: str) -> None:
        kind, number, name = subject
        if kind == MESSAGE:
            self.kernel.arrive(self.kernel.arrival(number), how)
        elif kind == RESET:
            self.kernel.reset(next(c for c in self.kernel.connections() if (link_of(c), c.ordinal) == (name, number)))
        elif kind in (CUT, HEAL):
            one, _, other = name.partition("->")
            for ends in ((one, other), (other, one)):
                (self.kernel.cut if kind == CUT else self.kernel.heal)(*ends)
        else:
            raise OffScript(f"{kind}: no loop does that to a part of itself")

    # --- the loop -----------------------------------------------------------------------------------

    def play(self) -> Told:
        """The run as the stock loop does it. Raises `OffScript` where the script cannot be played."""
        eager = getattr(asyncio, "eager_task_factory", None)
        with ExitStack() as stack:
            stack.enter_context(patch("time.monotonic", lambda: self.now_s))
            stack.enter_context(patch.object(emitting, "active", self))
            if eager is not None:
                stack.enter_context(patch("asyncio.eager_task_factory", self._makes_eagerly))
            stack.enter_context(without_garbage())
            self.loop = asyncio.SelectorEventLoop(ScriptedSelector(self))
            stack.callback(self._leave)
            self.pipe = self.loop._ssock.fileno()  # type: ignore[attr-defined]
            if self.beside is None:
                self.loop.set_default_executor(AtOnce())
            self.loop.set_task_factory(self._makes)  # type: ignore[arg-type]
            self.loop.set_exception_handler(self._nobody_takes)
            stack.enter_context(self.kernel.patched())
            if self.beside is not None:
                stack.enter_context(self.beside.entered())
            self.main = self.spawn("main", self.program.main(Stage(self)))  # type: ignore[arg-type]
            with self._watched():
                self._run()
            self.told.held = list(self.watching.held)
            self.told.tasks = [fate(task) for task in self.made]
            self.told.finding = "" if self.finding is None else f"{self.finding.property}: {self.finding.message}"
        return self.told

    def _makes(self, loop: Any, coroutine: Any, **rest: Any) -> StockTask:
        return StockTask(coroutine, self, loop=loop, **rest)

    def _makes_eagerly(self, loop: Any, coroutine: Any, **rest: Any) -> StockTask:
        return StockTask(coroutine, self, loop=loop, eager_start=True, **rest)

    def _run(self) -> None:
        try:
            self.loop.run_until_complete(self.main)
        except OffScript:
            raise
        except BaseException:  # of main, or that it has not ended
            pass
        turns = len(self.told.turns)
        over = turns == len(self.script.turns)
        following = self.script.after if over else self.script.turns[turns].before
        if following[:1] == [(WIND_UP,)]:
            for task in self.made:
                if task.owner not in self.servers:
                    task.cancel()
        if over:
            for event in self.script.after:
                self._happens(event)
        else:
            self.loop.run_forever()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Whatever the loop calls is noted."""
        calls = events.Handle._run.__code__  # type: ignore[attr-defined]

        def profile(frame: Any, event: str, _: Any) -> None:
            if frame.f_code is calls and event == "call":
                self._before(frame.f_locals["self"]._callback)
            elif frame.f_code is calls and event == "return":
                if self.finding is None:
                    self._judge()
                self._within()

        sys.setprofile(profile)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _before(self, callback: Any) -> None:
        task = getattr(callback, "__self__", None)
        if isinstance(task, StockTask) and getattr(callback, "__name__", "") != "cancel":
            name = f"task {self.made.index(task)}"
        else:
            name = name_of(callback)
        if self.beside is None:
            name = OF_NAMES.get(name, name)
        if name and name not in NEEDED:
            self.told.turns[-1].ran.append(name)

    def _within(self) -> None:
        """What the script says of the midst of this turn."""
        number = len(self.told.turns)
        turn = self.told.turns[-1]
        for after, event in self.script.turns[number - 1].within:
            if after == len(turn.ran) and (after, event) not in turn.within:
                turn.within.append((after, event))
                self._happens(event)

    def _judge(self) -> None:
        self.finding = self.finding or self.watching.judge(self.heard)

    def _nobody_takes(self, _: Any, context: dict[str, Any]) -> None:
        self.finding = self.finding or untaken(context)

    def _leave(self) -> None:
        self.loop._check_closed = lambda: None  # type: ignore[attr-defined]  # what is closed late says nothing
        self.loop.is_closed = lambda: True  # type: ignore[method-assign]  # nobody ends a generator any more
        for transport in list(self.loop._transports.values()):  # type: ignore[attr-defined]
            transport._sock, transport._closing = None, True
        for task in self.made:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            if not task.done():
                _close(task.get_coro())
            elif not task.cancelled():
                task.exception()
        del self.loop.is_closed
        self.loop.close()
        self.kernel.close()


@contextmanager
def without_garbage() -> Iterator[None]:
    """What a finaliser does would come at any moment."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _close(coroutine: Any) -> None:
    """Leave it, however often it waits once more."""
    for _ in range(CLOSES_MAX):
        try:
            coroutine.close()
        except RuntimeError:  # it goes on
            continue
        except BaseException:
            pass
        return


class Beside:
    """What threads know of a run. They are real ones, and stand still but where the script says; waiting is that of a run."""

    over = False
    folder = None

    def __init__(self, run: StockRun) -> None:
        self._run = run
        self.kernel, self.names, self.dice = run.kernel, run.names, Dice(0)
        self.loop = SimpleNamespace(hear_threads=lambda _, may_sleep=True: None)
        self.count = itertools.count(1).__next__
        self.numbers = Numbers()
        self.threads = RunThreads(self)  # type: ignore[arg-type]

    @property
    def owner(self) -> str:
        return OWNER.get()

    def now_s(self) -> float:
        return self._run.now_s

    def refused(self, line: str) -> Exception:
        raise OffScript(line)

    def thread_fails(self, thread: LiveThread, error: BaseException) -> None:
        self._run.finding = self._run.finding or thread_failed(thread, error)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """The run, while it lasts."""
        with surroundings.installed():
            surroundings.enter(self)  # type: ignore[arg-type]
            try:
                yield
            finally:
                self.threads.leave()
                surroundings.leave()


def played(program: Program, script: Told, *, by_timer: bool = False, has_threads: bool = False) -> Told:
    """The program as the stock loop runs it, by this script."""
    return StockRun(program, script, by_timer=by_timer, has_threads=has_threads).play()
