"""The clock of a run, wherever a program reads it: `time`, `datetime` and `date`.

All runs begin at the same instant, `EPOCH`; the clocks that count from an unknown begin count from the start of the run, as
`loop.time()` does, and no time is spent on computing. The zone of `localtime` and of a `datetime` without one is the machine's:
set TZ where machines differ. What a program has written in C, or in another language, reads the machine's clock.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from sim.base.durations import EPOCH
from sim.base.errors import ConfigError
from sim.live.entering import Entering, Surrounded
from sim.live.in_place import Swaps

EPOCH_S = int(EPOCH.timestamp())

_NS = 10**9
_US = 10**6

COUNTING = ("monotonic", "perf_counter", "process_time", "thread_time")
"""Clocks that count from an unknown begin; each has a twin that counts nanoseconds."""
MOMENTS = ("localtime", "gmtime", "ctime")
"""What is said of a given moment, or of now."""
TIMELESS = ("clock_getres", "get_clock_info", "mktime", "pthread_getcpuclockid", "strptime", "tzset")
"""What reads no clock."""


def _wall(run: Surrounded) -> float:
    return EPOCH_S + run.now_s()


def _ns(run: Surrounded) -> int:
    return round(run.now_s() * _NS)


def _moment(real: Any, run: Surrounded, seconds: float | None = None) -> Any:
    return real(_wall(run) if seconds is None else seconds)


def _written(real: Any, run: Surrounded, form: str, *moment: Any) -> Any:
    return real(form, *(moment or (time.localtime(_wall(run)),)))


def _asctime(real: Any, run: Surrounded, *moment: Any) -> Any:
    return real(*(moment or (time.localtime(_wall(run)),)))


def _by_number(real: Any, run: Surrounded, clock: int) -> float:
    real(clock)  # it says what is no clock
    return _wall(run) if clock == time.CLOCK_REALTIME else run.now_s()


def _by_number_ns(real: Any, run: Surrounded, clock: int) -> int:
    real(clock)
    return _ns(run) + (EPOCH_S * _NS if clock == time.CLOCK_REALTIME else 0)


def _date(run: Surrounded, kind: type[datetime], zone: Any) -> Any:
    seconds, microseconds = divmod(round(run.now_s() * _US), _US)
    return kind.fromtimestamp(EPOCH_S + seconds, zone).replace(microsecond=microseconds)


def _now(_real: Any, run: Surrounded, kind: type[datetime], tz: Any = None) -> Any:
    return _date(run, kind, tz)


def _utcnow(_real: Any, run: Surrounded, kind: type[datetime]) -> Any:
    return _date(run, kind, UTC).replace(tzinfo=None)


READINGS: dict[str, Any] = {
    "time": lambda _real, run: _wall(run),
    "time_ns": lambda _real, run: EPOCH_S * _NS + _ns(run),
    **{name: lambda _real, run: run.now_s() for name in COUNTING},
    **{f"{name}_ns": lambda _real, run: _ns(run) for name in COUNTING},
    **dict.fromkeys(MOMENTS, _moment),
    "strftime": _written,
    "asctime": _asctime,
    "clock_gettime": _by_number,
    "clock_gettime_ns": _by_number_ns,
}
"""Function of `time` -> what it says in a run. `date.today` and `datetime.today` ask `time.time`."""


def swap_clocks(swaps: Swaps, entering: Entering) -> None:
    _without_time_machine(swaps)
    for name, reading in READINGS.items():
        if hasattr(time, name):  # not every platform has every clock
            swaps.built_in(getattr(time, name), entering.chooses(reading))
    swaps.class_method(datetime, "now", entering.chooses(_now))
    swaps.class_method(datetime, "utcnow", entering.chooses(_utcnow))


def _without_time_machine(swaps: Swaps) -> None:
    """The library time-machine writes into the same functions, and expects them to be as Python made them: with both at work
    the process ends. It is loaded now, as loading it looks at them, and travels when everything is as it was."""
    right = "a run has a clock of its own; travel where no program is run"
    if find_spec("_time_machine") is None:
        return
    traveller = sys.modules.get("time_machine")
    if traveller is not None and traveller.traveller_stack:
        raise ConfigError(f"time-machine is travelling: {right}")

    def refuse() -> None:
        raise ConfigError(f"time-machine cannot travel here: {right}")

    for name in ("patch", "unpatch"):
        swaps.attribute(import_module("_time_machine"), name, lambda _real: refuse)
