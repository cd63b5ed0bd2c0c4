"""A process of a run: a coroutine that stands for it, its pipes, and how it ends."""

from __future__ import annotations

import asyncio
import inspect
import signal
import subprocess
from contextlib import suppress
from traceback import format_exception_only
from typing import TYPE_CHECKING, Any

from sim.base.values import describe
from sim.live.live_task import LiveTask
from sim.live.net.pipe_transports import noted
from sim.live.net.pipes import PipeFile, TetherEnd, WatchEnd
from sim.live.processes.commands import CommandLine
from sim.live.processes.inherited import writer_of
from sim.live.processes.live_process import LiveProcess
from sim.live.processes.stdin import Stdin
from sim.live.servers import Party

if TYPE_CHECKING:
    from sim.live.execution import Execution

TOLD = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
"""The signals that a stand-in hears, as it is cancelled."""
STDIN, STDOUT, STDERR = 1, 1, 2
"""The numbers of the pipes; what comes in and what goes out are one."""


class Child(Party):
    """One that has been started. Its stand-in runs from the next turn on."""

    def __init__(self, run: Execution, command: CommandLine, process: LiveProcess, group: int) -> None:
        coroutine = command.handler(process)
        if not inspect.iscoroutine(coroutine):
            raise run.refused(
                f"world.command: the handler of {command.name} is not a coroutine; write async def handler(process)"
            )
        self.task: LiveTask = run.spawn(command.name, coroutine)
        super().__init__(name=self.task.called)
        self.run, self.process, self.group = run, process, group
        self.parent = run.owner
        self.signal: int = signal.SIGTERM
        """What has told it to end last."""
        self._transports: list[Any] = []
        self.leaving = False
        """Whether all that is left to be done is to write."""
        self.files: list[PipeFile | None] = []
        """What its parent has of it: of stdin, stdout and stderr."""
        watch, tether = run.kernel.tether(self.parent, self.name)
        self.watch: WatchEnd = watch
        self.tether: TetherEnd = tether

    def open(self, stdin: Any, stdout: Any, stderr: Any) -> None:
        """Give it its streams."""
        loop, process = self.run.loop, self.process
        before, self.run.owner = self.run.owner, self.name
        try:
            process.stdin = self._reads(stdin)
            process.stdout = self._writes(stdout, STDOUT)
            process.stderr = process.stdout if stderr == subprocess.STDOUT else self._writes(stderr, STDERR)
            if stderr == subprocess.STDOUT:
                self.files.append(None)
            loop._add_reader(self.tether.fd, self.is_told)  # type: ignore[attr-defined]
            self.task.add_done_callback(self.has_ended)
        finally:
            self.run.owner = before
        self.watch.pipes = tuple(end.into.source for end in map(_end_of, self.files[1:]) if end is not None)

    def _reads(self, source: Any) -> asyncio.StreamReader:
        """Its stdin, from its parent or empty."""
        if source not in (None, subprocess.PIPE, subprocess.DEVNULL):
            raise self.run.refused(f"stdin={describe(source)}: a process of a run reads a pipe; write PIPE or DEVNULL")
        far, near = self.run.kernel.pipe(self.parent, self.name, STDIN, direct=source != subprocess.PIPE)
        if source == subprocess.PIPE:
            self.files.append(PipeFile(far))
        else:
            self.files.append(None)
            far.close()
        reader = Stdin(self.run.loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=self.run.loop)
        self._transports.append(self.run.loop._make_read_pipe_transport(PipeFile(near), protocol))
        return reader

    def _writes(self, target: Any, number: int) -> asyncio.StreamWriter:
        """Its stdout or stderr, to its parent or elsewhere."""
        if target == subprocess.PIPE:
            far, near = self.run.kernel.pipe(self.parent, self.name, number, back=True)
            self.files.append(PipeFile(far))
        else:
            near = self.run.kernel.sink(self.name, writer_of(target, number == STDERR))
            self.files.append(None)
        loop = self.run.loop
        protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader(loop=loop), loop=loop)
        transport = loop._make_write_pipe_transport(PipeFile(near), protocol)
        self._transports.append(transport)
        return asyncio.StreamWriter(transport, protocol, None, loop)

    # --- what others do with it ---------------------------------------------------------------------

    def poll(self) -> int | None:
        """How it has ended, as far as its parent knows; that is what somebody learns here."""
        self.run.kernel.meets(self.watch.fd, self.watch.code)
        return self.watch.code

    def tell(self, sig: int) -> None:
        """Send it a signal; 0 sends nothing."""
        if sig and sig not in (*TOLD, signal.SIGKILL):
            raise self.run.refused(
                f"signal {sig}: a process of a run hears SIGHUP, SIGINT, SIGTERM and SIGKILL; send one of those"
            )
        if sig:
            self.watch.tell(signal.Signals(sig).name)

    # --- its end ------------------------------------------------------------------------------------

    @property
    def _sock_fd(self) -> int:
        """Of what its callbacks are about."""
        return self.tether.fd

    def is_told(self) -> None:
        """A signal has come."""
        told = getattr(signal, noted(self.run.kernel, self.tether, lambda: self.tether.receive(0)[0]).decode())
        if told == signal.SIGKILL:
            self.run.servers.crash(self.name, for_good=True)
        elif self.leaving:
            self._exit(-told)
        else:
            self.signal = told
            self.task.cancel()

    def has_ended(self, task: Any) -> None:
        """What stands for it has."""
        if task.cancelled():
            self.leave(-self.signal)
            return
        error = task.exception()
        if isinstance(error, SystemExit):
            return  # it was heard of where it was raised
        if error is not None:
            self.process.stderr.write(format_exception_only(error)[-1].encode())
            self.run.loop.call_exception_handler({"message": f"{self.name} fails", "exception": _told(error)})
            self.leave(1)
            return
        status = task.result()
        if status is not None and not isinstance(status, int):
            self.run.refused(
                f"world.command: {self.name} returns {describe(status)}, which is not an exit status; write 0"
            )
        self.leave(status or 0)

    def exits(self, error: SystemExit) -> None:
        """It ends itself: what is not a number is said, as by Python."""
        for task in self._tasks():
            if task.done() and isinstance(task._exception, SystemExit):
                task.exception()  # it is taken
        if error.code is not None and not isinstance(error.code, int):
            self.process.stderr.write(f"{error.code}\n".encode())
            self.leave(1)
        else:
            self.leave(error.code or 0)

    def leave(self, status: int) -> None:
        """It ends so, when all that it has written is taken."""
        if self.leaving:
            return
        self.leaving = True
        for task in self._tasks():
            task.gone = task.gone or not task.done()
        code = status if status < 0 else status & 0xFF
        writers = [self.process.stdout, self.process.stderr]
        if any(writer.transport.get_write_buffer_size() for writer in writers):
            self.run.spawn(f"{self.name}/exit", self._flush(writers, code), owner=self.name)
        else:
            self._exit(code)

    def _tasks(self) -> list[LiveTask]:
        return [task for task in self.run.tasks if task.root == self.name]

    async def _flush(self, writers: list[asyncio.StreamWriter], code: int) -> None:
        for writer in writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        self._exit(code)

    def _exit(self, code: int) -> None:
        if self.up:
            self.tether.code = code
            self.run.servers.end(self)

    def lost(self) -> None:
        loop: Any = self.run.loop
        for task in self._tasks():
            if isinstance(_told(task._exception), ConnectionError):
                task.exception()  # it is killed before it is asked what became of it
        for fd in (self.tether.fd, *(transport._fileno for transport in self._transports)):
            loop._remove_reader(fd)
            loop._remove_writer(fd)
        for transport in self._transports:
            transport._pipe, transport._closing = None, True  # what is open still says nothing about it


def _end_of(file: PipeFile | None) -> Any:
    return None if file is None else file.end


def _told(error: BaseException | None) -> BaseException | None:
    """The error; or, of a group, the one that is meant where all of it is that somebody is gone."""
    if isinstance(error, BaseExceptionGroup):
        gone, others = error.split(ConnectionError)
        if others is None and gone is not None:
            return _first(gone)
    return error


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
