"""A pseudo-terminal with a command on it: what it shows, and keys that are typed."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE_S = 60.0
QUIET_S = 0.1


class Terminal:
    """The side of the one who looks and types."""

    def __init__(self, end: int, running: subprocess.Popen[bytes]) -> None:
        self._end = end
        self.running = running
        self.shown = ""
        """All that came, with what steers the terminal."""

    def until(self, text: str, *, after: int = 0) -> int:
        """Read until this text has come, after the place `after`; the place where it ends."""
        limit = time.monotonic() + PATIENCE_S
        while (at := self.shown.find(text, after)) < 0:
            assert time.monotonic() < limit, f"{text!r} did not come: {self.shown[after:]!r}"
            assert self._read(0.5) or self.running.poll() is None, f"{text!r} did not come: {self.shown[after:]!r}"
        return at + len(text)

    def type(self, keys: str) -> int:
        """Type; the place in what is shown at which that was."""
        os.write(self._end, keys.encode())
        return len(self.shown)

    def ended(self) -> int:
        """Read to the end of the command; its exit status."""
        limit = time.monotonic() + PATIENCE_S
        while self.running.poll() is None:
            assert time.monotonic() < limit, f"it does not end: {self.shown!r}"
            self._read(0.2)
        while self._read(QUIET_S):
            pass
        return self.running.wait()

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._end], [], [], seconds)
        if ready:
            self.shown += os.read(self._end, 1 << 16).decode(errors="replace").replace("\r\n", "\n")
        return bool(ready)


@contextmanager
def on_a_terminal(
    *words: str, folder: Path = ROOT, columns: int = 80, lines: int = 24, **variables: str
) -> Iterator[Terminal]:
    """The command `sim ...` on a terminal of this size. Our own end of the other side stays open, so that nothing is
    lost when the command closes its."""
    kept = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "LINES", "CI")}
    path = os.pathsep.join([str(ROOT), str(ROOT / "sim/beside")])
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    running = subprocess.Popen(
        [sys.executable, "-m", "sim", *words],
        cwd=folder,
        env={**kept, "PYTHONPATH": path, "TERM": "xterm", **variables},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    try:
        yield Terminal(ours, running)
    finally:
        if running.poll() is None:
            running.kill()
        running.wait()
        os.close(theirs)
        os.close(ours)
