"""`sim fuzz` as a user meets it: output, exit statuses, files that replay, interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.cli import call
from sim.fuzzer import fuzz as engine

FAULTY = ("models.consensus", "--set", "sequencing=false")


def fuzz_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = call(["fuzz", *arguments, "--json"])
    out, err = capsys.readouterr()
    assert err == ""
    return status, json.loads(out)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_violation_is_minimised_written_and_replayed_by_the_command_it_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, data = fuzz_json(capsys, *FAULTY)
    assert (status, data["verdict"], data["as_expected"]) == (1, "violated", False)
    (found,) = data["found"]
    assert (found["property"], found["steps"]) == ("first_usable", 5)
    late = "claude's Response to coordinator arrives only after coordinator's timer patience fired (Accepted, Decided)"
    again = "coordinator's timer patience fires before coordinator's Ask(attempt=2) to claude arrives"
    early = "coordinator's timer patience fires before coordinator's Ask(attempt=1) to gemini arrives"
    assert found["words"][:4] == ["As usual, except:", f"- {early}", f"- {again}", f"- {late}"]
    text = Path(found["scenario"]).read_text("utf-8")
    for line in (*found["words"], f"Replay it with: {found['replay']}"):
        assert f"# {line}\n" in text
    assert call([*found["replay"].split()[1:], "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    assert run["violation"] == {"property": found["property"], "message": found["message"]}
    assert run["steps"] == 5


def test_the_schedule_that_found_it_can_be_run_by_its_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, data = fuzz_json(capsys, *FAULTY, "--strategy", "pos", "--seed", "4")
    (found,) = data["found"]
    path = tmp_path / "again.yaml"
    path.write_text(
        "model: models.consensus\nconfig: {sequencing: false}\nfaults: duplicate:1,drop:1,crash:1@coordinator\n"
        f"strategy: {found['strategy']}\nseed: {found['seed']}\n"
        f"expect: {{verdict: violated, violation: {found['property']}}}\n"
    )
    assert call(["run", str(path)]) == 0


def test_the_contracted_keys_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    status, data = fuzz_json(capsys, "models.consensus", "--schedules", "50")
    assert status == 0
    assert data.keys() >= {"schedules", "steps", "states", "seconds", "found", "verdict", "as_expected"}
    assert (data["schedules"], data["found"], data["verdict"], data["as_expected"]) == (50, [], "ok", True)
    _, violated = fuzz_json(capsys, *FAULTY)
    assert violated["found"][0].keys() >= {"property", "seed", "scenario", "steps"}


def test_the_same_command_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    _, first = fuzz_json(capsys, *FAULTY, "--keep-going", "--schedules", "15", "--seed", "2")
    _, again = fuzz_json(capsys, *FAULTY, "--keep-going", "--schedules", "15", "--seed", "2")
    assert {**first, "seconds": 0} == {**again, "seconds": 0}


def test_the_text_says_what_was_covered_and_proves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["fuzz", "models.consensus", "--schedules", "60"]) == 0
    out, err = capsys.readouterr()
    assert err == "", "progress is for terminals"
    for part in ("schedules by portfolio, seed 0", "faults    duplicate:1, drop:1", "60 schedules, ", "transitions  "):
        assert part in out
    assert "  never      Coordinator  patience: asking -> (stays) if has_next" in out
    assert "(Good-Turing: " in out
    assert out.endswith("ok: nothing wrong in 60 schedules, which proves nothing\n")


def test_a_fuzz_says_which_walk_ended_it(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("models.two_phase_commit", "--set", "resource_managers=2", "--schedules", "100")
    _, short = fuzz_json(capsys, *words)
    monkeypatch.setattr("sim.fuzzer.fuzz.PAYS_AT", 100)
    _, long = fuzz_json(capsys, *words)
    assert (short["walk"], long["walk"]) == ("plain", "compiled")
    assert short["steps"] == long["steps"]
    call(["fuzz", *words])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "distinct states" in line]
    assert line.endswith(", compiled")


def test_going_on_writes_each_kind_of_finding_to_a_file_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    status, data = fuzz_json(capsys, *FAULTY, "--keep-going", "--schedules", "25", "--out", "kept")
    assert status == 1
    paths = [found["scenario"] for found in data["found"]]
    assert len(paths) > 1
    assert sorted(paths) == sorted(str(path) for path in Path("kept").iterdir())
    for path in paths:
        assert call(["run", path]) == 0
    capsys.readouterr()


TWO = """
from sim import Message, Process, System, always


class Tell(Message):
    n: int


class Listener(Process):
    states = ("open",)
    transitions = ({"trigger": Tell, "source": "open", "dest": None, "after": "note"},)

    heard: int = 0

    def on_start(self):
        self.send("listener", Tell(1))
        self.send("listener", Tell(2))

    def note(self, tell):
        self.heard = 10 * self.heard + tell.n


def system():
    return System(
        {"listener": Listener()},
        properties=(
            always("in order", lambda listener: listener.heard != 21),
            always("in-order", lambda listener: listener.heard != 12),
        ),
    )
