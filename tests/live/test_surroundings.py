"""A run is entered and left at every turn, and nothing of it stays behind, whatever happens in between."""

from __future__ import annotations

import _socket
import gc
import os
import random
import subprocess
import sys
import threading
import time
import uuid
import weakref
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from sim.base.errors import ConfigError
from sim.live import garbage, in_place
from sim.live import surroundings as module
from sim.live.draws import hidden_methods
from sim.live.garbage import Garbage
from sim.live.in_place import Swaps
from sim.live.surroundings import Surroundings, surroundings
from tests.live.surrounded import BOUND, DRAWN, Nothing, entered, in_run


def traces() -> dict[str, Any]:
    """What would tell that something is still swapped."""
    built_in = [time.time, time.sleep, os.urandom, open, os.mkdir, input, random.random, random.getrandbits]
    return {
        "of": [one.__self__ for one in built_in],
        "functions": [getattr(one, "__func__", None) for one in hidden_methods().values()],
        "codes": [uuid.uuid1.__code__, uuid.getnode.__code__, uuid.uuid1.__kwdefaults__, uuid.uuid1.__defaults__],
        "seed": vars(random.Random)["seed"],
        "entries": [vars(datetime)["now"], vars(datetime)["utcnow"], vars(_socket.socket)["bind"]],
    }


def test_after_all_runs_everything_is_as_it_was() -> None:
    before = traces()
    with entered(Nothing()):
        assert traces() != before
    assert traces() == before


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_nothing_behind(error: type[BaseException]) -> None:
    before = traces()
    with pytest.raises(error), entered(Nothing()):
        raise error
    assert traces() == before
    assert time.time() > 1.7e9


def test_what_cannot_be_installed_as_a_whole_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ConfigError("planted")

    before = traces()
    monkeypatch.setattr(module, "swap_dice", broken)
    with pytest.raises(ConfigError), surroundings.installed():
        pass
    assert traces() == before
    monkeypatch.undo()
    assert in_run(time.monotonic) == 1.25


def test_installed_twice_is_installed_until_the_outer_one_ends() -> None:
    before = traces()
    with surroundings.installed():
        inside = traces()
        with surroundings.installed():
            assert traces() == inside
        assert traces() == inside
    assert traces() == before


def test_runs_take_turns() -> None:
    one, other = Nothing(seed=1), Nothing(seed=2, at_s=9)
    alone = in_run(lambda: [random.random() for _ in range(4)], seed=1)
    drawn = []
    with surroundings.installed():
        for _ in range(4):
            surroundings.enter(one)
            drawn.append(random.random())
            surroundings.leave()
            random.random()
            surroundings.enter(other)
            assert (time.monotonic(), random.random()) != (1.25, drawn[-1])
            surroundings.leave()
    assert drawn == alone


def test_only_one_run_is_entered_and_only_where_it_can_be() -> None:
    with pytest.raises(RuntimeError, match="not installed"):
        Surroundings().enter(Nothing())
    with entered(Nothing()), pytest.raises(RuntimeError, match="entered already"):
        surroundings.enter(Nothing())
    surroundings.leave()


@pytest.mark.parametrize("name", ["time", "monotonic", "a default", "an attribute of a class"])
def test_a_swap_by_name_would_not_reach_what_is_bound(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Swaps, "built_in", by_name)
    said = in_run(BOUND[name])
    assert said not in (1.25, 1735689601.25)


def by_name(self: Swaps, function: Any, instead: Callable[[Any], Any]) -> None:
    self.attribute(function.__self__, function.__name__, instead) if type(function.__self__) is type(os) else None


def test_a_class_method_bound_before_would_be_missed_unless_it_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_run(BOUND["now"]).year == 2025
    monkeypatch.setattr(in_place, "_collectable", list)
    monkeypatch.setattr(in_place, "BOUND_BEFORE", in_place.BoundBefore())
    assert in_run(BOUND["now"]).year > 2025


def test_what_is_laid_out_otherwise_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    before = traces()
    with pytest.raises(ConfigError, match="CPython"):
        Swaps().built_in(print.__call__, lambda real: real)
    monkeypatch.setattr(in_place._BuiltIn, "first", in_place._BuiltIn.module)
    with pytest.raises(ConfigError, match="CPython"), surroundings.installed():
        pass
    assert traces() == before


