"""Nothing leaves the process: names lead to the sockets of the run, and what would wait or go outside is refused in one
line that says what to use instead."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from socket import socket as bound_at_import
from typing import Any

import pytest

from sim.base.errors import ConfigError
from sim.live.net import Kernel
from sim.live.net.sim_socket import SimSocket
from tests.live.net.stepping import Owner, Stepped
from tests.live.net.test_arrivals import ADDRESS, ask, served


def kernel() -> Kernel:
    return Kernel(Owner())


HELD: list[Any] = []
"""Pairs of sockets: one whose other end is gone does not wait."""


def _pair() -> tuple[Any, Any]:
    pair = socket.socketpair()
    HELD.append(pair)
    return pair


BLOCKING: dict[str, tuple[Callable[[], Any], str]] = {
    "connect": (lambda: socket.socket().connect(("127.0.0.1", 80)), "use asyncio.open_connection"),
    "create_connection": (lambda: socket.create_connection(("127.0.0.1", 80)), "use asyncio.open_connection"),
    "accept": (lambda: socket.create_server(("127.0.0.1", 80)).accept(), "use asyncio.start_server"),
    "recv": (lambda: _pair()[0].recv(1), "use asyncio's streams"),
    "recv_with_a_timeout": (lambda: (pair := _pair(), pair[0].settimeout(1), pair[0].recv(1)), "use asyncio's streams"),
    "sendall": (lambda: (pair := _pair(), pair[0].sendall(bytes(1 << 20))), "use asyncio's streams"),
    "datagrams": (lambda: socket.socket(type=socket.SOCK_DGRAM).recvfrom(1), "use loop.create_datagram_endpoint"),
    "select": (lambda: select.select([_pair()[0]], [], []), "use asyncio's streams"),
    "poll": (lambda: (poll := select.poll(), poll.register(_pair()[0], select.POLLIN), poll.poll()), "use asyncio's"),
    "wrap_socket": (lambda: ssl.create_default_context().wrap_socket(_pair()[0], server_hostname="x"), "use ssl= of"),
    "raw": (lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW), "only TCP, UDP and Unix sockets"),
    "fileno": (lambda: socket.socket(fileno=0), "make one in it"),
    "fromfd": (lambda: socket.fromfd(0, socket.AF_INET, socket.SOCK_STREAM), "hand the socket itself on"),
    "dup": (lambda: _pair()[0].dup(), "hand the socket itself on"),
    "descriptors": (lambda: socket.send_fds(_pair()[0], [b"x"], [0]), "send it as data"),
    "inheritable": (lambda: _pair()[0].set_inheritable(True), "as a task of the run"),
}


@pytest.mark.parametrize("name", BLOCKING)
def test_what_would_wait_or_go_outside_is_refused(name: str) -> None:
    call, instead = BLOCKING[name]
    ours = kernel()
    with ours.patched(), pytest.raises(ConfigError) as refused:
        call()
    HELD.clear()
    assert instead in str(refused.value)
    assert "\n" not in str(refused.value)
    ours.close()


def test_no_descriptor_is_opened() -> None:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("the descriptors of a process can only be listed on Linux")
    before = sorted(os.listdir(folder))
    during: list[list[str]] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection(*ADDRESS)
        writer.write(b"a\n")
        await reader.readline()
        during.append(sorted(os.listdir(folder)))
        writer.close()

    run = Stepped(served(client()))
    run.until()
    run.close()
    assert during == [before]


def test_a_real_socket_opens_one() -> None:
    """The test above would see it."""
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("the descriptors of a process can only be listed on Linux")
    before = len(os.listdir(folder))
    with socket.socket():
        assert len(os.listdir(folder)) == before + 1


def test_the_class_is_the_one_that_was_bound_at_import() -> None:
    with kernel().patched():
        made = bound_at_import()
        assert type(made) is SimSocket
        assert isinstance(made, socket.socket)
        assert made.fileno() >= 1_000_000_000
        made.close()
        assert made.fileno() == -1
        with pytest.raises(OSError, match="Bad file descriptor"):
            made.getsockname()


def test_afterwards_everything_is_as_it_was() -> None:
    before = [vars(socket).copy(), vars(select).copy(), dict(vars(socket.socket))]
    with kernel().patched():
        assert vars(socket) != before[0]
    assert [dict(vars(socket)), dict(vars(select)), dict(vars(socket.socket))] == before
    with socket.socket() as real:
        assert type(real) is socket.socket
        assert real.fileno() < 1_000_000_000


def test_other_threads_keep_the_real_network() -> None:
    made: list[Any] = []

    def outside() -> None:
        with socket.socket() as real:
            made.append((type(real), real.fileno() < 1_000_000_000))

    with kernel().patched():
        thread = threading.Thread(target=outside)
        thread.start()
        thread.join()
    assert made == [(socket.socket, True)]


def test_a_file_at_the_path_of_a_unix_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    real = socket.socket(socket.AF_UNIX)
    real.bind(str(path))
    try:

        async def main() -> bytes:
            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(b"simulated")
                writer.close()

            for _ in range(2):
                server = await asyncio.start_unix_server(serve, str(path))
                reader, writer = await asyncio.open_unix_connection(str(path))
                said = await reader.read()
                writer.close()
                server.close()
            return said

        run = Stepped(main)
        assert run.until() == b"simulated"
        run.close()
        assert path.is_socket()
    finally:
        real.close()


def test_a_path_leads_where_it_does_on_this_python_once_its_server_has_closed() -> None:
    async def main() -> str:
        server = await asyncio.start_unix_server(lambda *_: None, "/run/s")
        server.close()
        try:
            await asyncio.open_unix_connection("/run/s")
        except OSError as error:
            return type(error).__name__
        return ""

    run = Stepped(main)
    removed = sys.version_info >= (3, 13)
    assert run.until() == ("FileNotFoundError" if removed else "ConnectionRefusedError")
    run.close()


def test_an_idle_connection_is_asked_whether_it_is_still_there() -> None:
    """As httpcore does, by `select.poll` on the descriptor."""
    ours = kernel()
    with ours.patched():
        one, other = socket.socketpair()

        def readable() -> bool:
            poll = select.poll()
            poll.register(one.fileno(), select.POLLIN)
            return bool(poll.poll(0)) and bool(select.select([one.fileno()], [], [], 0)[0])

        assert not readable()
        other.send(b"x")
        assert readable()
        one.recv(1)
        assert not readable()
        other.close()
        assert readable()
    ours.close()


def test_ask_is_refused_outside() -> None:
    with pytest.raises(OSError):
        asyncio.run(ask(b"a\n"))
