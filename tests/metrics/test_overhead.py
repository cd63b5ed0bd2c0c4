"""The meter of the overhead: what it computes, with a clock of the test. No timing is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.metrics import SessionMetrics
from sim.metrics.bootstrap import median_interval
from sim.metrics.overhead import (
    ROUNDS_MIN,
    bare_additions,
    compare,
    measure,
    ratio_of,
    record_labelled,
    record_plain,
    record_timed,
    retained_bytes,
    round_labels,
    session_of,
)


class Clock:
    """Stands still but for what is spent with `spend`."""

    now = 0

    def __call__(self) -> int:
        return self.now

    def spend(self, *durations: int) -> Callable[[], None]:
        left = iter(durations)

        def work() -> None:
            self.now += next(left)

        return work


def test_the_ratio_is_the_median_of_neighbours_and_the_first_round_only_warms_up():
    clock = Clock()
    found = compare(clock.spend(10_000, 30, 40, 9000), clock.spend(10, 10, 20, 10), clock_ns=clock, rounds=3)
    assert (found.ratio, found.ns, found.base_ns) == (3.0, 30, 10)  # of 3, 2 and 900


def test_the_recorders_make_the_additions_they_are_compared_with():
    row = bare_additions()
    for record in (record_labelled, record_plain, record_timed):
        session = record()
        assert session.running_total == row.usage()
        assert session.turn_count == row.turns


def test_the_figures_of_the_command():
    clock = Clock()

    def ticking() -> int:
        clock.now += 1000
        return clock.now

    found = measure(ticking, rounds=3, turns_few=100, turns_many=1000).as_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["ratio_record_turn"] == 1.0  # the clock ticks once for either
    assert found["ratio_run"] is None
    assert found["measured_on"]["python"].count(".") == 2
    run = ratio_of(lambda number: (100, 101 + number), rounds=3)
    found = measure(ticking, rounds=1, turns_few=10, turns_many=10, run=run).as_dict()
    assert (found["ratio_run"], found["run_rounds"], found["ns_run"], found["ns_run_without"]) == (1.03, 3, 102, 100)


def test_rounds_end_when_there_is_enough_but_not_before_a_few():
    asked: list[int] = []
    found = ratio_of(lambda number: asked.append(number) or (1, 1), rounds=100, enough=lambda: True)
    assert (found.rounds, asked) == (ROUNDS_MIN, [*range(ROUNDS_MIN + 1)])
    assert ratio_of(lambda _: (1, 1), rounds=2, enough=lambda: True).rounds == 2


# --- how sure a median is ---------------------------------------------------------------------------

SAMPLES = [1.0 + ((number * 37) % 101) / 1000 for number in range(101)]
"""1.000 to 1.100, each once: their median is 1.05."""


def test_the_interval_is_around_the_median_and_narrows_with_more_samples():
    few, many = median_interval(SAMPLES[::5]), median_interval(SAMPLES * 4)
    assert median_interval(SAMPLES).median == pytest.approx(1.05)
    for one in (few, many):
        assert one.low <= one.median <= one.high
    assert many.reach < few.reach
    assert median_interval([2.0]) == (2.0, 2.0, 2.0)
    assert median_interval(SAMPLES) == median_interval(SAMPLES), "the same samples, the same interval"


def test_the_interval_has_the_width_that_theory_gives_it():
    """Of n samples spread evenly over a width w, a median has the standard error w / (2 sqrt(n)): for n = 404 and w =
    0.1 that is 0.0025, and 95 % are 1.96 of them on either side."""
    found = median_interval(SAMPLES * 4)
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.0025, rel=0.15)


def test_an_interval_that_is_drawn_without_replacement_is_caught(monkeypatch: pytest.MonkeyPatch):
    """Draws that are all the same have no width, which the test above would not let pass."""
    monkeypatch.setattr("sim.metrics.bootstrap.GAMMA", 0)
    found = median_interval(SAMPLES)
    assert found.high == found.low


def test_memory_does_not_grow_with_the_turns_but_for_the_width_of_integers():
    few, many = (retained_bytes(session_of(turns, round_labels())) for turns in (1000, 50_000))
    assert many <= few * 1.05


def test_memory_does_not_grow_with_labels_beyond_the_bound():
    few, many = (retained_bytes(session_of(turns, round_labels(None))) for turns in (20_000, 60_000))
    assert many <= few * 1.05


def test_a_session_that_keeps_every_turn_is_caught_by_the_same_measure():
    class Hoarder(SessionMetrics):
        __slots__ = ("kept",)

        def __init__(self) -> None:
            super().__init__()
            self.kept: list[float] = []

    few, many = Hoarder(), Hoarder()
    few.kept = [float(number) for number in range(1000)]
    many.kept = [float(number) for number in range(50_000)]
    assert retained_bytes(many) > retained_bytes(few) * 1.05


PACKAGE = Path(__file__).parents[2] / "sim"


def test_importing_the_package_imports_nothing_heavy_and_nothing_of_the_simulation():
    # The package `sim` offers a model all it needs; stood in for, it shows what metrics need by themselves.
    code = (
        "import sys, types; sim = sys.modules['sim'] = types.ModuleType('sim'); "
        f"sim.__path__ = [{str(PACKAGE)!r}]; import sim.metrics; print('\\n'.join(sys.modules))"
    )
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    heavy = {"numpy", "pydantic", "genai_prices", "opentelemetry", "click", "rich", "decimal", "json"}
    assert loaded & heavy == set()
    ours = {name for name in loaded if name.split(".")[0] == "sim"}
    assert {name for name in ours if not name.startswith("sim.metrics")} == {"sim", "sim.base", "sim.base.errors"}
    assert "sim.metrics.cost" not in ours


def test_cost_and_export_do_not_load_the_price_data_until_a_price_is_asked_for():
    code = "import sys, sim.metrics.cost, sim.metrics.export; print('genai_prices' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
