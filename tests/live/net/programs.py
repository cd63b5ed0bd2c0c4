"""Small network programs that end by themselves: each is run on a real loop and on a simulated one, and both tell what
happened, in the words of `log`."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
LONG = 1_000
Log = Callable[..., None]
Program = Callable[[Log, Path], Awaitable[None]]
PROGRAMS: dict[str, Program] = {}


def program(function: Program) -> Program:
    PROGRAMS[function.__name__] = function
    return function


class Told(asyncio.Protocol):
    """A protocol that tells its callbacks."""

    def __init__(
        self, name: str, log: Log, does: Callable[[Told, bytes], None] | None = None, keeps: bool = False
    ) -> None:
        self.name, self.log, self.does, self.keeps = name, log, does, keeps
        self.lost = asyncio.get_running_loop().create_future()
        self.got = b""
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.log(self.name, "made", transport.get_extra_info("peername") is not None)

    def data_received(self, data: bytes) -> None:
        self.got += data
        self.log(self.name, "data", data if len(data) < 100 else len(data))
        if self.does is not None:
            self.does(self, data)

    def eof_received(self) -> bool:
        self.log(self.name, "eof")
        return self.keeps

    def pause_writing(self) -> None:
        self.log(self.name, "pause")

    def resume_writing(self) -> None:
        self.log(self.name, "resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.log(self.name, "lost", repr(exc))
        if not self.lost.done():
            self.lost.set_result(None)


class Pair:
    """A server that told protocols serve, and a client connected to it."""

    def __init__(self, log: Log, **server: Any) -> None:
        self.log, self.server_options = log, server
        self.served: list[Told] = []

    async def open(self, does: Any = None, client_does: Any = None, keeps: bool = False, **client: Any) -> Told:
        loop = asyncio.get_running_loop()

        def made() -> Told:
            self.served.append(Told(f"server {len(self.served)}", self.log, does, keeps))
            return self.served[-1]

        self.server = await loop.create_server(made, HOST, 0, **self.server_options)
        self.port = self.server.sockets[0].getsockname()[1]
        _, protocol = await loop.create_connection(
            lambda: Told("client", self.log, client_does, keeps), HOST, self.port, **client
        )
        return protocol

    async def close(self, *ends: Told) -> None:
        for end in [*ends, *self.served]:
            await end.lost
        self.server.close()
        await self.server.wait_closed()


def echo(end: Told, data: bytes) -> None:
    end.transport.write(b"re " + data)


@program
async def an_echo(log: Log, _: Path) -> None:
    pair = Pair(log)
    client = await pair.open(
        echo, lambda end, data: end.transport.close() if b"3" in data else end.transport.write(b"3")
    )
    client.transport.write(b"1")
    client.transport.write(b"2")
    await pair.close(client)


@program
async def streams_with_an_end(log: Log, _: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            log("served", line)
            writer.write(b"got " + line)
            await writer.drain()
        log("served", "end")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, HOST, 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for line in (b"one\n", b"two\nthree\n"):
        writer.write(line)
        log("client", await reader.readline())
    writer.write_eof()
    log("client", await reader.read())
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


@program
async def half_close(log: Log, _: Path) -> None:
    """The server goes on writing after the client has ended."""
    pair = Pair(log)
    client = await pair.open(keeps=True)
    client.transport.write(b"question")
    client.transport.write_eof()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    pair.served[0].transport.write(b"answer")
    await asyncio.sleep(0)
    pair.served[0].transport.write(b"more")
    pair.served[0].transport.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    client.transport.close()
    await pair.close(client)


@program
async def refused(log: Log, _: Path) -> None:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    try:
        await asyncio.open_connection(HOST, port)
    except OSError as error:
        log(type(error).__name__, error.errno)


@program
async def reset_without_linger(log: Log, _: Path) -> None:
    pair = Pair(log)
    client = await pair.open()
    client.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.transport.write(b"last words")
    client.transport.abort()
    await pair.close(client)


@program
async def closed_with_something_unread(log: Log, _: Path) -> None:
    pair = Pair(log)
    client = await pair.open()
    await asyncio.sleep(0)
    client.transport.pause_reading()
    pair.served[0].transport.write(b"never read")
    await asyncio.sleep(0)
    client.transport.close()
    await pair.close(client)


@program
async def written_after_the_other_has_closed(log: Log, _: Path) -> None:
    pair = Pair(log)
    client = await pair.open(keeps=True)
    await asyncio.sleep(0)
    client.transport.close()
    for _ in range(6):
        await asyncio.sleep(0)
        pair.served[0].transport.write(b"anybody here?")
    await pair.close(client)


@program
async def reading_paused(log: Log, _: Path) -> None:
    pair = Pair(log)
    client = await pair.open(echo)
    client.transport.pause_reading()
    client.transport.write(b"1")
    for _ in range(5):
        await asyncio.sleep(0)
    client.transport.write(b"2")
    for _ in range(5):
        await asyncio.sleep(0)
    client.transport.resume_reading()
    for _ in range(3):
        await asyncio.sleep(0)
    client.transport.close()
    await pair.close(client)


@program
async def many_clients(log: Log, _: Path) -> None:
    pair = Pair(log)
    first = await pair.open(echo)
    loop = asyncio.get_running_loop()

    async def reach(number: int) -> None:
        _, end = await loop.create_connection(lambda: Told(f"client {number}", log), HOST, pair.port)
        end.transport.write(str(number).encode())
        for _ in range(number + 3):
            await asyncio.sleep(0)
        end.transport.close()
        await end.lost

    await asyncio.gather(*map(reach, range(5)))
    first.transport.close()
    await pair.close(first)


@program
async def into_buffers(log: Log, _: Path) -> None:
    class Buffered(asyncio.BufferedProtocol):
        def __init__(self) -> None:
            self.buffer = bytearray(4)

        def get_buffer(self, sizehint: int) -> bytearray:
            return self.buffer

        def buffer_updated(self, nbytes: int) -> None:
            log("buffered", bytes(self.buffer[:nbytes]))

        def eof_received(self) -> None:
            log("eof")

    loop = asyncio.get_running_loop()
    server = await loop.create_server(Buffered, HOST, 0)
    _, client = await loop.create_connection(lambda: Told("client", log), *server.sockets[0].getsockname())
    client.transport.writelines([b"abc", b"defgh", b"i"])
    client.transport.write_eof()
    await client.lost
    server.close()
    await server.wait_closed()


@program
async def a_connection_that_is_given_up(log: Log, _: Path) -> None:
    pair = Pair(log)
    client = await pair.open()
    task = asyncio.ensure_future(asyncio.open_connection(HOST, pair.port))
    await asyncio.sleep(0)
    task.cancel()
    log(await asyncio.gather(task, return_exceptions=True))
    for _ in range(4):
        await asyncio.sleep(0)
    client.transport.close()
    await pair.close(client)


@program
async def a_server_that_closes_on_who_waits(log: Log, _: Path) -> None:
    loop = asyncio.get_running_loop()
    listener = socket.socket()
    listener.bind((HOST, 0))
    listener.listen()
    _, client = await loop.create_connection(lambda: Told("client", log), *listener.getsockname())
    client.transport.write(b"hello")
    await asyncio.sleep(0)
    listener.close()
    await client.lost


@program
async def sockets_by_hand(log: Log, _: Path) -> None:
    loop = asyncio.get_running_loop()
    listener = socket.socket()
    listener.setblocking(False)
    listener.bind((HOST, 0))
    listener.listen()
    client = socket.socket()
    client.setblocking(False)
    accepting = loop.create_task(loop.sock_accept(listener))
    await loop.sock_connect(client, listener.getsockname())
    served, address = await accepting
    log(address == client.getsockname(), client.getpeername() == listener.getsockname(), served.family, served.type)
    receiving = loop.create_task(loop.sock_recv(served, 5))
    await loop.sock_sendall(client, b"one two")
    log(await receiving, served.recv(1, socket.MSG_PEEK), await loop.sock_recv(served, 10))
    into = bytearray(3)
    receiving2 = loop.create_task(loop.sock_recv_into(client, into))
    await asyncio.sleep(0)
    served.shutdown(socket.SHUT_WR)
    log(await receiving2, client.send(b"x"), await loop.sock_recv(served, 10))
    try:
        served.send(b"y")
    except OSError as error:
        log(type(error).__name__)
    for each in (served, client, listener):
        each.close()
        log(each.fileno())


@program
async def a_pair_of_sockets(log: Log, _: Path) -> None:
    loop = asyncio.get_running_loop()
    one, other = socket.socketpair()
    one.setblocking(False)
    other.setblocking(False)
    _, first = await loop.create_connection(lambda: Told("one", log), sock=one)
    _, second = await loop.create_connection(lambda: Told("other", log, echo), sock=other)
    first.transport.write(b"1")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.transport.close()
    await first.lost
    await second.lost


@program
async def a_reader_that_leaves_the_rest(log: Log, _: Path) -> None:
    """What is not taken is reported again."""
    loop = asyncio.get_running_loop()
    one, other = socket.socketpair()
    one.setblocking(False)
    other.setblocking(False)
    done = loop.create_future()

    def read() -> None:
        data = other.recv(2)
        log("read", data)
        if not data:
            loop.remove_reader(other)
            done.set_result(None)

    loop.add_reader(other, read)
    one.send(b"abcde")
    await asyncio.sleep(0)
    one.close()
    await done
    other.close()


@program
async def several_that_are_ready(log: Log, _: Path) -> None:
    """In the order in which they became ready; who is reported and not done comes last, who asks for more stays."""
    loop = asyncio.get_running_loop()
    pairs = [socket.socketpair() for _ in range(6)]
    for end in (end for pair in pairs for end in pair):
        end.setblocking(False)

    def read(number: int) -> None:
        log("read", number, pairs[number][1].recv(1))

    def write(number: int) -> None:
        log("write", number)
        loop.remove_writer(pairs[number][1])

    for number in (2, 0, 1, 5, 4, 3):
        loop.add_reader(pairs[number][1], read, number)
    for number in (3, 1, 4, 0, 5):
        pairs[number][0].send(b"ab" if number % 2 else b"a")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for number in (2, 3, 0):
        pairs[number][0].send(b"cd")
    for number in (5, 0):
        loop.add_writer(pairs[number][1], write, number)
    for _ in range(8):
        await asyncio.sleep(0)
    for number in (0, 4, 2):
        loop.remove_reader(pairs[number][1])
        pairs[number][0].send(b"e")
    for number in (4, 2, 0):
        loop.add_reader(pairs[number][1], read, number)
    for _ in range(4):
        await asyncio.sleep(0)
    for one, other in pairs:
        loop.remove_reader(other)
        one.close()
        other.close()


@program
async def datagrams(log: Log, _: Path) -> None:
    loop = asyncio.get_running_loop()

    class Datagrams(asyncio.DatagramProtocol):
        def __init__(self, name: str) -> None:
            self.name = name
            self.heard = loop.create_future()

        def connection_made(self, transport: Any) -> None:
            self.transport = transport
            log(self.name, "made")

        def datagram_received(self, data: bytes, addr: Any) -> None:
            log(self.name, data, addr[0], len(addr))
            if self.name == "server":
                self.transport.sendto(b"re " + data, addr)
            elif not self.heard.done():
                self.heard.set_result(None)

        def error_received(self, exc: Exception) -> None:
            log(self.name, repr(exc))
            if not self.heard.done():
                self.heard.set_result(None)

        def connection_lost(self, exc: Exception | None) -> None:
            log(self.name, "lost", repr(exc))

    server, _server = await loop.create_datagram_endpoint(lambda: Datagrams("server"), local_addr=(HOST, 0))
    address = server.get_extra_info("sockname")
    one, told = await loop.create_datagram_endpoint(lambda: Datagrams("one"), remote_addr=address)
    other, told2 = await loop.create_datagram_endpoint(lambda: Datagrams("other"), local_addr=(HOST, 0))
    one.sendto(b"1")
    other.sendto(b"2", address)
    one.sendto(b"3")
    await told.heard
    await told2.heard
    anywhere, told3 = await loop.create_datagram_endpoint(lambda: Datagrams("anywhere"), family=socket.AF_INET)
    anywhere.sendto(b"4", address)
    await told3.heard
    anywhere.close()
    server.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    told.heard = loop.create_future()
    one.sendto(b"lost")
    await told.heard
    one.close()
    other.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


@program
async def the_next_version_of_addresses(log: Log, _: Path) -> None:
    """IPv6, where the machine has it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        log("served", writer.get_extra_info("peername")[0], writer.get_extra_info("sockname")[2:])
        writer.write(await reader.read(5))
        writer.close()

    try:
        server = await asyncio.start_server(serve, "::1", 0)
    except OSError:
        return
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    log(writer.get_extra_info("peername")[2:], len(writer.get_extra_info("sockname")))
    writer.write(b"hello")
    log(await reader.read())
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


