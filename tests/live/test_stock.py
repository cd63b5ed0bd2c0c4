"""What is found under simulation can happen: the standard library's own loop, as it is, does the same step for step when the
same arrives. Each known race, and programs drawn at random; and a loop that is broken on purpose is told from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from bench.races.table import RACES, Race
from sim import Program, Replay, Uniform, fuzz, simulate
from sim.live.around import around
from sim.live.execution import Execution
from sim.live.handles import LiveTimer
from sim.live.loop import LiveLoop
from sim.live.net.selector import PlannedSelector
from tests.live.by_chance import drawn
from tests.live.script import Told, first_difference, script_of
from tests.live.stock import OffScript, played

SCHEDULES = 500
"""Within which the default fuzz finds each race."""
DRAWN = range(120)
"""Programs; the soak takes many more."""
MANY = range(1_000, 6_000)
STEPS_MAX = 400

can_happen = [race for race in RACES if race.racy().order == "fifo"]
each = pytest.mark.parametrize("race", can_happen, ids=lambda race: race.target.rpartition(".")[2])


def counterexample(race: Race) -> tuple[Program, Told]:
    """The minimised counterexample of the default fuzz."""
    program = race.racy()
    least = fuzz(program, schedules=SCHEDULES).found[0].counterexample
    run = simulate(program, Replay(least.schedule, then_usual=True))
    assert run.finding is not None
    assert run.finding.property == race.prop
    return program, script_of(program, run.trace)


@each
def test_a_race_that_is_found_happens_on_the_stock_loop(race: Race) -> None:
    program, script = counterexample(race)
    assert first_difference(script, played(program, script)) == ""
    assert first_difference(script, played(program, script, by_timer=True)) == ""


def test_only_what_needs_another_order_is_left_out() -> None:
    assert [race.target for race in RACES if race not in can_happen] == ["bench.races.token"]


def drawn_runs(seeds: Sequence[int], schedules: int = 2) -> Iterator[tuple[int, Program, Told]]:
    """Programs drawn at random, each under some schedules."""
    for seed in seeds:
        for schedule in range(schedules):
            program = drawn(seed)
            run = simulate(program, Uniform(schedule), max_steps=STEPS_MAX)
            yield seed, program, script_of(program, run.trace)


def differences(seeds: Sequence[int], schedules: int = 2) -> Iterator[str]:
    """Where a stock loop does something else than the simulated one."""
    with around.walks():
        runs = list(drawn_runs(seeds, schedules))
    for seed, program, script in runs:  # outside of what surrounds simulated runs
        if difference := differs(program, script):
            yield f"program {seed}: {difference}"


def differs(program: Program, script: Told) -> str:
    try:
        return first_difference(script, played(program, script))
    except OffScript as error:
        return str(error)


def test_programs_drawn_at_random_run_as_on_the_stock_loop() -> None:
    assert list(differences(DRAWN)) == []


@pytest.mark.soak
@pytest.mark.parametrize("part", range(10))
def test_many_programs_drawn_at_random_run_as_on_the_stock_loop(part: int) -> None:
    assert list(differences(MANY[part::10], 4)) == []


# --- planted faults: each replaces one method, given the one that it replaces -------------------------


def _last_first(real: Any) -> Any:
    def turn(self: Any) -> None:
        self._ready.reverse()
        real(self)

    return turn


def _by_tasks(real: Any) -> Any:
    """What a loop does that lets tasks overtake each other."""

    def turn(self: Any) -> None:
        self._ready.extend(sorted([self._ready.popleft() for _ in range(len(self._ready))], key=_number))
        real(self)

    return turn


def _number(handle: Any) -> int:
    return getattr(getattr(handle._callback, "__self__", None), "number", 0)


def _timers_first(real: Any) -> Any:
    def turn(self: Any) -> None:
        self._ready.extendleft(_due(self))
        real(self)

    return turn


def _due(loop: Any) -> list[Any]:
    due = sorted(timer for timer in loop._scheduled if timer.when() <= loop.now_s and not timer.cancelled())
    for timer in due:
        loop._scheduled.remove(timer)
        timer._scheduled = False
    loop._scheduled.sort()
    return due


def _in_the_same_turn(real: Any) -> Any:
    def turn(self: Any) -> None:
        real(self)
        while self._ready:
            handle = self._ready.popleft()
            if not handle.cancelled():
                handle._run()

    return turn


def _one_at_a_time(real: Any) -> Any:
    def turn(self: Any) -> None:
        behind = [self._ready.pop() for _ in range(len(self._ready) - 1)]
        real(self)
        self._ready.extendleft(behind)

    return turn


def _last_made_first(_: Any) -> Any:
    return lambda self, other: (self.when(), -self.number) < (other.when(), -other.number)


def _at_once(real: Any) -> Any:
    """A cancelled task goes on before anything else."""

    def cancel(self: Any, number: int) -> None:
        before = len(self.loop._ready)
        real(self, number)
        if len(self.loop._ready) > before:
            self.loop._ready.rotate(1)

    return cancel


def _handled_at_once(_: Any) -> Any:
    def signal(self: Any) -> None:
        self._process_self_data(bytes(self.on_signal))

    return signal


def _left_at_once(real: Any) -> Any:
    def strike_main(self: Any) -> None:
        real(self)
        self._main_is_left = True

    return strike_main


def _first_alone(real: Any) -> Any:
    return lambda self, timeout=None: real(self, timeout)[:1]


def _what_was_ready(real: Any) -> Any:
    """Reports also who is ready no longer."""

    def select(self: Any, timeout: float | None = None) -> Any:
        found = real(self, timeout)
        known = {key.fd for key, _ in found}
        keys = [key for fd, key in self._fd_to_key.items() if fd not in known]
        return found + [(key, key.events) for key in keys if found]

    return select


Plant = tuple[type, str, Callable[[Any], Any]]
PLANTS: list[Plant] = [
    (LiveLoop, "turn", _last_first),
    (LiveLoop, "turn", _by_tasks),
    (LiveLoop, "turn", _timers_first),
    (LiveLoop, "turn", _in_the_same_turn),
    (LiveLoop, "turn", _one_at_a_time),
    (LiveLoop, "signal", _handled_at_once),
    (PlannedSelector, "select", _first_alone),
    (PlannedSelector, "select", _what_was_ready),
    (LiveTimer, "__lt__", _last_made_first),
    (Execution, "_cancel", _at_once),
    (Execution, "_strike_main", _left_at_once),
]


@pytest.mark.parametrize(("where", "name", "plant"), PLANTS, ids=lambda each: getattr(each, "__name__", each))
def test_a_loop_that_is_broken_is_told_from_the_stock_loop(
    where: type, name: str, plant: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(seeds: Sequence[int]) -> Iterator[str]:
        with monkeypatch.context() as patching, around.walks():
            patching.setattr(where, name, plant(getattr(where, name)))
            runs = list(drawn_runs(seeds))
        return (difference for _, program, script in runs if (difference := differs(program, script)))

    assert any(next(broken(DRAWN[at : at + 20]), "") for at in range(0, len(DRAWN), 20))
