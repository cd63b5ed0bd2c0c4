"""Another machine, as far as a model can see: a fresh process in another folder, found by another path, with another
environment, host name and clock. Nothing of this may matter to a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

CLOCK_SHIFT_S = 40_000_000
"""More than a year, and not a whole number of days."""

_KEPT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT")
"""What it takes to start Python at all; every other variable is gone."""
_LOCALES = ("C", "C.UTF-8")


def start(module: str, request: Mapping[str, Any], folder: Path, number: int) -> subprocess.Popen[str]:
    """Run `module` on the machine of this number, which has all its folders in `folder`, and give it `request`."""
    home = folder / ("elsewhere-" * number)  # of another length each: a model might only measure its path
    home.mkdir(parents=True)
    child = subprocess.Popen(  # noqa: S603  this very Python
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=home,
        env=_environment(home, number),
    )
    assert child.stdin is not None
    child.stdin.write(json.dumps(request) + "\n")
    child.stdin.flush()
    return child


def _environment(home: Path, number: int) -> dict[str, str]:
    user = f"nobody-{number}"
    changed = {
        "PYTHONHASHSEED": str(number),
        "PYTHONPATH": os.pathsep.join(_paths(home)),
        **dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), str(home)),
        **dict.fromkeys(("USER", "LOGNAME", "USERNAME"), user),
        "HOSTNAME": _host(number),
        "LC_ALL": _LOCALES[number % 2],
        "TZ": f"XXX{number}:13",
    }
    return {**{name: os.environ[name] for name in _KEPT if name in os.environ}, **changed}


def _paths(home: Path) -> Iterator[str]:
    """Where modules are found. The user's folders are reached through links, so that a module's `__file__` differs."""
    python = [Path(prefix).resolve() for prefix in {sys.prefix: None, sys.base_prefix: None}]
    for number, entry in enumerate(map(os.path.abspath, sys.path)):
        link = home / f"path-{number}"
        if os.path.isdir(entry) and not any(Path(entry).resolve().is_relative_to(prefix) for prefix in python):
            try:
                link.symlink_to(entry, target_is_directory=True)
            except OSError:  # not every file system has links
                link = Path(entry)
            yield str(link)
        else:
            yield entry


def _host(number: int) -> str:
    return f"elsewhere-{number}" + "x" * number


def arrive(number: int, *, shifted: bool) -> None:
    """In the process itself: from here on the host has another name and other processors, the user another number, and every
    clock is wrong, if that is to be."""
    if shifted:
        _shift_clocks()
    _rename_host(_host(number))
    _replace_all(("cpu_count", "process_cpu_count"), 1_000 + number)
    _replace_all(("getuid", "geteuid", "getgid", "getegid"), 60_000 + number)
    sys.executable = os.path.join(os.getcwd(), "python")


def _replace_all(names: Iterable[str], answer: int) -> None:
    """Have these functions of `os` give this answer, as far as this system has them."""
    for name in names:
        if hasattr(os, name):
            setattr(os, name, lambda: answer)


def _rename_host(name: str) -> None:
    import platform
    import socket

    def named(*_: Any) -> str:
        return name

    replaced: list[tuple[Any, str]] = [(socket, "gethostname"), (socket, "getfqdn"), (os, "getlogin")]
    replaced += [(platform, said) for said in ("node", "platform", "release", "version")]
    for module, said in replaced:
        if hasattr(module, said):
            setattr(module, said, named)
    if hasattr(os, "uname"):
        system, _, _, _, machine = os.uname()
        answer = os.uname_result((system, name, name, name, machine))
        os.uname = lambda: answer


def _shift_clocks() -> None:
    import datetime
    import time

    for name in ("time", "monotonic", "perf_counter", "process_time"):
        for suffix, unit in (("", 1), ("_ns", 1_000_000_000)):
            original = getattr(time, name + suffix)
            setattr(time, name + suffix, lambda f=original, u=unit: f() + CLOCK_SHIFT_S * u)
    delta = datetime.timedelta(seconds=CLOCK_SHIFT_S)

    real = datetime.datetime

    class Shifted(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return real.now(tz) + delta

        @classmethod
        def utcnow(cls) -> Any:
            return real.now(datetime.UTC).replace(tzinfo=None) + delta

    class ShiftedDate(datetime.date):
        @classmethod
        def today(cls) -> Any:
            return (real.now() + delta).date()

    datetime.datetime = Shifted  # type: ignore[misc]
    datetime.date = ShiftedDate  # type: ignore[misc]
