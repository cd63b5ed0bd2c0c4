"""`sim run` of several files: a line for each, in full what is not as expected, and what came of all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.cli import call
from sim.run.verify import RunRequest

ROOT = Path(__file__).parents[2]
R8 = ROOT / "scenarios/consensus/r8_late_original.yaml"
TWIN = ROOT / "scenarios/consensus/r8_late_original_unsequenced.yaml"
WRONG = 23
"""The line of the expectation that `wrong` changes."""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.yaml").write_text(R8.read_text())
    Path("twin.yaml").write_text(TWIN.read_text())
    Path("wrong.yaml").write_text(R8.read_text().replace("rejected: {duplicate: 1}", "rejected: {duplicate: 2}"))
    Path("unfit.yaml").write_text(
        "model: models.consensus\nschedule:\n  - move coordinator.boot\n"
        "  - deliver gemini->coordinator Response(round=1)\n"
    )


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str], str]:
    status = call(["run", *words])
    out, err = capsys.readouterr()
    return status, out.splitlines(), err


def test_several_that_are_as_expected_are_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "good.yaml", "twin.yaml") == (
        0,
        [
            "ok    good.yaml: ok, after 12 steps",
            "ok    twin.yaml: violates exactly_once_inputs, as expected, after 7 steps",
            "",
            "2 as expected",
        ],
        "",
    )


def test_what_is_not_as_expected_is_in_full_and_named_with_its_line_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, lines, _ = said(capsys, "good.yaml", "wrong.yaml", "twin.yaml")
    missed = "rejected: expected 2 duplicate, got 1"
    assert status == 1
    assert Path("wrong.yaml").read_text().splitlines()[WRONG - 1].strip() == "rejected: {duplicate: 2}"
    assert lines[-1] == f"2 as expected, 1 not: wrong.yaml:{WRONG}: {missed}"
    assert f"MISSED      {missed}" in lines
    assert [line for line in lines if line.startswith("verdict")] == ["verdict     ok, NOT as expected"]
    assert "ok    twin.yaml: violates exactly_once_inputs, as expected, after 7 steps" in lines


def test_brief_is_a_line_for_each_whatever_came_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    missed = f"wrong.yaml:{WRONG}: rejected: expected 2 duplicate, got 1"
    status, lines, _ = said(capsys, "--brief", "good.yaml", "wrong.yaml")
    expected = ["ok    good.yaml: ok, after 12 steps", f"NOT   {missed}", "", f"1 as expected, 1 not: {missed}"]
    assert (status, lines) == (1, expected)
    assert said(capsys, "--brief", "wrong.yaml")[:2] == (1, [f"NOT   {missed}"])


def test_brief_is_one_line_also_where_much_is_missed_or_little_fits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path("wrong.yaml").read_text().replace("Applied: 1", "Applied: 7")
    Path("wrong.yaml").write_text(text)
    _, (line,), _ = said(capsys, "--brief", "wrong.yaml")
    assert line.endswith(" (and 1 more)")
    monkeypatch.setenv("COLUMNS", "30")
    assert said(capsys, "--brief", "good.yaml", "twin.yaml")[1][:2] == ["ok    good.yaml", "ok    twin.yaml"]


def test_several_that_are_not_as_expected_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    Path("other.yaml").write_text(TWIN.read_text().replace("violation: exactly_once_inputs", "violation: ack_gate"))
    _, lines, _ = said(capsys, "--brief", "wrong.yaml", "other.yaml", "good.yaml")
    assert lines[3:] == [
        "",
        "1 as expected, 2 not:",
        f"  wrong.yaml:{WRONG}: rejected: expected 2 duplicate, got 1",
        *(line for line in lines[-1:] if line.startswith("  other.yaml:") and "expected ack_gate, got exactly" in line),
    ]


def test_full_shows_every_run(capsys: pytest.CaptureFixture[str]) -> None:
    _, lines, _ = said(capsys, "--full", "good.yaml", "twin.yaml")
    assert len([line for line in lines if line.startswith("digest")]) == 2
    assert lines[-1] == "2 as expected"


def test_one_that_cannot_be_run_keeps_no_other_from_it(capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, err = said(capsys, "unfit.yaml", "good.yaml")
    assert status == 2
    assert lines[0] == "ok    good.yaml: ok, after 12 steps"
    assert lines[-1].startswith("1 as expected, 1 could not be run: unfit.yaml:4:5: step 2: deliver")
    assert err.startswith("sim: unfit.yaml:4:5: step 2: deliver")
    assert call(["run", "unfit.yaml", "good.yaml", "--json"]) == 2
    assert capsys.readouterr().out == ""


def test_one_that_differs_elsewhere_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sim.base.errors import NondeterminismError
    from sim.cli import run

    def verify(request: RunRequest, *_: object, **__: object) -> None:
        if request.path == "good.yaml":
            raise NondeterminismError("good.yaml: step 3 differs")

    monkeypatch.setattr(run, "verify", verify)
    status, lines, err = said(capsys, "good.yaml", "twin.yaml", "--verify")
    assert (status, err) == (3, "sim: good.yaml: step 3 differs\n")
    assert lines[-1] == "1 as expected, 1 not deterministic: good.yaml: differs in another process"


def test_an_interrupted_command_says_how_many_are_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sim.cli import run

    real, seen = run.simulate_scenario, []

    def interrupted(scenario: object) -> object:
        seen.append(scenario)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return real(scenario)  # type: ignore[arg-type]

    monkeypatch.setattr(run, "simulate_scenario", interrupted)
    status, lines, err = said(capsys, "good.yaml", "wrong.yaml", "twin.yaml")
    assert (status, lines[-1]) == (130, "1 as expected, 2 not run")
    assert err == "sim: interrupted; 1 of 3 scenarios were run\n"


def test_many_plans_are_counted_and_few_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(4):
        Path(f"plan{number}.yaml").write_text("model: models.consensus\nfaults: drop:1\nconfig: {stop: false}\n")
    names = [f"plan{number}.yaml" for number in range(4)]
    assert said(capsys, *names)[2] == "sim: faults are on: in 4 scenarios, as these say\n"
    assert said(capsys, *names[:2])[2].count("drop:1 (plan") == 2


def test_a_summary_that_counts_wrongly_is_caught(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever reads only the last line learns the same as whoever reads the data."""
    files = ["good.yaml", "wrong.yaml", "twin.yaml"]

    def counts() -> tuple[str, int]:
        last = said(capsys, *files)[1][-1]
        call(["run", *files, "--json"])
        runs = json.loads(capsys.readouterr().out)["runs"]
        return last.partition(" ")[0], sum(run["as_expected"] for run in runs)

    assert counts() == ("2", 2)
    from sim.cli import run

    real = run.closing_lines
    monkeypatch.setattr(run, "closing_lines", lambda outcomes, *rest: real(outcomes[1:], *rest))
    assert counts() == ("1", 2)
