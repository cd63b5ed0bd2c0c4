"""A program that is running, one turn of its loop after the other.

Between two turns it stands still, and whoever leads it chooses: a fault, something that arrives, the earliest timer, or
the next turn. Faults come first, arrivals next, timers last, as in the poll of a loop: so whatever happens here can happen
on CPython's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from types import FrameType
from typing import TYPE_CHECKING, Any

from sim.base.errors import RefusedError
from sim.base.overdue import WATCH
from sim.live import emitting
from sim.live.addressing import address_of, link_of
from sim.live.around import around
from sim.live.audience import Audience
from sim.live.certificates import CERTIFICATES
from sim.live.dice import Dice
from sim.live.endings import at_the_end, ended, outlives, stuck
from sim.live.handles import LiveTimer
from sim.live.holding import Holder
from sim.live.leaving import leave_task
from sim.live.left_open import LeftOpen
from sim.live.live_task import LiveTask
from sim.live.loop import LiveLoop
from sim.live.net.channel import Connection, Incoming
from sim.live.net.kernel import Kernel
from sim.live.noting import MAIN, Noting, RunFollower
from sim.live.orders import Numbers
from sim.live.processes.processes import Processes
from sim.live.program_parts import ProgramParts
from sim.live.servers import Servers
from sim.live.stage import Stage
from sim.live.stop_signals import StopSignals
from sim.live.surrounding_world import Outside
from sim.live.surroundings import surroundings
from sim.live.threads.live_thread import Deadline, LiveThread, Wait
from sim.live.threads.run_threads import RunThreads
from sim.live.went import RESUME, TIME, WORK, Went
from sim.world.address import FOR_GOOD
from sim.world.choice import FIRE, Subject
from sim.world.finding import Finding

if TYPE_CHECKING:
    from ssl import SSLContext

TURN, CANCEL, STOP = "turn", "cancel", "stop"
CRASH, RESTART, RESET, CUT, HEAL = "crash", "restart", "reset", "cut", "heal"
"""What can be chosen where a program stands still, beside what arrives and the timers."""
MIDST = 3
"""The phase in the midst of a turn, in which nothing but threads can come between."""
FORCED_MAX = 1_000
"""Forced steps in a row that are one step to whoever walks."""
ENDLESS = 10_000
"""Turns without any time that passes, after which a run is taken never to end."""
SPINS = 1_000
"""As many, after which somebody is taken to wait for a thread by asking again and again."""
FAIR = 10
"""One step of so many is what has waited longest, from there on; a timer only in the second half of `ENDLESS`."""
LINE = 0.1
"""Of a turn: a line of a thread, at which it gives way."""


class Execution(Noting):
    """One execution of `program`."""

    def __init__(
        self,
        program: ProgramParts,
        audience: Audience,
        recorder: RunFollower | None = None,
        holder: Holder | None = None,
    ) -> None:
        super().__init__(program, audience, recorder)
        self.log = holder.begin(self.note) if holder is not None else None
        self.turns = 0.0
        """Turns since time last passed."""
        self.went = Went()
        self.cuts: dict[tuple[str, str], None] = {}
        """The links that are cut, and will heal."""
        self.struck = False
        """Whether any fault has struck."""
        self.struck_main = False
        self.phase = 0
        """Of the poll that is planned: 0 faults, 1 arrivals, 2 timers; or `MIDST`."""
        self._wound_up = False
        self._main_is_left = False
        self.dice = Dice(0)
        self.signals = StopSignals()
        self.numbers = Numbers()
        self.left_open = LeftOpen()
        self.folder: Path | None = None
        """Below it files may be written; made when it is asked for."""
        self.kernel = Kernel(lambda: self.owner, refusal=self.refused)
        self.kernel.traffic.on_sent = self.sent
        self.kernel.on_met = self.note
        self.servers = Servers(self)
        self.threads = RunThreads(self)
        self.processes = Processes(self)
        self.loop = LiveLoop(self, self.kernel)
        with self.entered():
            self.loop.set_exception_handler(self.nobody_takes)
            self.main = self.spawn(MAIN, program.main(Stage(self)))

    @contextmanager
    def entered(self) -> Iterator[None]:
        """While the program runs, this is its world."""
        with around.walks():
            outside = self._enter()
            try:
                yield
            finally:
                self._leave(outside)

    def _enter(self) -> Outside:
        outside = Outside.of_now()
        surroundings.leave()
        surroundings.enter(self)
        emitting.active = self
        self.loop.begin_running()
        return outside

    def _leave(self, outside: Outside) -> None:
        self.loop.end_running()
        outside.restore()

    def now_s(self) -> float:
        """Virtual seconds since the start of the run."""
        return self.loop.now_s

    def count(self) -> int:
        """The next number of what is made in this run."""
        return self.loop.count()

    def make_folder(self) -> Path:
        """The folder of this run."""
        if self.folder is None:
            surroundings.leave()  # its name comes from outside
            try:
                self.folder = Path(mkdtemp(prefix="roundsim-")).resolve()
            finally:
                surroundings.enter(self)
        return self.folder

    def certified(self, host: str) -> SSLContext:
        """What does TLS for `host`; clients of runs trust it."""
        from sim.live.net.own_certificate import certified  # who serves no TLS need not have it

        surroundings.leave()  # its key comes from outside
        try:
            found = certified(host)
        finally:
            surroundings.enter(self)
        CERTIFICATES.trust(found.pem)
        return found.server

    def refused(self, line: str) -> RefusedError:
        return surroundings.refuse(line)

    def is_main(self, task: LiveTask | None) -> bool:
        return task is self.main

    def is_server(self, name: str) -> bool:
        return name in self.servers

    def exits(self, error: SystemExit) -> None:
        """What runs would end the process: that of a stand-in, or the program's own."""
        if not self.processes.exits(self.owner, error):
            super().exits(error)

    def spawn(self, name: str, coroutine: Any, owner: str = "") -> LiveTask:
        """A task that is called so, whoever makes it; it works for itself, or for `owner`."""
        self._name = name
        before, self.owner = self.owner, owner or self.owner
        try:
            task: Any = self.loop.create_task(coroutine)
        finally:
            self._name, self.owner = None, before
        task.root = owner or task.root
        live: LiveTask = task
        return live

    # --- standing still -----------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether main has ended; then nothing is waited for but what is on its way."""
        return self.main.done()

    def timer(self) -> LiveTimer | Deadline | None:
        """The timer that may fire. After main only those of what a fault has cancelled with it, which may take its time, and of
        threads."""
        is_left = self.over and not (self.struck_main and self.waiting())
        timer, deadline = None if is_left else self.loop.next_timer(), self.threads.deadline()
        if timer is None or (deadline is not None and deadline.when() < timer.when()):
            return deadline
        return timer

    def waiting(self) -> list[LiveTask]:
        """The tasks that have not ended, but for those of servers."""
        return [task for task in self.tasks if not task.done() and task.root not in self.servers]

    def take(self, subject: Subject, how: str, forced: Callable[[], Subject | None]) -> None:
        """Do what is chosen, and what is `forced` then. Raises `LookupError` if there is no such thing here, `RefusedError` if
        the program does what cannot be simulated."""
        if not surroundings.is_installed:
            with around.walks():
                self.take(subject, how, forced)
            return
        outside, watched = self._enter(), WATCH.call
        try:
            self._take(subject, how)
            for _ in range(FORCED_MAX):
                following = forced() if self.finding is None else None
                if following is None:
                    break
                self._take(following, "")
        finally:
            WATCH.call = watched
            self._leave(outside)
        if surroundings.refused is not None:
            refused, surroundings.refused = surroundings.refused, None
            raise refused

    def _take(self, subject: Subject, how: str) -> None:
        kind, number, name = subject
        self.went.goes(subject)
        if kind == TURN:
            self._turn()
        elif kind == RESUME:
            self._resume(number)
        elif kind == WORK:
            self._work(number)
        elif kind == FIRE:
            self._fire(number)
        elif kind == CANCEL:
            self._cancel(number)
        elif kind == STOP:
            self.stop()
        elif kind == CRASH:
            self.servers.crash(name, for_good=how == FOR_GOOD)
        elif kind == RESTART:
            self.servers.start(name)
        elif kind == RESET:
            self.kernel.reset(self._connection(name, number))
        elif kind in (CUT, HEAL):
            self._cut(name, healing=kind == HEAL, for_good=how == FOR_GOOD)
        else:
            self._arrive(self.kernel.arrival(number), how)
        self.loop.forget_lanes()
        if self.over and not self._wound_up:
            self._wound_up = True
            self.finding = self.finding or ended(self)
        if self._main_is_left:
            self._main_is_left = False
            self._cancel_the_rest()
        if self.program.order == "any":
            self.loop.poll()  # here, and not where it is asked what is ready: to ask changes nothing

    @property
    def spins(self) -> bool:
        """Whether it is the turn of what has waited longest, where somebody asks again and again."""
        return self.turns >= SPINS and self.went.count % FAIR == 0 and bool(self.threads.alive)

    @property
    def time_is_due(self) -> bool:
        """Whether that is time too."""
        return self.turns > ENDLESS / 2

    def _strike_main(self) -> None:
        """Main is told to end. When it has, and those that wait for it were told, in a turn more, the loop is left."""
        if not self.struck_main:
            self.struck_main = True
            self.main.add_done_callback(self._leave_main)

    def _leave_main(self, _: object) -> None:
        self._main_is_left = True

    def _cancel_the_rest(self) -> None:
        """What is left is cancelled, as `asyncio.run` does."""
        for task in self.waiting():
            task.cancel()

    def _arrive(self, arrival: Incoming, how: str) -> None:
        """Something comes from the network, or a fault happens to it."""
        self.last = (self.owner, None, str(address_of(arrival, "")))
        self.kernel.arrive(arrival, how)
        if self.program.order == "fifo" and self.loop.ready():
            self.phase = 1  # what nobody waits for does not wake the loop

    def _connection(self, link: str, number: int) -> Connection:
        found = [one for one in self.kernel.connections() if one.ordinal == number and link_of(one) == link]
        if not found:
            raise LookupError(link)
        return found[0]

    def _cut(self, link: str, *, healing: bool, for_good: bool) -> None:
        """Nothing crosses a link any longer, either way; or it does again."""
        source, _, target = link.partition("->")
        for ends in ((source, target), (target, source)):
            (self.kernel.heal if healing else self.kernel.cut)(*ends)
        if healing:
            del self.cuts[source, target]
        elif not for_good:
            self.cuts[source, target] = None

    def stop(self) -> None:
        """The program is told to stop: it has said what it does then, or main is cancelled."""
        self.loop.wake()
        if self.loop.listens:
            self.loop.signal()
        elif self.signals.listens:
            number, handler, owner = self.signals.first()
            if callable(handler):
                handle = self.loop.call_soon(handler, number, None)
                handle.owner = owner  # type: ignore[attr-defined]
                self.loop.run_alone(handle)
        else:
            self._strike_main()
            self.main.cancel()

    def _turn(self) -> None:
        if self.phase != MIDST and not self.threads.alive:
            self.phase = 0
            self.loop.turn()
        else:
            self.phase = 0 if self.loop.part_of_turn(self.threads.any_runnable) else MIDST
        self._count_turn()

    def _work(self, number: int) -> None:
        thread = next((thread for thread in self.threads.runnable() if thread.number == number), None)
        if thread is None:
            raise LookupError(number)
        self.work(thread)

    def work(self, thread: LiveThread) -> None:
        """`thread` goes on until it gives way."""
        owner, running = self.owner, self.running
        self.went.goes((WORK, thread.number, ""))
        self.works(thread, self.threads.interrupted(thread))
        try:
            self.threads.go(thread)
        finally:
            thread.owner, self.owner = self.owner, owner
        if self.is_attentive:
            self.after()
        self.running = running  # where the loop itself waits for it
        self._count_turn(LINE if thread.is_underway else 1)

    def is_stuck(self, wait: Wait, frame: FrameType) -> None:
        """The loop's own thread waits, and nobody can end it."""
        if self.finding is None:
            self.finding = stuck(self, wait, frame)

    def _count_turn(self, part: float = 1) -> None:
        self.turns += part
        if self.turns > ENDLESS and self.finding is None:
            self.finding = Finding(
                "endless", f"{ENDLESS:,} turns of the loop, and no time has passed; {self.last[0]} ran last"
            )

    def _resume(self, number: int) -> None:
        lanes = self.loop.lanes()
        handle = next((h for task, h in lanes.items() if (0 if task is None else task.number) == number), None)
        if handle is None:
            raise LookupError(number)
        self.loop.run_alone(handle)
        self._count_turn()

    def _fire(self, number: int) -> None:
        timer = self.timer()
        if timer is None or timer.number != number:
            raise LookupError(number)
        self.pass_time(timer.when())
        if isinstance(timer, LiveTimer):
            self.phase = 2 if self.program.order == "fifo" else 0
        elif not self.threads.fires() and self.finding is None:
            self.finding = outlives(self)

    def pass_time(self, at_s: float) -> None:
        """It is as late as that now."""
        self.loop.now_s = max(self.loop.now_s, at_s)
        self.kernel.traffic.time_passes()
        self.went.goes(TIME)
        self.turns = 0

    def _cancel(self, number: int) -> None:
        task = next((task for task in self.tasks if task.number == number and not task.done()), None)
        if task is None:
            raise LookupError(number)
        task.struck += 1
        self.loop.wake()
        if task is self.main:
            self._strike_main()
        task.cancel()

    def rest(self, *, may_be_told: bool) -> Finding | None:
        """What is wrong if nothing more happens, while the program may be told to stop or not. Raises `ModelError` for a
        property that was never asked in a run that nothing has struck."""
        found = at_the_end(self, may_be_told=may_be_told)
        if found is None and self.log is not None:
            found = self.log.judge(struck=self.struck)
        if found is None and not self.struck:
            self.watching.look_for_unread()
        return found

    def close(self) -> None:
        """Leave it, wherever it stands. What its code does now does not count for any verdict."""
        self.recorder, self.finding = None, self.finding or Finding("", "")
        refused = surroundings.refused
        self.loop.let_go()
        self.threads.leaving = True
        interrupts: list[KeyboardInterrupt] = []
        with self.entered():
            for task in self.tasks:
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                if not task.done():
                    try:
                        with WATCH.during(f"the task {task.called}, which is left,"):
                            leave_task(task)
                    except KeyboardInterrupt as error:
                        interrupts.append(error)
                elif not task.cancelled():
                    task.exception()
            interrupts += self.threads.leave()
        self.tasks.clear()
        self.loop.leave()
        self.kernel.close()
        self.left_open.close()
        if self.folder is not None:
            rmtree(self.folder, ignore_errors=True)
        surroundings.refused = refused
        if interrupts:
            raise interrupts[0]
