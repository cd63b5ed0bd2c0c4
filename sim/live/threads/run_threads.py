"""The threads of one run: who may go on, and handing over to it.

Only one of them or the loop runs at a time. The thread of the operating system that runs the loop also chooses, so where
the loop's own code waits for a thread, the others go on in the order in which they were started, and time passes when none
can.
"""

from __future__ import annotations

import sys
import threading
from _thread import get_ident, start_new_thread
from collections.abc import Callable, Iterator
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, Any

from sim.base.overdue import WATCH
from sim.live.naming import called, plain, spot_in
from sim.live.surroundings import surroundings
from sim.live.threads.databases import Databases
from sim.live.threads.handing import ACQUIRE, RELEASE, held
from sim.live.threads.lines import Lines
from sim.live.threads.live_thread import (
    Deadline,
    LiveThread,
    ThreadIsLeft,
    Wait,
    comes_from_outside,
    frames,
    name_of,
)
from sim.live.threads.pools import Pools

if TYPE_CHECKING:
    from sim.live.execution import Execution

PATIENCE_S = 4.0
"""Seconds that pass, and not in the run, before a thread that neither computes nor gives way is given up."""
COMPUTING = 0.05
"""A thread that took this part of the time computes, on however busy a machine."""
LEAVES_MAX = 10
"""How often a thread is asked to end."""
FIRES_AFTER_MAIN_MAX = 1_000
"""How often a thread may wait for a time after main has ended: one that never ends would keep the process."""
LATE_S = 1e-6
"""So much later than its time comes who has waited for something in vain: code that asks the clock then finds it over, as it
does really, and does not wait again for no time at all."""
JOIN: Any = threading.Thread.join