if sys.platform != "win32":

    @program
    async def over_a_path(log: Log, folder: Path) -> None:
        loop = asyncio.get_running_loop()
        path = str(folder / "s")
        ends: list[Told] = []

        def made() -> Told:
            ends.append(Told("server", log, echo))
            return ends[-1]

        server = await loop.create_unix_server(made, path)
        log([sock.getsockname() == path for sock in server.sockets])
        _, client = await loop.create_unix_connection(lambda: Told("client", log), path)
        log(client.transport.get_extra_info("sockname"), client.transport.get_extra_info("peername") == path)
        client.transport.write(b"1")
        for _ in range(5):
            await asyncio.sleep(0)
        client.transport.close()
        await client.lost
        await ends[0].lost
        again = await loop.create_unix_server(made, path)
        _, client = await loop.create_unix_connection(lambda: Told("client", log), path)
        client.transport.pause_reading()
        client.transport.write(b"2")
        for _ in range(5):
            await asyncio.sleep(0)
        client.transport.close()
        await ends[1].lost
        for each in (server, again):
            each.close()
            await each.wait_closed()
        for where in (path, path + "?"):
            try:
                await asyncio.open_unix_connection(where)
            except OSError as error:
                log(type(error).__name__)


async def a_slow_reader(log: Log, _: Path) -> None:
    """How much fits between the two is the system's business; so it tells no turns."""
    told: list[str] = []
    pair = Pair(lambda *said: told.append(" ".join(map(str, said[:2]))))
    client = await pair.open()
    await asyncio.sleep(0)
    server = pair.served[0]
    server.transport.pause_reading()
    client.transport.write(bytes(range(256)) * 64 * LONG)
    client.transport.write_eof()
    for _ in range(20):
        await asyncio.sleep(0)
    log(told, client.transport.get_write_buffer_size() > 0, len(server.got))
    server.transport.resume_reading()
    await pair.close(client)
    log(
        [word for word in told if word != "server 0 data"],
        len(server.got),
        server.got[::251] == (bytes(range(256)) * 64 * LONG)[::251],
    )


_KEYS = Path(__file__).parent / "localhost.pem"


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(_KEYS)
    client = ssl.create_default_context(cafile=str(_KEYS))
    return server, client


@program
async def sealed(log: Log, _: Path) -> None:
    theirs, ours = contexts()
    pair = Pair(log, ssl=theirs)
    client = await pair.open(
        echo,
        lambda end, data: end.transport.close() if b"2" in data else end.transport.write(b"2"),
        ssl=ours,
        server_hostname="localhost",
    )
    log(client.transport.get_extra_info("cipher") is not None, client.transport.get_extra_info("peercert")["subject"])
    client.transport.write(b"1")
    await pair.close(client)


@program
async def sealed_from_then_on(log: Log, _: Path) -> None:
    theirs, ours = contexts()
    loop = asyncio.get_running_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        log("served", await reader.readline())
        writer.write(b"go\n")
        await writer.drain()
        await writer.start_tls(theirs)
        log("served", await reader.readline())
        writer.write(b"bye\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"tls?\n")
    log(await reader.readline())
    await writer.start_tls(ours, server_hostname="localhost")
    writer.write(b"sealed\n")
    log(await reader.readline(), await reader.read())
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    server.close()
    await server.wait_closed()
    assert loop.is_running()
