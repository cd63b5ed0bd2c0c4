"""Each kind of fault strikes a program where its plan says, does what the table of faults says, and nothing else."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import pytest

from sim import Program, Timing, emit, simulate
from sim.base.errors import ConfigError
from sim.faults.catalogue import PROGRAM_KINDS
from sim.live.agents import Completion
from sim.live.possible import Possible
from sim.live.program_parts import STRIKING
from sim.strategy import Uniform, VirtualTime
from tests.live.small import Said, idle, installed_once, replayed, runs, said

once = installed_once
Main = Callable[[Any], Awaitable[object]]


async def upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    emit(Said("asked"))
    while line := await reader.readline():
        writer.write(line.upper())
    writer.close()


async def ask(patience_s: float | None = None) -> None:
    """Says how it went."""
    try:
        async with asyncio.timeout(patience_s):
            reader, writer = await asyncio.open_connection("upper", 7)
            with closing(writer):
                writer.write(b"hello\n")
                answer = await reader.readline()
            emit(Said(answer.decode().strip() or "nothing"))
    except TimeoutError:
        emit(Said("late"))
    except (OSError, EOFError) as error:
        emit(Said(type(error).__name__))


async def asking(world: Any) -> None:
    world.serve("upper:7", upper)
    await asyncio.wait([world.task("client", ask())])


async def asking_for_a_minute(world: Any) -> None:
    world.serve("upper:7", upper)
    await asyncio.wait([world.task("client", ask(60))])


async def asking_twice(world: Any) -> None:
    world.serve("upper:7", upper)
    await asyncio.wait([world.task("client", ask())])
    await asyncio.sleep(1)
    await asyncio.wait([world.task("other", ask())])


class Counting(asyncio.DatagramProtocol):
    def datagram_received(self, data: bytes, _: Any) -> None:
        emit(Said(data.decode()))


async def sending(_: Any) -> None:
    loop = asyncio.get_running_loop()
    receiving, _ = await loop.create_datagram_endpoint(Counting, local_addr=("127.0.0.1", 99))
    sender, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("127.0.0.1", 99))
    sender.sendto(b"one")
    await asyncio.sleep(1)
    sender.close()
    receiving.close()


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    body = b'{"text": "yes"}'
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
    writer.write(b"content-length: %d\r\n\r\n%s" % (len(body), body))
    await writer.drain()
    writer.close()


async def get() -> None:
    try:
        async with asyncio.timeout(60):
            reader, writer = await asyncio.open_connection("agent", 80)
            with closing(writer):
                writer.write(b"GET / HTTP/1.1\r\nhost: agent\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                emit(Said(f"{head.split()[1].decode()} {len(await reader.read())}"))
    except TimeoutError:
        emit(Said("late"))
    except (OSError, EOFError):
        emit(Said("broken"))


async def getting(world: Any) -> None:
    world.serve("agent:80", answering)
    await asyncio.wait([world.task("client", get())])


async def ask_agent(number: int) -> None:
    """What the simulated endpoint answers: its status, the id and the text."""
    posted = json.dumps({"model": "m", "messages": [{"role": "user", "content": "?"}]}).encode()
    reader, writer = await asyncio.open_connection("agent", 80)
    with closing(writer):
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (len(posted), posted))
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        size = int(head.lower().partition("content-length: ")[2].split()[0])
        body = await reader.readexactly(size)
    try:
        answer = json.loads(body)
        text = answer["choices"][0]["message"]["content"] if "choices" in answer else answer["error"]["type"]
        emit(Said(f"{number} {head.split()[1]} {int(answer.get('id', 'no-0').partition('-')[2])} {text}"))
    except ValueError:
        emit(Said(f"{number} {head.split()[1]} is no JSON"))


async def ask_agents() -> None:
    for number in (1, 2):
        await ask_agent(number)


async def asking_agent(world: Any) -> None:
    world.serve_openai("agent:80", answers=Completion("yes", contrary="no"), name="agent")
    await asyncio.wait([world.task("client", ask_agents())])


def of_agent(kind: str, first: str, second: str = "2 200 2 yes") -> tuple[Main, str, list[str], list[str]]:
    """An answer is struck; what is said of each of two."""
    return asking_agent, f"{kind}:1", [f"deliver agent->client bytes under {kind}"], [first, second]


async def listens(_: Any) -> None:
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await told.wait()
    emit(Said("ends well"))


async def does_not_listen(_: Any) -> None:
    try:
        await asyncio.sleep(1)
    finally:
        emit(Said("ends"))


async def cancelled(world: Any) -> None:
    async def client() -> None:
        try:
            await asyncio.sleep(1)
            emit(Said("done"))
        except asyncio.CancelledError:
            emit(Said("cancelled"))
            raise

    await asyncio.wait([world.task("client", client())])


SAID: dict[str, tuple[Main, str, list[str], list[str]]] = {
    "cancel": (cancelled, "cancel:1@client", ["cancel client at client"], ["cancelled"]),
    "stop, with a handler": (listens, "stop:1", ["stop main at listens"], ["ends well"]),
    "stop, without": (does_not_listen, "stop:1", ["stop main at does_not_listen"], ["ends"]),
    "refuse": (asking, "refuse:1", ["refuse client->upper"], ["ConnectionRefusedError"]),
    "reset": (asking, "reset:1", ["reset client->upper #4"], ["asked", "ConnectionResetError"]),
    "split": (asking, "split:1", ["split upper->client 6 bytes"], ["asked", "HELLO"]),
    "cut, which heals": (asking, "cut:1", ["cut client->upper"], ["asked", "HELLO"]),
    "cut for good": (asking_for_a_minute, "cut:1 for good", ["cut client->upper for good"], ["asked", "late"]),
    "crash, and it comes back": (
        asking_twice,
        "crash:1@upper",
        ["crash upper after connect client->upper"],
        ["ConnectionResetError", "asked", "HELLO"],
    ),
    "crash for good": (
        asking_twice,
        "crash:1@upper for good",
        ["crash upper for good after connect client->upper"],
        ["ConnectionResetError", "ConnectionRefusedError"],
    ),
    "drop": (sending, "drop:1", ["drop main->main 3 datagram"], []),
    "duplicate": (sending, "duplicate:1", ["duplicate main->main 3 datagram"], ["one", "one"]),
    "disconnect": (getting, "disconnect:1", ["deliver agent->client {} bytes under disconnect"], ["broken"]),
    "empty_response": (getting, "empty_response:1", ["deliver agent->client {} bytes under empty_response"], ["200 0"]),
    "rate_limited": (getting, "rate_limited:1", ["deliver agent->client {} bytes under rate_limited"], ["429 "]),
    "server_error": of_agent("server_error", "1 500 0 server_error"),
    "overloaded": of_agent("overloaded", "1 503 0 service_unavailable_error"),
    "malformed": of_agent("malformed", "1 200 is no JSON"),
    "contradiction": of_agent("contradiction", "1 200 1 no"),
    "repeated_id": of_agent("repeated_id", "1 200 1 yes", "2 200 1 yes"),
    "agent_timeout": (getting, "agent_timeout:1", ["deliver agent->client {} bytes under agent_timeout"], ["late"]),
}


def heard(name: str) -> list[str]:
    main, plan, schedule, _ = SAID[name]
    run = replayed(main, [item.replace("{} ", "") for item in schedule], faults=plan)
    assert run.finding is None, run.finding
    assert run.trace.struck() == {plan.partition(":")[0]: 1}
    texts = [text for text in said(run) if text.startswith("Said(")]
    return [text.removeprefix("Said(what=").removesuffix(")").strip("'") for text in texts]


@pytest.mark.parametrize("name", SAID)
def test_it_does_what_it_is_called(name: str) -> None:
    *_, expected = SAID[name]
    got = heard(name)
    assert len(got) == len(expected)
    assert all(one.startswith(other) for one, other in zip(got, expected, strict=True))


def test_every_kind_that_strikes_programs_is_tried() -> None:
    tried = {plan.partition(":")[0] for _, plan, _, _ in SAID.values()}
    assert {*STRIKING} - tried == {"delay"}
    assert {*PROGRAM_KINDS} <= tried


def test_a_fault_that_does_nothing_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.live.execution.Execution.stop", lambda _: None)
    with pytest.raises(AssertionError):
        heard("stop, with a handler")


@pytest.mark.parametrize("kind", ["cancel", "stop", "reset", "refuse", "split", "cut", "crash"])
def test_a_budget_is_never_overdrawn(kind: str) -> None:
    found = {run.trace.struck().get(kind, 0) for run in runs(asking_twice, faults=f"{kind}:2")}
    assert 1 <= max(found) <= 2


def test_a_budget_that_is_never_paid_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    struck = Possible.struck
    monkeypatch.setattr(Possible, "struck", lambda self, run, left: struck(self, run, (None,) * len(left)))
    assert max(run.trace.struck().get("cancel", 0) for run in runs(asking_twice, faults="cancel:1")) > 1


# Where they strike --------------------------------------------------------------------------------------


def struck(main: Main, plan: str) -> set[str]:
    """Whom this plan strikes, over some runs."""
    found: set[str] = set()
    for run in runs(main, 40, faults=plan):
        found |= {event.address for event in run.trace.tell().events if event.faults}
    return {address.partition(" at ")[0].partition(" after ")[0] for address in found}


async def three(world: Any) -> None:
    named = [world.task(name, idle()) for name in ("client", "client", "other")]
    await asyncio.wait([*named, asyncio.create_task(idle())])


@pytest.mark.parametrize(
    ("plan", "whom"),
    [
        ("cancel:1@client", {"cancel client", "cancel client#2"}),
        ("cancel:1@client#2", {"cancel client#2"}),
        ("cancel:1@other", {"cancel other"}),
        ("cancel:1@main/idle", {"cancel main/idle"}),
        ("cancel:1@main", {"cancel main"}),
        ("cancel:1", {"cancel client", "cancel client#2", "cancel other", "cancel main/idle"}),
        ("cancel:1@nobody", set()),
        ("stop:1", {"stop main"}),
    ],
)
def test_a_plan_strikes_whom_it_names(plan: str, whom: set[str]) -> None:
    assert struck(three, plan) == whom


@pytest.mark.parametrize(
    ("plan", "whom"),
    [
        ("reset:1@client->upper", {"reset client->upper"}),
        ("reset:1@other->upper", {"reset other->upper"}),
        ("refuse:1@other", {"refuse other->upper"}),
        ("cut:1@other->upper", {"cut other->upper"}),
        ("crash:1@upper", {"crash upper"}),
        ("crash:1@other", set()),
    ],
)
def test_a_plan_strikes_the_links_and_servers_that_it_names(plan: str, whom: set[str]) -> None:
    assert struck(asking_twice, plan) == whom


# On virtual time ----------------------------------------------------------------------------------------


async def impatient(world: Any) -> None:
    world.serve("upper:7", upper)

    async def client() -> None:
        try:
            async with asyncio.timeout(1):
                await ask()
        except TimeoutError:
            emit(Said("gives up"))

    await asyncio.wait([world.task("client", client())])


def on_time(plan: str) -> list[str]:
    return said(simulate(Program(impatient, faults=plan, timing=Timing(latency_ms=(1, 5))), VirtualTime(1)))


def test_a_delay_lets_a_timer_win_on_virtual_time_and_is_refused_without_a_clock() -> None:
    assert on_time("none")[-1] == "Said(what=HELLO)"
    assert on_time("delay:1@upper->client(5s)")[-1] == "Said(what='gives up')"
    with pytest.raises(ConfigError, match="has no clock"):
        simulate(Program(impatient, faults="delay:1(5s)"), Uniform(0))
