"""A program that is running, one turn of its loop after the other.

Between two turns it stands still, and whoever leads it chooses: a fault, something that arrives, the earliest timer, or
the next turn. Faults come first, arrivals next, timers last, as in the poll of a loop: so whatever happens here can happen
on CPython's own.
"""

from __future__ import annotations

from _thread import get_ident
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from sim.base.errors import ModelError, RefusedError
from sim.base.mixer import GAMMA, MASK, key64, mix
from sim.base.overdue import WATCH
from sim.base.values import Emission, describe, encode
from sim.live import emitting
from sim.live.addressing import address_of, connection_of
from sim.live.around import around
from sim.live.dice import Dice
from sim.live.emitting import CancellationIgnored
from sim.live.endings import at_the_end, ended, exited, untaken
from sim.live.leaving import leave
from sim.live.loop import LiveHandle, LiveLoop, LiveTask, LiveTimer, Polled, task_of
from sim.live.moments import Outside
from sim.live.naming import TaskNames, bare, code_of, plain, told_by, waits
from sim.live.net.channel import Incoming
from sim.live.net.kernel import Kernel
from sim.live.servers import Servers
from sim.live.stage import Stage
from sim.live.surroundings import surroundings
from sim.live.tokens import token, token_of
from sim.live.witness import Witness
from sim.world.address import FOR_GOOD
from sim.world.choice import FIRE, Sent, Subject
from sim.world.finding import Finding

if TYPE_CHECKING:
    from sim.live.program import Program

TURN, RESUME, CANCEL, STOP = "turn", "resume", "cancel", "stop"
CRASH, RESTART, RESET, CUT, HEAL = "crash", "restart", "reset", "cut", "heal"
"""What can be chosen where a program stands still, beside what arrives and the timers."""
MAIN = "main"
FORCED_MAX = 1_000
"""Forced steps in a row that are one step to whoever walks."""
ENDLESS = 10_000
"""Turns without any time that passes, after which a run is taken never to end."""


