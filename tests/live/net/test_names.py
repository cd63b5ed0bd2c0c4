"""Names and addresses: resolved within the run, the same in each."""

from __future__ import annotations

import asyncio
import socket

import pytest

from sim.live.net import Kernel
from tests.live.net.stepping import Owner, Stepped


def test_a_host_is_known_once_it_is_named() -> None:
    kernel = Kernel(Owner())
    with kernel.patched():
        with pytest.raises(socket.gaierror, match="Name or service not known"):
            socket.getaddrinfo("redis", 6379)
        kernel.name_address(("redis", 6379), "redis")
        assert socket.getaddrinfo("Redis", "6379", type=socket.SOCK_STREAM) == [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 6379))
        ]
        assert socket.gethostbyname("redis") == "10.0.0.1"
        assert socket.getnameinfo(("10.0.0.1", 6379), 0) == ("redis", "6379")
        assert socket.gethostbyaddr("10.0.0.1")[0] == "redis"
        assert socket.gethostname() == socket.getfqdn() == "localhost"


@pytest.mark.parametrize(
    ("host", "family", "address"),
    [
        ("localhost", 0, "127.0.0.1"),
        ("localhost", socket.AF_INET6, "::1"),
        ("127.0.0.1", 0, "127.0.0.1"),
        ("::1", 0, "::1"),
        ("192.0.2.7", 0, "192.0.2.7"),
        (None, 0, "127.0.0.1"),
        (b"localhost", 0, "127.0.0.1"),
    ],
)
def test_written_addresses_and_this_machine_resolve(host: str | None, family: int, address: str) -> None:
    infos = Kernel(Owner()).names.getaddrinfo(host, "http", family)
    assert {info[4][:2] for info in infos} == {(address, 80)}
    assert [info[1] for info in infos] == [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW]


@pytest.mark.parametrize(
    ("args", "number"),
    [
        (("nowhere", 1), socket.EAI_NONAME),
        (("localhost", "nothing"), socket.EAI_SERVICE),
        (("127.0.0.1", 1, socket.AF_INET6), socket.EAI_ADDRFAMILY),
        (("redis", 1, 0, 0, 0, socket.AI_NUMERICHOST), socket.EAI_NONAME),
    ],
)
def test_what_does_not_resolve_fails_as_it_does_outside(args: tuple[object, ...], number: int) -> None:
    kernel = Kernel(Owner())
    kernel.name_address(("redis", 1), "redis")
    with pytest.raises(socket.gaierror) as failed:
        kernel.names.getaddrinfo(*args)  # type: ignore[arg-type]
    assert failed.value.errno == number


def test_whoever_listens_makes_its_host_known_and_is_named_after_who_runs() -> None:
    async def main() -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(serve, "api.internal", 80)
        reader, writer = await asyncio.open_connection("api.internal", 80)
        await reader.read()
        writer.close()
        server.close()
        return str(writer.get_extra_info("peername"))

    run = Stepped(main)
    assert run.until() == "('10.0.0.1', 80)"
    assert run.trace[0] == "<connect main->main, number 1> "
    run.close()


def test_a_name_is_looked_up_as_fast_as_the_fastest_thread_could() -> None:
    """Not within the turn that asks: a cancellation may strike in between, as outside."""

    async def main() -> str:
        task = asyncio.ensure_future(asyncio.open_connection("localhost", 1))
        await asyncio.sleep(0)
        task.cancel()
        return repr((await asyncio.gather(task, return_exceptions=True))[0])

    run = Stepped(main)
    assert run.until().startswith("CancelledError(")
    assert run.trace == []
    run.close()


def test_an_address_is_taken_by_one_and_free_after_it() -> None:
    kernel = Kernel(Owner())
    one, other = kernel.socket(), kernel.socket()
    one.bind(("localhost", 80))
    assert one.getsockname() == ("127.0.0.1", 80)
    with pytest.raises(OSError, match="Address already in use"):
        other.bind(("127.0.0.1", 80))
    kernel.socket(type=socket.SOCK_DGRAM).bind(("127.0.0.1", 80))
    one.close()
    other.bind(("127.0.0.1", 80))
    other.listen()
    kernel.close()


def test_ports_are_counted_in_the_run() -> None:
    assert [_ports() for _ in range(2)] == [[49_152, 49_154, 49_155]] * 2


def _ports() -> list[int]:
    """Of sockets that ask for none, where another holds one of those that come."""
    kernel = Kernel(Owner())
    sockets = [kernel.socket() for _ in range(4)]
    for each, port in zip(sockets, (0, 49_153, 0, 0), strict=True):
        each.bind(("", port))
    ports = [each.getsockname()[1] for each in sockets]
    kernel.close()
    return [ports[0], *ports[2:]]


def test_who_listens_everywhere_is_found_everywhere() -> None:
    for host, found in (("0.0.0.0", ["127.0.0.1", "10.0.0.1"]), ("::", ["127.0.0.1", "::1"])):
        kernel = Kernel(Owner(), at_once=True)
        kernel.name_address(("redis", 1), "redis")
        listener = kernel.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.bind((host, 80))
        listener.listen()
        for address in found:
            client = kernel.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            client.setblocking(False)
            with pytest.raises(BlockingIOError):
                client.connect((address, 80))
            assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        kernel.close()
