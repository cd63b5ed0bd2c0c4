"""Calls by chance on two connected sockets: what each gives, and who is ready after it, is what real ones give."""

from __future__ import annotations

import random
import selectors
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim.live.net import Kernel
from sim.live.net.stream_socket import StreamSocket
from tests.counts import examples
from tests.live.net.test_errors import connected, said

KINDS = ["tcp", "unix", "pair"]
CALLS = 14
TRIES = 2


def _ends(kind: str, folder: Path) -> list[socket.socket]:
    if kind == "tcp":
        ends = list(connected())
        for end in ends[:2]:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as asyncio does
        return ends
    if kind == "pair":
        pair = list(socket.socketpair())
    else:
        listener, client = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        listener.bind(str(folder / "s"))
        listener.listen()
        client.setblocking(False)
        client.connect(str(folder / "s"))
        pair = [client, listener.accept()[0], listener]
    for each in pair:
        each.setblocking(False)
    return pair


def told(kind: str, seed: int, folder: Path, selector: selectors.BaseSelector) -> list[Any]:
    """What the calls of one seed give, each with who is ready after it."""
    dice = random.Random(seed)
    ends = _ends(kind, folder)
    for index, end in enumerate(ends[:2]):
        selector.register(end, selectors.EVENT_READ | selectors.EVENT_WRITE, index)
    found: list[Any] = []
    for number in range(CALLS):
        index = dice.randrange(2)
        name, call = _call(dice, ends[index], number)
        if name == "close" and ends[index].fileno() >= 0:
            selector.unregister(ends[index])
        if name == "ask":
            mask = dice.choice([1, 2, 3])
            if ends[index].fileno() >= 0:
                selector.modify(ends[index], mask, index)
        got = said(call)
        got = (got[:3], len(got)) if isinstance(got, bytes) else got
        found.append((index, name, got, [(key.data, mask) for key, mask in selector.select(0)]))
    for end in ends:
        end.close()
    return found


def _call(dice: random.Random, end: socket.socket, number: int) -> tuple[str, Callable[[], Any]]:
    data = bytes([number]) * dice.choice([1, 3, 500])
    size = dice.choice([0, 1, 2, 10_000])
    return dice.choice(
        [
            ("send", lambda: end.send(data)),
            ("send", lambda: end.send(data)),
            ("recv", lambda: end.recv(size)),
            ("recv", lambda: end.recv(size)),
            ("recv", lambda: end.recv(10_000)),
            ("peek", lambda: end.recv(size, socket.MSG_PEEK)),
            ("end", lambda: end.shutdown(socket.SHUT_WR)),
            ("shut", lambda: end.shutdown(dice.choice([socket.SHUT_WR, socket.SHUT_WR, socket.SHUT_RDWR]))),
            ("error", lambda: end.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)),
            ("linger", lambda: end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))),
            ("close", end.close),
            ("ask", lambda: None),
            ("poll", lambda: None),
        ]
    )


def difference(kind: str, seed: int, folder: Path) -> str:
    """Where the two differ. A loaded machine may be late with what was sent, even to itself: so it is asked again."""
    return min((_difference(kind, seed, folder) for _ in range(TRIES)), key=len)


def _difference(kind: str, seed: int, folder: Path) -> str:
    for name in ("real", "simulated"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "s").unlink(missing_ok=True)
    with selectors.DefaultSelector() as selector:
        real = told(kind, seed, folder / "real", selector)
    kernel = Kernel(lambda: "main", at_once=True)
    with kernel.patched():
        ours = told(kind, seed, folder / "simulated", kernel.selector)
    for index, pair in enumerate(zip(real, ours, strict=True)):
        if pair[0] != pair[1]:
            before = "\n".join(map(str, real[:index]))
            return f"{kind} {seed}:\n{before}\nreal:      {pair[0]}\nsimulated: {pair[1]}"
    return ""


@pytest.mark.parametrize("kind", KINDS)
def test_calls_by_chance_give_what_they_give_on_real_sockets(kind: str, tmp_path: Path) -> None:
    for seed in range(examples(150)):
        assert difference(kind, seed, tmp_path) == ""


@pytest.mark.parametrize("name", ["get_end", "die", "readiness", "shutdown"])
def test_a_stream_that_does_nothing_of_the_kind_is_seen(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StreamSocket, name, lambda *_: 0)
    assert any(difference(kind, seed, tmp_path) for kind in KINDS for seed in range(30))
