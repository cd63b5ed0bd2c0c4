"""Stand-ins for processes, and how they are started."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE
from typing import Any

from sim.live.processes.commands import Commands


async def echo(process: Any) -> None:
    """Answers each line in capitals."""
    while line := await process.stdin.readline():
        process.stdout.write(line.upper())
        await process.stdout.drain()


async def waiting(_: Any) -> None:
    """Does nothing, forever."""
    await asyncio.Event().wait()


async def start(*words: str, **how: Any) -> Any:
    """A process, as asyncio starts it."""
    return await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, **how)


def names(*lines: object) -> Commands:
    """The commands of a run that has stand-ins for these lines."""
    commands = Commands()
    for line in lines:
        commands.add(line, echo, None)
    return commands
