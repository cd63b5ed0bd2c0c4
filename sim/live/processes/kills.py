"""Signals that a program sends by the number of a process: to those of its run, and to no others."""

from __future__ import annotations

import os
from typing import Any

from sim.live import emitting
from sim.live.entering import Entering, Surrounded
from sim.live.in_place import Swaps


def swap_kills(swaps: Swaps, entering: Entering) -> None:
    """What is asked of any other process is refused before, or asked of the operating system."""
    swaps.built_in(os.kill, entering.chooses(_kill))
    swaps.built_in(os.killpg, entering.chooses(_killpg))
    swaps.built_in(os.getpgid, entering.chooses(_getpgid))


def _kill(real: Any, _run: Surrounded, pid: int, sig: int) -> None:
    run = emitting.active
    if run is None or not (run.processes.kill(pid, sig) if pid > 0 else run.processes.kill_group(-pid, sig)):
        real(pid, sig)


def _killpg(real: Any, _run: Surrounded, pgid: int, sig: int) -> None:
    run = emitting.active
    if run is None or not run.processes.kill_group(pgid, sig):
        real(pgid, sig)


def _getpgid(real: Any, _run: Surrounded, pid: int) -> int:
    run = emitting.active
    return (0 if run is None else run.processes.group_of(pid)) or int(real(pid))
