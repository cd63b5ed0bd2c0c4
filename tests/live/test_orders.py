"""What the standard library and others keep in sets has one order in every run and process."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from sim import Emission, Program, emit, simulate
from sim.live import orders
from sim.live.net import network_loop
from sim.strategy import Canonical
from tests.live.digests import elsewhere
from tests.live.small import usual

MANY = 20


class Said(Emission):
    what: int | str


async def say(what: int) -> None:
    emit(Said(what))


async def as_they_come(_: Any) -> None:
    for one in asyncio.as_completed([say(number) for number in range(MANY)]):
        await one


async def gathered(_: Any) -> None:
    all_of_it = [asyncio.gather(say(number)) for number in range(MANY)]
    done, _pending = await asyncio.wait(all_of_it)
    for one in done:
        emit(Said(all_of_it.index(one)))


def said(main: Any) -> list[Any]:
    return [emission.what for emission in simulate(Program(main), Canonical()).trace.emissions]


def test_what_is_awaited_as_it_completes_begins_in_the_order_given() -> None:
    assert said(as_they_come) == [*range(MANY)]


def test_what_was_gathered_is_found_in_the_order_made() -> None:
    assert said(gathered) == [*range(MANY)] * 2


def test_what_cannot_be_awaited_is_said_as_ever() -> None:
    async def main(_: Any) -> None:
        with suppress(TypeError):
            coroutine = say(1)
            for one in asyncio.as_completed(coroutine):  # type: ignore[arg-type]
                await one
        coroutine.close()
        emit(Said("refused"))

    assert said(main) == ["refused"]


async def scoped(_: Any) -> None:
    """All scopes in one that is cancelled are told."""

    async def waiting(number: int) -> None:
        with anyio.CancelScope():
            try:
                await anyio.sleep(1)
            finally:
                emit(Said(number))

    async with anyio.create_task_group() as group:
        for number in range(MANY):
            group.start_soon(waiting, number)
        await anyio.sleep(0.1)
        group.cancel_scope.cancel()


def test_scopes_of_anyio_are_cancelled_in_the_order_made() -> None:
    assert said(scoped) == [*range(MANY)]


@pytest.mark.parametrize("main", [as_they_come, gathered, scoped])
def test_without_it_addresses_in_memory_decide(main: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "BY_ADDRESS", ())
    monkeypatch.setattr(orders, "_as_completed", lambda real, _run, these: real(these))
    assert said(main)[-MANY:] != [*range(MANY)]


def test_a_module_that_is_loaded_in_a_run_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "BY_ADDRESS", (("later", "Kind"),))
    (tmp_path / "later.py").write_text("class Kind: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    found: list[Any] = []

    async def main(_: Any) -> None:
        from later import Kind  # type: ignore[import-not-found]

        kinds = [Kind() for _ in range(MANY)]
        assert [*{*kinds}] == kinds
        found.append(Kind)

    before = [*sys.meta_path]
    assert usual(main).finding is None
    assert found[0].__hash__ is object.__hash__
    assert sys.meta_path == before
    del sys.modules["later"]


def test_outside_of_a_run_nothing_is_changed() -> None:
    before = asyncio.as_completed.__code__
    said(as_they_come)
    assert asyncio.as_completed.__code__ is before


HOSTS = [f"host-{letter}" for letter in "abcdefgh"]


def serving() -> Program:
    async def main(_: Any) -> None:
        server = await asyncio.start_server(lambda *_: None, HOSTS, 77)
        for sock in server.sockets:
            emit(Said(sock.getsockname()[0]))
        server.close()

    return Program(main)


def broken() -> Program:
    network_loop.FoundAddress.__hash__ = tuple.__hash__  # type: ignore[method-assign]
    return serving()


def elsewhere_twice(program: str) -> list[list[str]]:
    return list(elsewhere(("0", "4242"), f"of_schedules(made('tests.live.test_orders', {program!r}), 1)"))


def test_a_server_of_several_hosts_binds_them_in_one_order_in_every_process() -> None:
    first, second = elsewhere_twice("serving")
    assert first == second


def test_a_server_that_binds_them_in_another_order_in_every_process_is_caught() -> None:
    first, second = elsewhere_twice("broken")
    assert first != second
