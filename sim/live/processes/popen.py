"""What asyncio has of a process that it has started."""

from __future__ import annotations

import inspect
import signal
import subprocess
from asyncio import base_subprocess
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sim.live.net.pipes import WatchEnd
from sim.live.processes.child import Child

if TYPE_CHECKING:
    from sim.live.processes.processes import Processes

KNOWN = frozenset(inspect.signature(subprocess.Popen.__init__).parameters) - {"self", "args"}
UNKNOWN_HERE = ("executable", "pass_fds", "preexec_fn")
"""What a process of a run cannot be started with."""


def not_taken(given: Mapping[str, Any]) -> str | None:
    """An option that a process of a run is not started with. Raises `TypeError` for one that there is not."""
    for name in given:
        if name not in KNOWN:
            raise TypeError(f"Popen.__init__() got an unexpected keyword argument {name!r}")
    return next((name for name in UNKNOWN_HERE if given.get(name)), None)


class Popen:
    """As `subprocess.Popen`, for asyncio."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self.args = child.process.args
        self.pid = child.process.pid
        self.stdin, self.stdout, self.stderr = child.files
        self.returncode: int | None = None

    @property
    def watched(self) -> WatchEnd:
        """By which its end is known."""
        return self._child.watch

    def poll(self) -> int | None:
        """How it has ended, as far as is known here."""
        self.returncode = self._child.poll()
        return self.returncode

    def wait(self, *_: Any, **__: Any) -> int:
        raise self._child.run.refused(
            "Popen.wait: it blocks the loop, whose time stands still meanwhile; await process.wait() of asyncio"
        )

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            self._child.tell(sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class ChildTransport(base_subprocess.BaseSubprocessTransport):
    """The standard library's, of a process of a run."""

    _loop: Any
    _proc: Any

    def __init__(self, processes: Processes, *args: Any, **named: Any) -> None:
        self._processes = processes
        super().__init__(*args, **named)

    def _start(self, args: Any, shell: bool, stdin: Any, stdout: Any, stderr: Any, bufsize: int, **rest: Any) -> None:
        del bufsize  # asyncio has none
        self._proc = Popen(self._processes.start(args, shell, stdin, stdout, stderr, rest))

    @property
    def _sock_fd(self) -> int:
        """Of what its callback is about."""
        return int(self._proc.watched.fd)

    def watch(self) -> None:
        """Hear of its end, as a child watcher does."""
        self._loop._add_reader(self._sock_fd, self._has_ended)

    def _has_ended(self) -> None:
        self._loop._remove_reader(self._sock_fd)
        self._proc.watched.close()
        self._loop._child_watcher_callback(self._proc.pid, self._proc.poll(), self)
