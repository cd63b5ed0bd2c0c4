"""What cannot be simulated is refused at the call, with what to use instead.

The functions that leave the process are swapped in place, so that a call from a library, or by a name bound long ago, is
refused too. (An audit hook of Python's would hear of more, but it is for good, and every `id()` of the process would pay for
it: a deep copy takes twice as long.) Files are read as they are, and written below the folder of the run only; what an import
writes beside a module is left to it. What goes unnoticed: a file that is opened for writing by calling `io.FileIO`, and calls
of the operating system by extensions in C and by `ctypes`.
"""

from __future__ import annotations

import asyncio
import errno
import io
import os
import sys
import sysconfig
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NoReturn

from sim.base.errors import RefusedError
from sim.live.entering import Entering, Surrounded
from sim.live.in_place import Swaps
from sim.live.net.network_loop import NetworkLoop
from sim.live.stop_signals import swap_signals
from sim.live.threads.databases import connected

PROCESSES = "a run starts none but by asyncio.create_subprocess_exec, where world.command(...) says who stands for it"
THREADS = "use threading.Thread, or asyncio.to_thread"
SIGNALS = "a run gets no signals; the fault stop:1@main tells the program to stop"
ENDS = "the process is not the run's to end; let main return, or raise SystemExit"
LOOPS = "a run has one; await the coroutine, or make it a task with world.task(...)"
NETWORK = "nothing leaves the process; use asyncio's connections, and world.serve(...) for who answers"
ASKS = "nobody is there to answer; hand the text to the program as an argument"
CLOCK = "the clock belongs to the run; it goes on by itself when nothing else can happen"
PLACE = "the working directory is the process's, not the run's; use whole paths below world.folder"

REFUSED: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("os", ("execv", "execve", "fork", "forkpty", "posix_spawn", "posix_spawnp", "startfile", "system"), PROCESSES),
    ("_posixsubprocess", ("fork_exec",), PROCESSES),
    ("_winapi", ("CreateProcess",), PROCESSES),
    ("_thread", ("start_joinable_thread",), THREADS),
    ("os", ("kill", "killpg"), SIGNALS),
    ("os", ("_exit", "abort"), ENDS),
    (
        "_signal",
        (
            "alarm", "pause", "pthread_kill", "set_wakeup_fd", "setitimer", "sigtimedwait",
            "sigwait", "sigwaitinfo",
        ),
        SIGNALS,
    ),
    ("_socket", ("getaddrinfo", "gethostbyaddr", "gethostbyname", "gethostbyname_ex", "getnameinfo"), NETWORK),
    ("time", ("clock_settime", "clock_settime_ns"), CLOCK),
    ("builtins", ("input",), ASKS),
    ("os", ("chdir", "fchdir"), PLACE),
)  # fmt: skip
"""Module, its built-in functions as far as the platform has them, and what is said of them."""
TELLING = ("lsb_release", "uname")
"""Commands that only tell of the machine, for which libraries ask and take it if there are none: there are none."""
SOCKETS = ("bind", "connect", "connect_ex", "sendto")
"""Methods of real sockets that reach beyond the process."""

_SAID = {
    "_posixsubprocess.fork_exec": "a new process",
    "_winapi.CreateProcess": "a new process",
    "_thread.start_joinable_thread": "a new thread",
    "builtins.input": "input",
}

