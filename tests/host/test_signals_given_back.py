"""Whoever hosts a session hears signals while it lasts, and no longer: the loop would go on to write them where it has closed."""

from __future__ import annotations

import asyncio
import signal

import pytest

from sim.cli import hosting


async def left_behind() -> tuple[bool, int]:
    """Whether a signal is heard in the midst; and where signals are written to afterwards, while the loop is still open."""
    with hosting._signalled() as stop:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0.01)
        heard = stop.is_set()
    written_to = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(written_to)
    return heard, written_to


def test_signals_are_heard_and_given_back_before_the_loop_closes() -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert asyncio.run(left_behind()) == (True, -1)
    assert signal.getsignal(signal.SIGTERM) == before


def test_one_that_is_not_given_back_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault."""
    monkeypatch.setattr(asyncio.unix_events._UnixSelectorEventLoop, "remove_signal_handler", lambda *_: True)
    loop = asyncio.new_event_loop()
    try:
        assert loop.run_until_complete(left_behind()) != (True, -1)
    finally:
        monkeypatch.undo()
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(one)
        loop.close()