class RunThreads:
    """All of them."""

    def __init__(self, run: Execution) -> None:
        self._run = run
        self.alive: list[LiveThread] = []
        """Those that have not ended, in the order started."""
        self.current: LiveThread | None = None
        """The one that runs now."""
        self.lines = Lines(self)
        self.pools = Pools()
        self.leaving = False
        self.databases = Databases()
        self._last: LiveThread | None = None
        self._back = held()
        self._names = 0
        self._loop_ident = get_ident()
        self._is_hurried = False
        """Whether the user has interrupted it: then nobody is waited for any longer, not who computes either."""
        self._loop_waits = 0
        """How often the loop's own thread waits now, one in the midst of the other."""
        self._fires_after_main = 0
        self._hook = threading.excepthook

    # --- who there is -------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[LiveThread]:
        return iter(self.alive)

    @property
    def idents(self) -> set[int]:
        """Of all that run here, as the operating system numbers them, and of nobody."""
        return {0, self._loop_ident, *(thread.ident for thread in self.alive)}

    def called(self, name: str) -> LiveThread | None:
        """The thread of this name, unless it has ended."""
        return next((thread for thread in self.alive if thread.called == name), None)

    def runnable(self) -> list[LiveThread]:
        """Those that may go on, in the order started; before them the one that ran last, if it stands in the middle of
        something."""
        if not self.alive or self._is_the_end():
            return []
        found = [thread for thread in self.alive if self._may_go_on(thread)]
        last = self._last if self._last in found else None
        if last is not None and last.is_underway:
            found.remove(last)
            found.insert(0, last)
        return found

    def interrupted(self, by: LiveThread) -> LiveThread | None:
        """Which ran last and stands in the middle of something, where another goes on."""
        last = self._last
        return last if last is not None and last is not by and last.is_underway else None

    def any_runnable(self) -> bool:
        """Whether one of them may go on."""
        return bool(self.alive) and not self._is_the_end() and any(map(self._may_go_on, self.alive))

    def _may_go_on(self, thread: LiveThread) -> bool:
        wait = thread.wait
        if thread.gone or thread.lost:
            return False
        return wait is None or wait.ready() or (wait.deadline is not None and wait.deadline.when() <= self._run.now_s())

    def _is_the_end(self) -> bool:
        """Whether the process would end: main has, and nothing is left but daemons and idle workers."""
        return self._run.over and not self.unfinished()

    def unfinished(self) -> list[LiveThread]:
        """Those for which the process would not end by itself."""
        return [thread for thread in self.alive if not (thread.daemon or thread.gone or self.pools.is_idle(thread))]

    def deadline(self) -> Deadline | None:
        """The next moment at which one of them waits no longer."""
        if not self.alive or self._is_the_end():
            return None
        return min(self._deadlines(), key=Deadline.when, default=None)

    def _deadlines(self) -> Iterator[Deadline]:
        now = self._run.now_s()
        for thread in self.alive:
            wait = thread.wait
            if wait is None or wait.deadline is None or thread.gone or wait.ready():
                continue
            if wait.deadline.when() > now:
                yield wait.deadline

    def fires(self) -> bool:
        """One of them has waited for its time; whether that may go on so."""
        self._fires_after_main += self._run.over
        return self._fires_after_main <= FIRES_AFTER_MAIN_MAX

    def crash(self, owner: str) -> None:
        """Those that work for `owner` are lost where they stand, and what it did in databases and has not committed."""
        for thread in self.alive:
            if thread.owner == owner and not thread.gone and not self.pools.waits_for_work(thread):
                thread.gone = True
                self.pools.lose(thread)
        for in_thread, close in [*self.databases.lost(owner)]:
            if in_thread is None:
                close()
            elif in_thread in self.alive and in_thread.frame is not None:
                in_thread.errand = close  # SQLite asks who it is
                self.go(in_thread)

    # --- beginning ----------------------------------------------------------------------------------

    def of(self, thread: threading.Thread) -> LiveThread | None:
        """This thread as one of the run, unless it has ended."""
        return next((live for live in self.alive if live.thread is thread), None)

    def does(self, job: Callable[..., object]) -> None:
        """A pool has given this to the thread that runs."""
        if isinstance(job, partial) and isinstance(getattr(job.func, "__self__", None), Context):
            job = job.args[0]  # as asyncio.to_thread does
        if self.current is not None:
            self.current.job = called(job)

    def refused(self, line: str) -> Exception:
        """What has no place in a run."""
        return self._run.refused(line)

    def next_number(self) -> int:
        """Of a thread or pool that has no name of its own."""
        self._names += 1
        return self._names

    def start(self, thread: threading.Thread, start: Callable[[], None]) -> None:
        """Start this thread by `start`, the real function. It stands before its first line then."""
        self._look()
        if not hasattr(thread, "_daemonic") or thread.ident is not None:
            start()  # it was begun before, and says so
            return
        live = self._made(thread, name_of(thread), thread.daemon)
        run: Any = thread.run
        is_its_own = "run" in vars(thread)

        def body() -> None:
            if is_its_own:
                thread.run = run  # type: ignore[method-assign]
            else:
                del thread.run
            self._body(live, run)

        thread.run = body  # type: ignore[method-assign]
        thread._daemonic = True  # the process ends, also where one is never left
        self._really(live, start)
        thread._daemonic = live.daemon
        self.alive.append(live)

    def start_bare(self, function: Callable[..., object], args: Any, kwargs: Any) -> int:
        """As `_thread.start_new_thread`."""
        self._look()
        live = self._made(None, plain(called(function)), daemon=True)
        self._really(live, lambda: start_new_thread(self._body, (live, lambda: function(*args, **kwargs))))
        self.alive.append(live)
        return live.ident

    def _look(self) -> None:
        if self.leaving:
            self._leaves()

    def _leaves(self) -> None:
        """Whoever runs is asked to end. A thread that goes on all the same, as one that takes every exception and waits again, is
        given up where it stands."""
        me = self.current
        if me is not None:
            me.asked += 1
            if me.asked > LEAVES_MAX:
                me.lost = True
                RELEASE(self._back)
                self._park_if_lost(me)
        raise ThreadIsLeft

    def _made(self, thread: threading.Thread | None, name: str, daemon: bool) -> LiveThread:
        run = self._run
        return LiveThread(thread, run.names.new(name), run.count(), run.owner, daemon)

    def _really(self, live: LiveThread, start: Callable[[], object]) -> None:
        """Start it by the functions of the real world, and wait until it stands still."""
        here = get_ident()
        surroundings.hand(0)
        try:
            start()
            ACQUIRE(live.begun)
        finally:
            surroundings.hand(here)

    def _body(self, live: LiveThread, run: Callable[[], object]) -> None:
        """What the thread of the operating system does."""
        live.begins()
        RELEASE(live.begun)
        ACQUIRE(live.turn)
        try:
            if not self.leaving:
                self.lines.trace()
                run()
        except (ThreadIsLeft, SystemExit):
            pass
        except BaseException as error:
            self._fails(live, error)
        finally:
            self.lines.forget()
            self._park_if_lost(live)
            live.over = True
            surroundings.hand(0)
            RELEASE(self._back)

    def _fails(self, live: LiveThread, error: BaseException) -> None:
        """Nobody has taken `error`, unless the program has said what is done then."""
        if self.leaving:
            return
        if threading.excepthook is not self._hook:
            threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, live.thread)))
        else:
            self._run.thread_fails(live, error)

    # --- handing over -------------------------------------------------------------------------------

    def go(self, thread: LiveThread) -> None:
        """Let this thread run until it gives way or ends. That it waits where nobody sees it is refused."""
        here, loop, kernel = get_ident(), self._run.loop, self._run.kernel
        self.current = self._last = thread
        before, WATCH.call = WATCH.call, thread
        loop.hear_threads(True, may_sleep=not self._loop_waits)
        kernel.wait = self._wait_for_socket
        surroundings.hand(thread.ident)
        try:
            RELEASE(thread.turn)
            self._await(thread)
        finally:
            surroundings.hand(here)
            loop.hear_threads(False)
            kernel.wait = None
            self.current, WATCH.call = None, before
            if thread.over or thread.lost:
                self.alive.remove(thread)
        if thread.over and thread.thread is not None:
            surroundings.hand(0)
            JOIN(thread.thread)  # it is over also for whoever asks it
            surroundings.hand(here)

    def _await(self, thread: LiveThread) -> None:
        """Wait until it is back."""
        interrupted: BaseException | None = None
        while True:
            took = thread.took_s()
            try:
                if ACQUIRE(self._back, True, PATIENCE_S):
                    break
            except BaseException as error:  # an interrupt; the thread has to stand still first
                interrupted, self._is_hurried = error, True
                continue
            if not self._is_hurried and thread.took_s() - took > PATIENCE_S * COMPUTING:
                continue
            thread.lost = True
            if interrupted is None:
                self._refuse_unseen(thread)
            break
        if interrupted is not None:
            raise interrupted

    def _refuse_unseen(self, thread: LiveThread) -> None:
        """It is told at the end of the step."""
        stack = " < ".join(dict.fromkeys(str(spot_in(one)) for one in frames(sys._current_frames().get(thread.ident))))
        surroundings.refuse(
            f"{thread} waits where a run cannot see it{thread.job and f', in {thread.job}'}: let it wait for locks, queues, "
            f"events or sockets of Python's; it stands in {stack or 'C'}",
            is_here=False,
        )

    def give_way(self, thread: LiveThread) -> None:
        """This thread, which runs, stands still until it is chosen again."""
        self._park_if_lost(thread)
        RELEASE(self._back)
        ACQUIRE(thread.turn)
        while thread.errand is not None:
            errand, thread.errand = thread.errand, None
            errand()
            RELEASE(self._back)
            ACQUIRE(thread.turn)
        self._look()

    def _park_if_lost(self, thread: LiveThread) -> None:
        if thread.lost:
            ACQUIRE(thread.turn)  # forever: the run has gone on without it

    # --- waiting ------------------------------------------------------------------------------------

    def block(self, wait: Wait) -> bool:
        """Whoever runs waits, and others go on. Returns whether what it waits for is there; else its time is over."""
        self._look()
        me = self.current
        if me is None:
            self._loop_waits += 1
            try:
                return self._block_loop(wait)
            finally:
                self._loop_waits -= 1
        me.wait, me.frame = wait, sys._getframe(1)
        try:
            self.give_way(me)
        finally:
            me.wait = me.frame = None
        return wait.ready()

    def nap(self, seconds: float, what: str) -> None:
        """Whoever runs waits until so much time has passed."""
        self.block(self.wait(lambda: False, what, timeout_s=seconds, name=what, late_s=0.0))

    def wait(
        self,
        ready: Callable[[], bool],
        what: str,
        on: object = None,
        timeout_s: float | None = None,
        name: str = "timeout",
        *,
        late_s: float = LATE_S,
        is_last: bool = False,
    ) -> Wait:
        """What whoever runs will wait for, at most so long."""
        if timeout_s is None:
            return Wait(ready, what, on)
        who = self.current.called if self.current is not None else "loop"
        at_s = self._run.now_s() + (timeout_s + late_s if timeout_s > 0 else 0.0)
        return Wait(ready, what, on, Deadline(at_s, who, name, self._run.count(), is_last))

    def _wait_for_socket(self, ready: Callable[[], bool], what: str, timeout_s: float | None) -> bool:
        return self.block(self.wait(ready, what, timeout_s=timeout_s))

    def point(self) -> None:
        """The thread that runs stands at a line."""
        me = self.current
        if me is None or self.leaving or not surroundings.is_inside():
            return
        me.frame, me.is_underway = sys._getframe(2), True
        try:
            self.give_way(me)
        finally:
            me.frame, me.is_underway = None, False

    def _block_loop(self, wait: Wait) -> bool:
        """The loop's own thread waits, and with it the loop."""
        run = self._run
        while not wait.ready():
            now = run.now_s()
            if wait.deadline is not None and wait.deadline.when() <= now:
                return False
            threads = self.runnable()
            moments = [*self._deadlines(), *([wait.deadline] if wait.deadline is not None else [])]
            thread = self._turn_of(threads, bool(moments))
            if thread is not None:
                run.work(thread)
                if run.finding is not None:
                    raise ThreadIsLeft  # it goes round and round
                continue
            if not moments:
                if comes_from_outside(wait):
                    continue
                run.is_stuck(wait, sys._getframe(2))
                raise ThreadIsLeft
            run.pass_time(min(map(Deadline.when, moments)))
        return True

    def _turn_of(self, threads: list[LiveThread], time_may_pass: bool) -> LiveThread | None:
        """Which goes on while the loop waits; None: it is time that passes."""
        run = self._run
        if not (threads and run.spins):
            return next(iter(threads), None)
        return run.went.longest(threads, or_time=time_may_pass and run.time_is_due)

    # --- leaving ------------------------------------------------------------------------------------

    def leave(self) -> list[KeyboardInterrupt]:
        """All of them end, whatever they do then. Returns how the user has interrupted that."""
        self.leaving = True
        interrupts: list[KeyboardInterrupt] = []
        for thread in list(self.alive):
            for _ in range(LEAVES_MAX):
                if thread.over or thread.lost:
                    break
                try:
                    self.go(thread)
                except KeyboardInterrupt as error:
                    interrupts.append(error)
        self.alive.clear()
        self.pools.restore()
        threading.excepthook = self._hook
        return interrupts
