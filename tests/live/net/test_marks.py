"""Marks: equal for equal states, whatever led there, in every process; different for different ones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim.live.net import Kernel
from sim.live.net.kernel_socket import KernelSocket
from tests.live.net.programs import sealed
from tests.live.net.stepping import Owner, Stepped
from tests.live.net.test_arrivals import named

ROOT = Path(__file__).parents[3]


def _connected() -> tuple[Kernel, Any, Any]:
    kernel = named()
    listener, client = kernel.socket(), kernel.socket()
    client.setblocking(False)
    listener.bind(("redis", 6379))
    listener.listen()
    client.connect_ex(("redis", 6379))
    kernel.arrive(kernel.arrivals()[0])
    server = listener.accept()[0]
    server.setblocking(False)
    client._listener = listener
    return kernel, client, server


CHANGES: dict[str, Callable[[Kernel, Any, Any], object]] = {
    "sent": lambda kernel, client, server: client.send(b"x"),
    "sent otherwise": lambda kernel, client, server: client.send(b"y"),
    "sent back": lambda kernel, client, server: server.send(b"x"),
    "arrived": lambda kernel, client, server: (client.send(b"x"), kernel.arrive(kernel.arrivals()[0])),
    "ended": lambda kernel, client, server: client.shutdown(1),
    "reset": lambda kernel, client, server: kernel.reset(kernel.connections()[0]),
    "closed": lambda kernel, client, server: client.close(),
    "crashed": lambda kernel, client, server: kernel.crash("redis"),
    "cut": lambda kernel, client, server: kernel.cut("a", "b"),
    "another": lambda kernel, client, server: setattr(client, "another", kernel.socket()),
    "pair": lambda kernel, client, server: setattr(client, "pair", kernel.socketpair()),
    "reaching": lambda kernel, client, server: (
        setattr(client, "another", kernel.socket()),
        client.another.setblocking(False),
        client.another.connect_ex(("redis", 6379)),
    ),
}


def _marks() -> dict[str, int]:
    found = {}
    for name, change in {"nothing": lambda *_: None, **CHANGES}.items():
        kernel, client, server = _connected()
        kernel.mark()
        change(kernel, client, server)
        found[name] = kernel.mark()
        kernel.close()
    return found


def test_what_differs_has_another_mark_and_what_is_equal_has_one() -> None:
    marks = _marks()
    assert len(set(marks.values())) == len(marks)
    assert marks == _marks()


def test_an_endpoint_that_forgets_to_say_that_it_has_changed_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KernelSocket, "changed", lambda self: None)
    assert len(set(_marks().values())) < len(CHANGES) + 1


def test_what_was_sent_and_read_leaves_no_trace() -> None:
    kernel, client, server = _connected()
    before = kernel.mark()
    client.send(b"x")
    kernel.arrive(kernel.arrivals()[0])
    assert server.recv(1) == b"x"
    assert kernel.mark() == before
    other = kernel.socket()
    other.close()
    assert kernel.mark() == before
    kernel.close()


TRACE = """
from tests.live.net.stepping import Stepped
from tests.live.net.test_arrivals import ask, chaotic, named, served
for seed in range(5):
    run = Stepped(served(ask(b"a\\n", b"bc\\n"), ask(b"d\\n"), ask(b"e\\n")), named())
    marks = []
    choose = chaotic(seed)
    run.until(choose=lambda arrivals: (marks.append(run.kernel.mark()), choose(arrivals))[1])
    print(run.trace, marks)
    run.close()
"""


def test_marks_and_traces_are_the_same_in_every_process() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", TRACE],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(said) == 1
    assert said.pop().count("connect client->redis") == 5


def test_what_tls_makes_of_chance_is_not_seen(tmp_path: Path) -> None:
    seen = []
    for _ in range(3):
        marks: list[Any] = []
        run = Stepped(lambda: sealed(lambda *_: None, tmp_path), Kernel(Owner()))
        run.until(choose=lambda arrivals: (marks.append(run.kernel.mark()), (arrivals[0], ""))[1])  # noqa: B023
        seen.append((marks, run.trace))
        run.close()
    assert seen[0] == seen[1] == seen[2]
    assert all("0 bytes" in each or "bytes" not in each for each in seen[0][1])
