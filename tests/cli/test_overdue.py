"""A handler that does not end is named, with its process and its input; and it ends the run, without an answer, if the
user says so."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from sim.base import overdue
from sim.base.errors import ExitStatus
from sim.campaign.worker import ChunkOutcome, ChunkRequest, run_chunk
from sim.cli import call
from tests.cli.nasty import NASTY, acting

SPIN = """
from sim import Message, Process, System


class Ping(Message):
    n: int


class Spinner(Process):
    states = ("on",)
    transitions = ({"trigger": Ping, "source": "on", "dest": None, "after": "spin"},)
    length: int
    stubborn: bool
    total: int = 0

    def on_start(self):
        self.send("p", Ping(7))

    def spin(self, ping):
        left = self.length
        while left:
            try:
                left -= 1
            except BaseException:
                if not self.stubborn:
                    raise
        self.total = 1 // ping.n - ping.n  # an exception would be a finding


def system(length: int = 1_000_000_000_000, stubborn: bool = False):
    return System({"p": Spinner(length=length, stubborn=stubborn)})
"""
NAMED = "the handler of p (Spinner) in state on for Ping(n=7)"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spin.py").write_text(SPIN)
    (tmp_path / "spin.yaml").write_text("model: spin\n")
    (tmp_path / "log.jsonl").write_text(LOG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(overdue, "SAID_AFTER_S", 0.1)


COMMANDS = (
    ["check", "spin"],
    ["fuzz", "spin", "--schedules", "2"],
    ["run", "spin.yaml", "--model", "spin"],
    ["conform", "log.jsonl", "--model", "spin"],
)
LOG = """{"roundsim_log": 1, "model": "spin"}
{"process": "p", "input": {"start": true}, "run": "a"}
{"process": "p", "input": {"deliver": {"from": "p", "message": "Ping"}}, "run": "a"}
{"process": "p", "input": {"start": true}, "run": "b"}
"""


@pytest.mark.parametrize("stubborn", ["false", "true"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_handler_that_does_not_end_is_named_and_ends_the_run(
    command: list[str], stubborn: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert call([*command, "--set", f"stubborn={stubborn}", "--handler-timeout", "300ms"]) == 4
    said = capfd.readouterr().err
    assert f"sim: {NAMED} has been running for 0.1 s, at spin.py:" in said
    assert f"sim: incomplete: {NAMED} did not end within 0.3 s, at spin.py:" in said
    assert "in spin\n" in said
    assert not (tmp_path / "counterexamples").exists()


ELSEWHERE = """
from sim import Process, System, always


class Still(Process):
    states = ("on",)


def spin():
    while True:
        pass


def system():
    {build}
    return System({{"p": Still()}}, properties=[always("calm", lambda p: {ask})])


