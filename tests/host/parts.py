"""A council that is hosted by two operating system processes: its coordinator with three agents over HTTP, and its store with
the consumer, over a Unix socket. Each part is a function that runs until it is killed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from models.consensus import system
from sim.host import Host
from sim.host.artifact_file import ArtifactFile
from sim.host.chat_agent import ChatAgent
from sim.host.stream import Stream

AGENTS = ("gemini", "claude", "gpt_pro")
CONFIG: dict[str, Any] = {
    "agents": 3,
    "stages": ("validate",),
    "rounds": 4,
    "retries": 6,
    "stop": False,
    "answers": ("ok", "invalid"),
    "patience_ms": 6_000,
    "resend_ms": 6_000,
}
PACE = 40.0
PARTS = ("coordinator", "store")


class Council(NamedTuple):
    """Where everything is."""

    folder: str
    url: str
    """Of the agents."""
    journals: dict[str, str]
    sessions: tuple[str, ...]
    plant: str = ""
    """The bug that is planted, by its name in `tests.host.planted`."""

    @property
    def artifacts(self) -> str:
        return f"{self.folder}/artifacts.db"


def prompt(message: Any) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"round {message.round} of {message.stage}, attempt {message.attempt}"}]


def parse(text: str) -> str:
    return "ok" if " says OK to " in text else "invalid"


def host_of(council: Council, part: str) -> Host:
    """The host of one part."""
    sockets = {name: f"unix:{council.folder}/{name}.sock" for name in PARTS}
    other = Stream(sockets[next(name for name in PARTS if name != part)])
    shared: dict[str, Any] = {
        "journal": council.journals[part],
        "listen": sockets[part],
        "model": "models.consensus",
        "pace": PACE,
        "leaves": council.folder,
        "carries": {"Store": "Response"},
    }
    if part == "coordinator":
        agents = {
            name: ChatAgent(
                f"{council.url}/{name}/v1/chat/completions",
                model="gpt-4o-mini",
                prompt=prompt,
                parse=parse,
                timeout_ms=5_000,
            )
            for name in AGENTS
        }
        until = {"coordinator": ("done", "stopped")}
        return Host(system, adapters=agents, links={"store": other, "consumer": other}, until=until, **shared)
    there = dict.fromkeys(("coordinator", *AGENTS), other)
    store = ArtifactFile(council.artifacts)
    return Host(system, here=("consumer",), adapters={"store": store}, links=there, until={"consumer": ()}, **shared)


async def _live(council: Council, part: str) -> None:
    host = host_of(council, part)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with host:
        for name in council.sessions:
            if name not in host.sessions():
                await host.start(name, **CONFIG)
        while not stop.is_set():
            if host.failure is not None:
                raise host.failure
            await asyncio.wait([asyncio.ensure_future(stop.wait())], timeout=0.05)


def live(council: Council, part: str) -> None:
    """Run a part until it is killed, or told to stop."""
    with open(f"{council.folder}/{part}.err", "a") as errors:
        os.dup2(errors.fileno(), 2)
        try:
            if council.plant:
                from tests.host.planted import PLANTS

                plant: Callable[[], None] = PLANTS[council.plant]
                plant()
            asyncio.run(_live(council, part))
        except BaseException as error:
            errors.write(f"{part} failed: {type(error).__name__}: {error}\n")
            errors.flush()
            os._exit(1)


def errors_of(council: Council) -> list[str]:
    """What the parts have said."""
    found = []
    for part in PARTS:
        file = Path(council.folder) / f"{part}.err"
        found += [line for line in file.read_text().splitlines() if "failed:" in line] if file.exists() else []
    return found
