"""Peers of all kinds: other transports, strangers, those who say what no host says or nothing at all, and those who are not
there; and what is said when a journal was put back from a copy."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import shutil
import socket
import stat
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sim import System
from sim.base.errors import ConfigError
from sim.host import Host, Port, Stream, Tls, wire
from sim.host import link_address as endpoint_module
from sim.host import port as port_module
from sim.host.journal import open_journal
from sim.host.journal_records import SENT_BITS, Entry, Line, Mail, digest_of
from sim.host.link import Link, Parcel, Sender
from sim.host.sqlite_file import SqliteFile
from tests.host import two_hosts
from tests.host.two_hosts import SESSION, Pair, complaints_of_items, items, over_unix

COUNT = 60


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two_hosts, "GIVEN_UP_S", 2)
    monkeypatch.setattr("sim.host.carrier.AGAIN_S", (0.01, 0.1))
    monkeypatch.setattr(SqliteFile, "synchronous", "OFF")  # no power is cut here


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("h", numbered=True)


async def all_come(pair: Pair, count: int = COUNT) -> None:
    await pair.until(lambda: len(pair.local("sink")["got"]) == count, lambda: pair.local("sink"))


def run(pair: Pair) -> None:
    async def work() -> None:
        await pair.open()
        await all_come(pair)
        await pair.close()

    asyncio.run(work())


# --- TCP and TLS ----------------------------------------------------------------------------------------


def free_ports() -> dict[str, int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return dict(zip(("near", "far"), ports, strict=True))


def over_tcp(ports: dict[str, int], name: str, tls: dict[str, Tls] | None = None) -> tuple[Link, Port | None]:
    address, other = f"tcp:localhost:{ports[name]}", {"near": "far", "far": "near"}[name]
    return Stream(address, tls=tls and tls[other]), Port(address, tls=tls and tls[name])


def test_items_come_over_tcp(folder: Path) -> None:
    pair = Pair(folder, partial(items, COUNT), ("source",), partial(over_tcp, free_ports()))
    run(pair)
    assert complaints_of_items(pair, COUNT) == []


class _Authority:
    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.file = self._write(
            "authority", self._signed(name, self.key.public_key(), x509.BasicConstraints(True, None))
        )

    def tls(self, name: str, authority: Path | None = None) -> Tls:
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        made = self._signed(name, key.public_key(), x509.SubjectAlternativeName(names))
        kind = serialization.PrivateFormat.PKCS8
        text = key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
        (file := self.folder / f"{self.name}-{name}.key").write_bytes(text)
        return Tls(self._write(name, made), file, authority or self.file)

    def _signed(self, name: str, key: Any, extension: x509.ExtensionType) -> x509.Certificate:
        subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, self.name))
        now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
        made = made.serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)
        return made.add_extension(extension, critical=False).sign(self.key, hashes.SHA256())

    def _write(self, name: str, made: x509.Certificate) -> Path:
        (file := self.folder / f"{self.name}-{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        return file


def test_items_come_over_tls(folder: Path) -> None:
    ours = _Authority(folder, "ours")
    tls = {name: ours.tls(name) for name in ("near", "far")}
    pair = Pair(folder, partial(items, COUNT), ("source",), partial(over_tcp, free_ports(), tls=tls))
    run(pair)
    assert complaints_of_items(pair, COUNT) == []


@pytest.mark.parametrize("stranger", ["near", "far"])
def test_a_certificate_of_another_authority_is_not_taken(stranger: str, folder: Path) -> None:
    """Whether it is of the one who connects or of the one who listens: it trusts ours, but is of its own."""
    ours, theirs = _Authority(folder, "ours"), _Authority(folder, "theirs")
    tls = {name: ours.tls(name) for name in ("near", "far")} | {stranger: theirs.tls(stranger, ours.file)}
    pair = Pair(folder, partial(items, COUNT), ("source",), partial(over_tcp, free_ports(), tls=tls))

    async def work() -> None:
        await pair.open()
        while not any("sink cannot be reached" in line for line in pair.told):
            await asyncio.sleep(0.01)
        await pair.close()

    asyncio.run(work())
    assert complaints_of_items(pair, COUNT) == [f"lost: {COUNT}"]
    assert any("certificate" in line for line in pair.told), pair.told


def test_what_is_no_tls_is_refused_before_anything_is_read(folder: Path) -> None:
    ours = _Authority(folder, "ours")
    tls = {name: ours.tls(name) for name in ("near", "far")}
    listens = over_tcp(free_ports(), "far", tls)[1]

    async def work() -> list[str]:
        told: list[str] = []
        async with host_with(folder, listens, told):
            assert listens is not None
            reader, writer = await asyncio.open_connection("127.0.0.1", int(listens.address.rpartition(":")[2]))
            writer.write(wire.frame_of(wire.greeting_of(SENDER)))
            with contextlib.suppress(OSError):
                await reader.read(200)
            writer.close()
            await until(lambda: bool(told))
        return told

    (line,) = asyncio.run(work())
    assert "no TLS with a certificate of ours" in line


# --- addresses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("run/store", "is not an address of a host; write unix:/path or tcp:host:port"),
        ("unix:", "is not an address of a host"),
        ("unix:store", "name the whole path of the socket"),
        ("unix:/" + "a" * 101, "name the whole path of the socket, in at most 100 bytes"),
        ("tcp:localhost", "is not an address of a host"),
        ("tcp:localhost:x", "is not an address of a host"),
        ("tcp:localhost:65536", "is not an address of a host"),
        ("tcp:10.0.0.1:80", "give tls=Tls(certificate, key, authority), or say insecure=True"),
        ("tcp:0.0.0.0:80", "or say insecure=True"),
        ("tcp:[::]:80", "or say insecure=True"),
        ("tcp:localhost.example:80", "or say insecure=True"),
    ],
)
@pytest.mark.parametrize("kind", [Stream, Port])
def test_an_address_that_will_not_do_is_told_in_a_line(kind: type[Any], address: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        kind(address)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_plain_tcp_leaves_the_machine_only_if_that_is_said() -> None:
    for kind in (Stream, Port):
        kind("tcp:10.0.0.1:80", insecure=True)
        kind("tcp:[::1]:80")
        kind("tcp:127.0.0.2:80")


@pytest.mark.parametrize("wrong", ["certificate", "key", "authority"])
def test_files_that_are_no_certificates_are_told(wrong: str, folder: Path) -> None:
    good = _Authority(folder, "ours").tls("near")
    (other := folder / "other").write_text("no certificate", "utf-8")
    given = {name: getattr(good, name) for name in ("certificate", "key", "authority")}
    for bad, said in ((other, "PEM"), (folder / "none", "there is no file")):
        with pytest.raises(ConfigError) as caught:
            Stream("tcp:10.0.0.1:80", tls=Tls(**{**given, wrong: bad}))
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


# --- strangers at a port --------------------------------------------------------------------------------

SENDER = Sender("0" * 32, "", "start", 1)


def host_with(folder: Path, port: Port | str | None, told: list[str], name: str = "far", **more: Any) -> Host:
    """A host with a sink; what sends to it may be anybody."""
    here, there = ("sink", "source") if name == "far" else ("source", "sink")
    links: dict[str, Link] = {there: Stream(f"unix:{folder}/nobody")}
    more = {"links": links, **more}
    system = more.pop("system", items(COUNT))
    return Host(system, journal=folder / f"{name}.db", here=[here], listen=port, tell=told.append, **more)


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not done():
            await asyncio.sleep(0.005)


def parcel(n: int = 1 << SENT_BITS, **more: Any) -> Parcel:
    return Parcel(SENDER, Mail(n, SESSION, "source", "sink", {"@": "Item", "n": 1}, cause="x/1", **more), 0, {})


GREETING = wire.frame_of(wire.greeting_of(SENDER))
WHOLE = wire.parcel_frame(parcel())


def said_as(**changed: Any) -> bytes:
    """A message, of which this is otherwise."""
    said = wire._read(bytearray(WHOLE[4:]))
    return wire.frame_of({**said, **changed})


@pytest.mark.parametrize(
    ("sent", "line"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "a frame of 1195725856 bytes, where 4096 are taken"),
        (b"\xff\xff\xff\xff", "a frame of 4294967295 bytes"),
        (GREETING + b"\xff\xff\xff\xff" + b"x" * 100_000, "a frame of 4294967295 bytes, where 16777216 are taken"),
        (b"\0\0\0\4{{{{", "a frame that is not JSON"),
        (b"\0\0\0\4\xff\xff\xff\xff", "a frame that is not JSON"),
        (wire.frame_of({"a": [1]})[:4] + b"[" * 9, "a frame that is not JSON"),
        (b"\0\0\0\2[]", "a frame that is not an object"),
        (b"\0\0\0\x0c" + b'{"a":"\\ud8"}', "a frame that is not JSON"),
        (b"\0\0\0\x0e" + b'{"a":"\\ud800"}', "a frame that is not JSON"),
        (b"\0\0\0\x09" + b'{"a":NaN}', "a frame that is not JSON"),
        (b"\0\0", "it ends within a frame"),
        (GREETING[:-1], "it ends within a frame"),
        (GREETING + WHOLE[:-1], "it ends within a frame"),
        (WHOLE, "no greeting of a host"),
        (wire.frame_of({"roundsim_link": 2}), "it speaks version '2' of links"),
        (wire.frame_of({**wire.greeting_of(SENDER), "since": True}), "a frame with since 'True'"),
        (wire.frame_of({**wire.greeting_of(SENDER), "since": 2**63}), "a frame with since"),
        (wire.frame_of({**wire.greeting_of(SENDER), "model": "a\x1b[2J"}), "a frame with model"),
        (GREETING + said_as(n="1"), "a frame with n '1'"),
        (GREETING + said_as(after=-1), "a frame with after '-1'"),
        (GREETING + said_as(message=[]), "a frame with message '[]'"),
        (GREETING + said_as(fault=1), "a frame with fault '1'"),
        (GREETING + said_as(hashes=["a"]), "whose payloads are not those that it names"),
        (GREETING + said_as(hashes=["a"], texts={"a": "b"}), "a payload that is not what 'a' stands for"),
    ],
)
def test_what_no_host_says_is_cut_off_with_one_line(sent: bytes, line: str, folder: Path) -> None:
    async def work() -> None:
        told: list[str] = []
        async with host_with(folder, f"unix:{folder}/far", told) as host:
            await host.start(SESSION)
            for _ in range(3):  # however often
                reader, writer = await asyncio.open_unix_connection(f"{folder}/far")
                writer.write(sent)
                writer.write_eof()
                while await reader.read(1_000):
                    pass
                writer.close()
            assert [one for one in told if "cut off" in one] == told
            assert len(told) == 1
            assert line in told[0]
            assert host.failure is None
            assert host.running[SESSION].locals["sink"].fields[0] == ()

    asyncio.run(work())


@pytest.mark.parametrize(
    "sent", [b"", b"\0", GREETING[:9], GREETING + WHOLE[:9]], ids=["nothing", "1", "half", "later"]
)
def test_who_says_nothing_more_is_cut_off(sent: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "QUIET_S", 0.05)
    monkeypatch.setattr(wire, "GREETING_S", 0.05)

    async def work() -> None:
        told: list[str] = []
        async with host_with(folder, f"unix:{folder}/far", told) as host:
            await host.start(SESSION)
            reader, writer = await asyncio.open_unix_connection(f"{folder}/far")
            writer.write(sent)
            async with asyncio.timeout(10):
                while await reader.read(1_000):
                    pass
            writer.close()
            await until(lambda: len(told) == 1)
            assert "a peer was cut off: nothing came, or nothing more" in told[0]

    asyncio.run(work())


def test_who_is_idle_goes_without_a_word(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_module, "IDLE_S", 0.05)

    async def work() -> None:
        told: list[str] = []
        async with host_with(folder, f"unix:{folder}/far", told) as host:
            await host.start(SESSION)
            reader, writer = await asyncio.open_unix_connection(f"{folder}/far")
            writer.write(GREETING + WHOLE)
            async with asyncio.timeout(10):
                while await reader.read(1_000):
                    pass
            writer.close()
            assert told == []
            assert host.running[SESSION].locals["sink"].fields[0] == (1,)

    asyncio.run(work())


def test_no_more_than_some_may_be_connected(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_module, "PEERS", 3)

    async def work() -> None:
        told: list[str] = []
        async with host_with(folder, f"unix:{folder}/far", told):
            came = [await asyncio.open_unix_connection(f"{folder}/far") for _ in range(5)]
            assert await came[4][0].read(1) == b""
            for _, writer in came:
                writer.close()
            assert ["3 are connected; who comes now is cut off" in line for line in told] == [True]

    asyncio.run(work())


def test_a_process_of_another_user_is_cut_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = socket.socketpair(socket.AF_UNIX)
    with here, there:
        assert not endpoint_module.is_foreign(here)
        monkeypatch.setattr(endpoint_module.os, "geteuid", lambda: 12_345)
        assert endpoint_module.is_foreign(here) == hasattr(socket, "SO_PEERCRED")
    monkeypatch.undo()
    monkeypatch.setattr(port_module, "is_foreign", lambda _: True)

    async def work() -> None:
        told: list[str] = []
        async with host_with(folder, f"unix:{folder}/far", told):
            reader, writer = await asyncio.open_unix_connection(f"{folder}/far")
            assert await reader.read(1) == b""
            writer.close()
            assert ["a process of another user" in line for line in told] == [True]

    asyncio.run(work())


def test_the_socket_is_for_its_owner_alone(folder: Path) -> None:
    async def work(path: Path) -> None:
        async with host_with(folder, f"unix:{path}", []):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            with pytest.raises(ConfigError, match="somebody listens there already"):
                await Port(f"unix:{path}").open(None)  # type: ignore[arg-type]
        assert not path.exists()

    asyncio.run(work(folder / "far"))
    with socket.socket(socket.AF_UNIX) as left:  # who was killed has left it behind
        left.bind(str(folder / "far"))
    asyncio.run(work(folder / "far"))
    (folder / "file").write_text("", "utf-8")
    with pytest.raises(ConfigError, match="is not a socket"):
        asyncio.run(work(folder / "file"))
    (open_folder := folder / "open").mkdir()
    open_folder.chmod(0o777)
    with pytest.raises(ConfigError, match="others may write to"):
        asyncio.run(work(open_folder / "far"))


# --- messages that are not taken ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (said_as(session="another"), {"not": 1024}),
        (said_as(source="sink"), {"no": "nothing from 'sink' to 'sink' is taken over a link here", "n": 1024}),
        (said_as(target="moon"), {"no": "nothing from 'source' to 'moon' is taken over a link here", "n": 1024}),
        (said_as(message={"@": "Nothing"}), {"no": "unknown class 'Nothing': use", "n": 1024}),
        (said_as(message={"@set": [1]}), {"no": "SortedSet is not a message", "n": 1024}),
        (said_as(message={"@": "Item", "n": 1.5}), {"no": "1.5 is ", "n": 1024}),
        (said_as(message={"@bytes": 1}), {"no": "{'@bytes': 1} is not a value", "n": 1024}),
        (said_as(fault={"kind": "none"}), {"no": "it cannot be read: KeyError", "n": 1024}),
        (said_as(after=7), {"no": "what came before it is not what was sent", "n": 1024}),
        (WHOLE, {"ack": 1024}),
    ],
)
def test_what_is_not_for_this_host_is_refused_and_the_rest_goes_on(
    sent: bytes, answer: dict[str, Any], folder: Path
) -> None:
    async def work() -> None:
        async with host_with(folder, f"unix:{folder}/far", []) as host:
            await host.start(SESSION)
            reader, writer = await asyncio.open_unix_connection(f"{folder}/far")
            writer.write(GREETING + sent + WHOLE)
            await wire.read_frame(reader, 4_096, 5)
            found = await wire.read_frame(reader, 4_096, 5)
            assert found is not None
            assert found.keys() == answer.keys()
            assert all(str(found[key]).startswith(str(answer[key])) for key in answer), found
            assert await wire.read_frame(reader, 4_096, 5) == {"ack": 1024}
            assert host.failure is None
            writer.close()

    asyncio.run(work())


def test_a_session_that_is_not_running_there_holds_up_no_other(folder: Path) -> None:
    pair = Pair(folder, partial(items, COUNT), ("source",), partial(over_unix, folder))

    async def work() -> None:
        await pair.open()
        await pair.hosts["near"].start("another")
        await pair.hosts["near"].start("s2")
        await pair.hosts["far"].start("s2")
        second = pair.hosts["far"].running["s2"]
        await until(lambda: len(second.locals["sink"].fields[0]) == COUNT)
        await until(lambda: any("session another is not running there" in line for line in pair.told))
        await pair.hosts["far"].start("another")
        third = pair.hosts["far"].running["another"]
        await until(lambda: third.locals["sink"].fields[0] == tuple(range(1, COUNT + 1)))
        await pair.close()

    asyncio.run(work())


def test_what_comes_for_a_session_that_is_over_is_taken_and_nothing_comes_of_it(folder: Path) -> None:
    async def work() -> None:
        links: dict[str, Link] = {"source": Stream(f"unix:{folder}/nobody")}
        far = Host(items(5), journal=folder / "far.db", here=["sink"], links=links, listen=f"unix:{folder}/far")
        async with far:
            await far.start(SESSION)
            mail = Mail(9 << SENT_BITS, SESSION, "source", "sink", {"@": "Item", "n": 1})
            far.stop_session(SESSION, "for now")
            assert not far.receive(Parcel(SENDER, mail, 0, {})).kept
            with far.journal.database.writing() as change:
                change.do("UPDATE session SET state = 'over'")
            assert far.receive(Parcel(SENDER, mail, 0, {})).kept
            assert far.journal.mail(SESSION) == []

    asyncio.run(work())


def test_two_links_to_one_host_keep_apart_what_has_come(folder: Path) -> None:
    """One of them is down for long: what it has to bring comes later, and is new all the same."""

    async def work() -> None:
        system = System(processes={**items(5).processes, "second": two_hosts.Source(items=5)}, network="fifo")
        links: dict[str, Link] = {"source": Stream(f"unix:{folder}/nobody"), "second": Stream(f"unix:{folder}/nobody")}
        far = Host(system, journal=folder / "far.db", here=["sink"], links=links, listen=f"unix:{folder}/far")
        async with far:
            await far.start(SESSION)
            for number, source in ((9, "second"), (5, "source"), (5, "source"), (9, "second")):
                mail = Mail(number << SENT_BITS, SESSION, source, "sink", {"@": "Item", "n": number})
                assert far.receive(Parcel(SENDER, mail, 0, {})).kept
            await until(lambda: far.running[SESSION].locals["sink"].fields[0] == (9, 5))

    asyncio.run(work())


def test_another_model_is_refused_in_one_line(folder: Path) -> None:
    pair = Pair(folder, partial(items, COUNT), ("source",), partial(over_unix, folder))

    async def work() -> None:
        pair.more = {"model": "models.one"}
        await pair.open("far")
        pair.more = {"model": "models.two"}
        await pair.open("near")
        await until(lambda: len(pair.told) >= 2)
        await asyncio.sleep(0.1)
        await pair.close()

    asyncio.run(work())
    assert sorted(line.split(": ", 1)[-1] for line in pair.told) == [
        "a peer was cut off: '" + open_id(pair, "near")[:8] + "': here is models.one, not models.two",
        "here is models.one, not models.two; it is tried until it can",
    ]


def open_id(pair: Pair, name: str) -> str:
    with open_journal(str(pair.journal(name)), fresh=False) as journal:
        return journal.id


# --- journals that were put back from a copy ------------------------------------------------------------


@pytest.mark.parametrize("side", ["near", "far"])
def test_a_journal_that_was_put_back_from_an_older_copy_is_noticed(side: str, folder: Path) -> None:
    pair = Pair(folder, partial(items, COUNT), ("source",), partial(over_unix, folder))
    copy = folder / "copy.db"

    async def goes_on(count: int) -> None:
        pair.make = partial(items, count)
        await pair.open()
        await until(lambda: len(pair.local("sink")["got"]) == count or any("older copy" in one for one in pair.told))
        await pair.close()

    asyncio.run(goes_on(10))
    shutil.copyfile(pair.journal(side), copy)
    asyncio.run(goes_on(30))
    assert not any("older copy" in line for line in pair.told)
    shutil.copyfile(copy, pair.journal(side))
    asyncio.run(goes_on(70))
    said = {"near": "its journal was put back from an older copy", "far": "what came before it is not what was sent"}
    assert any(said[side] in line for line in pair.told)
    assert complaints_of_items(pair, 30 if side == "near" else 10) == []  # and nothing else is taken


# --- peers that are not there, or do nothing ------------------------------------------------------------

MANY = 20_000
MEMORY = 4 * 1024 * 1024
TEXT = "x" * 200_000


def filled(folder: Path, texts: int = 0) -> None:
    """A host that has sent much to a peer which has never been there: 20 MB of it."""
    with open_journal(str(folder / "near.db")) as journal:
        said = {"@": "Item", "n": 1, "more": "y" * 1_000}
        entry = Entry(SESSION, lines=[Line(n, SESSION, "source", {}, 0) for n in range(1, MANY + 1)])
        digest = digest_of(TEXT)
        entry.texts = {digest: TEXT}
        entry.sent = [
            Mail(n << SENT_BITS, SESSION, "source", "sink", said, texts=(digest,) * (n <= texts))
            for n in range(1, MANY + 1)
        ]
        journal.begin(SESSION, {}, entry, 0)


def cost(folder: Path, link: Callable[[], Link], seconds: float = 0.4) -> int:
    """The most memory that a host takes beside what it had in the beginning."""

    async def work() -> int:
        host = host_with(folder, None, [], "near", links={"sink": link()}, system=items(0))
        tracemalloc.start()
        try:
            async with host:
                await asyncio.sleep(seconds)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return asyncio.run(work())


def test_a_peer_that_is_not_there_costs_no_memory(folder: Path) -> None:
    filled(folder)
    assert cost(folder, lambda: Stream(f"unix:{folder}/nobody")) < MEMORY


def cost_of_a_slow_peer(folder: Path) -> int:
    """It greets, and reads no more: 13 MB are due within the window."""
    filled(folder, texts=64)

    async def work() -> int:
        async def greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(wire.frame_of(wire.greeting("f", "")))
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            gone.append(writer)

        gone: list[asyncio.StreamWriter] = []
        server = await asyncio.start_unix_server(greets, f"{folder}/slow")
        host = host_with(folder, None, [], "near", links={"sink": Stream(f"unix:{folder}/slow")}, system=items(0))
        tracemalloc.start()
        try:
            async with host:
                await until(lambda: bool(gone))
                await asyncio.sleep(0.3)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            for writer in gone:
                writer.transport.abort()
            server.close()
            await asyncio.sleep(0)

    return asyncio.run(work())


def test_a_peer_that_takes_nothing_costs_no_memory(folder: Path) -> None:
    assert cost_of_a_slow_peer(folder) < MEMORY


def test_what_is_written_without_waiting_is_what_it_costs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted fault: nobody waits for the peer to take what was written."""

    async def at_once(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(asyncio.StreamWriter, "drain", at_once)
    assert cost_of_a_slow_peer(folder) > MEMORY


def test_what_is_read_at_once_is_what_it_costs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted fault: all that is on its way is read."""
    filled(folder)
    monkeypatch.setattr("sim.host.carrier.AT_ONCE", MANY)
    assert cost(folder, lambda: Stream(f"unix:{folder}/nobody")) > MEMORY


def test_a_peer_that_is_half_gone_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It greets, and acknowledges nothing: after a while it is tried anew."""
    monkeypatch.setattr(wire, "QUIET_S", 0.05)
    filled(folder)

    async def work() -> None:
        came: list[asyncio.StreamWriter] = []
        told: list[str] = []

        async def greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came.append(writer)
            writer.write(wire.frame_of(wire.greeting("f", "")))
            while await reader.read(1_000):
                pass
            writer.close()

        server = await asyncio.start_unix_server(greets, f"{folder}/half")
        async with host_with(folder, None, told, "near", links={"sink": Stream(f"unix:{folder}/half")}):
            await until(lambda: len(came) > 2)
        server.close()
        await until(lambda: all(writer.is_closing() for writer in came))
        assert told == [f"sink cannot be reached: unix:{folder}/half does not answer; it is tried until it can"]

    asyncio.run(work())


def test_a_message_that_is_too_large_for_a_link_is_told_and_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "FRAME_MAX", 100)
    pair = Pair(folder, partial(items, 1), ("source",), partial(over_unix, folder))

    async def work() -> None:
        monkeypatch.setattr(wire, "greeting_of", lambda sender: {"roundsim_link": 1})
        monkeypatch.setattr(wire, "sender_of", lambda said: SENDER)
        await pair.open()
        await until(lambda: bool(pair.told))
        assert len(pair.hosts["near"].journal.mail(SESSION)) == 1
        await pair.close()

    asyncio.run(work())
    (line,) = pair.told
    assert "a message from source to sink is not taken: it has" in line
    assert "a link takes 100 at once" in line