def test_swapped_functions_survive_the_collector() -> None:
    with entered(Nothing()):
        for _ in range(3):
            gc.collect()
            assert [draw() for draw in DRAWN.values()]
            assert time.monotonic() == 1.25
    gc.collect()
    assert time.monotonic() != 1.25


def test_what_a_swapped_function_holds_is_counted() -> None:
    with surroundings.installed():
        held = time.time.__self__
        count = sys.getrefcount(held) - 2  # this name, and the argument
    assert count == len(("the swapped function", "its pattern", "the way back")), (
        "the collector would take it for garbage"
    )


def test_a_frozen_heap_stays_frozen() -> None:
    gc.freeze()
    assert in_run(BOUND["now"]).year == 2025
    assert gc.get_freeze_count() > 0


def test_threads_that_draw_do_not_disturb_a_run() -> None:
    alone = in_run(lambda: [random.random() for _ in range(2000)])
    stop = threading.Event()

    def draw() -> None:
        while not stop.is_set():
            random.random()
            random.choice("abc")

    other = threading.Thread(target=draw)
    other.start()
    try:
        assert in_run(lambda: [random.random() for _ in range(2000)]) == alone
    finally:
        stop.set()
        other.join()


def test_surroundings_of_ones_own_work_as_well() -> None:
    own = Surroundings()
    with own.installed():
        own.enter(Nothing())
        try:
            with pytest.raises(Exception, match="refused"):
                os.system("true")
        finally:
            own.leave()
    assert own.refused is not None


def test_threads_may_call_while_all_is_swapped_and_swapped_back() -> None:
    stop = threading.Event()
    wrong: list[BaseException] = []

    def call() -> None:
        try:
            while not stop.is_set():
                assert 0 <= random.random() < 1
                assert time.time() > 1.7e9
                assert uuid.uuid1().version == 1
                assert random.choice("a") == "a"
                assert len(os.urandom(3)) == 3
                assert time.localtime(0).tm_year in (1969, 1970)
        except BaseException as error:
            wrong.append(error)

    others = [threading.Thread(target=call) for _ in range(2)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for other in others:
            other.start()
        for _ in range(20):
            assert in_run(time.monotonic) == 1.25
    finally:
        stop.set()
        for other in others:
            other.join()
        sys.setswitchinterval(interval)
    assert wrong == []


class Cycle:
    def __init__(self) -> None:
        self.itself = self


def left() -> weakref.ref[Cycle]:
    return weakref.ref(Cycle())


def test_garbage_is_collected_between_runs_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "MANY", 500)
    was = gc.isenabled()
    with Garbage() as collecting:
        assert not gc.isenabled()
        first = left()
        kept = [[at] for at in range(5000)]
        assert first() is not None
        collecting.between_runs()
        assert first() is None
        few = left()
        collecting.between_runs()
        assert few() is not None
    assert gc.isenabled() == was
    assert kept


def test_garbage_that_grew_old_is_collected_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "MANY", 0)
    with Garbage() as collecting:
        cycle = Cycle()
        old = weakref.ref(cycle)
        collecting.between_runs()
        collecting.between_runs()
        del cycle
        for _ in range(garbage.YOUNG):
            collecting.between_runs()
        assert old() is None


def test_what_was_frozen_and_off_before_stays_so() -> None:
    gc.disable()
    try:
        gc.freeze()
        with Garbage():
            pass
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.enable()


SWAPPED_TWICE = """
import gc, time
from sim.live import in_place

kept = []

def keep(real):
    kept.append(real)
    return lambda *args, **kwargs: real(*args, **kwargs)

swaps = in_place.Swaps()
swaps.built_in(time.monotonic_ns, keep)
swaps.built_in(time.monotonic_ns, keep)
swaps.undo()
others = [*map(float, range(200_000))], [bytes(40) for _ in range(100_000)]
gc.collect()
print(*(real.__name__ for real in kept))
"""


def test_whoever_keeps_the_real_one_of_what_was_swapped_twice_may_ask_it_afterwards() -> None:
    """The collector of garbage does, as well."""
    done = subprocess.run([sys.executable, "-c", SWAPPED_TWICE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "monotonic_ns monotonic_ns\n"), done.stderr


def test_what_defines_the_functions_of_one_name_is_made_once() -> None:
    assert in_place._calling(b"ask", None) is in_place._calling(b"ask", None)
    made_anew = in_place._calling.__wrapped__
    assert made_anew(b"ask", None) is not made_anew(b"ask", None)
