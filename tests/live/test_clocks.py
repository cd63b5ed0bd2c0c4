"""Whatever a program reads the time from is the clock of its run, also where it was bound at import."""

from __future__ import annotations

import datetime as dates
import pickle
import sys
import threading
import time
from datetime import UTC, date, datetime
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import pytest

from sim.base.durations import EPOCH
from sim.base.errors import ConfigError
from sim.live import clocks
from sim.live.clocks import COUNTING, READINGS, TIMELESS
from sim.live.refusals import REFUSED
from sim.live.surroundings import surroundings
from tests.live.surrounded import BOUND, Nothing, entered, in_run

EPOCH_S = EPOCH.timestamp()
NS = 10**9
HERE = datetime.fromtimestamp(EPOCH_S + 1.25)

SAYS: dict[str, tuple[Any, Any]] = {
    "time": (time.time, EPOCH_S + 1.25),
    "time_ns": (lambda: time.time_ns(), int(EPOCH_S) * NS + 1_250_000_000),
    **{name: (lambda name=name: getattr(time, name)(), 1.25) for name in COUNTING},
    **{f"{name}_ns": (lambda name=name: getattr(time, f"{name}_ns")(), 1_250_000_000) for name in COUNTING},
    "gmtime": (lambda: time.gmtime()[:6], (2025, 1, 1, 0, 0, 1)),
    "gmtime of None": (lambda: time.gmtime(None)[:6], (2025, 1, 1, 0, 0, 1)),
    "gmtime of a moment": (lambda: time.gmtime(0)[:6], (1970, 1, 1, 0, 0, 0)),
    "localtime": (lambda: time.localtime()[:6], HERE.timetuple()[:6]),
    "ctime": (lambda: time.ctime(), HERE.ctime()),
    "asctime": (lambda: time.asctime(), HERE.ctime()),
    "asctime of a moment": (lambda: time.asctime((2001, 2, 3, 4, 5, 6, 5, 34, 0)), "Sat Feb  3 04:05:06 2001"),
    "strftime": (lambda: time.strftime("%Y"), str(HERE.year)),
    "strftime of a moment": (lambda: time.strftime("%Y", time.gmtime(0)), "1970"),
    "clock_gettime": (lambda: time.clock_gettime(time.CLOCK_REALTIME), EPOCH_S + 1.25),
    "clock_gettime counting": (lambda: time.clock_gettime(time.CLOCK_MONOTONIC), 1.25),
    "clock_gettime_ns": (lambda: time.clock_gettime_ns(time.CLOCK_MONOTONIC), 1_250_000_000),
    "datetime.now": (lambda: datetime.now(), HERE),
    "datetime.now of a zone": (lambda: datetime.now(UTC), EPOCH + dates.timedelta(seconds=1.25)),
    "datetime.now of a zone by name": (lambda: datetime.now(tz=UTC), EPOCH + dates.timedelta(seconds=1.25)),
    "datetime.utcnow": (lambda: datetime.utcnow(), datetime(2025, 1, 1, 0, 0, 1, 250_000)),
    "datetime.today": (lambda: datetime.today(), HERE),
    "date.today": (lambda: date.today(), HERE.date()),
}


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow")
@pytest.mark.parametrize("name", SAYS)
def test_a_clock_is_the_runs_and_afterwards_the_real_one(name: str) -> None:
    call, said = SAYS[name]
    real = call()
    assert in_run(call) == said
    with surroundings.installed():
        assert type(call()) is type(real)
        assert call() != said or "of a moment" in name
    assert call() != said or "of a moment" in name


@pytest.mark.parametrize("name", BOUND)
def test_a_clock_that_was_bound_at_import_is_the_runs(name: str) -> None:
    def call() -> Any:
        return BOUND[name]()

    said = in_run(call)
    assert said in (EPOCH_S + 1.25, 1.25, 1_250_000_000, HERE, HERE.date())
    assert call() != said


