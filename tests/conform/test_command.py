"""`sim conform`, as it is typed."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sim.base.errors import ExitStatus
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


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in found for child in path.read_text().split()]


def is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii")
    except (OSError, ValueError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def test_an_interrupt_ends_the_workers_too(tmp_path: Path) -> None:
    asked_twice = {"deliver": {"from": "coordinator", "message": "Ask", "fields": {"attempt": 9}}}
    lines = [{"process": "claude", "input": asked_twice, "run": run} for run in ("one", "two")]  # long to refute
    log = log_file(tmp_path / "a.jsonl", lines, {"config": {"agents": 3}})
    words = [sys.executable, "-m", "sim", "conform", log, "--model", "models.consensus", "--workers", "2"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while len(workers := children(process.pid)) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (ExitStatus.INTERRUPTED, "", "sim: interrupted\n")
    until = time.monotonic() + 60  # who has ended is in /proc until somebody takes note of it
    while any(map(is_running, workers)):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_bad_run_is_one_line_whoever_judges_it(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header, *good = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    lines = [{**line, "run": str(run)} for run in range(3) for line in good]
    path = log_file(log, [*lines, {"process": "claudius", "input": {"start": True}, "run": "bad"}], header)
    for workers in ("1", "2"):
        words = ["conform", path, "--model", "models.consensus", "--workers", workers]
        assert call([*words, "--out", str(log.parent)]) == ExitStatus.BAD_INPUT
        (line,) = capsys.readouterr().err.splitlines()
        assert "unknown process 'claudius'" in line


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (("--model", "models.paxos"), "a.jsonl:1: the log is of models.consensus, not of models.paxos"),
        (
            ("--model", "models.consensus", "--set", "agents=x"),
            "--set agents=x: agents is 'x'; expected a whole number",
        ),
    ],
)
def test_another_model_is_told_before_its_configuration_is_read(
    more: tuple[str, ...], what: str, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["conform", str(log), *more]) == ExitStatus.BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    assert what in line


def test_a_configuration_that_the_log_has_wrong_is_blamed_on_it(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log.write_text(log.read_text(encoding="utf-8").replace('"agents": 3', '"agents": "many"', 1), encoding="utf-8")
    assert call(["conform", str(log), "--model", "models.consensus"]) == ExitStatus.BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    assert "a.jsonl:1: config: agents=many: agents is 'many'; expected a whole number" in line


def test_a_log_that_is_given_twice_is_refused(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["conform", str(log), str(log), "--model", "models.consensus"]) == ExitStatus.BAD_INPUT
    assert "a.jsonl: is given twice; give each log once" in capsys.readouterr().err
