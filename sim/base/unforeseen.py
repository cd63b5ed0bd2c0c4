"""What nobody has foreseen below: an exit status and one line for it. What the machine refuses is said as such; what is left
is a defect of ours."""

from __future__ import annotations

import errno
import os

from sim.base.errors import GONE, ExitStatus, defect
from sim.base.overdue import NO_MEMORY


def told(error: BaseException) -> tuple[ExitStatus, str]:
    """How a command ends that met this error, and what it says."""
    code, name = (error.errno, error.filename) if isinstance(error, OSError) else (None, None)
    if isinstance(error, MemoryError) or code == errno.ENOMEM or _has_no_room(error):
        return ExitStatus.INCOMPLETE, NO_MEMORY
    if code in (errno.EMFILE, errno.ENFILE):
        return ExitStatus.BAD_INPUT, "too many open files; raise the limit, such as ulimit -n 1024"
    if code == errno.EAGAIN or (type(error) is RuntimeError and "start new thread" in str(error)):
        return ExitStatus.BAD_INPUT, NO_PROCESS
    if is_unwritable(error):
        return ExitStatus.BAD_INPUT, f"standard output cannot be written: {os.strerror(code or 0)}; free some space"
    if code == errno.ENOENT and name is None:
        return ExitStatus.BAD_INPUT, GONE
    if code is not None and name is not None:
        return ExitStatus.BAD_INPUT, f"{name if isinstance(name, int) else os.fsdecode(name)}: {os.strerror(code)}"
    return ExitStatus.DEFECT, defect(error)


NO_PROCESS = "no further process can be started; end some, or raise the limit (ulimit -u)"


def is_unwritable(error: BaseException) -> bool:
    """Whether standard output takes no more."""
    return isinstance(error, OSError) and error.filename is None and error.errno in _UNWRITABLE


_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def _has_no_room(error: BaseException) -> bool:
    """A library in machine code that does not fit into the memory says so in its own words."""
    text = str(error) if isinstance(error, ImportError) else ""
    return "failed to map segment" in text or "annot allocate memory" in text
