"""How much memory there is, and how much of it this process holds, in bytes."""

from __future__ import annotations

import os
import sys

MIB = 1 << 20
SHARE = 0.8
"""Of the machine's memory a walk takes no more than this, unless told otherwise."""


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
    """A bound that keeps the machine usable, or None where its memory is unknown."""
    try:
        return int(SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return None


def reached(bound: int) -> str:
    """Why a walk ended, as a user reads it."""
    return f"the memory bound of {bound // MIB:,} MiB was reached"
