"""The loop: the standard library's own, on a poll and a clock that are planned.

One `_run_once` is a turn: what has arrived is reported, timers that are due follow in the order of its heap, then runs
what is ready, and nothing that becomes ready meanwhile. Between two turns nothing happens by itself.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import selectors
import signal
import sys
import threading
from asyncio import events
from collections import deque
from collections.abc import Callable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any

from sim.live.handles import LiveHandle, LiveTimer, Polled, future_of, task_of
from sim.live.live_task import EagerTask, LiveFuture, LiveTask
from sim.live.naming import called
from sim.live.net.kernel import Kernel
from sim.live.net.network_loop import NetworkLoop

if TYPE_CHECKING:
    from sim.live.execution import Execution


class LiveLoop(NetworkLoop):
    """The loop of one execution."""

    _ready: deque[asyncio.Handle]
    _scheduled: list[LiveTimer]

    def __init__(self, run: Execution, kernel: Kernel) -> None:
        self.run = run
        self.now_s = 0.0
        self._numbers = 0
        self._is_left = False
        self._polling = 0
        self.left_of_turn = 0
        """What was ready when a turn began that is run in parts, and has not run."""
        self._unheard = False
        """Whether all that is ready was made so by a thread that has not woken the loop, which sleeps."""
        self._unheard_timers: list[LiveTimer] = []
        """Timers that a thread has set in the same way."""
        self._known_lanes: dict[LiveTask | None, asyncio.Handle] | None = None
        """What `lanes` found, until something happens."""
        self.on_signal: dict[int, asyncio.Handle] = {}
        """What the program does when it is told to stop."""
        self._ssock: Any = None
        self._csock: Any = None
        super().__init__(kernel)

    def count(self) -> int:
        """The next number of what is made in this run."""
        self._numbers += 1
        return self._numbers

    # --- what is planned instead of polled ----------------------------------------------------------

    def _make_self_pipe(self) -> None:
        """Nothing wakes it from outside but signals; the pipe is made when one is listened to."""

    def _close_self_pipe(self) -> None:
        if self._ssock is not None:
            super()._close_self_pipe()  # type: ignore[misc]

    def _write_to_self(self) -> None:
        pass

    def time(self) -> float:
        return self.now_s

    def ready(self) -> bool:
        """Whether a turn would run anything. If not, the loop waits in its poll, which has looked at all that was listed."""
        selector = self._selector  # type: ignore[attr-defined]
        if (self._ready and not self._unheard) or selector.pending():
            return True
        scheduled = self._scheduled
        if scheduled and scheduled[0].when() <= self.now_s:
            return True
        selector.select(0)
        return False

    @property
    def queue(self) -> deque[asyncio.Handle]:
        """What is ready without a poll."""
        return self._ready if not self._unheard else _NOTHING

    @property
    def has_timers(self) -> bool:
        """Whether any timer is armed, or was and is cancelled."""
        return bool(self._scheduled)

    def next_timer(self) -> LiveTimer | None:
        """The timer that fires next; those that were cancelled are forgotten first, as at the beginning of a turn."""
        scheduled = self._scheduled
        while scheduled and scheduled[0].cancelled():
            self._timer_cancelled_count -= 1  # type: ignore[attr-defined]
            heapq.heappop(scheduled)._scheduled = False  # type: ignore[attr-defined]
        if not scheduled or scheduled[0].when() > self.now_s:
            return scheduled[0] if scheduled else None
        first = min(self._first_later(), default=None)
        return scheduled[first[1]] if first is not None else None

    def _first_later(self) -> Iterator[tuple[float, int]]:
        """When the timers are that are not due, and where in the heap; but for those that it holds below another of them."""
        scheduled, below = self._scheduled, [0]
        while below:
            at = below.pop()
            if at < len(scheduled):
                if scheduled[at].when() > self.now_s and not scheduled[at].cancelled():
                    yield scheduled[at].when(), at
                else:
                    below += (2 * at + 1, 2 * at + 2)

    def turn(self) -> None:
        """One turn. Where nothing can be polled and no timer is armed, all there is to it is what is ready."""
        self.wake()
        if self._scheduled or self._debug or self._selector.get_map():  # type: ignore[attr-defined]
            self._run_once()  # type: ignore[attr-defined]
            return
        ready = self._ready
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def part_of_turn(self, stops: Callable[[], bool]) -> bool:
        """A turn, or what is left of it, until it `stops`. Returns whether it is over."""
        if not self.left_of_turn:
            self.wake()
            self.next_timer()  # those that were cancelled are forgotten
            self.poll()
            self.left_of_turn = len(self._ready)
        while self.left_of_turn:
            self.left_of_turn -= 1
            handle = self._ready.popleft()
            if not handle.cancelled():
                handle._run()
                if self.left_of_turn and stops():
                    return False
        return True

    def poll(self) -> None:
        """What has arrived is ready, and so is a timer that is due: after what is ready, as in a turn."""
        before = len(self._ready)
        self._process_events(self._selector.select(0))  # type: ignore[attr-defined]
        while self._scheduled and self._scheduled[0].when() <= self.now_s:
            timer = heapq.heappop(self._scheduled)
            timer._scheduled = False  # type: ignore[attr-defined]
            self._ready.append(timer)
        if len(self._ready) > before:
            self.wake()

    def lanes(self) -> dict[LiveTask | None, asyncio.Handle]:
        """What is ready, by whose it is (None: nobody's): of each the first, in the order of the queue."""
        if self._known_lanes is not None:
            return self._known_lanes
        found: dict[LiveTask | None, asyncio.Handle] = {}
        waiting: dict[LiveTask | None, None] = {}
        woken: list[Any] = []
        for handle in self.queue:
            if not handle.cancelled():
                task, future = task_of(handle), future_of(handle)
                if future is not None and any(future is other for other in woken):
                    waiting[task] = None  # what one future calls, it calls in its order on every loop
                elif task not in waiting:
                    found.setdefault(task, handle)
                woken.append(future)
        self._known_lanes = found
        return found

    def forget_lanes(self) -> None:
        """Something has happened."""
        self._known_lanes = None

    def run_alone(self, handle: asyncio.Handle) -> None:
        """Runs one of what is ready, whatever is before it."""
        self._ready.remove(handle)
        handle._run()

    def begin_running(self) -> None:
        """Makes this the loop that runs."""
        self._thread_id: int | None = threading.get_ident()
        sys.set_asyncgen_hooks(self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)  # type: ignore[attr-defined]
        events._set_running_loop(self)

    def end_running(self) -> None:
        """It runs no longer; whoever calls this says what does."""
        self._thread_id = None

    # --- what is made -------------------------------------------------------------------------------

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> asyncio.Handle:  # type: ignore[override]
        handle = LiveHandle(callback, args, self, context)
        handle.owner, handle.by = self.run.owner, self.run.running
        self._ready.append(handle)
        return handle

    def _process_events(self, event_list: list[tuple[selectors.SelectorKey, int]]) -> None:
        for event in event_list:
            self._polling = event[0].fd
            super()._process_events([event])  # type: ignore[misc]
        self._polling = 0

    def _add_callback(self, handle: asyncio.Handle) -> None:
        waits = any(isinstance(other, Polled) and other.polled is handle for other in self._ready)
        if not waits and not handle.cancelled():  # it waits where a turn does not run all that is ready
            polled = Polled(handle._callback, handle._args, self, handle._context)  # type: ignore[attr-defined]
            polled.polled, polled.owner = handle, self.kernel.owner_of(handle) or self.run.owner
            polled.fd = self._polling
            self._ready.append(polled)

    def call_soon_threadsafe(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> asyncio.Handle:  # type: ignore[override]
        self.wake()
        return LiveLoop.call_soon(self, callback, *args, context=context)

    def hear_threads(self, thread_runs: bool, *, may_sleep: bool = True) -> None:
        """A thread runs, or the loop does again. What a thread asks for in the way of the loop's own code comes when the loop
        is awake: it sleeps in its poll if nothing is ready, and nobody wakes it."""
        if not thread_runs:
            del self.call_soon, self.call_at
            return
        may_sleep = may_sleep and not self.left_of_turn

        def call_soon(callback: Callable[..., Any], *args: Any, context: Any = None) -> asyncio.Handle:
            if may_sleep and not self.ready():
                self._unheard = True
            return LiveLoop.call_soon(self, callback, *args, context=context)

        def call_at(when: float, callback: Callable[..., Any], *args: Any, context: Any = None) -> asyncio.TimerHandle:
            timer = self._timer(when, callback, args, context)
            if may_sleep and not self.ready():
                self._unheard_timers.append(timer)
            else:
                self._arm(timer)
            return timer

        self.call_soon, self.call_at = call_soon, call_at  # type: ignore[method-assign]

    def wake(self) -> None:
        """It sleeps no longer: something else than a thread has made something ready, or a thread has woken it."""
        self._unheard = False
        while self._unheard_timers:
            self._arm(self._unheard_timers.pop(0))

    @property
    def sleeps_over(self) -> bool:
        """Whether something is ready that the loop will not hear of before it is awake."""
        return (self._unheard and bool(self._ready)) or bool(self._unheard_timers)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        timer = self._timer(when, callback, args, context)
        self._arm(timer)
        return timer

    def _timer(self, when: float, callback: Callable[..., Any], args: tuple[Any, ...], context: Any) -> LiveTimer:
        timer = LiveTimer(when, callback, args, self, context)
        timer.number, timer.owner = self.count(), self.run.owner
        name = getattr(callback, "__name__", "")
        timer.called = _TIMERS.get(name) or called(callback)
        return timer

    def _arm(self, timer: LiveTimer) -> None:
        if timer.when() != math.inf and not timer.cancelled():  # the one is never, the other no more
            heapq.heappush(self._scheduled, timer)
            timer._scheduled = True  # type: ignore[attr-defined]

    def create_future(self) -> asyncio.Future[Any]:
        return LiveFuture(loop=self)

    def create_task(  # type: ignore[override]
        self, coro: Any, *, name: str | None = None, context: Any = None, **rest: Any
    ) -> asyncio.Task[Any]:
        if self._is_left:
            coro.close()  # nobody will await it
            raise RuntimeError("Event loop is closed")
        factory = self.get_task_factory()
        if context is not None:
            rest["context"] = context
        if factory is None or factory is getattr(asyncio, "eager_task_factory", None):
            return (LiveTask if factory is None else EagerTask)(coro, loop=self, name=name, **rest)
        task = super().create_task(coro, name=name, **rest)
        if not isinstance(task, LiveTask):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            raise self.run.refused(
                f"{called(factory)}, the program's task factory, makes a {type(task).__name__}, which a run can neither name "
                "nor order; leave loop.set_task_factory out in a run"
            )
        return task

    def _asyncgen_finalizer_hook(self, generator: Any) -> None:
        """Nobody ends a generator where the run itself is left."""
        if not self._is_left:
            super()._asyncgen_finalizer_hook(generator)  # type: ignore[misc]

    def let_go(self) -> None:
        """What is still open says nothing about it."""
        self._is_left = True
        for transport in list(self._transports.values()):  # type: ignore[attr-defined]
            transport._sock, transport._closing = None, True
        self.leave_pipes()
        self.run.processes.let_go()

    def leave(self) -> None:
        """Nothing runs here again."""
        self.let_go()
        self._ready.clear()
        self._scheduled.clear()
        self._unheard_timers.clear()
        self.close()

    # --- what has no place in a run -----------------------------------------------------------------

    def stop(self) -> None:
        raise self.run.refused("loop.stop: a run ends with main; let main return")

    def _check_closed(self) -> None:
        """What is closed late says nothing."""

    def add_signal_handler(self, sig: int, callback: Callable[..., Any], *args: Any) -> None:  # type: ignore[override]
        if sig not in _STOPS:
            raise self.run.refused(
                "loop.add_signal_handler: a run has no signals but SIGINT and SIGTERM, by the fault stop:1"
            )
        if self._ssock is None:
            super()._make_self_pipe()  # type: ignore[misc]
        self.on_signal[sig] = asyncio.Handle(callback, args, self, None)

    @property
    def listens(self) -> bool:
        """Whether the program has said what it does when it is told to stop."""
        return bool(self.on_signal)

    def signal(self) -> None:
        """Tell the program to stop: the poll reports the pipe into which a signal writes."""
        self._csock.send(bytes([next(iter(self.on_signal))]))

    def _process_self_data(self, data: bytes) -> None:
        for number in data:
            handle = self.on_signal.get(number)
            if handle is not None:
                self._add_callback(handle)

    def remove_signal_handler(self, sig: int) -> bool:
        return self.on_signal.pop(sig, None) is not None

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        run, owner = self.run, self.run.owner

        @wraps(func)
        def on_behalf(*args: Any) -> Any:
            run.owner = owner
            run.threads.does(func)
            return func(*args)

        return super().run_in_executor(executor, on_behalf, *args)

    async def _make_subprocess_transport(self, *args: Any, **named: Any) -> Any:
        return await self.run.processes.transport(*args, **named)


_NOTHING: deque[asyncio.Handle] = deque()
_STOPS = (signal.SIGINT, signal.SIGTERM)
_TIMERS = {
    "_set_result_unless_cancelled": "sleep",
    "_on_timeout": "timeout",
    "_release_waiter": "timeout",
}
"""What timers of the standard library are called, by their callbacks."""
