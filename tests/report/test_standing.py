"""`sim status` has one shape: of a scenario, a record, a program's session, a campaign, a hosted session, a log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sim.campaign.hosted_sessions import HostedPlan, note
from sim.cli import call
from sim.cli.campaigns import desk
from sim.metrics import SessionMetrics, TokenUsage
from sim.report.standing import Standing
from tests.campaign.conftest import here  # noqa: F401  a fixture
from tests.campaign.toys import a_campaign, inline, interrupt_at, open_store
from tests.host.small_council import NAME, over

ROOT = Path(__file__).parents[2]
METERED = str(ROOT / "scenarios/consensus/metered.yaml")
R8 = ROOT / "scenarios/consensus/r8_late_original.yaml"
WORDS = ["stands", "cost", "wasted", "wrong", "next"]
Capture = pytest.CaptureFixture[str]


def told(capsys: Capture, *words: str) -> tuple[int, str, dict[str, list[str]]]:
    """The exit status, the title, and what is said under each word of the block at the top."""
    capsys.readouterr()
    status = call(["status", *words])
    lines = capsys.readouterr().out.split("\n")
    title, empty, *rest = lines
    block = rest[: rest.index("")]
    assert empty == ""
    found: dict[str, list[str]] = {}
    for line in block:
        found.setdefault(line[:12].strip(), []).append(line[12:])
    assert [*found] == WORDS, "each of them, in this order"
    assert all(text for texts in found.values() for text in texts)
    return status, title, found


def in_json(capsys: Capture, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    call(["status", *words, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["standing"]
    return found


# --- whatever it is of ------------------------------------------------------------------------------


def a_scenario(folder: Path, capsys: Capture) -> str:
    return METERED


def a_record(folder: Path, capsys: Capture) -> str:
    call(["run", METERED, "--json"])
    (folder / "run.json").write_text(capsys.readouterr().out)
    return str(folder / "run.json")


def a_session_of_a_program(folder: Path, capsys: Capture) -> str:
    session = SessionMetrics()
    session.record_turn(TokenUsage(1000, 200), agent="gemini", stage="plan", latency_ms=1200)
    (folder / "session.json").write_text(json.dumps(session.to_dict()))
    return str(folder / "session.json")


def a_log(folder: Path, capsys: Capture) -> str:
    call(["run", METERED, "--export", f"log={folder / 'log.jsonl'}"])
    return str(folder / "log.jsonl")


def a_campaign_that_is_open(folder: Path, capsys: Capture) -> str:
    with open_store(folder) as store:
        a_campaign(store, folder).run(inline(interrupt_at(20)))
    return "1"


def a_hosted_session(folder: Path, capsys: Capture) -> str:
    journal = folder / "j.db"
    with desk(make=True) as at:
        plan = HostedPlan("models.consensus", NAME, str(journal), str(folder / "c.yaml"))
        number = note(at.store, at.project, plan, at.place, "open")
    over(journal)
    return str(number)


KINDS = [a_scenario, a_record, a_session_of_a_program, a_log, a_campaign_that_is_open, a_hosted_session]


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_the_shape_is_one(make: Any, here: Path, capsys: Capture) -> None:  # noqa: F811
    target = make(here, capsys)
    _, title, found = told(capsys, target)
    data = in_json(capsys, target)
    assert data["title"] == title
    ages = {"active", "last"}  # these go on
    for word in ("cost", "wasted"):
        assert [data[word]] == found[word]
    if not ages & {*data["stands"].replace(",", "").split()}:
        assert [data["stands"]] == found["stands"]
    assert data["wrong"] == ([] if found["wrong"] == ["nothing"] else found["wrong"])
    assert data["next"] == ([] if found["next"] == ["nothing"] else found["next"])


# --- of each ----------------------------------------------------------------------------------------


def test_a_run_that_is_not_as_expected_says_what_is_wrong_and_how_to_see_it(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(R8.read_text().replace("rejected: {duplicate: 1}", "rejected: {duplicate: 2}"))
    status, _, found = told(capsys, str(file))
    assert status == 1
    assert found["stands"] == ["ok, NOT as expected, after 12 steps"]
    assert found["wasted"] == ["1 answer that did not count, 1,500 tokens: claude 1,500 (duplicate)"]
    assert found["wrong"] == ["rejected: expected 2 duplicate, got 1"]
    assert found["next"] == [f"each step of it: sim run {file}"]


def test_a_violation_that_is_expected_is_not_wrong_and_one_that_is_not_is(tmp_path: Path, capsys: Capture) -> None:
    twin = ROOT / "scenarios/consensus/r8_late_original_unsequenced.yaml"
    assert told(capsys, str(twin))[2]["wrong"] == ["nothing"]
    file = tmp_path / "twin.yaml"
    text = twin.read_text().replace("verdict: violated", "verdict: ok")
    file.write_text(text.replace("  violation: exactly_once_inputs\n", ""))
    wrong = told(capsys, str(file))[2]["wrong"]
    assert wrong[0].startswith("VIOLATED exactly_once_inputs: ")
    call(["run", str(file), "--json"])
    record = tmp_path / "run.json"
    record.write_text(capsys.readouterr().out)
    assert told(capsys, str(record))[2]["wrong"] == wrong, "its record says the same"


def test_a_budget_that_is_nearly_spent_is_wrong(capsys: Capture) -> None:
    assert told(capsys, METERED)[2]["wrong"] == ["warning: 0.044775 of 0.05 USD spent (80 % reached)"]


def test_a_campaign_says_what_it_found_and_how_to_go_on(here: Path, capsys: Capture) -> None:  # noqa: F811
    a_campaign_that_is_open(here, capsys)
    _, _, found = told(capsys, "1")
    assert found["stands"][0].startswith("open, 20 of 100 schedules; no branch, active ")
    assert found["next"][0] == "resume it with: sim resume 1"
    with open_store(here) as store:
        a_campaign(store, here, seed=1).run(inline())
    _, _, found = told(capsys, "2")
    assert found["stands"][0].startswith("done, 100 of 100 schedules")
    assert any(line.startswith("VIOLATED crossed: heard ") for line in found["wrong"])
    assert found["next"] == ["fix it, then fuzz dice again: what was found is run first"]


def test_a_log_says_what_it_holds_and_that_a_model_has_to_judge_it(tmp_path: Path, capsys: Capture) -> None:
    log = a_log(tmp_path, capsys)
    _, title, found = told(capsys, log)
    assert title == f"{log}: a log of models.consensus"
    assert "of 1 run, over 63.339s; in the end coordinator done" in found["stands"][0]
    assert found["cost"] == ["12,000 tokens in 7 turns; a log has no prices"]
    assert found["wasted"] == ["2 inputs rejected: duplicate 1, stale 1"]
    assert found["next"] == [f"is it a path of the model: sim conform {log} --model models.consensus"]
    with Path(log).open("a") as more:
        more.write('{"process": "store", "input": {"crash": true}}\n')
    assert told(capsys, log)[2]["wrong"] == ["store crashed"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "is empty"), ("{}\n", "roundsim_log"), ('{"roundsim_log": 1}\n', "nothing was observed")],
)
def test_what_is_not_a_log_is_one_line(text: str, said: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "bad.jsonl").write_text(text)
    assert call(["status", str(tmp_path / "bad.jsonl")]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert call(["status", str(tmp_path / "bad.jsonl"), "--format", "otel"]) == 2
    assert "is a log, which takes only --json" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_it_fits_into_the_terminal_but_for_commands(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    call(["status", METERED])
    block = capsys.readouterr().out.partition("\ntokens")[0].splitlines()
    assert max(len(line) for line in block if not line.startswith("next")) <= columns


def test_a_standing_that_leaves_out_an_answer_is_caught(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    real = Standing.lines
    monkeypatch.setattr(
        Standing,
        "lines",
        lambda self, width=None: (line for line in real(self, width) if not line.startswith("wasted")),
    )
    with pytest.raises(AssertionError, match="in this order"):
        told(capsys, METERED)
