"""The fixture `conforms`, as a user's suite runs it: in a folder of its own, in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sim.base.errors import SimError
from tests.testing.test_pytest_plugin import Suite

HEAD = '{"roundsim_log": 1}\n'
PAYS = [
    {"process": "customer", "input": {"start": True}, "state": "waiting"},
    {"process": "bank", "input": {"deliver": {"from": "customer", "message": "Pay"}}, "state": "open"},
    {"process": "customer", "input": {"deliver": {"from": "bank", "message": "Paid"}}, "state": "happy"},
]
READS = "def test_shop(conforms):\n    (answer,) = conforms('shop.jsonl', system)\n    assert answer.explained == 3"
RECORDS = """\
from sim.conform.recorder import Recorder

def test_shop(conforms, tmp_path):
    with Recorder(tmp_path / "shop.jsonl", model="shop") as recorder:
        bank = recorder.process("bank")
        bank.received("customer", "Pay", {{"order": 1}})
        bank.emitted("Charged", {{"order": 1}})
        bank.sent("customer", "Paid", {{"order": {order}}})
        conforms(recorder, "shop")
"""


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


def kept(folder: Path, lines: list[dict[str, Any]]) -> None:
    (folder / "shop.jsonl").write_text(HEAD + "".join(json.dumps(line) + "\n" for line in lines))


def test_a_log_that_conforms_passes_and_gives_its_numbers(suite: Suite) -> None:
    kept(suite.folder, PAYS)
    done = suite.run(READS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_log_that_does_not_fails_with_the_line_what_was_possible_and_what_differs(suite: Suite) -> None:
    kept(suite.folder, [*PAYS[:2], {**PAYS[2], "state": "lost"}])
    done = suite.run(READS)
    assert done.returncode == 1, done.stdout + done.stderr
    for line in (
        "does not conform: 2 of 3 lines explained",
        "shop.jsonl:4: the model has no such step: customer: deliver Paid from bank",
        "the model can do that, but then customer is not as the log says:",
        "state: log lost, model happy",
    ):
        assert line in done.stdout, done.stdout
    assert "conforming.py" not in done.stdout.replace("sim/testing/conforming.py:", ""), (
        "the traceback ends in the test"
    )
    replayed = suite.replay(done.stdout.replace("replay what is explained with:", "replay it with:"))
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr


def test_another_step_is_told_with_what_was_possible(suite: Suite) -> None:
    kept(suite.folder, [PAYS[0], PAYS[2], PAYS[2]])
    done = suite.run(READS)
    assert done.returncode == 1
    assert "does not conform: 2 of 3 lines explained" in done.stdout, done.stdout
    assert "shop.jsonl:4: the model has no such step: customer: deliver Paid from bank" in done.stdout
    assert "there customer could only:\nE           fire customer.patience" in done.stdout, done.stdout


def test_a_recorder_is_flushed_and_read(suite: Suite) -> None:
    assert suite.run(RECORDS.format(order=1)).returncode == 0
    bad = suite.run(RECORDS.format(order=2))
    assert bad.returncode == 1
    assert "output 2 field order: log 2, model 1" in bad.stdout, bad.stdout


@pytest.mark.parametrize(
    ("call", "line"),
    [
        ("conforms('nowhere.jsonl', 'models.paxos')", "nowhere.jsonl"),
        ("conforms(3, 'models.paxos')", "conforms() got 3 (int); pass the file of a log, several, or a Recorder"),
        ("conforms([], 'models.paxos')", "pass the file of a log, several, or a Recorder"),
        ("conforms(Recorder(), 'models.paxos')", "a Recorder without a path, which records nothing"),
        ("conforms(log, 3)", "conforms() got 3 (int); pass a model's function `system`, or its name"),
        ("conforms(log, 'models.paxos')", "the log is of models.two_phase_commit, not of models.paxos"),
        ("conforms(log, 'models.two_phase_commit', managers=2)", "unknown parameter 'managers'"),
        ("conforms(odd, 'models.two_phase_commit')", "the configuration in the log: resource_managers is "),
    ],
)
def test_a_mistake_in_a_call_is_one_line(call: str, line: str, conforms: Any, tmp_path: Path) -> None:
    from sim.conform.recorder import Recorder

    said = json.dumps({"process": "manager", "input": {"move": "commit"}}) + "\n"
    head: dict[str, Any] = {"roundsim_log": 1, "model": "models.two_phase_commit"}
    (tmp_path / "log.jsonl").write_text(json.dumps(head) + "\n" + said)
    (tmp_path / "odd.jsonl").write_text(json.dumps({**head, "config": {"resource_managers": "many"}}) + "\n" + said)
    names = {"conforms": conforms, "Recorder": Recorder}
    names |= {"log": str(tmp_path / "log.jsonl"), "odd": str(tmp_path / "odd.jsonl")}
    with pytest.raises(SimError) as caught:
        eval(call, names)
    (mistake,) = caught.value.mistakes
    assert line in mistake


def test_the_header_configures_the_model_and_the_call_wins(conforms: Any, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    head = {"roundsim_log": 1, "model": "models.two_phase_commit", "config": {"resource_managers": 1}}
    path.write_text(json.dumps(head) + "\n" + json.dumps({"process": "rm3", "input": {"move": "prepare"}}) + "\n")
    with pytest.raises(SimError, match="unknown process 'rm3'"):
        conforms(path, "models.two_phase_commit")
    assert conforms(path, "models.two_phase_commit", resource_managers=3)[0].verdict == "ok"
