"""How much memory there is for this process, and how much of it it holds, in bytes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

MIB = 1 << 20
SHARE = 0.8
"""Of the memory that there is a walk takes no more than this, unless told otherwise."""


def held_bytes() -> int:
    """What this process holds now (where the system does not say: the most it ever held, or 0)."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        pass
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def default_bound() -> int | None:
    """A bound that keeps the machine usable, and stays below what this process may hold; None where neither is known."""
    known = [_of_machine(), _of_group(Path("/")), _of_process()]
    return min((int(SHARE * most) for most in known if most is not None), default=None)


def _of_machine() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _of_process() -> int | None:
    """What `ulimit -v` leaves. It counts addresses, of which more are taken than hold anything: what is free of them can
    still be held."""
    free = free_addresses()
    return None if free is None else held_bytes() + free


def free_addresses() -> int | None:
    """What `ulimit -v` leaves of addresses; None if it limits nothing, or is not known."""
    try:
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most == resource.RLIM_INFINITY:
            return None
        with open("/proc/self/statm", encoding="ascii") as statm:
            taken = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError, ValueError):
        return None
    return max(0, most - taken)


def lacks_room(module: str) -> str:
    """Why a library is not to be loaded, in words; empty if it is loaded, or fits. One of machine code that meets the end
    of the memory may end the process, with a status that means something else here."""
    free, needed = free_addresses(), _ROOM[module]
    if module in sys.modules or free is None or free >= needed:
        return ""
    return f"ulimit -v leaves {free // MIB:,} MiB, it may need {needed // MIB:,}"


_ROOM = {"numpy": 96 * MIB}
"""Addresses that it, and what it loads and makes, was seen to take, and some more."""


def _of_group(root: Path) -> int | None:
    """The least limit of the control groups that this process is in, of either version; in a container the group's own
    folder may be the root of what is mounted."""
    try:
        lines = (root / "proc/self/cgroup").read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return None
    limits = []
    for line in lines:
        number, controllers, group = line.split(":", 2)
        if number == "0":
            top, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            top, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        folder = top / group.lstrip("/")
        for place in (folder, *folder.parents):
            if place.is_relative_to(top):
                limits += _limit_in(place / name)
    return min(limits, default=None)


def _limit_in(file: Path) -> list[int]:
    """The limit that a file of the kernel's holds; `max`, or no file: none."""
    try:
        return [int(file.read_text("ascii"))]
    except (OSError, ValueError):
        return []


def reached(bound: int) -> str:
    """Why a walk ended, as a user reads it."""
    return f"the memory bound of {bound // MIB:,} MiB was reached"
