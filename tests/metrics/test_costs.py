"""What `sim bench metrics` says: one sentence that follows from the samples, a table, a plot. No timing is asserted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sim.cli import bench, call
from sim.metrics.bootstrap import median_interval
from sim.metrics.overhead import Overhead, Ratio, ratio_of
from sim.report.costs import plot, sentence, table

RUN = {"steps": 92, "turns": 27}
FAST = ("--rounds", "1", "--turns", "1000", "--runs", "5")


def a_run(percents: Sequence[float]) -> Ratio:
    """Runs of 100 ms that cost so many percent more."""
    return ratio_of(lambda n: (100_000_000, round(1_000_000 * (100 + percents[n - 1]))), rounds=len(percents))


def overhead(percents: Sequence[float]) -> Overhead:
    turn = ratio_of(lambda _: (100_000, 480_000), rounds=3)  # a thousand turns
    return Overhead({"record_turn": turn}, (1000, 2000), (100, 110), a_run(percents))


@pytest.mark.parametrize(
    ("percents", "said"),
    [
        ([1.4] * 9, "metrics cost 1.4 % ± 0.0 of a run, 0.5 µs a turn; limit 2 %: kept"),
        ([1, 1, 1, 1.5, 2.5, 3, 3], "limit 2 %: kept, as far as these runs can tell"),
        ([2.5] * 9, "metrics cost 2.5 % ± 0.0 of a run, 0.5 µs a turn; limit 2 %: NOT kept"),
        ([-0.3] * 9, "metrics cost -0.3 % ± 0.0 of a run"),
    ],
)
def test_the_sentence_follows_from_the_samples(percents: Sequence[float], said: str) -> None:
    found = sentence(overhead(percents), 0.02)
    assert said in found
    assert found.endswith(said) or not said.endswith("kept")


def test_the_table_contradicts_neither_the_sentence_nor_itself() -> None:
    """The ratio of before and the two durations beside it were of different samples: a run could be slower by the one
    and faster by the others."""
    lines = [*table(overhead([1, 2, 3]), RUN)]
    assert "+2.0 %" in lines[1]
    assert "102.0 / 100.0 ms" in lines[1]
    assert max(map(len, lines[: lines.index("")])) <= 80


def test_the_figures_that_contradicted_each_other_are_caught() -> None:
    """Nine of ten rounds say that it costs 2 %; the fastest of each say that it costs less than nothing."""
    samples = [(100, 102)] * 9 + [(200, 99)]
    found = ratio_of(lambda number: samples[number - 1], rounds=10)
    assert found.ratio == 1.02
    assert found.ns < found.base_ns
    base, subject = found.medians_ns
    assert subject > base


# --- the command ------------------------------------------------------------------------------------


def measuring(monkeypatch: pytest.MonkeyPatch, percent: float) -> None:
    monkeypatch.setattr(bench, "run_pair", lambda _=0: (1_000_000, round(10_000 * (100 + percent))))


@pytest.mark.parametrize(("percent", "status"), [(1.0, 0), (2.0, 0), (2.1, 1)])
def test_the_status_is_one_if_the_whole_interval_is_above_the_limit(
    percent: float, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measuring(monkeypatch, percent)
    assert call(["bench", "metrics", *FAST]) == status
    assert (": kept" in capsys.readouterr().out) == (status == 0)
    assert call(["bench", "metrics", *FAST, "--json"]) == status
    found = json.loads(capsys.readouterr().out)
    assert (found["kept"], found["limit"], found["ratio_run"]) == (status == 0, 0.02, 1 + percent / 100)
    assert found["ratio_run_interval"] == [1 + percent / 100] * 2
    assert call(["bench", "metrics", *FAST, "--limit", "5"]) == 0


def test_a_limit_that_is_passed_by_a_part_of_the_interval_is_not_called_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    costs = iter([0, 1, 1.5, 2.5, 3, 4] * 2)
    monkeypatch.setattr(bench, "run_pair", lambda _=0: (1_000_000, round(10_000 * (100 + next(costs)))))
    assert call(["bench", "metrics", *FAST]) == 0
    assert "kept, as far as these runs can tell" in capsys.readouterr().out


def test_a_run_is_measured_with_and_without() -> None:
    base, whole = bench.run_pair(1)
    assert base >= 1
    assert whole >= 1


def test_the_plot_has_a_point_for_each_size_and_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measuring(monkeypatch, 1.0)
    monkeypatch.chdir(tmp_path)
    assert call(["bench", "metrics", *FAST, "--svg", "cost.svg"]) == 0
    assert "written to cost.svg" in capsys.readouterr().out
    drawing = ElementTree.fromstring(Path("cost.svg").read_text())
    name = "{http://www.w3.org/2000/svg}"
    assert len(drawing.findall(f".//{name}circle")) == 1 + len(bench.OTHER_ROUNDS)
    assert [text.text for text in drawing.iter(f"{name}text") if "limit" in (text.text or "")] == ["limit 2 %"]


def test_a_plot_stays_within_its_frame_whatever_was_measured() -> None:
    for low, high in ((-40.0, -1.0), (0.0, 0.0), (0.1, 900.0)):
        points = [(3, median_interval([1 + low / 100] * 5)), (300, median_interval([1 + high / 100] * 5))]
        drawing = ElementTree.fromstring(plot(points, 0.02))
        for circle in drawing.iter("{http://www.w3.org/2000/svg}circle"):
            assert 0 <= float(circle.get("cy", "")) <= 360
            assert 0 <= float(circle.get("cx", "")) <= 640


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--svg", "/dev/null/x.svg"), "--svg /dev/null/x.svg: cannot be written"),
        (("--limit", "-1"), "--limit"),
        (("--limit", "much"), "--limit"),
        (("--runs", "0"), "--runs"),
        (("--turns", "3"), "--turns"),
    ],
)
def test_wrong_input_is_one_line(
    words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measuring(monkeypatch, 1.0)
    assert call(["bench", "metrics", *FAST, *words]) == 2
    _, err = capsys.readouterr()
    assert said in err
    assert err.count("\n") == 1
