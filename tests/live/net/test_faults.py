"""What may become of what is on its way, and of those who wait for it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import pytest

from sim import Program, check
from sim.base.errors import ConfigError
from sim.live.net import Incoming
from tests.live.net.stepping import Stepped, first
from tests.live.net.test_arrivals import ADDRESS, ask, named, served


def striking(what: str, how: str, source: str = "") -> Any:
    """Lets arrive in order, and strikes the first of its kind."""
    left = [how]

    def choose(arrivals: Sequence[Incoming]) -> tuple[Incoming, str]:
        arrival = arrivals[0]
        if left and arrival.what == what and arrival.source.startswith(source):
            return arrival, left.pop()
        return arrival, ""

    return choose


async def tried(awaitable: Any) -> str:
    try:
        return str(await awaitable)
    except OSError as error:
        return type(error).__name__
    except EOFError as error:
        return type(error).__name__


def ends(choose: Any, client: Any, *, serve: Any = None, meanwhile: Any = None) -> str:
    run = Stepped(served(tried(client), **({"serve": serve} if serve else {})), named())
    try:
        if meanwhile is not None:
            meanwhile(run)
        return str(run.until(choose=choose)[0])
    finally:
        run.close()


def test_a_connection_is_refused() -> None:
    assert ends(striking("connect", "refuse"), ask(b"a\n")) == "ConnectionRefusedError"
    assert ends(first, ask(b"a\n")) == "[b'A\\n']"


def test_a_delivery_is_split() -> None:
    run = Stepped(served(ask(b"abcd\n")), named())
    assert run.until(choose=striking("bytes", "split")) == [[b"ABCD\n"]]
    assert run.trace[1:3] == [
        "<bytes client->redis 5 bytes, number 2> split",
        "<bytes client->redis 3 bytes, number 3> ",
    ]
    run.close()


def test_what_cannot_happen_to_it_is_said_in_one_line() -> None:
    run = Stepped(served(ask(b"a\n")), named())
    run.until(run.kernel.arrivals)
    (connect,) = run.kernel.arrivals()
    assert connect.faults == ("refuse",)
    with pytest.raises(ConfigError, match=r"^connect client->redis: unknown fault 'drop': use refuse$"):
        run.kernel.arrive(connect, "drop")
    assert run.kernel.arrivals() == [connect]
    run.close()


def test_a_connection_is_reset_for_both() -> None:
    heard: list[str] = []

    async def listening(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await tried(reader.read()))

    def meanwhile(run: Stepped) -> None:
        run.until(lambda: any(each.what == "bytes" for each in run.kernel.arrivals()))
        (connection,) = run.kernel.connections()
        assert (connection.source, connection.target, connection.ordinal) == ("client", "redis", 1)
        run.kernel.reset(connection)
        assert run.kernel.arrivals() == []
        assert run.kernel.connections() == []

    assert ends(first, ask(b"a\n"), serve=listening, meanwhile=meanwhile) == "ConnectionResetError"
    assert heard == ["ConnectionResetError"]


def test_a_connection_that_both_have_ended_is_not_there_to_be_reset() -> None:
    kernel = named()
    listener, client = kernel.socket(), kernel.socket()
    listener.bind(ADDRESS)
    listener.listen()
    client.setblocking(False)
    client.connect_ex(ADDRESS)
    assert kernel.connections() == []
    kernel.arrive(kernel.arrivals()[0])
    server, _ = listener.accept()
    assert len(kernel.connections()) == 1
    for end in (client, server):
        end.shutdown(socket.SHUT_WR)
    kernel.arrive(kernel.arrivals()[0])
    assert kernel.connections() == []
    kernel.close()


def test_a_cut_holds_back_what_crosses_it() -> None:
    run = Stepped(served(ask(b"a\n"), ask(b"b\n")), named())
    run.kernel.cut("client", "redis")
    with pytest.raises(RuntimeError, match="nothing can happen"):
        run.until()
    assert run.trace == []
    run.kernel.heal("client", "redis")
    run.until(lambda: len(run.kernel.connections()) == 2)
    run.kernel.cut("redis", "client#2")
    with pytest.raises(RuntimeError, match="nothing can happen"):
        run.until()
    run.kernel.heal("redis", "client#2")
    assert run.until() == [[b"A\n"], [b"B\n"]]
    run.close()


def test_a_cut_heals_also_where_the_last_that_came_woke_nobody() -> None:
    """The end of a connection that is closed already comes to nobody: the loop sleeps on, and the link may heal."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(1))
        await writer.drain()
        writer.close()

    async def asking(host: str) -> None:
        reader, writer = await asyncio.open_connection(host, 80)
        writer.write(b"x")
        await reader.readexactly(1)
        writer.close()

    async def main(world: Any) -> None:
        for host in ("near", "far"):
            world.serve(f"{host}:80", echo)
        await asyncio.gather(asking("near"), asking("far"))

    result = check(Program(main, faults="cut:1@far"), deviations=1)
    assert (result.finding, result.schedules > 10) == (None, True)


