"""Scenario files of programs: what can be said in them, and what is wrong where, in one line each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.base.errors import ScenarioError
from sim.run.of_scenario import simulate_scenario
from sim.scenario import Scenario, parse_scenario
from sim.scenario import expectation as expectation_module

ROOT = Path(__file__).parents[2]
MODEL = "bench.races.slot"


def parsed(text: str) -> Scenario:
    return parse_scenario(f"model: {MODEL}\n{text}\n", "f.yaml", allow=(MODEL,))


WRONG = {
    "network: fifo": "2:10: a program has no kind of network: its connections are streams and datagrams; leave it out",
    "begins: {notes: {a: 1}}": "2:1: a program begins at its start; leave `begins` out",
    "faults: pause:1(5s)": "2:9: fault 'pause:1(5s)': unknown kind of fault that strikes a program 'pause'",
    "faults: reorder:1": "2:9: fault 'reorder:1': unknown kind of fault that strikes a program 'reorder'",
    "faults: cancle:1": "2:9: fault 'cancle:1': unknown kind 'cancle' (did you mean 'cancel'?)",
    "faults: cancel:1(5s)": "2:9: fault 'cancel:1(5s)': only rate_limited takes a reset hint, and delay and pause a duration",
    "faults: cancel:1 after Idle": "2:9: fault 'cancel:1 after Idle': only crash or cut can have a place with `after`",
    "timing: {moves: {user.stop: 5ms}}": "2:18: 'user.stop': a program has no moves; leave it out",
    "expect: {violation: deadlok}": "2:21: unknown property 'deadlok' (did you mean 'deadlock'?)",
    "expect: {emitted: {Idel: 1}}": "2:20: unknown emission class 'Idel' (did you mean 'Idle'?)",
    "expect: {states: {no_leak: off}}": "2:28: no_leak: unknown state 'off'",
    "expect: {states: {client: done}}": "2:19: unknown process or monitor 'client': use no_leak",
    "properties: [deadlok]": "2:14: unknown property 'deadlok' (did you mean 'deadlock'?)",
    "config: {fixd: true}": "2:10: bench.races.slot: unknown parameter 'fixd' (did you mean 'fixed'?): use fixed",
    "schedule: [move user.stop]": "2:12: 'move user.stop': only a system of machines can move; this is a program",
    "schedule: [start choosing left]": "2:12: 'start choosing left': only a system of machines can start; this is a program",
    "schedule: [deliver a->b Ask]": "2:12: 'deliver a->b Ask': unknown type of what arrives at a program 'Ask': use bytes, ",
    "schedule: [cancel]": "2:12: 'cancel': write cancel task at place, such as cancel client#2 at Pool.acquire",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_file_that_is_wrong_is_told_in_one_line(text: str) -> None:
    with pytest.raises(ScenarioError) as told:
        parsed(text)
    (line,) = told.value.mistakes
    assert line.startswith(f"f.yaml:{WRONG[text]}")


def test_what_only_a_model_has_is_let_through_if_nobody_asks_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expectation_module, "_check_move", lambda *_: None)
    assert parsed("timing: {moves: {user.stop: 5ms}}").timing.moves != {}


def test_a_link_is_that_of_any_names() -> None:
    assert parsed("timing: {links: {client->server: 5ms, '*->redis': 1ms..9ms}}").timing.links == {
        "client->server": (5, 5),
        "*->redis": (1, 9),
    }


def test_a_schedule_is_what_departs_from_the_usual() -> None:
    kept = parsed("schedule: [cancel client at use]\nthen: usual\nexpect: {verdict: ok}")
    run = simulate_scenario(kept)
    assert run.trace.struck() == {"cancel": 1}
    usual = simulate_scenario(parsed("schedule: []\nthen: usual"))
    assert (usual.trace.struck(), usual.verdict) == ({}, "ok")
    assert simulate_scenario(parsed("schedule: []")).digest == usual.digest
    assert simulate_scenario(parsed("schedule: []\nthen: stop")).steps == 0


IGNORING = """
import asyncio
from sim import Program

async def client():
    try:
        await asyncio.sleep(1)
    except asyncio.CancelledError:
        pass

async def main(world):
    await asyncio.wait([world.task("client", client())])

def system():
    return Program(main)
"""


def command(tmp_path: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "ignoring.py").write_text(IGNORING)
    (tmp_path / "f.yaml").write_text(f"model: ignoring\n{text}\n")
    paths = (str(ROOT), str(ROOT / "sim" / "beside"), str(tmp_path))
    return subprocess.run(
        [sys.executable, "-m", "sim", "run", "f.yaml", "--model", "ignoring", *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )


CANCELLED = "schedule: [cancel client at client]\nthen: usual\nexpect: {emitted: {CancellationIgnored: 1}}"


def test_a_cancellation_that_is_ignored_is_told_and_counted_and_the_run_is_verified(tmp_path: Path) -> None:
    done = command(tmp_path, CANCELLED, "--verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert "* CancellationIgnored(task=client)" in done.stdout
    assert "emitted     CancellationIgnored 1" in done.stdout
    assert "verified    the same trace in fresh processes with other hash seeds\n" in done.stdout


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        (CANCELLED.replace("1}", "2}"), 1, "CancellationIgnored"),
        (
            "schedule: [cancel nobody]\nthen: usual",
            2,
            "f.yaml:2:12: step 1: cancel nobody fits nowhere before nothing more",
        ),
        ("network: fifo", 2, "f.yaml:2:10: a program has no kind of network"),
    ],
)
def test_the_command_says_what_is_wrong_and_how_it_ends(tmp_path: Path, text: str, status: int, said: str) -> None:
    done = command(tmp_path, text)
    assert done.returncode == status
    assert said in done.stdout + done.stderr
    assert status != 2 or done.stderr.count("\n") == 1
