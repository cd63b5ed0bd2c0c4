"""What arrives: in the order sent on each channel, named by who sends to whom, and never more than the receiver takes."""

from __future__ import annotations

import asyncio
import errno
import random
from collections.abc import Callable, Sequence
from socket import SO_ERROR, SOL_SOCKET
from typing import Any

import pytest

from sim.live.net import Incoming, Kernel
from sim.live.net.channel import IN_FLIGHT_BYTES_MAX, RECEIVED_BYTES_MAX
from sim.live.net.stream_socket import StreamSocket
from sim.live.net.traffic import Traffic
from tests.live.net.stepping import Owner, Stepped

ADDRESS = "redis", 6379


async def shouting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says each line again, louder."""
    while line := await reader.readline():
        writer.write(line.upper())
    writer.close()


async def ask(*lines: bytes) -> list[bytes]:
    reader, writer = await asyncio.open_connection(*ADDRESS)
    answers = []
    for line in lines:
        writer.write(line)
        answers.append(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return answers


def served(*clients: Any, serve: Any = shouting) -> Callable[[], Any]:
    """A main that serves, and runs the clients as tasks called `client`, `client#2`, ..."""

    async def main() -> list[Any]:
        server = await asyncio.start_server(serve, *ADDRESS)
        tasks = [
            asyncio.create_task(client, name="client" if not index else f"client#{index + 1}")
            for index, client in enumerate(clients)
        ]
        answers = await asyncio.gather(*tasks)
        server.close()
        return answers

    return main


def named() -> Kernel:
    kernel = Kernel(Owner())
    kernel.name_address(ADDRESS, "redis")
    return kernel


def test_arrivals_are_told_in_the_order_sent() -> None:
    run = Stepped(served(ask(b"a\n", b"bc\n")), named())
    assert run.until() == [[b"A\n", b"BC\n"]]
    assert run.trace == [
        "<connect client->redis, number 1> ",
        "<bytes client->redis 2 bytes, number 2> ",
        "<bytes redis->client 2 bytes, number 3> ",
        "<bytes client->redis 3 bytes, number 4> ",
        "<bytes redis->client 3 bytes, number 5> ",
    ]
    run.close()


def test_only_the_first_of_each_channel_may_arrive() -> None:
    run = Stepped(served(ask(b"a\n"), ask(b"b\n")), named())
    run.until(lambda: len(run.kernel.arrivals()) == 2)
    assert [(each.what, each.source, each.connection) for each in run.kernel.arrivals()] == [
        ("connect", "client", 1),
        ("connect", "client#2", 1),
    ]
    assert [each.subject for each in run.kernel.arrivals()] == [
        ("message", 1, "client->redis"),
        ("message", 2, "client#2->redis"),
    ]
    assert run.kernel.arrival(2) is run.kernel.arrivals()[1]
    with pytest.raises(LookupError):
        run.kernel.arrival(3)
    run.close()


def test_a_second_connection_between_the_same_two_is_counted() -> None:
    async def twice() -> list[list[bytes]]:
        return [await ask(b"a\n"), await ask(b"b\n")]

    seen = []

    def choose(arrivals: Sequence[Incoming]) -> tuple[Incoming, str]:
        seen.append((arrivals[0].what, arrivals[0].connection))
        return arrivals[0], ""

    run = Stepped(served(twice()), named())
    run.until(choose=choose)
    assert [each for each in seen if each[0] == "connect"] == [("connect", 1), ("connect", 2)]
    run.close()


def test_what_has_arrived_cannot_arrive_again() -> None:
    run = Stepped(served(ask(b"a\n")), named())
    run.until(run.kernel.arrivals)
    arrival = run.kernel.arrivals()[0]
    run.kernel.arrive(arrival)
    with pytest.raises(LookupError):
        run.kernel.arrive(arrival)
    run.close()


def chaotic(seed: int) -> Callable[[Sequence[Incoming]], tuple[Incoming, str]]:
    dice = random.Random(seed)

    def choose(arrivals: Sequence[Incoming]) -> tuple[Incoming, str]:
        arrival = dice.choice(arrivals)
        return arrival, "split" if "split" in arrival.faults and dice.random() < 0.5 else ""

    return choose


def in_any_order(seed: int) -> str:
    """What goes wrong where arrivals are chosen by chance; nothing should."""
    lines = [b"%d\n" % number for number in range(9)]
    run = Stepped(served(*(pour(lines) for _ in range(3))), named())
    try:
        got = run.until(choose=chaotic(seed), early=seed % 2 == 0)
    except RuntimeError as error:
        return str(error)
    finally:
        run.close()
    return "" if got == [lines] * 3 else f"got {got}"


async def pour(lines: list[bytes]) -> list[bytes]:
    """Send all at once, then read what is said."""
    reader, writer = await asyncio.open_connection(*ADDRESS)
    for line in lines:
        writer.write(line)
    writer.write_eof()
    said = (await reader.read()).splitlines(keepends=True)
    writer.close()
    return said


@pytest.mark.parametrize("seed", range(8))
def test_however_it_arrives_each_channel_is_first_in_first_out(seed: int) -> None:
    assert in_any_order(seed) == ""


def _last_in_first_out(real: Any) -> Any:
    def send(self: Traffic, channel: Any, what: str, data: bytes = b"") -> None:
        real(self, channel, what, data)
        if len(channel.flight) > 1 and channel.flight[0].what == "bytes":
            channel.flight.rotate(1)

    return send


def _halves_change_places(real: Any) -> Any:
    def take(self: Traffic, channel: Any, split: bool = False) -> Any:
        arrival = real(self, channel, split)
        if split:
            arrival.data, channel.flight[0].data = channel.flight[0].data, arrival.data
        return arrival

    return take


def _half_is_lost(real: Any) -> Any:
    def take(self: Traffic, channel: Any, split: bool = False) -> Any:
        arrival = real(self, channel, split)
        if split:
            self.take(channel)
        return arrival

    return take


@pytest.mark.parametrize(
    ("name", "plant"),
    [("send", _last_in_first_out), ("take", _halves_change_places), ("take", _half_is_lost)],
)
def test_a_channel_that_mixes_up_what_it_carries_is_caught(
    name: str, plant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Traffic, name, plant(getattr(Traffic, name)))
    assert any(in_any_order(seed) for seed in range(8))


def test_a_choice_of_arrivals_gives_one_trace() -> None:
    traces = []
    for _ in range(2):
        run = Stepped(served(ask(b"a\n", b"bc\n"), ask(b"d\n")), named())
        run.until(choose=chaotic(5))
        traces.append((run.trace, run.kernel.mark()))
        run.close()
    assert traces[0] == traces[1]


def test_a_channel_takes_so_much_and_no_more_until_it_is_read() -> None:
    kernel = named()
    with kernel.patched():
        listener, client = kernel.socket(), kernel.socket()
        for each in (listener, client):
            each.setblocking(False)
        listener.bind(ADDRESS)
        listener.listen()
        with pytest.raises(BlockingIOError):
            client.connect(ADDRESS)
        kernel.arrive(kernel.arrivals()[0])
        server, _ = listener.accept()
        server.setblocking(False)

        def fill() -> int:
            sent = 0
            try:
                while True:
                    sent += client.send(b"x" * 10_000)
            except BlockingIOError:
                return sent

        assert fill() == IN_FLIGHT_BYTES_MAX
        while kernel.arrivals():
            kernel.arrive(kernel.arrivals()[0])
        assert fill() == IN_FLIGHT_BYTES_MAX, "what has arrived makes room"
        assert kernel.arrivals() == [], "what is not read keeps the rest away"
        end = kernel.files[client.fileno()]
        assert isinstance(end, StreamSocket)
        assert not end.out.has_room
        assert len(server.recv(10)) == 10
        assert len(kernel.arrivals()) == 1
        kernel.arrive(kernel.arrivals()[0])
        assert len(server.recv(1 << 20)) == RECEIVED_BYTES_MAX - 10 + 10_000
    kernel.close()


def test_a_full_backlog_keeps_connections_waiting() -> None:
    kernel = named()
    listener = kernel.socket()
    listener.bind(ADDRESS)
    listener.listen(1)
    clients = [kernel.socket() for _ in range(3)]
    for client in clients:
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.connect(ADDRESS)
    for _ in range(2):
        kernel.arrive(kernel.arrivals()[0])
    assert kernel.arrivals() == []
    accepted = listener.accept()
    assert [each.what for each in kernel.arrivals()] == ["connect"]
    listener.close()
    kernel.arrive(next(each for each in kernel.arrivals() if each.what == "connect"))
    assert clients[2].getsockopt(SOL_SOCKET, SO_ERROR) == errno.ECONNREFUSED, "nobody listens any longer"
    assert accepted[0].fileno() > 0
    kernel.close()


def test_a_socket_that_nobody_holds_is_closed() -> None:
    kernel = named()
    one, other = kernel.socketpair()
    del one
    assert other.recv(1) == b""
    kernel.close()
