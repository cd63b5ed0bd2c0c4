"""What cannot be simulated is refused at the call, with what to use instead.

Python tells an audit hook whatever leaves the process, also where the call comes from a library or from a name bound long ago;
the hook is there once per process and for good, and returns at once when no run is entered. The few that Python does not tell
are swapped in place. Files are read as they are, and written below the folder of the run only; what an import writes beside a
module is left to it. A call of the operating system by an extension in C, or by `ctypes`, goes unnoticed.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from typing import Any

from sim.base.errors import RefusedError
from sim.live.entering import Surrounded

PROCESSES = "a run has no other processes; put asyncio code in its place, with world.task(...) or world.serve(...)"
THREADS = "a run has no threads; call the function itself, or make it a task with world.task(...)"
SIGNALS = "a run gets no signals; the fault stop:1@main tells the program to stop"
BLOCKS = "it blocks the loop, whose time stands still meanwhile; use `await asyncio.sleep(...)`"
NETWORK = "nothing leaves the process; use asyncio's connections, and world.serve(...) for who answers"
ASKS = "nobody is there to answer; hand the text to the program as an argument"
CLOCK = "the clock belongs to the run; it goes on by itself when nothing else can happen"
PLACE = "the working directory is the process's, not the run's; use whole paths below world.folder"

EVENTS = {
    **dict.fromkeys(
        (
            "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile",
            "pty.spawn",
        ),
        PROCESSES,
    ),
    **dict.fromkeys(("os.kill", "os.killpg", "signal.pthread_kill"), SIGNALS),
    **dict.fromkeys(
        (
            "socket.bind", "socket.connect", "socket.getaddrinfo", "socket.gethostbyaddr", "socket.gethostbyname",
            "socket.getnameinfo", "socket.sendmsg", "socket.sendto",
        ),
        NETWORK,
    ),
    "builtins.input": ASKS,
    "os.chdir": PLACE,
}  # fmt: skip
"""Audit event -> what is said of it."""

FUNCTIONS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("_thread", ("start_new_thread", "start_joinable_thread"), THREADS),
    ("_posixsubprocess", ("fork_exec",), PROCESSES),
    ("time", ("sleep",), BLOCKS),
    ("time", ("clock_settime", "clock_settime_ns"), CLOCK),
    (
        "_signal",
        (
            "alarm", "pause", "raise_signal", "set_wakeup_fd", "setitimer", "signal", "sigtimedwait", "sigwait",
            "sigwaitinfo",
        ),
        SIGNALS,
    ),
)  # fmt: skip
"""What Python does not tell an audit hook (or not every version does): module, functions as far as the platform has them."""

_WRITES: dict[str, tuple[tuple[int, int | None], ...]] = {
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.link": ((0, 2), (1, 3)),
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.removexattr": ((0, None),),
    "os.rename": ((0, 2), (1, 3)),
    "os.rmdir": ((0, 1),),
    "os.setxattr": ((0, None),),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "os.utime": ((0, 3),),
    "sqlite3.connect": ((0, None),),
}
"""Audit event -> which of its arguments are paths that change, each with the argument that is the folder it starts from."""
_FOLLOWED = (
    "open",
    "os.chmod",
    "os.chown",
    "os.setxattr",
    "os.removexattr",
    "os.truncate",
    "os.utime",
    "sqlite3.connect",
)
"""These change what a link leads to; the others the link itself."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_LIBRARY = tuple(os.path.join(sysconfig.get_path(name), "") for name in ("stdlib", "platstdlib"))
_OURS = os.path.join(os.path.dirname(__file__), "")
_PACKAGES = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)


def told(line: str) -> RefusedError:
    """The error of a line, with where it happens."""
    return RefusedError(f"{_caller()}: {line}")


def refusal(what: str, why: str) -> RefusedError:
    return RefusedError(f"{_caller()}: {what} is refused in a run: {why}")


def _caller() -> str:
    """The line of the program: the innermost outside of the standard library and of what is said here."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        file = frame.f_code.co_filename
        ours = file.startswith(("<frozen", _OURS))
        if not ours and (any(one in file for one in _PACKAGES) or not file.startswith(_LIBRARY)):
            break
        frame = frame.f_back
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"


def judge(run: Surrounded, event: str, args: tuple[Any, ...]) -> RefusedError | None:
    """What is said of an event of Python's audit; None: it may be."""
    why = EVENTS.get(event)
    if why is not None:
        return refusal(_name(event), why)
    if event == "open":
        path, _, flags = args
        return _write(run, "open for writing", path, None) if flags & _WRITING else None
    for at, start in _WRITES.get(event, ()):
        folder = args[start] if start is not None and start < len(args) else None
        refused = _write(run, event, args[at], folder)
        if refused is not None:
            return refused
    return None


def _name(event: str) -> str:
    return event.removeprefix("builtins.")


def _write(run: Surrounded, event: str, path: Any, start: int | None) -> RefusedError | None:
    if isinstance(path, int):  # it was opened before
        return None
    given = os.fsdecode(path)
    if _harmless(event, given):
        return None
    whole = _whole(given, start, follow=event == "open for writing" or event in _FOLLOWED)
    allowed = None if run.folder is None else os.path.realpath(run.folder)
    if allowed is not None and whole is not None and os.path.join(whole, "").startswith(os.path.join(allowed, "")):
        return None
    right = "this run has none" if allowed is None else f"this is {allowed}"
    return refusal(f"{event} ({given})", f"files are written only below the folder of the run, world.folder; {right}")


def _harmless(event: str, path: str) -> bool:
    """Where nothing stays, or what an import writes."""
    if event == "sqlite3.connect":
        return path == "" or ":memory:" in path
    cache = sys.pycache_prefix
    return path == os.devnull or "__pycache__" in path or (cache is not None and path.startswith(cache))


def _whole(path: str, start: int | None, follow: bool) -> str | None:
    """The whole path of what would change; None: nobody knows."""
    if start not in (None, -1) and not os.path.isabs(path):
        try:
            path = os.path.join(os.readlink(f"/proc/self/fd/{start}"), path)
        except OSError:
            return None
    if follow:
        return os.path.realpath(path)
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(folder), name)
