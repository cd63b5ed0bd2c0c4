"""`sim conform`, as it is typed."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from sim.cli import call
from sim.graph.graph import Graph
from sim.scenario import load_target
from tests.conform.judged import WHOLE, log_file, observed, trace_of

ROOT = Path(__file__).parents[2]
SCENARIO = str(ROOT / "scenarios/consensus/round.yaml")


@pytest.fixture
def log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert call(["run", SCENARIO, "--export", f"log={tmp_path / 'a.jsonl'}"]) == 0
    capsys.readouterr()
    return tmp_path / "a.jsonl"


def asked(capsys: pytest.CaptureFixture[str], log: Path, *more: str) -> tuple[int, dict[str, Any]]:
    status = call(["conform", str(log), "--model", "models.consensus", "--out", str(log.parent), "--json", *more])
    return status, json.loads(capsys.readouterr().out)


def spoilt(log: Path) -> tuple[Path, dict[str, Any]]:
    """The log with another state in the third line of the coordinator; and that line."""
    header, *lines = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    line = [one for one in lines if one["process"] == "coordinator"][2]
    line["state"] = "stopped" if line["state"] != "stopped" else "asking"
    path = log.with_name("spoilt.jsonl")
    path.write_text("".join(json.dumps(one) + "\n" for one in (header, *lines)), encoding="utf-8")
    return path, {**line, "number": lines.index(line) + 2}


def test_a_run_conforms_and_its_explanation_replays(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, data = asked(capsys, log)
    assert (status, data["verdict"]) == (0, "ok")
    assert data["explained"] == data["lines"] > 10
    assert call(["run", data["scenario"]]) == 0


def test_what_differs_is_told_with_its_line_and_the_prefix_replays(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, line = spoilt(log)
    status, data = asked(capsys, path)
    assert (status, data["verdict"], data["process"], data["line"]) == (1, "violated", "coordinator", line["number"])
    assert data["differs"][0]["what"] == "state"
    assert data["differs"][0]["log"] == line["state"]
    assert data["possible"]
    assert call(["run", data["scenario"]]) == 0
    capsys.readouterr()
    assert call(["conform", str(path), "--model", "models.consensus", "--out", str(log.parent)]) == 1
    assert f"spoilt.jsonl:{line['number']}: " in capsys.readouterr().out


def test_a_bound_is_no_answer(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, data = asked(capsys, log, "--max-nodes", "3")
    assert (status, data["verdict"]) == (4, "incomplete")


def test_a_packed_log_is_read(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = log.with_name("a.jsonl.gz")
    packed.write_bytes(gzip.compress(log.read_bytes()))
    assert asked(capsys, packed)[0] == 0


def test_workers_give_the_same_answer(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header, *good = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    bad = [json.loads(line) for line in spoilt(log)[0].read_text(encoding="utf-8").splitlines()[1:]]
    lines = [{**line, "run": str(run)} for run in range(6) for line in (bad if run == 4 else good)]
    path = Path(log_file(log, lines, header))
    alone, shared = asked(capsys, path), asked(capsys, path, "--workers", "2")
    assert alone == shared
    assert [one["verdict"] for one in alone[1]["runs"]] == ["ok"] * 4 + ["violated", "ok"]


def test_strength_says_what_is_noticed(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strength = asked(capsys, log, "--strength")[1]["strength"]
    assert strength["refuted_share"] > 0.5
    assert strength["kinds"]["change"]["refuted"] == strength["kinds"]["change"]["tried"]


def test_a_log_that_could_refute_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = {"process": "rm1", "input": {"deliver": {"from": "manager", "message": "Abort"}}}
    weak = log_file(tmp_path / "a.jsonl", [told, told])
    assert call(["conform", weak, "--model", "models.two_phase_commit", "--out", str(tmp_path)]) == 0
    assert "could refute nothing" in capsys.readouterr().out


def test_monitors_alone_judge_what_was_emitted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header, *lines = map(json.loads, exported(tmp_path, capsys))
    fine = log_file(tmp_path / "b.jsonl", lines, header)
    words = ["--model", "models.consensus", "--monitors-only", "--out", str(tmp_path)]
    assert call(["conform", fine, *words]) == 0
    assert (
        call(
            [
                "conform",
                log_file(
                    tmp_path / "c.jsonl",
                    [*lines, *({k: v for k, v in line.items() if k != "at"} for line in lines)],
                    header,
                ),
                *words,
            ]
        )
        == 1
    )


def exported(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert call(["run", SCENARIO, "--export", f"log={folder / 'a.jsonl'}"]) == 0
    capsys.readouterr()
    return (folder / "a.jsonl").read_text(encoding="utf-8").splitlines()


COMMIT = ["--model", "models.two_phase_commit"]


def test_an_explanation_is_a_scenario_to_every_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], explore: Any
) -> None:
    graph = Graph(load_target("models.two_phase_commit").system)
    log = log_file(tmp_path / "a.jsonl", observed(trace_of(graph, 2, 30), ("manager", "rm1"), WHOLE))
    assert call(["conform", log, *COMMIT, "--out", str(tmp_path)]) == 0
    file = str(tmp_path / "models.two_phase_commit-log.yaml")
    page, lines = tmp_path / "page.html", tmp_path / "again.jsonl"
    assert call(["run", file, "--verify", "--html", str(page), "--export", f"log={lines}"]) == 0
    assert page.stat().st_size > 0
    assert explore.scenario(file).verdict == "ok"
    assert call(["conform", str(lines), *COMMIT, "--out", str(tmp_path / "again")]) == 0  # it is a log again
    assert call(["check", file]) == 0  # these start where it does, and go their own ways
    assert call(["fuzz", file, "--schedules", "20"]) == 0
    capsys.readouterr()


def test_the_path_to_a_violation_is_one_too(tmp_path: Path, capsys: pytest.CaptureFixture[str], explore: Any) -> None:
    path = ROOT / "scenarios/consensus/r8_late_original_unsequenced.yaml"
    assert call(["run", str(path), "--export", f"log={tmp_path / 'a.jsonl'}"]) == 0
    capsys.readouterr()
    assert call(["conform", str(tmp_path / "a.jsonl"), "--model", "models.consensus", "--out", str(tmp_path)]) == 1
    told = capsys.readouterr().out  # the scenario has a fault that is not in the budget of its model
    assert "the fault budget has no agent_timeout; if it may happen, give --faults agent_timeout:1" in told
    status, data = asked(capsys, tmp_path / "a.jsonl", "--faults", "agent_timeout:1")
    assert (status, data["verdict"]) == (1, "violated")
    assert data["violation"].startswith("exactly_once_inputs: ")
    assert call(["run", data["scenario"], "--verify"]) == 0
    assert explore.scenario(data["scenario"]).finding.property == "exactly_once_inputs"
    capsys.readouterr()