"""


def test_properties_of_like_names_have_files_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "twonames.py").write_text(TWO)
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    _, data = fuzz_json(capsys, "twonames", "--keep-going", "--schedules", "20", "--out", "kept")
    assert {found["property"] for found in data["found"]} == {"in order", "in-order"}
    assert len({found["scenario"] for found in data["found"]}) == len(data["found"]) == 2
    for found in data["found"]:
        assert call(["run", found["scenario"], "--model", "twonames", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["violation"]["property"] == found["property"]
    sys.modules.pop("twonames", None)


@pytest.mark.parametrize("command", ["fuzz", "check"])
def test_a_folder_that_is_none_is_refused_before_anything_is_run(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    for folder in ("file", "file/below"):
        assert call([command, *FAULTY, "--out", folder]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert f"--out {folder}: " in err
        assert "is not a folder" in err


@pytest.mark.parametrize(
    ("expect", "sequencing", "said"),
    [
        ("{verdict: violated}", "true", "MISSED      verdict: expected violated, got ok\n"),
        (
            "{verdict: violated, violation: ack_gate}",
            "false",
            "MISSED      violation: expected ack_gate, got first_usable\n",
        ),
        ("{verdict: violated, violation: first_usable}", "false", ""),
    ],
)
def test_the_text_says_which_expectation_was_missed(
    expect: str, sequencing: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "expects.yaml"
    path.write_text(f"model: models.consensus\nconfig: {{sequencing: {sequencing}}}\nexpect: {expect}\n")
    assert call(["fuzz", str(path), "--schedules", "20"]) == (1 if said else 0)
    out = capsys.readouterr().out
    assert out.endswith(said)
    assert ("MISSED" in out) == bool(said)


def test_a_scenario_that_expects_its_violation_is_as_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "expects.yaml"
    path.write_text(
        "model: models.consensus\nconfig: {sequencing: false}\nexpect: {verdict: violated, violation: first_usable}\n"
    )
    status, data = fuzz_json(capsys, str(path))
    assert (status, data["as_expected"]) == (0, True)
    status, data = fuzz_json(capsys, str(path), "--set", "sequencing=true", "--schedules", "30")
    assert (status, data["verdict"], data["as_expected"]) == (1, "ok", False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--schedules", "3", "--for", "3s"], "--schedules and --for are both given; give one"),
        (["--for", "soon"], "soon"),
        (["--for", "0s"], "must be more than 0"),
        (
            ["--strategy", "unifrom"],
            "--strategy unifrom: unknown strategy 'unifrom' (did you mean 'uniform'?): use virtual_time, ",
        ),
        (["--schedules", "0"], "0"),
        (["--set", "agent=3"], "did you mean 'agents'?"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["fuzz", "models.consensus", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err


def test_time_bounds_it(capsys: pytest.CaptureFixture[str]) -> None:
    status, data = fuzz_json(capsys, "models.consensus", "--for", "50ms")
    assert (status, data["verdict"]) == (0, "ok")
    assert data["schedules"] > 0


def test_interrupted_it_prints_what_was_done_and_keeps_what_was_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = engine._Fuzz._schedule

    def until_12(self: engine._Fuzz, number: int) -> None:
        if number == 12:
            raise KeyboardInterrupt
        one(self, number)

    monkeypatch.setattr(engine._Fuzz, "_schedule", until_12)
    status, data = fuzz_json(capsys, *FAULTY, "--keep-going")
    assert (status, data["interrupted"], data["schedules"], data["as_expected"]) == (130, True, 12, False)
    assert data["found"]
    assert call(["run", data["found"][0]["scenario"]]) == 0
    capsys.readouterr()
    assert call(["fuzz", "models.consensus"]) == 130
    out = capsys.readouterr().out
    assert "12 schedules, " in out
    assert out.endswith("INTERRUPTED  results so far\n")


def test_interrupted_while_minimising_the_file_says_that_there_may_be_a_shorter_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, whole = fuzz_json(capsys, *FAULTY)
    assert whole["found"][0]["complete"]
    assert "Not every edit was tried" not in Path(whole["found"][0]["scenario"]).read_text("utf-8")

    def interrupted(*given: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "minimise", interrupted)
    status, data = fuzz_json(capsys, *FAULTY)
    (found,) = data["found"]
    assert (status, found["complete"]) == (130, False)
    assert "Not every edit was tried: there may be a shorter one." in Path(found["scenario"]).read_text("utf-8")
    assert call(["run", found["scenario"]]) == 0


def test_a_signal_interrupts_it() -> None:
    command = [sys.executable, "-m", "sim", "fuzz", "models.consensus", "--schedules", "100000000"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert child.stdout is not None
    assert "schedules by portfolio" in child.stdout.readline()
    while child.poll() is None:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            continue
    assert child.returncode == 130
    assert "Traceback" not in child.stderr.read() if child.stderr else True
    child.stdout.close()
    if child.stderr:
        child.stderr.close()


def test_a_bar_is_shown_on_a_terminal_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sim.cli import fuzz as command

    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with command._progress(False, 10) as progress:
        assert progress is not None
    with command._progress(True, 10) as progress:
        assert progress is None
    monkeypatch.setenv("CI", "1")
    with command._progress(False, 10) as progress:
        assert progress is None
    capsys.readouterr()
