"""What has run in an execution, and what is known by it: names of tasks, 64 bits for all that was, emissions, what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Protocol

from sim.base.errors import ModelError, RefusedError
from sim.base.mixer import GAMMA, MASK, key64, mix
from sim.base.values import Emission, describe, encode
from sim.live.audience import Audience
from sim.live.emitting import CancellationIgnored
from sim.live.endings import exited, thread_failed, untaken
from sim.live.handles import LiveHandle, LiveTimer, Polled, task_of
from sim.live.live_task import LiveTask
from sim.live.naming import TaskNames, bare, code_of, plain, waits
from sim.live.net.channel import Incoming
from sim.live.program_parts import ProgramParts
from sim.live.threads.live_thread import LiveThread
from sim.live.tokens import callback_token, code_token, token
from sim.live.watching import Watching
from sim.world.choice import Sent
from sim.world.finding import Finding

MAIN = "main"


class RunFollower(Protocol):
    """Who notes all that happens in an execution, to tell it."""

    def resumes(self, task: LiveTask, at: Any) -> None:
        """`task` goes on, from the coroutine `at`."""

    def works(self, thread: LiveThread, interrupted: LiveThread | None) -> None:
        """A thread goes on, while another stands in the middle of something."""

    def calls(self, owner: str, callback: Any) -> None:
        """A callback that belongs to no task runs, on behalf of `owner`."""

    def sent(self, arrival: Incoming) -> None:
        """What runs has sent this."""

    def ran(self, run: Noting) -> None:
        """What was last told has run."""


class Noting:
    """What is noted of one execution."""

    def __init__(self, program: ProgramParts, audience: Audience, recorder: RunFollower | None) -> None:
        self.program, self.audience, self.recorder = program, audience, recorder
        self.names = TaskNames()
        self.tasks: dict[LiveTask, None] = {}
        self.owner = MAIN
        """For whom code runs now: a task of `world.task`, a server, or main."""
        self.steps = 0
        """Callbacks that have run."""
        self.chain = 0
        """64 bits for all that ran so far, in its order."""
        self.pairs: list[int] = []
        """64 bits for each two callbacks that ran one after the other, since they were last asked for."""
        self.last: Any = None
        """What ran last, as it was found before."""
        self.puts: list[Emission | Sent] = []
        self.finding: Finding | None = None
        self.heard = audience.first
        self.watching = Watching(program.properties, audience)
        self.is_attentive = recorder is not None or bool(program.properties)
        """Whether there is more to do after each callback than to go on."""
        self._judges = bool(program.properties)
        self._before = 0
        self.running: LiveTask | None = None
        """The task that runs, or ran last."""
        self._name: str | None = None
        """What the next task is called."""

    def refused(self, line: str) -> RefusedError:
        """The error of what has no place in a run. It ends the run also where the program takes it."""
        raise NotImplementedError

    def is_main(self, task: LiveTask | None) -> bool:
        """Whether this is the task of main."""
        raise NotImplementedError

    def is_server(self, name: str) -> bool:
        """Whether `world.serve` runs what is called so."""
        raise NotImplementedError

    # --- names --------------------------------------------------------------------------------------

    def made(self, task: LiveTask, coroutine: Any, name: str | None) -> None:
        """A task is being made: it gets its name."""
        self.tasks[task] = None
        if self._name is not None:
            task.base, self._name = self._name, None
            task.called = task.root = self.names.new(task.base)
            task.token = token(task.called)
            return
        task.maker = self.running.called if self.running is not None else self.owner
        task.root = self.owner
        task.base = f"{task.maker}/{plain(name) if name else _what(coroutine)}"
        task.called = self.names.new(task.base)
        task.token = token(task.called)

    def rename(self, task: LiveTask, name: str) -> None:
        """A task that has not begun is given another name by the program; one that `world.task` has named keeps it."""
        base = f"{task.maker}/{plain(name)}"
        if task.maker and base != task.base:
            self.names.give_back(task.called, task.base)
            task.base, task.called = base, self.names.new(base)
            task.token = token(task.called)

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
            self.running, self.owner, task.stepped = task, task.root, self.steps
            self.last = (task.called, code, f"resume {task.called}")
            mark = task.token + code_token(code) + where
        else:
            self.running = None
            self.owner = handle.owner
            callback: Any = handle._callback  # type: ignore[union-attr]
            if isinstance(handle, LiveTimer):
                self.last = (self.owner, None, f"fire {handle.owner}.{handle.called}")
            mark = callback_token(callback) + (handle.fd if isinstance(handle, Polled) else 0)
            if self.recorder is not None:
                self.recorder.calls(self.owner, callback)
        self._ran(mark)
        return True

    def works(self, thread: LiveThread, interrupted: LiveThread | None) -> None:
        """`thread` is about to go on, instead of one that it interrupts."""
        self.steps += 1
        code, where = thread.spot()
        if self.recorder is not None:
            self.recorder.works(thread, interrupted)
        self.running, self.owner, thread.stepped = None, thread.owner, self.steps
        self.last = (str(thread), code, f"work {thread.called}")
        self._ran(thread.token + code_token(code) + where)

    def _ran(self, mark: int) -> None:
        self.pairs.append((self._before * 3 + mark) & MASK)
        self._before = mark
        self.chain = (self.chain * GAMMA + mark) & MASK

    def note(self, mark: int) -> None:
        """The program meets something that is not its own doing. Two runs of one `chain` have met the same, in the same
        order among all that ran; so they are in one state, whatever is still on its way."""
        self.chain = mix(self.chain ^ mark)

    def queued(self, ready: Iterable[asyncio.Handle]) -> int:
        """64 bits for what is `ready`, in its order: where a turn does not run all of it, what has run does not tell."""
        found = 0
        for handle in ready:
            task = task_of(handle)
            callback: Any = handle._callback  # type: ignore[attr-defined]
            mark = task.token if task is not None else callback_token(callback)
            mark += handle.fd if isinstance(handle, Polled) else 0
            found = mix((found * GAMMA + mark) & MASK)
        return found

    def after(self) -> None:
        """A callback has run."""
        task, self.running = self.running, None
        if task is not None and task.struck and task.done() and task.cancelling() and not task.cancelled():
            self.hear(CancellationIgnored(task.called))
        if self.recorder is not None:
            self.recorder.ran(self)
        if self._judges and self.finding is None:
            self.finding = self.watching.judge(self.heard)

    def hear(self, emission: Emission) -> None:
        """The program says something of itself. Raises `RefusedError` for what is not an emission, or holds what is not a value."""
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
        self.heard = self.audience.hears(self.heard, emission)
        if self.finding is None:
            self.finding = self.audience.judge(self.heard)

    def exits(self, error: SystemExit) -> None:
        """What runs would end the process."""
        if self.finding is None and not self.is_main(self.running):  # of which it is said when it has ended
            self.finding = exited(self.owner if self.running is None else self.running.called, error)

    def thread_fails(self, thread: LiveThread, error: BaseException) -> None:
        """An exception has ended a thread."""
        if self.finding is None:
            self.finding = thread_failed(thread, error)

    def sent(self, arrival: Incoming) -> None:
        self.puts.append(Sent(arrival.subject, arrival.target))
        if self.recorder is not None:
            self.recorder.sent(arrival)

    def nobody_takes(self, _: Any, context: dict[str, Any]) -> None:
        left = self.is_server(self.owner) and isinstance(context.get("exception"), ConnectionError)
        if self.finding is None and not left:  # a server need not be told that its client is gone
            self.finding = untaken(context)

    def before_this(self) -> str:
        """The address of what ran or came last; empty at the beginning."""
        if self.last is None:
            return ""
        _, code, what = self.last
        return f"{what} at {bare(code.co_qualname)}" if code is not None else what


def _what(coroutine: Any) -> str:
    code = code_of(coroutine)
    return bare(code.co_qualname) if code is not None else type(coroutine).__name__