def test_a_run_of_a_later_second_is_later() -> None:
    assert in_run(time.time, at_s=3600) == EPOCH_S + 3600
    assert in_run(lambda: datetime.now(UTC), at_s=3600) == EPOCH + dates.timedelta(hours=1)


def test_every_function_of_time_is_known_here() -> None:
    assert unknown(time) == set()


def test_a_function_of_time_that_is_new_is_noticed() -> None:
    class Newer:
        time = time.time
        sundial = print

    assert unknown(Newer) == {"sundial"}


def unknown(module: Any) -> set[str]:
    functions = {name for name, thing in vars(module).items() if callable(thing) and not name.startswith("_")}
    refused = {name for of, names, _ in REFUSED if of == "time" for name in names}
    return functions - {*READINGS, *TIMELESS, "struct_time", "sleep"} - refused


@pytest.mark.parametrize("name", sorted(READINGS))
def test_a_clock_that_is_left_out_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    call, said = SAYS[name]
    monkeypatch.delitem(clocks.READINGS, name)
    assert name in unknown(time)
    assert in_run(call) != said


def test_what_a_datetime_is_stays_what_it_was() -> None:
    def kinds() -> tuple[bool, bool, bool]:
        now = datetime.now(UTC)
        return isinstance(now, datetime), type(now) is datetime, pickle.loads(pickle.dumps(now)) == now

    assert in_run(kinds) == (True, True, True)
    assert pickle.loads(in_run(lambda: pickle.dumps(datetime.now(UTC)))) == EPOCH + dates.timedelta(seconds=1.25)


def test_a_class_of_datetimes_makes_its_own() -> None:
    class Stamp(datetime):
        pass

    now, today = in_run(lambda: (Stamp.now(UTC), Stamp.today()))
    assert (type(now), type(today)) == (Stamp, Stamp)
    assert now == EPOCH + dates.timedelta(seconds=1.25)


def test_wrong_arguments_are_told_as_ever() -> None:
    for call in (
        lambda: time.time(1),
        lambda: time.localtime("x"),
        lambda: time.clock_gettime(-77),
        lambda: datetime.now(3),
    ):
        with pytest.raises((TypeError, OSError)):
            in_run(call)
        with pytest.raises((TypeError, OSError)), surroundings.installed():
            call()


def test_another_thread_sees_the_real_clock() -> None:
    ready, done = threading.Event(), threading.Event()
    seen: list[tuple[float, float, int]] = []

    def look() -> None:
        ready.wait()
        seen.append((time.time(), time.monotonic(), datetime.now(UTC).year))
        done.set()

    other = threading.Thread(target=look)
    other.start()
    with entered(Nothing()):
        ready.set()
        while not done.is_set():
            pass
        ours = time.time()
    other.join()
    ((wall, counted, year),) = seen
    assert ours == EPOCH_S + 1.25
    assert wall != ours
    assert counted != 1.25
    assert year > 2025


class Travelling(ModuleType):
    """Stands for the library time-machine."""

    def __init__(self, *stack: object) -> None:
        super().__init__("_time_machine")
        self.__spec__ = ModuleSpec("_time_machine", None)
        self.traveller_stack = stack
        self.patched = 0

    def patch(self) -> None:
        self.patched += 1

    unpatch = patch


def test_a_clock_is_swapped_by_one_library_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Travelling()
    monkeypatch.setitem(sys.modules, "_time_machine", library)
    monkeypatch.setitem(sys.modules, "time_machine", library)
    with surroundings.installed(), pytest.raises(ConfigError, match="cannot travel here: a run has a clock of its own"):
        library.patch()
    library.patch()
    assert library.patched == 1


def test_a_library_that_has_swapped_the_clock_already_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Travelling("a traveller")
    monkeypatch.setitem(sys.modules, "_time_machine", library)
    monkeypatch.setitem(sys.modules, "time_machine", library)
    with pytest.raises(ConfigError, match="time-machine is travelling"), surroundings.installed():
        pass
    assert type(time.time.__self__) is ModuleType
