"""What sockets say when they are used in ways that cannot work, or hardly ever: as the real ones, call for call."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim.live.net import Kernel
from sim.live.net.stream_socket import StreamSocket

HOST = "127.0.0.1"


def made(kind: int = socket.SOCK_STREAM, family: int = socket.AF_INET) -> socket.socket:
    each = socket.socket(family, kind)
    each.setblocking(False)
    return each


def listening() -> socket.socket:
    each = made()
    each.bind((HOST, 0))
    each.listen(5)
    return each


def connected() -> tuple[socket.socket, socket.socket, socket.socket]:
    listener, client = listening(), made()
    client.connect_ex(listener.getsockname())
    server, _ = listener.accept()
    server.setblocking(False)
    return client, server, listener


def said(call: Callable[[], Any]) -> Any:
    """What a call gives, or the error that it raises; ports and addresses of the run aside."""
    try:
        value = call()
    except OSError as error:
        return type(error).__name__, error.errno
    return value if isinstance(value, int | bytes | str | type(None)) else type(value).__name__


def fresh(_: Path) -> list[Any]:
    each = made()
    return [
        said(lambda: each.recv(1)),
        said(lambda: each.send(b"x")),
        said(lambda: each.sendto(b"x", (HOST, 1))),
        said(lambda: each.shutdown(socket.SHUT_RDWR)),
        said(each.accept),
        said(each.getpeername),
        each.getsockname(),
        each.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE),
        each.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
        each.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR, 4),
        (each.family, each.type, each.proto, each.gettimeout(), each.timeout, each.getblocking()),
        each.get_inheritable(),
    ]


def listeners(_: Path) -> list[Any]:
    each = listening()
    return [
        said(each.accept),
        said(lambda: each.bind((HOST, 0))),
        said(lambda: each.connect((HOST, 1))),
        said(lambda: each.recv(1)),
        said(lambda: each.send(b"x")),
        said(lambda: each.listen(7)),
        said(each.getpeername),
        said(each.close),
        said(each.accept),
        said(each.close),
    ]


def ends(_: Path) -> list[Any]:
    client, server, listener = connected()
    into = bytearray(4)
    return [
        said(lambda: client.connect(listener.getsockname())),
        client.connect_ex(listener.getsockname()),
        said(lambda: client.bind((HOST, 0))),
        said(client.listen),
        said(client.accept),
        said(lambda: client.recv(1)),
        said(lambda: client.recv(0)),
        said(lambda: client.send(b"")),
        said(lambda: client.sendto(b"ab", listener.getsockname())),
        said(lambda: client.sendmsg([b"c", b"d"])),
        said(lambda: client.sendall(b"efgh")),
        server.recvfrom(1),
        server.recvmsg(1),
        server.recvfrom_into(into, 2),
        server.recv_into(memoryview(into)[2:]),
        bytes(into),
        said(lambda: client.shutdown(socket.SHUT_WR)),
        said(lambda: client.shutdown(socket.SHUT_WR)),
        said(lambda: client.send(b"x")),
        said(lambda: server.recv(10)),
        said(lambda: server.recv(10)),
        said(lambda: server.send(b"y")),
        said(lambda: client.recv(10, socket.MSG_PEEK)),
        said(lambda: client.recv(10)),
        said(lambda: client.shutdown(socket.SHUT_RD)),
        said(lambda: client.recv(10)),
    ]


def refused(_: Path) -> list[Any]:
    free = made()
    free.bind((HOST, 0))
    address = free.getsockname()
    each = made()
    return [
        said(lambda: each.connect(address)),
        said(each.getpeername),
        each.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
        each.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
        said(lambda: each.recv(1)),
        said(lambda: each.send(b"x")),
    ]


def resets(_: Path) -> list[Any]:
    client, server, _held = connected()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.send(b"last")
    client.close()
    found = [said(lambda: server.recv(10)) for _ in range(3)]
    found += [said(lambda: server.send(b"x")), said(server.getpeername), said(lambda: server.shutdown(socket.SHUT_WR))]
    client, server, _also_held = connected()
    server.close()
    found += [said(lambda: client.recv(1)), said(lambda: client.send(b"x")), said(lambda: client.send(b"y"))]
    found += [said(lambda: client.recv(1)), client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]
    return found


def datagrams(_: Path) -> list[Any]:
    one, other = made(socket.SOCK_DGRAM), made(socket.SOCK_DGRAM)
    into = bytearray(2)
    return [
        said(lambda: one.send(b"x")),
        said(lambda: one.recv(1)),
        said(one.listen),
        said(one.accept),
        said(lambda: made(socket.SOCK_DGRAM).shutdown(socket.SHUT_RDWR)),
        said(lambda: other.bind((HOST, 0))),
        said(lambda: one.sendto(bytes(70_000), other.getsockname())),
        said(lambda: one.sendto(b"abc", other.getsockname())),
        said(lambda: one.sendto(b"def", 0, other.getsockname())),
        said(lambda: one.sendmsg([b"g", b"h"], [], 0, other.getsockname())),
        other.recvfrom(9, socket.MSG_PEEK)[0],
        other.recvfrom_into(into)[0],
        bytes(into),
        said(lambda: other.recv(9)),
        said(lambda: other.recv(9)),
        said(lambda: other.recv(9)),
        said(lambda: one.connect(other.getsockname())),
        said(lambda: one.connect(other.getsockname())),
        said(lambda: other.sendto(b"back", one.getsockname())),
        said(lambda: one.recv(9)),
        said(lambda: one.getpeername() == other.getsockname()),
        said(other.close),
        said(lambda: one.send(b"x")),
        said(lambda: one.send(b"x")),
        said(lambda: one.recv(9)),
    ]


def paths(folder: Path) -> list[Any]:
    path = str(folder / "s")
    bound, client = made(family=socket.AF_UNIX), made(family=socket.AF_UNIX)
    found = [
        client.getsockname(),
        said(lambda: client.connect(path)),
        said(lambda: bound.bind(path)),
        bound.getsockname() == path,
        said(lambda: made(family=socket.AF_UNIX).bind(path)),
        said(lambda: client.connect(path)),
        said(lambda: bound.listen(3)),
        said(lambda: client.connect(path)),
        client.getpeername() == path,
        said(lambda: client.connect(path)),
        said(lambda: client.send(b"before anybody accepts")),
    ]
    server, address = bound.accept()
    server.setblocking(False)
    found += [address, server.getpeername(), server.getsockname() == path, said(lambda: server.recv(6))]
    client.send(b"more")
    server.close()
    found += [said(lambda: client.recv(1)), said(lambda: client.send(b"x")), said(lambda: client.recv(1))]
    bound.close()
    found += [said(lambda: made(family=socket.AF_UNIX).connect(path))]
    return found


def datagrams_over_paths(folder: Path) -> list[Any]:
    one, other = (made(socket.SOCK_DGRAM, socket.AF_UNIX) for _ in range(2))
    path, mine = str(folder / "d"), str(folder / "e")
    return [
        said(lambda: one.send(b"x")),
        said(lambda: one.sendto(b"x", path)),
        said(lambda: other.bind(path)),
        said(lambda: one.sendto(b"anonymous", path)),
        other.recvfrom(20),
        said(lambda: one.bind(mine)),
        said(lambda: one.sendto(b"named", path)),
        other.recvfrom(20)[1] == mine,
        said(other.close),
        said(lambda: one.sendto(b"x", path)),
    ]


def closed(_: Path) -> list[Any]:
    each = made()
    fd = each.detach()
    again = socket.socket(fileno=fd)
    found = [each.fileno(), again.fileno() == fd, again.type, again.family]
    with again:
        pass
    return [*found, again.fileno(), said(lambda: again.recv(1)), said(again.getsockname), repr(again).partition(" ")[2]]


def pairs(_: Path) -> list[Any]:
    one, other = socket.socketpair()
    one.setblocking(False)
    found = [one.getsockname(), one.getpeername(), said(lambda: one.send(b"x")), other.recv(5)]
    found += [said(lambda: one.shutdown(socket.SHUT_WR)), other.recv(5), said(lambda: other.send(b"y")), one.recv(5)]
    other.close()
    return [*found, said(lambda: one.recv(5)), said(lambda: one.send(b"z"))]


USES = [fresh, listeners, ends, refused, resets, datagrams, paths, datagrams_over_paths, closed, pairs]


def _simulated(use: Callable[[Path], list[Any]], folder: Path) -> list[Any]:
    kernel = Kernel(lambda: "main", at_once=True)
    with kernel.patched():
        return use(folder)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_each_call_says_what_the_real_one_says(use: Callable[[Path], list[Any]], tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "simulated").mkdir()
    real, ours = use(tmp_path / "real"), _simulated(use, tmp_path / "simulated")
    assert [pair for pair in enumerate(zip(real, ours, strict=True)) if pair[1][0] != pair[1][1]] == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_error_that_is_not_the_real_one_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StreamSocket, "die", lambda self, number=0: StreamSocket.get_end(self))
    assert resets(tmp_path) != _simulated(resets, tmp_path)
