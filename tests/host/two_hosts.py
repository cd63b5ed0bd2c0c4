"""Two hosts in one process with a link each way, a proxy between them that keeps no promise, and what both of them have to
have done in the end."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from models import consensus
from sim import DEFER, Message, Process, System
from sim.conform.conformance import Judging
from sim.conform.logged import read_logs
from sim.host import Beside, Host, Port, Question, Reply, Stream
from sim.host.host_log import faults_of, log_text
from sim.host.journal import Journal, open_journal
from sim.host.link import Link

SESSION = "s1"
GIVEN_UP_S = 20.0
"""After so long without anything new nothing more is expected."""


class Ready:
    """Answers the first that its model may."""

    async def ask(self, question: Question) -> Reply:
        return Reply(answer=question.answers[0] if question.answers else None)

    async def close(self) -> None:
        pass


# --- systems ------------------------------------------------------------------------------------------


class Item(Message):
    n: int


class Source(Process):
    """Sends as many items as there are."""

    states = ("sending",)
    must = ("put",)
    durable = ("sent",)
    transitions = (
        {"trigger": "put", "source": "sending", "dest": None, "conditions": "has_more", "after": "send_one"},
    )

    items: int
    sent: int = 0

    def has_more(self) -> bool:
        return self.sent < self.items

    def send_one(self) -> None:
        self.sent += 1
        self.send("sink", Item(self.sent))


class Sink(Process):
    """Takes them one by one: after each it is busy for a while."""

    states = ("open", "busy")
    timers = ("rest",)
    durable = ("got",)
    transitions = (
        {"trigger": Item, "source": "open", "dest": "busy", "after": "take"},
        {"trigger": Item, "source": "busy", "dest": DEFER},
        {"trigger": "rest", "source": "busy", "dest": "open"},
    )

    got: tuple[int, ...] = ()

    def take(self, item: Item) -> None:
        self.got = (*self.got, item.n)
        self.arm("rest", 1)


def items(count: int, network: str = "fifo") -> System:
    return System(processes={"source": Source(items=count), "sink": Sink()}, network=network)


council = partial(consensus.system, agents=2, rounds=3, stop=False)


# --- hosts --------------------------------------------------------------------------------------------

Way = Callable[[str], tuple[Link, Port | None]]
"""What brings over what is sent to the host of this name, and where that listens."""


class Pair:
    """Two hosts of one system, `near` and `far`, each with a journal of its own."""

    def __init__(self, folder: Path, make: Callable[[], System], near: tuple[str, ...], way: Way, **more: Any) -> None:
        self.folder, self.make, self.way, self.more = folder, make, way, more
        self.told: list[str] = []
        names = make().processes
        machines = ("coordinator", "store", "consumer", "source", "sink")
        self.near = tuple(name for name in names if name in near)
        self.far = tuple(name for name in names if name not in near)
        self.played = tuple(name for name in self.near if name not in machines)
        self.hosts: dict[str, Host] = {}

    def journal(self, name: str) -> Path:
        return self.folder / f"{name}.db"

    async def open(self, *names: str) -> None:
        """Begin, or go on where the journal stands."""
        made = {name: self._made(name) for name in names or ("near", "far")}
        self.hosts |= made
        for name, host in made.items():
            for link in dict.fromkeys(host.links.values()):
                if isinstance(link, Beside):
                    link.other = self.hosts["far" if name == "near" else "near"]
        for host in made.values():
            await host.open()
            if SESSION not in host.sessions():
                await host.start(SESSION)

    def _made(self, name: str) -> Host:
        own, other, peer = (self.near, self.far, "far") if name == "near" else (self.far, self.near, "near")
        link, _ = self.way(peer)
        _, port = self.way(name)
        played = {one: Ready() for one in own if one in self.played}
        here = [one for one in own if one not in played]
        return Host(
            self.make,
            journal=self.journal(name),
            here=here,
            adapters=played,
            links=dict.fromkeys(other, link),
            listen=port,
            tell=self.told.append,
            **self.more,
        )

    async def close(self, *names: str) -> None:
        for name in names or tuple(self.hosts):
            if name in self.hosts:
                await self.hosts.pop(name).close()

    async def kill(self, name: str) -> None:
        """Stop it at once: nothing more is written."""
        host = self.hosts.pop(name)
        host._fail(InterruptedError("killed"))
        await host.close()

    def local(self, process: str) -> Mapping[str, Any]:
        """The fields of a machine, where it runs."""
        for host in self.hosts.values():
            session = host.running.get(SESSION)
            if session is not None and process in session.cast.here:
                fields = session.cast.handlers[process].fields
                return dict(zip(fields, session.locals[process].fields, strict=True))
        return {}

    async def until(self, done: Callable[[], bool], progress: Callable[[], Any]) -> bool:
        """Wait until it is done; False if nothing new has come for long."""
        last, since = progress(), asyncio.get_running_loop().time()
        while not done():
            await asyncio.sleep(0.005)
            now = asyncio.get_running_loop().time()
            if (found := progress()) != last:
                last, since = found, now
            elif now - since > GIVEN_UP_S or any(host.failure for host in self.hosts.values()):
                return False
        return True


def complaints_of_items(pair: Pair, count: int) -> list[str]:
    """What is wrong with what has come; the pair is stopped."""
    with open_journal(str(pair.journal("far")), fresh=False) as journal:
        got = journal.machines(SESSION)["sink"].fields["got"]
    found = []
    if lost := {*range(1, count + 1)} - {*got}:
        found.append(f"lost: {len(lost)}")
    if len(got) != len({*got}):
        found.append("twice")
    if got != sorted(got):
        found.append("out of order")
    return found


def complaints_of_logs(pair: Pair, rounds: int) -> list[str]:
    """What is wrong with what both hosts have done; the pair is stopped."""
    found, faults, logs = [], [], []
    for name in ("near", "far"):
        with open_journal(str(pair.journal(name)), fresh=False) as journal:
            faults.append(faults_of(journal.trace(SESSION)))
            log = pair.folder / f"{name}.jsonl"
            log.write_text("".join(log_text(journal, SESSION)), "utf-8")
            logs.append(str(log))
            if name == "far":
                found += _unapplied(journal, rounds)
    system = replace(pair.make(), faults=",".join(filter(None, faults)))
    (run,) = read_logs(logs).runs.values()
    judged = Judging(system, hints=False).judge(run)
    if judged.verdict != "ok":
        found.append(" ".join((judged.verdict, *judged.words)))
    return found


def _unapplied(journal: Journal, rounds: int) -> list[str]:
    emitted = [put["emit"] for line in journal.trace(SESSION) for put in line.said.get("outputs", ()) if "emit" in put]
    applied = [one["fields"]["key"][1] for one in emitted if one["name"] == "Applied"]
    taken = [one["fields"]["seq"] for one in emitted if one["name"] == "Acknowledged"]
    wanted = [*range(1, rounds + 1)]
    return [f"{what}: {got}" for what, got in (("applied", applied), ("taken", taken)) if got != wanted]


# --- ways ---------------------------------------------------------------------------------------------


def beside(_: str) -> tuple[Link, Port | None]:
    return Beside(None), None  # type: ignore[arg-type]


def over_unix(folder: Path, name: str, behind: str = "") -> tuple[Link, Port | None]:
    """`behind`: what the names of sockets end with that are reached instead."""
    return Stream(f"unix:{folder}/{name}{behind}"), Port(f"unix:{folder}/{name}")


class Proxy:
    """Stands before a Unix socket, and keeps no promise: by a seeded plan it refuses, delays, cuts a connection anywhere,
    and says later once more what was said over one."""

    def __init__(self, path: str, to: str, seed: int, most: int) -> None:
        self.path, self.to, self.random, self.most = path, to, random.Random(seed), most
        self.cuts = self.repeats = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_unix_server(self._come, self.path)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self._later(self._serve(reader, writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = bytearray()
        with contextlib.suppress(OSError):
            if self.random.random() > 0.1:
                await self._between(reader, writer, said)
        writer.transport.abort()
        if said and self.random.random() < 0.5:
            self.repeats += 1
            self._later(self._repeat(bytes(said), self.random.random() / 20))

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: bytearray) -> None:
        there, back = await asyncio.open_unix_connection(self.to)
        ways = [
            asyncio.ensure_future(self._pass(reader, back, self.random.randint(1, self.most), said)),
            asyncio.ensure_future(self._pass(there, writer, self.random.randint(1, self.most // 8), None)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            back.transport.abort()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int, said: bytearray | None
    ) -> None:
        while piece := await reader.read(self.random.choice((1, 7, 64, 4_096))):
            if self.random.random() < 0.003:
                await asyncio.sleep(self.random.random() / 100)
            piece = piece[:left]
            left -= len(piece)
            if said is not None:
                said += piece
            writer.write(piece)
            await writer.drain()
            if not left:
                self.cuts += 1
                return

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _repeat(self, said: bytes, after_s: float) -> None:
        await asyncio.sleep(after_s)
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_unix_connection(self.to)
            self._writers.append(writer)
            writer.write(said)
            await asyncio.sleep(0.05)
            writer.transport.abort()
