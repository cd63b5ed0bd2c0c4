"""`python -m bench.live.libraries`: how many schedules a second of one small request and its answer, with real libraries.

Each library is installed in a folder of its own, and asks a server of the program. Beside it stands how often the stock loop
runs the same, over loopback: what is above that is ours.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from bench.public_races import http_server, redis_server
from bench.public_races.places import ROOT, install
from bench.public_races.table import AIOHTTP, PLAIN
from sim import Program, fuzz

HTTPX = ("httpx==0.28.1", "httpcore==1.0.9", "anyio==4.16.0", "certifi==2025.8.3", "h11==0.16.0", "idna==3.10", PLAIN)
PINS = {
    "raw streams": (),
    "aiohttp": ("aiohttp==3.14.5", *AIOHTTP),
    "httpx": HTTPX,
    "httpx, one context": HTTPX,
    "httpx, no TLS": HTTPX,
    "redis": ("redis==8.1.0",),
}
URL = "http://api:8099/"
FIRST = 20


async def raw_streams() -> None:
    reader, writer = await asyncio.open_connection("api", 8099)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    answer = await reader.readexactly(len(http_server.ANSWER))
    assert answer == http_server.ANSWER
    writer.close()


async def with_aiohttp() -> None:
    from aiohttp import ClientSession, ClientTimeout

    async with (
        ClientSession(timeout=ClientTimeout(total=None, sock_connect=None)) as session,
        session.get(URL) as answer,
    ):
        text = await answer.text()
    assert text == "ok"


def with_httpx(verify: Any) -> Callable[[], Awaitable[None]]:
    async def client() -> None:
        from httpx import AsyncClient

        async with AsyncClient(timeout=None, verify=verify) as client:
            answer = await client.get(URL)
        assert answer.text == "ok"

    return client


async def with_redis() -> None:
    from redis.asyncio import Redis
    from redis.exceptions import TimeoutError as TooLate

    with suppress(TooLate):  # it closes with a timeout of its own, which may fire
        async with Redis(host="api", port=8099, socket_timeout=None, socket_connect_timeout=None) as redis:
            value = await redis.get("key")
        assert value == b"key"


CLIENTS: dict[str, Callable[[], Awaitable[None]]] = {
    "raw streams": raw_streams,
    "aiohttp": with_aiohttp,
    "httpx": with_httpx(True),
    "httpx, one context": with_httpx(ssl.create_default_context()),
    "httpx, no TLS": with_httpx(False),
    "redis": with_redis,
}


def simulated(name: str) -> Callable[[int], float]:
    client, server = CLIENTS[name], redis_server if name == "redis" else http_server

    async def main(world: Any) -> None:
        world.serve("api:8099", server.answering)
        await client()

    def run(schedules: int) -> float:
        result = fuzz(Program(main), schedules=schedules)
        assert result.verdict == "ok", result.found
        return result.steps / schedules

    return run


def stock(name: str) -> Callable[[int], float]:
    """Names are looked up without a thread, as otherwise most of the time would be its."""
    client, server = CLIENTS[name], redis_server if name == "redis" else http_server

    async def resolved(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 8099))]

    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)
        serving = await asyncio.start_server(server.answering, "127.0.0.1", 8099)
        loop.getaddrinfo = resolved
        await client()
        serving.close()

    def run(runs: int) -> float:
        for _ in range(runs):
            asyncio.run(main())
        return 0.0

    return run


def measured(run: Callable[[int], float], seconds: float) -> tuple[float, float]:
    """How many a second of the processor, and steps of each; twice as many each time, until they take `seconds`."""
    run(FIRST)
    many = FIRST
    while True:
        began = time.process_time()
        steps = run(many)
        took = time.process_time() - began
        if took >= seconds:
            return many / took, steps
        many *= 2


def elsewhere(name: str, seconds: float) -> dict[str, float]:
    """In a process of its own, which has the library."""
    places = [install(PINS[name])] if PINS[name] else []
    done = subprocess.run(
        [sys.executable, "-m", "bench.live.libraries", "--one", name, "--seconds", str(seconds)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*places, ROOT, ROOT / "sim" / "beside")))},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="processor time for each library and loop")
    parser.add_argument("--one", choices=PINS)
    given = parser.parse_args()
    if given.one:
        schedules, steps = measured(simulated(given.one), given.seconds)
        runs, _ = measured(stock(given.one), given.seconds)
        print(json.dumps({"schedules": schedules, "steps": steps, "runs": runs}))
        return
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores; seconds are those of the processor")
    print(f"{'library':<20} {'version':<10} {'schedules/s':>12} {'choices each':>13} {'asyncio.run/s':>14}")
    for name, pins in PINS.items():
        found = elsewhere(name, given.seconds)
        version = pins[0].partition("==")[2] if pins else ""
        numbers = f"{found['schedules']:>12,.0f} {found['steps']:>13,.1f} {found['runs']:>14,.0f}"
        print(f"{name:<20} {version:<10} {numbers}", flush=True)


if __name__ == "__main__":
    main()
