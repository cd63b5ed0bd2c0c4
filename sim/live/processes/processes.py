"""The processes of one run, which are started by asyncio; and the signals that are sent to them."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextvars import Context
from errno import ENOTDIR, ESRCH
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from sim.base.errors import ModelError
from sim.live.net.kernel_socket import failure
from sim.live.processes.child import Child
from sim.live.processes.commands import Commands, of_shell, of_words
from sim.live.processes.inherited import environment
from sim.live.processes.live_process import LiveProcess
from sim.live.processes.popen import ChildTransport, not_taken

if TYPE_CHECKING:
    from sim.live.execution import Execution

FIRST_PID = 10_000_000
"""Processes are counted from here; Linux has none of that number."""


class Processes:
    """Those of `run`."""

    def __init__(self, run: Execution) -> None:
        self._run = run
        self.commands = Commands()
        self._all: dict[int, Child] = {}
        self._transports: WeakSet[Any] = WeakSet()

    # --- how they begin -----------------------------------------------------------------------------

    async def transport(
        self,
        protocol: Any,
        args: Any,
        shell: bool,
        stdin: Any,
        stdout: Any,
        stderr: Any,
        bufsize: int,
        extra: Any = None,
        **rest: Any,
    ) -> ChildTransport:
        """One is started, as by the standard library's loop, and this leads to it."""
        loop = self._run.loop
        waiter = loop.create_future()
        made = ChildTransport(
            self, loop, protocol, args, shell, stdin, stdout, stderr, bufsize, waiter=waiter, extra=extra, **rest
        )
        self._transports.add(made)
        made.watch()
        try:
            await waiter
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            made.close()
            await made._wait()
            raise
        return made

    def start(self, args: Any, shell: bool, stdin: Any, stdout: Any, stderr: Any, rest: Mapping[str, Any]) -> Child:
        """One is started, by its command line."""
        run = self._run
        missing = not_taken(rest)
        if missing is not None:
            raise run.refused(f"{missing}=: a process of a run is known by its command line; start it without")
        try:
            words = of_shell(args) if shell else of_words([args] if isinstance(args, str | bytes) else args)
            command = self.commands.find(words)
        except ModelError as error:
            raise run.refused(str(error)) from None
        pid = FIRST_PID + len(self._all)
        env, cwd = rest.get("env"), rest.get("cwd")
        process = LiveProcess(words, environment() if env is None else dict(env), _folder(cwd), pid)

        def begin() -> Child:
            child = Child(run, command, process, self._group(pid, rest))
            self._all[pid] = child
            run.servers.admit(child)
            child.open(stdin, stdout, stderr)
            return child

        return Context().run(begin)  # a process knows nothing of its parent's variables

    def _group(self, pid: int, rest: Mapping[str, Any]) -> int:
        """The process group of a new one; 0 is the program's own."""
        group = rest.get("process_group", -1)
        if rest.get("start_new_session") or group == 0:
            return pid
        parent = self._called(self._run.owner)
        return group if group is not None and group > 0 else 0 if parent is None else parent.group

    def _called(self, name: str) -> Child | None:
        """The one of this name that runs."""
        return next((child for child in self._all.values() if child.name == name and child.up), None)

    # --- how they end -------------------------------------------------------------------------------

    def exits(self, owner: str, error: SystemExit) -> bool:
        """Whether what runs for `owner` ends a process of the run, which it does."""
        child = self._called(owner)
        if child is not None:
            child.exits(error)
        return child is not None

    def kill(self, pid: int, sig: int) -> bool:
        """Whether `pid` is one of these; the signal is sent to it. Raises `ProcessLookupError` where it has ended, as far as
        is known."""
        return self._tell([self._all[pid]] if pid in self._all else [], sig)

    def kill_group(self, group: int, sig: int) -> bool:
        """The same of all that are in a process group."""
        return self._tell([child for child in self._all.values() if child.group == group > 0], sig)

    def _tell(self, children: list[Child], sig: int) -> bool:
        alive = [child for child in children if child.poll() is None]
        if children and not alive:
            raise failure(ESRCH)
        for child in alive:
            child.tell(sig)
        return bool(children)

    def group_of(self, pid: int) -> int:
        """The process group of one of these; 0 where it is the program's own, or `pid` none of them. Raises
        `ProcessLookupError` where it has ended, as far as is known."""
        child = self._all.get(pid)
        if child is None:
            return 0
        if child.poll() is not None:
            raise failure(ESRCH)
        return child.group

    def let_go(self) -> None:
        """What is still open says nothing about it."""
        for transport in self._transports:
            transport._closed = True


def _folder(cwd: Any) -> str:
    """Where a process is started. Raises what the operating system would."""
    if cwd is None:
        return os.getcwd()
    if not stat.S_ISDIR(os.stat(cwd).st_mode):
        raise failure(ENOTDIR)
    return os.fsdecode(cwd)