{load}
"""
PLACES = {
    "ask": ("spin()", "the predicate of always calm for p <on>"),
    "build": ("spin()", "system() of still"),
    "load": ("spin()", "the import of still"),
}


@pytest.mark.parametrize("place", PLACES)
def test_other_code_of_a_model_that_does_not_end_is_named_as_well(
    place: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "still", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    code, named = PLACES[place]
    (tmp_path / "still.py").write_text(ELSEWHERE.format(**{"build": "", "ask": "True", "load": "", place: code}))
    assert call(["check", "still", "--handler-timeout", "300ms"]) == 4
    first, *_, last = capfd.readouterr().err.splitlines()
    assert first.startswith(f"sim: {named} has been running for 0.1 s, at still.py:")
    assert last.startswith(f"sim: incomplete: {named} did not end within 0.3 s, at still.py:")


def test_a_program_hears_of_it_in_json(capfd: pytest.CaptureFixture[str]) -> None:
    assert call(["check", "spin", "--json", "--handler-timeout", "300ms"]) == 4
    assert json.loads(capfd.readouterr().out)["verdict"] == "incomplete"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_handler_that_ends_is_not_named_and_ends_nothing(
    command: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert call([*command, "--set", "length=10", "--handler-timeout", "1h"]) == 0
    assert "running for" not in capfd.readouterr().err


def test_without_the_alarm_nothing_would_be_said(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(overdue.Watch, "_ring", lambda *_: None)
    assert call(["check", "spin", "--set", "length=3000000", "--handler-timeout", "1ms"]) == 0
    assert "running for" not in capfd.readouterr().err


def ring_for_long(watch: overdue.Watch) -> None:
    for _ in range(1000):
        watch._ring(0, None)


def test_many_short_calls_are_no_long_one() -> None:
    watch = overdue.Watch()
    watch.start(limit_s=0.1)
    signal.setitimer(signal.ITIMER_REAL, 0)  # the test rings
    for _ in range(1000):
        watch.call = object()
        watch._ring(0, None)
    watch.call = None
    ring_for_long(watch)
    assert not watch.ended
    watch.call = "the one"
    with pytest.raises(KeyboardInterrupt):
        ring_for_long(watch)
    watch.stop()
    assert watch.ended == "the one did not end within 0.1 s"


@pytest.mark.parametrize("text", NASTY)
def test_whatever_the_call_is_called_it_is_one_harmless_line(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    watch = overdue.Watch()
    watch.start()
    signal.setitimer(signal.ITIMER_REAL, 0)
    watch.call = text + "y" * 9_000
    for _ in range(9):
        watch._ring(0, None)
    watch.stop()
    said = capfd.readouterr().err
    assert acting(said) == []
    assert (said.count("\n"), said.endswith("\n")) == (1, True)
    assert len(said) < 2_000


def test_the_alarm_of_whoever_called_us_is_given_back() -> None:
    before = signal.getsignal(signal.SIGALRM)
    assert call(["check", "spin", "--set", "length=10"]) == 0
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--handler-timeout", "0s"], "--handler-timeout 0s: must be more than 0"),
        (["--handler-timeout", "soon"], "--handler-timeout "),
        (["--handler-timeout", "1s", "--engine", "dask"], "--handler-timeout is for processes on this machine"),
    ],
)
def test_a_limit_that_cannot_be_kept_is_refused(
    options: list[str], line: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call(["fuzz", "spin", *options]) == 2
    assert line in capfd.readouterr().err


@pytest.mark.parametrize("stubborn", ["false", "true"])
def test_a_campaign_is_incomplete_if_a_handler_of_a_worker_does_not_end(
    stubborn: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["fuzz", "spin", "--set", f"stubborn={stubborn}", "--workers", "2", "--handler-timeout", "300ms"]
    assert call(words) == 4
    out, err = capfd.readouterr()
    assert err.startswith(f"sim: incomplete: {NAMED} did not end within 0.3 s, at spin.py:")
    assert err.count("\n") == 1
    assert "resume it with: sim resume 1" in out
    assert not (tmp_path / "counterexamples").exists()
    assert call(["resume", "1", "--handler-timeout", "300ms"]) == 4
    assert capfd.readouterr().err.startswith(f"sim: incomplete: {NAMED}")


def test_a_log_shared_out_is_incomplete_if_a_handler_of_a_worker_does_not_end(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert call(["conform", "log.jsonl", "--model", "spin", "--workers", "2", "--handler-timeout", "300ms"]) == 4
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(f"sim: incomplete: {NAMED} did not end within 0.3 s, at spin.py:")
    assert err.count("\n") == 1


def test_a_campaign_of_handlers_that_end_is_complete(capfd: pytest.CaptureFixture[str]) -> None:
    words = ["fuzz", "spin", "--set", "length=1", "--workers", "2", "--schedules", "4", "--handler-timeout", "20s"]
    assert call(words) == 0
    assert capfd.readouterr().err == ""


def test_a_worker_that_does_not_say_it_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk that says nothing of its end counts as one that ended."""
    monkeypatch.setattr(overdue.WATCH, "ended", "")
    request = ChunkRequest.__new__(ChunkRequest, None, None, 0, 1)  # type: ignore[arg-type]

    def interrupted(_: object) -> ChunkOutcome:
        raise MemoryError

    monkeypatch.setattr("sim.campaign.worker._run", interrupted)
    assert run_chunk(request).ended == (ExitStatus.INCOMPLETE, overdue.NO_MEMORY)
    overdue.WATCH.end("of the chunk before")
    monkeypatch.setattr("sim.campaign.worker._run", lambda _: ChunkOutcome(0, 1))
    assert run_chunk(request).ended is None
    assert run_chunk(request) == ChunkOutcome(0, 1)
