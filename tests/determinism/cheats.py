"""Models whose handlers cheat: each reads something that no process may read. For `--verify` to catch."""

from __future__ import annotations

import datetime
import getpass
import locale
import os
import platform
import random
import socket
import sys
import tempfile
import time
from collections.abc import Callable

from sim import Message, Process, System


class Tick(Message):
    number: int


class Clock(Process):
    """Sends itself ticks; `cheat` says what the handler reads besides its input."""

    states = ("on",)
    transitions = ({"trigger": Tick, "source": "on", "dest": None, "after": "tick"},)

    cheat: str
    seen: int = 0

    def on_start(self) -> None:
        self.send("clock", Tick(0))

    def tick(self, tick: Tick) -> None:
        if tick.number == 3:
            self.seen = self.peek()
        if tick.number < 5:
            self.send("clock", Tick(tick.number + 1))

    def peek(self) -> int:
        return CHEATS[self.cheat]()


def _number(text: str) -> int:
    return int.from_bytes(text.encode(), "big") % 1_000_003


FOUND = _number(__file__ + os.getcwd() + platform.node())
WORDS = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"}
CHEATS: dict[str, Callable[[], int]] = {
    "honest": lambda: 4,
    "clock": lambda: int(time.time()),
    "monotonic": lambda: int(time.monotonic()),
    "date": lambda: datetime.date.today().toordinal(),
    "now": lambda: datetime.datetime.now().toordinal(),
    "random": lambda: random.randrange(1 << 30),
    "coin": lambda: random.randrange(2),
    "hash": lambda: hash("words"),
    "set": lambda: _number(" ".join(WORDS)),
    "pid": os.getpid,
    "address": lambda: id(object()) % 1_000_003,
    "file": lambda: _number(__file__),
    "folder": lambda: _number(os.getcwd()),
    "home": lambda: _number(os.path.expanduser("~")),
    "scratch": lambda: _number(tempfile.gettempdir()),
    "host": lambda: _number(socket.gethostname()),
    "node": lambda: _number(platform.node()),
    "uname": lambda: _number(os.uname().nodename),
    "platform": lambda: _number(platform.platform()),
    "user": lambda: _number(getpass.getuser()),
    "locale": lambda: _number(str(locale.setlocale(locale.LC_ALL, ""))),
    "zone": lambda: _number(str(time.tzname)),
    "variable": lambda: _number(os.environ.get("CHEATING", "")),
    "found at import": lambda: FOUND,
    "cores": lambda: os.cpu_count() or 0,
    "user number": lambda: os.getuid() + os.getgid(),
    "python": lambda: _number(sys.executable),
}
"""Behind a table, where reading the code does not find them."""


def system(cheat: str = "honest") -> System:
    """One process that sends itself six ticks."""
    return System({"clock": Clock(cheat=cheat)})