class Execution:
    """One execution of `program`."""

    def __init__(self, program: Program, recorder: Witness | None = None) -> None:
        self.program = program
        self.names = TaskNames()
        self.tasks: dict[LiveTask, None] = {}
        self.owner = MAIN
        """For whom code runs now: a task of `world.task`, a server, or main."""
        self.steps = 0
        """Callbacks that have run."""
        self.turns = 0
        """Turns since time last passed."""
        self.chain = 0
        """64 bits for all that ran so far, in its order."""
        self.pairs: list[int] = []
        """64 bits for each two callbacks that ran one after the other, since they were last asked for."""
        self.last: Any = None
        """What ran last, as it was found before."""
        self.recorder = recorder
        self.puts: list[Emission | Sent] = []
        self.finding: Finding | None = None
        self.held: dict[str, None] = {}
        """The goals that have held."""
        self.heard = program.audience.first
        self.watched: dict[str, Any] = {}
        self.cuts: dict[tuple[str, str], None] = {}
        """The links that are cut, and will heal."""
        self.struck = False
        """Whether any fault has struck."""
        self.struck_main = False
        self.phase = 0
        """Of the poll that is planned: 0 faults, 1 arrivals, 2 timers."""
        self._wound_up = False
        self._main_is_left = False
        self._before = 0
        self._running: LiveTask | None = None
        self._name: str | None = None
        self._judged = program.judged_live
        self.dice = Dice(0)
        self.folder: Path | None = None
        """Below it files may be written; made when it is asked for."""
        self.kernel = Kernel(lambda: self.owner, refusal=self.refused)
        self.kernel.traffic.on_sent = self._sent
        self.kernel.on_met = self.note
        self.servers = Servers(self)
        self.loop = LiveLoop(self, self.kernel)
        with self.entered():
            self.loop.set_exception_handler(self._nobody_takes)
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
        self.thread = get_ident()
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

    def refused(self, line: str) -> RefusedError:
        """The error of what has no place in a run. It ends the run also where the program takes it."""
        return surroundings.refuse(line)

    # --- names --------------------------------------------------------------------------------------

    def spawn(self, name: str, coroutine: Any, owner: str = "") -> LiveTask:
        """A task that is called so, whoever makes it; it works for itself, or for `owner`."""
        self._name = name
        before, self.owner = self.owner, owner or self.owner
        try:
            task: LiveTask = self.loop.create_task(coroutine)  # type: ignore[assignment]
        finally:
            self._name, self.owner = None, before
        task.root = owner or task.root
        return task

    def made(self, task: LiveTask, coroutine: Any, name: str | None) -> None:
        """A task is being made: it gets its name."""
        self.tasks[task] = None
        if self._name is not None:
            task.base, self._name = self._name, None
            task.called = task.root = self.names.new(task.base)
            return
        task.maker = self._running.called if self._running is not None else self.owner
        task.root = self.owner
        task.base = f"{task.maker}/{plain(name) if name else told_by(coroutine)}"
        task.called = self.names.new(task.base)

    def rename(self, task: LiveTask, name: str) -> None:
        """A task that has not begun is given another name by the program; one that `world.task` has named keeps it."""
        base = f"{task.maker}/{plain(name)}"
        if task.maker and base != task.base:
            self.names.give_back(task.called, task.base)
            task.base, task.called = base, self.names.new(base)

    # --- noting what runs ---------------------------------------------------------------------------

    def before(self, handle: LiveHandle | LiveTimer) -> bool:
        """`handle` is about to run: whether it does, and is not of what a crash has taken."""
        task = task_of(handle)
        if task is not None and task.gone:
            return False
        self.steps += 1
        if task is not None:
            at: Any = waits(task.get_coro())
            try:
                code, where = at.cr_code, at.cr_frame.f_lasti
            except AttributeError:  # a generator, or one that has ended
                code, where = code_of(at), -1
            if self.recorder is not None:
                self.recorder.resumes(task, at)
            self._running, self.owner, task.stepped = task, task.root, self.steps
            self.last = (task.called, code, where)
            mark = token(task.called) + where
        else:
            self._running = None
            self.owner = handle.owner
            callback: Any = handle._callback  # type: ignore[union-attr]
            if isinstance(handle, LiveTimer):
                self.last = (self.owner, None, f"fire {handle.owner}.{handle.called}")
            mark = token_of(callback) + (handle.fd if isinstance(handle, Polled) else 0)
            if self.recorder is not None:
                self.recorder.calls(self.owner, callback)
        self.pairs.append(mix((self._before * GAMMA + mark) & MASK))
        self._before = mark
        self.chain = mix((self.chain + mark * GAMMA) & MASK)
        return True

    def note(self, mark: int) -> None:
        """The program meets something that is not its own doing. Two runs of one `chain` have met the same, in the same
        order among all that ran; so they are in one state, whatever is still on its way."""
        self.chain = mix(self.chain ^ mark)

    def queue(self) -> int:
        """64 bits for what is ready, in its order: where a turn does not run all of it, what has run does not tell."""
        found = 0
        for handle in self.loop._ready:
            task = task_of(handle)
            callback: Any = handle._callback  # type: ignore[attr-defined]
            mark = token(task.called) if task is not None else token_of(callback)
            mark += handle.fd if isinstance(handle, Polled) else 0
            found = mix((found * GAMMA + mark) & MASK)
        return found

    def after(self) -> None:
        """A callback has run."""
        task, self._running = self._running, None
        if task is not None and task.struck and task.done() and task.cancelling() and not task.cancelled():
            self.hear(CancellationIgnored(task.called))
        if self.recorder is not None:
            self.recorder.ran(self)
        if self._judged and self.finding is None:
            self._judge()

    def _judge(self) -> None:
        for prop in self._judged:
            if all(name in self.watched or name in self.program.monitors for name in prop.reads):
                self.program.ask(self, prop)

    def hear(self, emission: Emission) -> None:
        """The program says something of itself. Raises `RefusedError` for what is none, or holds what is no value."""
        if not isinstance(emission, Emission):
            raise self.refused(
                f"emit: {describe(emission)} is not an emission; make a class of Emission: emit(Idle(3))"
            )
        try:
            code = encode(emission)
        except ModelError as error:
            raise self.refused(f"emit: {error}") from None
        self.puts.append(emission)
        self.chain = mix(self.chain ^ key64(code))
        self.heard = self.program.audience.hears(self.heard, emission)
        if self.finding is None:
            self.finding = self.program.audience.judge(self.heard)

    def exits(self, error: SystemExit) -> None:
        """What runs would end the process."""
        if self.finding is None and self._running is not self.main:  # of which it is said when it has ended
            self.finding = exited(self.owner if self._running is None else self._running.called, error)

    def _sent(self, arrival: Incoming) -> None:
        self.puts.append(Sent(arrival.subject, arrival.target))
        if self.recorder is not None:
            self.recorder.sent(arrival)

    def _nobody_takes(self, _: Any, context: dict[str, Any]) -> None:
        left = self.owner in self.servers and isinstance(context.get("exception"), ConnectionError)
        if self.finding is None and not left:  # a server need not be told that its client is gone
            self.finding = untaken(context)

    # --- standing still -----------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether main has ended; then nothing is waited for but what is on its way."""
        return self.main.done()

    def timer(self) -> LiveTimer | None:
        """The timer that may fire. After main only those of what a fault has cancelled with it, which may take its time."""
        if self.over and not (self.struck_main and self.waiting()):
            return None
        return self.loop.next_timer()

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
        if kind == TURN:
            self._turn()
        elif kind == RESUME:
            self._resume(number)
        elif kind == FIRE:
            self._fire(number)
        elif kind == CANCEL:
            self._cancel(number)
        elif kind == STOP:
            self._stop()
        elif kind == CRASH:
            self.servers.crash(name, for_good=how == FOR_GOOD)
        elif kind == RESTART:
            self.servers.start(name)
        elif kind == RESET:
            self.kernel.reset(connection_of(self.kernel, name, number))
        elif kind in (CUT, HEAL):
            self._cut(name, healing=kind == HEAL, for_good=how == FOR_GOOD)
        else:
            self._arrive(self.kernel.arrival(number), how)
        if self.over and not self._wound_up:
            self._wound_up = True
            self.finding = self.finding or ended(self)
        if self._main_is_left:
            self._main_is_left = False
            self._cancel_the_rest()

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
        self.phase = 1 if self.program.order == "fifo" else 0

    def _cut(self, link: str, *, healing: bool, for_good: bool) -> None:
        """Nothing crosses a link any longer, either way; or it does again."""
        source, _, target = link.partition("->")
        for ends in ((source, target), (target, source)):
            (self.kernel.heal if healing else self.kernel.cut)(*ends)
        if healing:
            del self.cuts[source, target]
        elif not for_good:
            self.cuts[source, target] = None

    def _stop(self) -> None:
        """The program is told to stop: it has said what it does then, or main is cancelled."""
        if self.loop.listens:
            self.loop.signal()
        else:
            self._strike_main()
            self.main.cancel()

    def _turn(self) -> None:
        self.phase = 0
        self.turns += 1
        self.loop.turn()
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
        self.turns += 1

    def _fire(self, number: int) -> None:
        timer = self.timer()
        if timer is None or timer.number != number:
            raise LookupError(number)
        self.loop.now_s = max(self.loop.now_s, timer.when())
        self.turns = 0
        self.phase = 2 if self.program.order == "fifo" else 0

    def _cancel(self, number: int) -> None:
        task = next((task for task in self.tasks if task.number == number and not task.done()), None)
        if task is None:
            raise LookupError(number)
        task.struck += 1
        if task is self.main:
            self._strike_main()
        task.cancel()

    def before_this(self) -> str:
        """The address of what ran or came last; empty at the beginning."""
        if self.last is None:
            return ""
        who, code, what = self.last
        return f"resume {who} at {bare(code.co_qualname)}" if code is not None else what

    def rest(self, *, may_be_told: bool) -> Finding | None:
        """What is wrong if nothing more happens, while the program may be told to stop or not. Raises `ModelError` for a
        property that was never asked in a run that nothing has struck."""
        found = at_the_end(self, may_be_told=may_be_told)
        if found is None and not self.struck:
            self.program.look_for_unread(self.watched)
        return found

    def close(self) -> None:
        """Leave it, wherever it stands. What its code does now is no part of any verdict."""
        self.recorder, self.finding = None, self.finding or Finding("", "")
        refused = surroundings.refused
        self.loop.let_go()
        with self.entered():
            for task in self.tasks:
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                if not task.done():
                    with WATCH.during(f"the task {task.called}, which is left,"):
                        leave(task.get_coro())
                elif not task.cancelled():
                    task.exception()
        self.tasks.clear()
        self.loop.leave()
        self.kernel.close()
        if self.folder is not None:
            rmtree(self.folder, ignore_errors=True)
        surroundings.refused = refused
