"""To ask whether a turn would run anything changes nothing of what the next poll reports."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from sim.live.loop import LiveLoop
from sim.live.net.kernel import Kernel


def reported(selector: Any, pair: Callable[[], tuple[Any, Any]], ask: Callable[[], object]) -> list[str]:
    """One was read to its end, another has come; then come a third and more for the first. `ask` stands in between."""
    ends = {name: pair() for name in ("first", "second", "third")}
    for name, (reader, _) in ends.items():
        reader.setblocking(False)
        selector.register(reader, selectors.EVENT_READ, name)
    ends["first"][1].send(b"1")
    selector.select(0)
    ends["first"][0].recv(9)
    ends["second"][1].send(b"2")
    ask()
    ends["third"][1].send(b"3")
    ends["first"][1].send(b"1")
    found = [key.data for key, _ in selector.select(0)]
    for reader, writer in ends.values():
        selector.unregister(reader)
        reader.close()
        writer.close()
    return found


def simulated() -> list[str]:
    kernel = Kernel(lambda: "main")
    loop = LiveLoop(SimpleNamespace(owner="main", processes=SimpleNamespace(let_go=lambda: None)), kernel)  # type: ignore[arg-type]
    try:
        return reported(kernel.selector, kernel.socketpair, loop.ready)
    finally:
        loop.leave()


def really() -> list[str]:
    with selectors.EpollSelector() as selector:
        return reported(selector, socket.socketpair, lambda: None)


epoll = pytest.mark.skipif(not hasattr(selectors, "EpollSelector"), reason="only Linux has epoll")


@epoll
def test_to_ask_is_not_to_poll() -> None:
    assert simulated() == really()


@epoll
def test_a_loop_that_polls_when_it_is_asked_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveLoop, "ready", lambda self: bool(self._ready or self._selector.select(0)))
    assert simulated() != really()
