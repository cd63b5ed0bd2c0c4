"""What a host takes: run it as `python -m bench.host [--inputs N] [--folder FOLDER] [--sessions N] [--profile]
[--idle traced|resident]`.

The inputs of a host against bare transactions of the same rows, each after its own on the same disk; the same transactions by the
journal's databases; and the memory of sessions in which nothing happens.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import pstats
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from models.consensus import system as council
from sim import Message, Process, System
from sim.base import printing
from sim.host import Host, Question, Reply
from sim.host.database import MIGRATIONS, Database, OpenTransaction
from sim.host.postgres import Postgres
from sim.host.sqlite_file import SqliteFile
from tests.database_server import database_server

Transaction = list[tuple[str, tuple[object, ...]]]
TURNS = 5
AGENTS = ("gemini", "claude")


class Ping(Message):
    number: int


class Pong(Message):
    number: int


class Server(Process):
    """Serves until it is told enough."""

    states = ("serving",)
    transitions = ({"trigger": Ping, "source": "serving", "dest": None, "after": "reply"},)
    served: int = 0

    def reply(self, ping: Ping) -> None:
        self.served += 1
        self.send(self.sender, Pong(ping.number))


class Client(Process):
    states = ("idle", "playing", "done")
    must = ("serve",)
    transitions = (
        {"trigger": "serve", "source": "idle", "dest": "playing", "after": "ping"},
        {"trigger": Pong, "source": "playing", "dest": "done", "conditions": "is_last"},
        {"trigger": Pong, "source": "playing", "dest": None, "after": "ping"},
    )
    rounds: int = 1
    played: int = 0

    def is_last(self, pong: Pong) -> bool:
        return pong.number >= self.rounds

    def ping(self) -> None:
        self.played += 1
        self.send("server", Ping(self.played))


def ping(rounds: int = 1) -> System:
    """Two machines of a host."""
    return System(processes={"client": Client(rounds=rounds), "server": Server()})


class AtOnce:
    """An agent that answers at once."""

    async def ask(self, question: Question) -> Reply:
        return Reply("ok", text=f"{question.process} says ok to {question.key}")

    async def close(self) -> None:
        pass


class Never(AtOnce):
    """An agent that is waited for."""

    async def ask(self, question: Question) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError


class Paired:
    """A database that writes each transaction once more after it was kept: bare, with nothing but SQLite, to another file
    beside it. Both meet the same disk."""

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self.name, self.rows, self.hold, self.close = database.name, database.rows, database.hold, database.close
        SqliteFile(path, MIGRATIONS).close()
        self._bare = sqlite3.connect(path, isolation_level=None)
        self._bare.execute("PRAGMA synchronous = FULL")
        self.written: list[Transaction] = []
        self.seconds = 0.0
        """What the bare transactions took."""

    @contextmanager
    def writing(self) -> Iterator[OpenTransaction]:
        statements: Transaction = []
        with self._database.writing() as change:
            yield Remembered(change, statements)
        self.written.append(statements)
        start = time.perf_counter()
        self._bare.execute("BEGIN IMMEDIATE")
        for statement, values in statements:
            self._bare.execute(statement, values)
        self._bare.execute("COMMIT")
        self.seconds += time.perf_counter() - start


class Remembered:
    def __init__(self, change: OpenTransaction, into: Transaction) -> None:
        self._change, self._into = change, into
        self.rows = change.rows

    def do(self, statement: str, *values: object) -> None:
        self._into.append((statement, values))
        self._change.do(statement, *values)


def hosted(what: str, amount: int, database: Database) -> tuple[int, float]:
    """Inputs that a host has taken, and the seconds that it took for them."""

    async def run() -> tuple[int, float]:
        async with host_of(what, database) as host:
            start = time.perf_counter()
            for number, config in enumerate(configs(what, amount)):
                await host.start(f"s{number}", **config)
                await host.until_over(f"s{number}")
            return host.journal.lines, time.perf_counter() - start

    return asyncio.run(run())


def host_of(what: str, database: Database, agent: type[AtOnce] = AtOnce) -> Host:
    if what == "ping":
        return Host(ping, journal=database)
    return Host(council, journal=database, adapters=dict.fromkeys(AGENTS, agent()), model="models.consensus")


def configs(what: str, inputs: int) -> Iterator[dict[str, Any]]:
    """The sessions that take about so many inputs, one after the other."""
    if what == "ping":
        yield {"rounds": inputs // 2}
    else:
        yield from [{"agents": 2, "rounds": 5, "stop": False}] * (inputs // 46)


def again(transactions: Sequence[Transaction], database: Database) -> float:
    """Seconds for these transactions by a database of a journal."""
    start = time.perf_counter()
    for transaction in transactions:
        with database.writing() as change:
            for statement, values in transaction:
                change.do(statement, *values)
    return time.perf_counter() - start


def throughput(what: str, amount: int, folder: Path) -> list[Transaction]:
    """A host and bare transactions of the same rows, one after the other."""
    rates, bares, ratios, processor = [], [], [], []
    for turn in range(TURNS):
        with sqlite(folder, f"{what}{turn}") as database:
            paired = Paired(database, folder / f"{what}{turn}.db.bare")
            busy = time.process_time()
            inputs, spent = hosted(what, amount, paired)
            processor.append((time.process_time() - busy) / inputs)
        own = spent - paired.seconds
        rates.append(inputs / own)
        bares.append(inputs / paired.seconds)
        ratios.append(paired.seconds / own)
    written = paired.written
    rows = sum(map(len, written)) / len(written)
    printing.out(
        f"{what}: {inputs} inputs in {len(written)} transactions of {rows:.1f} statements: "
        f"{statistics.median(rates):,.0f} inputs/s, bare {statistics.median(bares):,.0f}; {statistics.median(ratios):.2f} "
        f"of it ({min(ratios):.2f} to {max(ratios):.2f}); {min(processor) * 1e6:.0f} us of the processor an input, both"
    )
    return written


@contextmanager
def sqlite(folder: Path, name: str) -> Iterator[SqliteFile]:
    path = folder / f"{name}.db"
    try:
        yield SqliteFile(path, MIGRATIONS)
    finally:
        for one in folder.glob(f"{name}.db*"):
            one.unlink()


def databases(transactions: Sequence[Transaction], folder: Path) -> None:
    """The same transactions by both databases, in turns, each on an empty one."""
    spent: dict[str, list[float]] = {"SQLite": [], "PostgreSQL": []}
    with database_server() as server:
        for turn in range(TURNS):
            ways: dict[str, Callable[[], AbstractContextManager[Database]]] = {
                "SQLite": lambda turn=turn: sqlite(folder, f"again{turn}"),  # type: ignore[misc]
                "PostgreSQL": lambda turn=turn: closing(Postgres(f"{server}&schema=t{turn}", MIGRATIONS)),  # type: ignore[misc]
            }
            for name, opened in ways.items():
                with opened() as database:
                    spent[name].append(again(transactions, database))
    for name, seconds in spent.items():
        printing.out(f"{name}: {len(transactions) / statistics.median(seconds):,.0f} commits/s")


@contextmanager
def closing(database: Database) -> Iterator[Database]:
    try:
        yield database
    finally:
        database.close()


def idle(sessions: int, folder: Path, *, traced: bool) -> float:
    """KiB of a session that waits for its agents."""
    SqliteFile.synchronous = "OFF"  # what it takes to begin them is not measured

    async def run() -> float:
        async with host_of("consensus", SqliteFile(folder / f"idle-{traced}.db", MIGRATIONS), Never) as host:
            (config,) = configs("consensus", 46)

            async def begin(numbers: range) -> int:
                for number in numbers:
                    await host.start(f"s{number}", **config)
                while len(host._asking.asked) < len(AGENTS) * len(host.running):
                    await asyncio.sleep(0)
                gc.collect()
                if traced:
                    return tracemalloc.get_traced_memory()[0]
                return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

            before = await begin(range(100))
            after = await begin(range(100, 100 + sessions))
            assert len(host.running) == 100 + sessions
            return (after - before) / sessions / 1024

    if traced:
        tracemalloc.start()
    return asyncio.run(run())


def idle_alone(sessions: int, *, traced: bool) -> None:
    """The same in a process of its own: what others have left free is not counted as used."""
    how = "traced" if traced else "resident"
    subprocess.run([sys.executable, "-m", "bench.host", "--idle", how, "--sessions", str(sessions)], check=True)


def profiled(what: str, amount: int, folder: Path) -> None:
    profile = cProfile.Profile()
    with sqlite(folder, "profiled") as database:
        profile.enable()
        hosted(what, amount, database)
        profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(40)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=1_000)
    parser.add_argument("--sessions", type=int, default=1_000)
    parser.add_argument("--folder")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--idle", choices=("traced", "resident"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        if given.idle:
            kib = idle(given.sessions, folder, traced=given.idle == "traced")
            printing.out(f"a session that waits, of {given.sessions:,} in a host: {kib:.1f} KiB ({given.idle})")
            return
        if given.profile:
            for what in ("ping", "consensus"):
                profiled(what, given.inputs, folder)
            return
        throughput("ping", given.inputs, folder)
        databases(throughput("consensus", given.inputs, folder), folder)
        for traced in (False, True):
            idle_alone(given.sessions, traced=traced)


if __name__ == "__main__":
    main()
