"""TLS that is done by the network of a server: clients of the standard library trust it in a run, and schedules see what is sent."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import closing
from typing import Any

import pytest

from sim import Program, check, emit
from sim.live.certificates import CERTIFICATES
from sim.live.net.own_certificate import certified
from tests.live.digests import elsewhere, of_schedules
from tests.live.small import Said, replayed, said


async def upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async def shout(text: str, host: str = "loud.example.org", **how: Any) -> str:
    reader, writer = await asyncio.open_connection(host, 443, **{"ssl": True, **how})
    with closing(writer):
        writer.write(f"{text}\n".encode())
        return (await reader.readline()).decode().strip()


def asking(*texts: str, **how: Any) -> Any:
    async def client() -> None:
        for text in texts:
            try:
                said = await shout(text, **how)
            except OSError as error:
                said = type(error).__name__
            emit(Said(said))

    async def main(world: Any) -> None:
        world.serve("loud.example.org:443", upper, name="loud", tls=True)
        await asyncio.wait([world.task("client", client())])

    return main


def system() -> Program:
    return Program(asking("one", "two"), faults="reset:1, split:1")


def told(*schedule: str, faults: str = "", main: Any = None) -> list[str]:
    run = replayed(main or asking("one", "two"), schedule, faults=faults)
    assert run.finding is None, run.finding
    return [text.removeprefix("Said(what=").removesuffix(")").strip("'") for text in said(run)]


def test_a_client_with_the_usual_settings_trusts_it() -> None:
    assert told() == ["ONE", "TWO"]
    assert told(main=asking("x" * 60_000)) == ["X" * 60_000]


def test_schedules_see_what_is_sent_and_faults_strike_it() -> None:
    assert told("split loud->client 4 bytes", faults="split:1") == ["ONE", "TWO"]
    assert told("reset client->loud", faults="reset:1") == ["ConnectionResetError", "TWO"]


def test_a_certificate_is_for_its_host_alone() -> None:
    assert told(main=asking("one", server_hostname="other.example.org")) == ["SSLCertVerificationError"]


def test_who_speaks_no_tls_is_reset() -> None:
    assert told(main=asking("neither one nor two", ssl=None)) == ["ConnectionResetError"]


def test_what_runs_trust_is_trusted_in_runs_alone() -> None:
    told()
    context = ssl.create_default_context()
    assert certified("loud.example.org").pem in CERTIFICATES._own
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    context.wrap_bio(coming, going, server_hostname="loud.example.org")
    names = [dict(part[0] for part in cert["subject"]) for cert in context.get_ca_certs()]
    assert all("roundsim" not in str(name) for name in names)


def test_one_seed_has_one_digest_in_every_process() -> None:
    here = of_schedules(system(), 6)
    assert len(set(here)) > 1
    for there in elsewhere(["0", "4242"], "of_schedules(made('tests.live.net.test_seal'), 6)"):
        assert there == here


def test_every_schedule_with_one_deviation_can_be_led_to_again() -> None:
    result = check(system(), deviations=1)
    assert (result.verdict, result.schedules > 20) == ("ok", True)


def test_a_path_has_no_tls() -> None:
    async def main(world: Any) -> None:
        world.serve("/run/loud.sock", upper, tls=True)

    with pytest.raises(Exception, match=r"TLS is for a host; /run/loud.sock is a path: leave out tls=True"):
        told(main=main)


def test_a_certificate_that_nobody_trusts_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CERTIFICATES, "settle_trust", lambda _: None)
    assert told() == ["SSLCertVerificationError"] * 2


def test_whom_the_machine_trusts_is_told_and_trusted_after_the_run() -> None:
    kept: list[ssl.SSLContext] = []
    told_in_it: list[dict[str, int]] = []

    async def main(_: Any) -> None:
        kept.append(ssl.create_default_context())
        told_in_it.append(ssl.create_default_context().cert_store_stats())

    told(main=main)
    assert told_in_it[-1] == ssl.create_default_context().cert_store_stats() == kept[-1].cert_store_stats()
