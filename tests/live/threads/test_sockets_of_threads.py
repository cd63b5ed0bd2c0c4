"""Threads may wait for sockets, as libraries do that know nothing of asyncio."""

from __future__ import annotations

import asyncio
import select
import socket
import urllib.error
import urllib.request
from typing import Any

import pytest

from sim import Program, check, fuzz
from sim.base.errors import RefusedError
from tests.live.small import Main, installed_once, usual  # noqa: F401

LONG_S = 1_000


async def answers(reader: Any, writer: Any) -> None:
    while head := await reader.readuntil(b"\r\n\r\n"):
        body = b"to " + head.split()[1]
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()
        return


async def says_nothing(reader: Any, writer: Any) -> None:
    await asyncio.Event().wait()


async def takes_its_time(reader: Any, writer: Any) -> None:
    while await reader.read(100_000):
        await asyncio.sleep(0)
    writer.close()


def asked(path: str) -> bytes:
    with urllib.request.urlopen(f"http://api:80/{path}", timeout=LONG_S) as answer:
        return bytes(answer.read())


async def asks(world: Any) -> None:
    world.serve("api:80", answers)
    assert await asyncio.gather(*(asyncio.to_thread(asked, path) for path in "ab")) == [b"to /a", b"to /b"]


async def finds_nobody(world: Any) -> None:
    world.serve("api:81", says_nothing)

    def connect() -> None:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("api", 80), LONG_S)

    await asyncio.to_thread(connect)


async def hears_nothing(world: Any) -> None:
    world.serve("api:80", says_nothing)

    def listen() -> None:
        with socket.create_connection(("api", 80)) as one:
            one.settimeout(LONG_S)
            with pytest.raises(TimeoutError):
                one.recv(1)
            assert select.select([one], [], [], LONG_S) == ([], [], [])
            poll = select.poll()
            poll.register(one, select.POLLIN)
            assert poll.poll(LONG_S) == []

    await asyncio.to_thread(listen)


async def sends_much(world: Any) -> None:
    world.serve("api:80", takes_its_time)

    def send() -> None:
        with socket.create_connection(("api", 80)) as one:
            one.sendall(b"x" * 1_000_000)

    await asyncio.to_thread(send)


async def serves_in_a_thread(world: Any) -> None:
    listener = socket.create_server(("127.0.0.1", 8080))

    def serve() -> None:
        one, _ = listener.accept()
        with one:
            one.sendall(one.recv(10).upper())

    serving = asyncio.ensure_future(asyncio.to_thread(serve))
    reader, writer = await asyncio.open_connection("127.0.0.1", 8080)
    writer.write(b"hello")
    assert await reader.read() == b"HELLO"
    await serving
    writer.close()
    listener.close()


RIGHT = [asks, finds_nobody, hears_nothing, sends_much, serves_in_a_thread]


@pytest.mark.parametrize("main", RIGHT, ids=lambda main: main.__name__)
def test_a_thread_waits_for_its_sockets(main: Main) -> None:
    assert usual(main).finding is None
    result = check(Program(main), deviations=1)
    assert result.schedules > 1
    assert result.finding is None or "timed out" in result.finding.message


def test_what_goes_wrong_on_the_way_is_found() -> None:
    found = fuzz(Program(asks, faults="reset:1@main->api"), schedules=50, keep_going=True).found
    assert any("reset" in one.counterexample.finding.message.lower() for one in found)


async def blocks_the_loop(world: Any) -> None:
    world.serve("api:80", answers)
    asked("a")


def test_the_loop_may_not() -> None:
    with pytest.raises(RefusedError, match="waits, and with it the loop: use"):
        usual(blocks_the_loop)


def test_who_never_answers_is_waited_for_in_vain() -> None:
    async def main(world: Any) -> None:
        world.serve("api:80", says_nothing)
        await asyncio.to_thread(lambda: socket.create_connection(("api", 80)).recv(1))

    finding = usual(main).finding
    assert finding is not None
    assert finding.property == "deadlock"
    assert "the thread asyncio waits in <lambda> (test_sockets_of_threads.py:" in finding.message
    assert ") on socket.receive, since step " in finding.message