def test_an_answer_to_a_connection_has_to_come_back() -> None:
    run = Stepped(served(ask(b"a\n")), named())
    run.kernel.cut("redis", "client")
    with pytest.raises(RuntimeError, match="nothing can happen"):
        run.until()
    run.close()


def test_a_crash_resets_who_was_connected_and_refuses_who_comes() -> None:
    async def twice() -> list[str]:
        return [await tried(ask(b"a\n")), await tried(ask(b"b\n"))]

    run = Stepped(served(twice()), named())
    run.until(lambda: any(each.what == "bytes" for each in run.kernel.arrivals()))
    run.kernel.crash("redis")
    assert [each.what for each in run.kernel.arrivals()] == ["bytes", "reset"]
    assert run.until() == [["ConnectionResetError", "ConnectionRefusedError"]]
    run.close()


def test_a_crash_spares_others() -> None:
    run = Stepped(served(ask(b"a\n"), ask(b"b\n")), named())
    run.until(lambda: len(run.kernel.connections()) == 2)
    run.kernel.crash("client")
    assert [each.source for each in run.kernel.connections()] == ["client#2"]
    run.kernel.crash("nobody")
    run.kernel.crash("redi")
    assert len(run.kernel.connections()) == 1
    run.close()


# --- datagrams ------------------------------------------------------------------------------------------


class Heard(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.said: list[bytes] = []

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.said.append(data)


def datagrams(choose: Any, enough: int) -> list[bytes]:
    heard: list[Heard] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server, protocol = await loop.create_datagram_endpoint(Heard, local_addr=("127.0.0.1", 53))
        heard.append(protocol)
        client, _ = await loop.create_datagram_endpoint(Heard, remote_addr=("127.0.0.1", 53))
        for text in (b"one", b"two", b"three"):
            client.sendto(text)
        while len(protocol.said) < enough:
            await asyncio.sleep(1)
        client.close()
        server.close()

    run = Stepped(main)
    run.until(choose=choose)
    run.close()
    return heard[0].said


def test_datagrams_come_in_any_order_or_not_at_all_or_twice() -> None:
    assert datagrams(first, 3) == [b"one", b"two", b"three"]
    assert datagrams(lambda arrivals: (arrivals[-1], ""), 3) == [b"three", b"two", b"one"]
    assert datagrams(striking("datagram", "drop"), 2) == [b"two", b"three"]
    assert datagrams(striking("datagram", "duplicate"), 4) == [b"one", b"two", b"three", b"one"]


# --- responses of HTTP ----------------------------------------------------------------------------------

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while (await reader.readuntil(b"\r\n\r\n")) and not reader.at_eof():
        writer.write(ANSWER)
        writer.write(b"more")


async def get(patience_s: float = 5) -> bytes:
    reader, writer = await asyncio.open_connection(*ADDRESS)
    writer.write(b"GET / HTTP/1.1\r\nHost: redis\r\n\r\n")
    got = b""
    try:
        async with asyncio.timeout(patience_s):
            while len(got) < len(ANSWER + b"more") and (some := await reader.read(1000)):
                got += some
    except TimeoutError:
        return b"timeout"
    finally:
        writer.close()
    return got


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("", str(ANSWER + b"more")),
        ("agent_timeout", "b'timeout'"),
        (
            "rate_limited(30s)",
            str(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        ),
        ("rate_limited", str(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
        ("empty_response", str(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
        ("disconnect", "ConnectionResetError"),
    ],
)
def test_a_response_is_struck(how: str, expected: str) -> None:
    assert ends(striking("bytes", how, source="redis"), get(), serve=answering) == expected


def test_a_time_that_is_not_one_is_said_before_anything_happens() -> None:
    run = Stepped(served(tried(get()), serve=answering), named())
    run.until(lambda: any(each.is_http_response for each in run.kernel.arrivals()))
    before = run.kernel.mark()
    with pytest.raises(ConfigError, match="soon"):
        run.kernel.arrive(run.kernel.arrivals()[0], "rate_limited(soon)")
    assert run.kernel.mark() == before
    run.close()


def test_only_where_a_response_begins_can_one_be_struck() -> None:
    run = Stepped(served(tried(get()), serve=answering), named())
    begins = []

    def choose(arrivals: Sequence[Incoming]) -> tuple[Incoming, str]:
        arrival = arrivals[0]
        begins.append((arrival.what, arrival.source, arrival.is_http_response, "agent_timeout" in arrival.faults))
        return arrival, ""

    run.until(choose=choose)
    assert begins[:4] == [
        ("connect", "client", False, False),
        ("bytes", "client", False, False),
        ("bytes", "redis", True, True),
        ("bytes", "redis", False, False),
    ]
    run.close()
