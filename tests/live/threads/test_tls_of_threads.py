"""TLS over a blocking socket, in a thread: the clients of the standard library ask a server over TLS, and cannot tell the run from
the world. In the loop's own thread it is refused, as what waits is (`test_refusals`)."""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from sim import Program, fuzz
from sim.live.net.tls_socket import TlsSocket
from tests.live.digests import elsewhere, of_schedules
from tests.live.small import replayed

HOST = "api.example"


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        if line == b"end\n":
            break
        writer.write(line)
    writer.close()


def connected(timeout: float | None = None, **how: Any) -> Any:
    plain = socket.create_connection((HOST, 443), timeout)
    return ssl.create_default_context().wrap_socket(plain, server_hostname=how.pop("name", HOST), **how)


def outcome(client: Callable[[], Any], schedule: Any = (), faults: str = "") -> Any:
    """What a client gives back that asks an echo in a thread, or what it raises."""
    found: list[Any] = []

    def ask() -> None:
        try:
            found.append(client())
        except Exception as error:
            found.append(error)

    async def main(world: Any) -> None:
        world.serve(f"{HOST}:443", echo, name="echo", tls=True)
        await world.task("client", asyncio.to_thread(ask))

    run = replayed(main, schedule, faults=faults)
    assert run.finding is None, run.finding
    return found[-1]


def says_what_it_hears() -> Any:
    with connected() as sock:
        sock.sendall(b"one\n")
        first = sock.recv(2)
        lines = sock.makefile("rb")
        sock.write(b"two\n")
        got = [first, lines.readline(), lines.readline()]
        sock.sendall(b"end\n")
        return [*got, lines.readline(), sock.recv(9)]


def test_what_is_sent_comes_back_and_at_the_end_there_is_nothing() -> None:
    assert outcome(says_what_it_hears) == [b"on", b"e\n", b"two\n", b"", b""]


def test_what_a_session_says_of_itself() -> None:
    def client() -> Any:
        with connected() as sock:
            issuer = dict(part[0] for part in sock.getpeercert()["issuer"])
            return sock.version(), sock.server_hostname, "roundsim" in issuer["commonName"], sock.getpeername()[1]

    assert outcome(client) == ("TLSv1.3", HOST, True, 443)


def test_a_long_text_takes_many_records() -> None:
    text = b"x" * 60_000 + b"\n"

    def client() -> int:
        with connected() as sock:
            sock.sendall(text)
            return len(sock.makefile("rb").readline())

    assert outcome(client) == len(text)


def test_a_certificate_of_somebody_else_is_refused_and_the_socket_closed() -> None:
    error = outcome(lambda: connected(name="other.example"))
    assert isinstance(error, ssl.SSLCertVerificationError)


def test_who_waits_too_long_is_told() -> None:
    def client() -> Any:
        with connected(timeout=3) as sock:
            sock.recv(1)

    assert isinstance(outcome(client), TimeoutError)


def test_who_wraps_what_is_not_connected_is_told() -> None:
    def client() -> Any:
        ssl.create_default_context().wrap_socket(socket.socket(), server_hostname=HOST)

    assert isinstance(outcome(client), OSError)


def test_a_handshake_may_be_put_off_and_a_session_be_left() -> None:
    def client() -> Any:
        sock = connected(do_handshake_on_connect=False)
        sock.do_handshake()
        sock.sendall(b"one\n")
        got = sock.recv(9)
        with pytest.raises(ValueError, match="non-zero flags"):
            sock.recv(1, socket.MSG_PEEK)
        assert not hasattr(sock, "_nothing")
        sock.close()
        return got

    assert outcome(client) == b"one\n"


def test_a_connection_that_is_cut_is_no_end() -> None:
    schedule = ["reset client->echo"]
    error = outcome(says_what_it_hears, schedule, faults="reset:1")
    assert isinstance(error, ConnectionResetError)


def asks_over_https() -> bytes:
    client = http.client.HTTPSConnection("api.openai.com", timeout=30)
    client.request("POST", "/v1/chat/completions", b'{"model": "m", "messages": [{"role": "user", "content": "so?"}]}')
    said = client.getresponse().read()
    client.close()
    return said


def system() -> Program:
    async def main(world: Any) -> None:
        world.serve_openai(answers="yes")

        def ask() -> None:
            with suppress(OSError, http.client.HTTPException):  # it may be cut
                assert b'"content": "yes"' in asks_over_https()

        await asyncio.gather(*(world.task("client", asyncio.to_thread(ask)) for _ in range(2)))

    return Program(main, faults="disconnect:1@openai")


def test_two_threads_ask_at_once_in_every_order() -> None:
    assert fuzz(system(), schedules=100).verdict == "ok"


def test_one_seed_has_one_digest_in_every_process() -> None:
    here = of_schedules(system(), 5)
    assert len(set(here)) > 2
    for there in elsewhere(["0", "4242"], "of_schedules(made('tests.live.threads.test_tls_of_threads'), 5)"):
        assert there == here


# That it is noticed where any of this does not hold -----------------------------------------------------


def test_what_is_never_sent_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TlsSocket, "_flush", lambda _: None)
    with pytest.raises(AssertionError, match="deadlock"):
        outcome(says_what_it_hears)


def test_an_end_that_is_not_heard_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TlsSocket, "_fill", _fill_without_an_end)
    with pytest.raises(AssertionError):
        test_what_is_sent_comes_back_and_at_the_end_there_is_nothing()


def _fill_without_an_end(sock: Any) -> None:
    data = super(TlsSocket, sock).recv(1_000)
    if not data:
        raise AssertionError("nothing comes any more")
    sock._coming.write(data)
