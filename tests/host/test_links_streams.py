"""Two hosts with links between them: whatever happens on the way, what is sent arrives once and in order, and both logs
together are a path of the model."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sim import System
from sim.host import Stream
from sim.host import arrivals as arrivals_module
from sim.host.arrivals import Arrivals
from sim.host.cast import Cast
from sim.host.journal import Journal
from sim.host.journal_records import SENT_BITS, Came, Mail
from sim.host.link import Parcel, Receipt
from sim.host.sqlite_file import SqliteFile
from tests.host import two_hosts
from tests.host.two_hosts import (
    SESSION,
    Pair,
    Proxy,
    beside,
    complaints_of_items,
    complaints_of_logs,
    council,
    items,
    over_unix,
)

ITEMS = 150
ROUNDS = 3
SEEDS = [*range(2), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 50))]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has not come for so long never comes."""
    monkeypatch.setattr(two_hosts, "GIVEN_UP_S", 1.5)
    monkeypatch.setattr("sim.host.carrier.AGAIN_S", (0.01, 0.1))
    monkeypatch.setattr(SqliteFile, "synchronous", "OFF")  # no power is cut here


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("h", numbered=True)


# --- whole runs -----------------------------------------------------------------------------------------


async def decided(pair: Pair) -> None:
    """Run a council until each of its decisions is taken, and what is on its way has arrived."""

    def seen() -> tuple[Any, ...]:
        return tuple(host.journal.lines for host in pair.hosts.values())

    await pair.open()
    await pair.until(lambda: pair.local("consumer").get("last") == ROUNDS and _at_rest(pair), seen)
    await pair.close()


def _at_rest(pair: Pair) -> bool:
    return not any(host.journal.mail(SESSION) for host in pair.hosts.values())


def test_a_council_in_two_hosts_of_one_process_conforms(folder: Path) -> None:
    pair = Pair(folder, council, ("coordinator", "gemini", "claude"), beside)
    asyncio.run(decided(pair))
    assert complaints_of_logs(pair, ROUNDS) == []


def test_a_council_over_a_unix_socket_conforms(folder: Path) -> None:
    pair = Pair(folder, council, ("coordinator", "gemini", "claude"), partial(over_unix, folder))
    asyncio.run(decided(pair))
    assert complaints_of_logs(pair, ROUNDS) == []


async def _between(
    folder: Path, seed: int, most: int, work: Callable[[Pair], Any], make: Callable[[], System], *near: str
) -> Pair:
    """Two hosts whose links go through proxies, which cut a connection after so many bytes at most."""
    pair = Pair(folder, make, near, partial(over_unix, folder, behind=".proxy"))
    names = ("near", "far")
    proxies = [Proxy(f"{folder}/{n}.proxy", f"{folder}/{n}", 2 * seed + i, most) for i, n in enumerate(names)]
    for proxy in proxies:
        await proxy.open()
    try:
        await work(pair)
    finally:
        await pair.close()
        for proxy in proxies:
            await proxy.close()
    assert sum(proxy.cuts for proxy in proxies)
    return pair


@pytest.mark.parametrize("seed", SEEDS)
def test_a_council_whose_connections_are_cut_and_repeated_conforms(seed: int, folder: Path) -> None:
    pair = asyncio.run(_between(folder, seed, 1_500, decided, council, "coordinator", "gemini", "claude"))
    assert complaints_of_logs(pair, ROUNDS) == []


# --- once, and in order ---------------------------------------------------------------------------------


async def brought(pair: Pair, kills: int = 4, seed: int = 1) -> None:
    """Send all items; meanwhile the host that takes them, or the other, is killed now and then."""
    chance = random.Random(seed)
    await pair.open()
    for number in range(kills):
        behind = ITEMS * number // (kills + 1)
        if not await pair.until(lambda: len(pair.local("sink")["got"]) > behind, lambda: pair.local("sink")):  # noqa: B023
            break
        name = chance.choice(("near", "far", "far"))
        await pair.kill(name)
        await pair.open(name)
    await pair.until(lambda: len(pair.local("sink")["got"]) >= ITEMS, lambda: pair.local("sink"))
    await pair.close()


def carried(folder: Path, seed: int = 0) -> list[str]:
    """What is wrong with items that went through proxies, between hosts that were killed."""
    work = partial(brought, seed=seed)
    pair = asyncio.run(_between(folder, seed, 6_000, work, partial(items, ITEMS), "source"))
    return complaints_of_items(pair, ITEMS)


def carried_straight(folder: Path) -> list[str]:
    """The same without proxies: much is under way when a host is killed."""
    pair = Pair(folder, partial(items, ITEMS), ("source",), partial(over_unix, folder))
    asyncio.run(brought(pair, kills=6))
    return complaints_of_items(pair, ITEMS)


def test_items_come_once_and_in_order_through_kills(folder: Path) -> None:
    assert carried_straight(folder) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_items_come_once_and_in_order_through_cuts_and_kills(seed: int, folder: Path) -> None:
    assert carried(folder, seed) == []


class _Planted:
    """Faults of a link, each as what it changes; a test has to notice each."""

    def acknowledged_before_the_commit(self, patch: pytest.MonkeyPatch) -> None:
        take = Arrivals.receive

        def early(self: Arrivals, parcel: Parcel) -> Receipt:
            loop = asyncio.get_running_loop()
            vars(self)["late"] = late = max(loop.time(), vars(self).get("late", 0.0)) + 0.005
            loop.call_at(late, lambda: None if self.host.failure else take(self, parcel))
            return Receipt(parcel.mail.id, True)

        patch.setattr(Arrivals, "receive", early)

    def inbox_left_out(self, patch: pytest.MonkeyPatch) -> None:
        def believing(self: Arrivals, parcel: Parcel) -> Receipt:
            session = self.host.running.get(parcel.mail.session)
            if session is None:
                return Receipt(parcel.mail.id, False)
            self._take(session, parcel)
            return Receipt(parcel.mail.id, True)

        patch.setattr(Arrivals, "receive", believing)

    def order_not_kept_where_it_is_sent(self, patch: pytest.MonkeyPatch) -> None:
        read = Journal.mail_to

        def shuffled(self: Journal, targets: Sequence[str], above: int, most: int) -> list[Mail]:
            return read(self, targets, above, most)[::-1]

        patch.setattr(Journal, "mail_to", shuffled)

    def order_not_kept_where_it_comes(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Cast, "network", lambda self, source, target: "any")

    def mark_too_high(self, patch: pytest.MonkeyPatch) -> None:
        def higher(journal: str, opening: str, source: str, target: str, number: int) -> Came:
            return Came(journal, opening, source, target, number + (1 << SENT_BITS))

        patch.setattr(arrivals_module, "Came", higher)

    def forgotten_before_it_has_arrived(self, patch: pytest.MonkeyPatch) -> None:
        carry = Stream.carry

        async def hopeful(self: Stream, parcels: Iterable[Parcel]) -> Sequence[Receipt]:
            numbers: list[int] = []

            def noted() -> Iterator[Parcel]:
                for parcel in parcels:
                    numbers.append(parcel.mail.id)
                    yield parcel

            with contextlib.suppress(OSError):
                await carry(self, noted())
            return [Receipt(number, True) for number in numbers]

        patch.setattr(Stream, "carry", hopeful)


@pytest.mark.parametrize("fault", [name for name in vars(_Planted) if not name.startswith("_")])
def test_a_planted_fault_is_noticed(fault: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    getattr(_Planted(), fault)(monkeypatch)
    assert carried_straight(_made(folder / "straight")) or any(
        carried(_made(folder / str(seed)), seed) for seed in range(4)
    )


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
