"""Trusted certificates are read once, and again only where a context needs them; nobody can tell."""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sim import Program, simulate
from sim.live import certificates
from sim.live.certificates import Certificates
from sim.live.live_world import LiveWorld
from sim.strategy import Canonical

PEM = Path(__file__).parent / "net" / "localhost.pem"
KEPT: list[ssl.SSLContext] = []


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[Certificates]:
    """Nothing was read before."""
    made = Certificates()
    monkeypatch.setattr(certificates, "CERTIFICATES", made)
    yield made
    KEPT.clear()


def trusting(path: object = PEM) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)  # type: ignore[arg-type]
    return context


async def talks(_: Any) -> None:
    """Over TLS."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(PEM)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    server = await asyncio.start_server(echo, "localhost", 443, ssl=serving)
    reader, writer = await asyncio.open_connection("localhost", 443, ssl=trusting())
    writer.write(b"hello\n")
    assert await reader.readline() == b"hello\n"
    writer.close()
    server.close()
    await asyncio.sleep(1)


async def counts(_: Any) -> None:
    assert trusting().cert_store_stats()["x509"] == 1
    assert len(trusting().get_ca_certs()) == 1


async def keeps(_: Any) -> None:
    KEPT.append(trusting())


def wrong(main: Any) -> list[str]:
    """What is wrong with several runs in which all comes as usual: else a handshake may take too long."""
    world = LiveWorld(Program(main))
    with world.walking():
        findings = [simulate(world, Canonical()).finding for _ in range(5)]
    return list(dict.fromkeys(found.message for found in findings if found is not None))


def test_a_context_trusts_in_every_run_what_it_was_told_to() -> None:
    assert wrong(talks) == []
    assert wrong(counts) == []


def test_a_context_that_forgot_what_was_put_off_would_be_seen(
    anew: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anew, "settle", lambda context: None)
    assert wrong(counts) != []
    (message,) = wrong(talks)
    assert "certificate verify failed" in message


def test_a_file_is_read_once_for_all_runs(anew: Certificates) -> None:
    read: list[object] = []

    async def main(_: Any) -> None:
        context = trusting()
        read.append(context not in anew._put_off)

    assert wrong(main) == []
    assert read[0]
    assert not any(read[1:])
    assert len(read) > 3


def test_what_outlives_its_run_has_read_all_by_then(anew: Certificates) -> None:
    assert wrong(keeps) == []
    stats = [context.cert_store_stats()["x509"] for context in KEPT]
    assert stats == [1] * len(stats)
    assert not anew._put_off


def test_a_context_that_is_gone_is_not_kept(anew: Certificates) -> None:
    async def main(_: Any) -> None:
        trusting()
        gc.collect()
        assert not anew._put_off

    assert wrong(main) == []


async def trusts_nothing(_: Any) -> None:
    trusting(PEM.with_name("nothing.pem"))


async def trusts_no_certificate(_: Any) -> None:
    trusting(__file__)


@pytest.mark.parametrize(
    ("main", "said"), [(trusts_nothing, "FileNotFoundError"), (trusts_no_certificate, "NO_CERTIFICATE_OR_CRL_FOUND")]
)
def test_what_cannot_be_read_says_so_at_once_in_every_run(main: Any, said: str) -> None:
    for _ in range(2):
        (message,) = wrong(main)
        assert said in message


def test_a_file_that_has_changed_is_read_again(tmp_path: Path, anew: Certificates) -> None:
    file = tmp_path / "trusted.pem"
    file.write_bytes(PEM.read_bytes())

    async def main(_: Any) -> None:
        trusting(file)

    assert wrong(main) == []
    file.write_text("nothing\n")
    (message,) = wrong(main)
    assert "NO_CERTIFICATE_OR_CRL_FOUND" in message
