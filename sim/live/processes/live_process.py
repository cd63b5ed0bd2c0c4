"""A process, as whoever stands for it sees it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(eq=False)
class LiveProcess:
    """What is given to a handler of `world.command`."""

    args: list[str]
    """The whole command line."""
    env: dict[str, str]
    cwd: str
    pid: int
    stdin: asyncio.StreamReader = field(init=False, repr=False)
    stdout: asyncio.StreamWriter = field(init=False, repr=False)
    stderr: asyncio.StreamWriter = field(init=False, repr=False)
