"""What runs on a simulated kernel runs turn for turn, handle for handle, as over real sockets. And kernels that are broken
on purpose are told apart by these very programs."""

from __future__ import annotations

import contextlib
import errno
import gc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim.live.net.channel import Channel
from sim.live.net.datagram_socket import DatagramSocket
from sim.live.net.kernel import Kernel
from sim.live.net.kernel_socket import KernelSocket
from sim.live.net.selector import PlannedSelector
from sim.live.net.stream_socket import ListeningSocket, StreamSocket
from tests.live.net.programs import PROGRAMS, a_slow_reader
from tests.live.net.two_loops import first_difference, really, simulated


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_turn_is_the_one_of_a_real_loop(name: str, tmp_path: Path) -> None:
    program = PROGRAMS[name]
    assert first_difference(really(program, tmp_path), simulated(program, tmp_path)) == ""


def test_a_slow_reader_stops_the_writer_as_on_a_real_loop(tmp_path: Path) -> None:
    told = [[said for said in run(a_slow_reader, tmp_path) if said[0] != "turn"] for run in (really, simulated)]
    assert told[0] == told[1]
    assert len(told[0]) == 2


# --- planted faults: each replaces one method, given the one that it replaces -------------------------


def _edge_triggered(real: Any) -> Any:
    def select(self: Any, timeout: float | None = None) -> Any:
        ready = real(self, timeout)
        self._listed.clear()
        return ready

    return select


def _in_order_of_descriptors(real: Any) -> Any:
    return lambda self, timeout=None: sorted(real(self, timeout), key=lambda each: each[0].fd)


def _last_first(real: Any) -> Any:
    return lambda self, timeout=None: real(self, timeout)[::-1]


def _asks_anew_at_the_end(real: Any) -> Any:
    def modify(self: Any, fileobj: Any, events: int, data: Any = None) -> Any:
        self.unregister(fileobj)
        return self.register(fileobj, events, data)

    return modify


def _end_lost(_: Any) -> Any:
    return lambda self: None


def _end_closes_both(real: Any) -> Any:
    def get_end(self: Any) -> None:
        real(self)
        self.finished = True

    return get_end


def _unread_is_no_reset(_: Any) -> Any:
    return lambda self: self._leave("" if self.finished else "end")


def _nobody_answers(real: Any) -> Any:
    return lambda self, arrival: None if self.closed else real(self, arrival)


def _reset_loses_what_came(real: Any) -> Any:
    def die(self: Any, number: int = errno.ECONNRESET) -> None:
        self.buffer.clear()
        real(self, number)

    return die


def _reset_is_an_end(_: Any) -> Any:
    def die(self: Any, number: int = errno.ECONNRESET) -> None:
        self.get_end()

    return die


def _connected_at_once(real: Any) -> Any:
    def connect(self: Any, end: Any, address: Any) -> None:
        with contextlib.suppress(BlockingIOError):
            real(self, end, address)

    return connect


def _paths_take_a_while(real: Any) -> Any:
    def connect(self: Any, end: Any, address: Any) -> None:
        real(self, end, address)
        raise BlockingIOError(errno.EINPROGRESS, "")

    return connect


def _one_byte_too_few(real: Any) -> Any:
    return lambda self, size, peek=False: real(self, min(size, 4), peek)


def _peeking_takes(real: Any) -> Any:
    return lambda self, size, peek=False: real(self, size)


def _bounces_unheard(_: Any) -> Any:
    return lambda self: None


def _strangers_unheard(real: Any) -> Any:
    return lambda self, data, sender: None if self.peer is None else real(self, data, sender)


def _last_accepted_first(real: Any) -> Any:
    def accept(self: Any) -> Any:
        self.queue.rotate(1)
        return real(self)

    return accept


def _those_who_wait_are_forgotten(real: Any) -> Any:
    def close(self: Any) -> None:
        self.queue.clear()
        real(self)

    return close


def _errors_stay(_: Any) -> Any:
    return lambda self: self.error


Plant = tuple[type, str, Callable[[Any], Any]]
PLANTS: list[Plant] = [
    (PlannedSelector, "select", _edge_triggered),
    (PlannedSelector, "select", _in_order_of_descriptors),
    (PlannedSelector, "select", _last_first),
    (PlannedSelector, "modify", _asks_anew_at_the_end),
    (StreamSocket, "get_end", _end_lost),
    (StreamSocket, "get_end", _end_closes_both),
    (StreamSocket, "close", _unread_is_no_reset),
    (StreamSocket, "arrived", _nobody_answers),
    (StreamSocket, "die", _reset_loses_what_came),
    (StreamSocket, "die", _reset_is_an_end),
    (StreamSocket, "receive", _one_byte_too_few),
    (StreamSocket, "receive", _peeking_takes),
    (Kernel, "connect", _connected_at_once),
    (Kernel, "connect", _paths_take_a_while),
    (DatagramSocket, "bounced", _bounces_unheard),
    (DatagramSocket, "arrived", _strangers_unheard),
    (ListeningSocket, "accept", _last_accepted_first),
    (ListeningSocket, "close", _those_who_wait_are_forgotten),
    (KernelSocket, "take_error", _errors_stay),
]


@pytest.fixture(scope="module")
def on_a_real_loop(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    return {name: really(program, tmp_path_factory.mktemp("real")) for name, program in PROGRAMS.items()}


@pytest.mark.parametrize(("where", "name", "plant"), PLANTS, ids=lambda each: getattr(each, "__name__", each))
def test_a_broken_kernel_is_told_from_a_real_one(
    where: type,
    name: str,
    plant: Callable[[Any], Any],
    on_a_real_loop: dict[str, list[Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(where, name, plant(getattr(where, name)))
    assert any(_differs(each, real, tmp_path) for each, real in on_a_real_loop.items())


def _differs(name: str, real: list[Any], folder: Path) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a program that hangs leaves its transports open
        try:
            return bool(first_difference(real, simulated(PROGRAMS[name], folder)))
        except Exception:
            return True
        finally:
            gc.collect()


def test_a_channel_that_takes_everything_is_told_from_a_real_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Channel, "room", 1 << 40)
    monkeypatch.setattr(Channel, "is_open", True)
    real, broken = ([said for said in run(a_slow_reader, tmp_path) if said[0] != "turn"] for run in (really, simulated))
    assert real != broken