_PATH = (0, "path", "dir_fd")
_BOTH = ((0, "src", "src_dir_fd"), (1, "dst", "dst_dir_fd"))
CHANGES: dict[str, tuple[tuple[int, str, str], ...]] = {
    **dict.fromkeys(("mkdir", "mkfifo", "mknod", "remove", "rmdir", "unlink", "lchown"), (_PATH,)),
    **dict.fromkeys(("chmod", "chown", "truncate", "utime", "setxattr", "removexattr"), (_PATH,)),
    **dict.fromkeys(("link", "rename", "replace"), _BOTH),
    "symlink": ((1, "dst", "dir_fd"),),
}
"""Function of `os` -> its arguments that name what changes: place, keyword, and the keyword of the folder they start from."""
_OF_THE_LINK = (
    "lchown",
    "link",
    "mkdir",
    "mkfifo",
    "mknod",
    "remove",
    "rename",
    "replace",
    "rmdir",
    "symlink",
    "unlink",
)
"""These change a link itself, and not what it leads to."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_LIBRARY = tuple(os.path.join(sysconfig.get_path(name), "") for name in ("stdlib", "platstdlib"))
_OURS = os.path.join(os.path.dirname(__file__), "")
_PACKAGES = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)

Remember = Callable[[RefusedError], None]


def told(line: str) -> RefusedError:
    """The error of a line, with where it happens."""
    return RefusedError(f"{_caller()}: {line}")


def swap_refusals(swaps: Swaps, entering: Entering, remember: Remember) -> None:
    def refuse(what: str, why: str) -> NoReturn:
        error = RefusedError(f"{_caller()}: {what} is refused in a run: {why}")
        remember(error)
        raise error

    def refusing(what: str, why: str) -> Any:
        def instead(_real: Any, _run: Surrounded, *args: Any, **_kwargs: Any) -> None:
            if why is PROCESSES and len(args) > 1 and _command(args[0]) in TELLING:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), _command(args[0]))
            refuse(what, why)

        return entering.chooses(instead)

    for name, functions, why in REFUSED:
        module = import_module(name) if find_spec(name) else None
        for function in functions:
            if hasattr(module, function):
                said = _SAID.get(f"{name}.{function}", f"{name.lstrip('_')}.{function}")
                swaps.built_in(getattr(module, function), refusing(said, why))
    kind = import_module("_socket").socket
    for method in SOCKETS:
        swaps.entry(kind, method, refusing(f"socket.{method}", NETWORK))
    swaps.attribute(asyncio.BaseEventLoop, "__init__", entering.chooses(_Loops(refuse).make))
    swap_signals(swaps, entering, lambda what: refuse(what, SIGNALS))
    _swap_writing(swaps, entering, _Writing(refuse))


def _command(first: Any) -> str:
    """The name of the command of a new process: a path, or all its words."""
    return os.path.basename(os.fsdecode(first if isinstance(first, str | bytes | os.PathLike) else (first or [""])[0]))


def _swap_writing(swaps: Swaps, entering: Entering, writing: _Writing) -> None:
    swaps.built_in(os.open, entering.chooses(writing.os_open))
    swaps.built_in(os.close, entering.chooses(writing.os_close))
    swaps.built_in(io.open, entering.chooses(writing.io_open))
    if find_spec("_sqlite3"):
        swaps.built_in(import_module("_sqlite3").connect, entering.chooses(writing.sqlite))
    for name in CHANGES:
        if hasattr(os, name):
            swaps.built_in(getattr(os, name), entering.chooses(writing.changing(name)))


class _Loops:
    """Loops that are made in a run: those of runs in it, and no others."""

    def __init__(self, refuse: Callable[[str, str], None]) -> None:
        self._refuse = refuse

    def make(self, real: Any, _run: Surrounded, loop: Any, *args: Any, **kwargs: Any) -> None:
        if not isinstance(loop, NetworkLoop):
            loop._closed = True  # it is asked when the loop is thrown away
            self._refuse("another event loop", LOOPS)
        real(loop, *args, **kwargs)


class _Writing:
    """Files of a run: what may be changed is changed, by the real function."""

    def __init__(self, refuse: Callable[[str, str], None]) -> None:
        self._refuse = refuse

    def os_open(self, real: Any, run: Surrounded, path: Any, flags: int, *args: Any, **kwargs: Any) -> Any:
        if not flags & _WRITING:
            return real(path, flags, *args, **kwargs)
        self._look(run, "os.open for writing", path, kwargs.get("dir_fd"))
        number = real(path, flags, *args, **kwargs)
        run.left_open.opened(number, run.owner)
        return number

    def os_close(self, real: Any, run: Surrounded, number: Any) -> None:
        run.left_open.forget(number)
        real(number)

    def io_open(self, real: Any, run: Surrounded, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if not isinstance(mode, str) or {*mode} & {*"wax+"}:
            self._look(run, "open for writing", file, None)
        if isinstance(file, int):
            run.left_open.forget(file)
        return real(file, mode, *args, **kwargs)

    def sqlite(self, real: Any, run: Surrounded, database: Any, *args: Any, **kwargs: Any) -> Any:
        if database not in ("", b"") and ":memory:" not in os.fsdecode(database):
            self._look(run, "sqlite3.connect", database, None)
        return connected(real, run, database, args, kwargs)

    def changing(self, name: str) -> Any:
        def change(real: Any, run: Surrounded, *args: Any, **kwargs: Any) -> Any:
            for place, keyword, start in CHANGES[name]:
                path = args[place] if place < len(args) else kwargs.get(keyword)
                if path is not None:
                    self._look(run, f"os.{name}", path, kwargs.get(start), follow=name not in _OF_THE_LINK)
            return real(*args, **kwargs)

        return change

    def _look(self, run: Surrounded, what: str, path: Any, start: int | None, follow: bool = True) -> None:
        if isinstance(path, int):  # it was opened before
            return
        given = os.fsdecode(path)
        if given == os.devnull:
            return
        whole = _whole(given, start, follow)
        allowed = None if run.folder is None else os.path.realpath(run.folder)
        if allowed is None or whole is None or not os.path.join(whole, "").startswith(os.path.join(allowed, "")):
            right = "this run has none" if allowed is None else f"this is {allowed}"
            why = f"files are written only below the folder of the run, world.folder; {right}"
            self._refuse(f"{what} ({given})", why)


def _whole(path: str, start: int | None, follow: bool) -> str | None:
    """The whole path of what would change; None: nobody knows."""
    if start is not None and not os.path.isabs(path):
        try:
            path = os.path.join(os.readlink(f"/proc/self/fd/{start}"), path)
        except OSError:
            return None
    if follow:
        return os.path.realpath(path)
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(folder), name)


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
