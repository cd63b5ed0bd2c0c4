"""At every edge of the machine and of Python: one line, and the documented status."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.base.errors import ExitStatus
from sim.base.printing import LINE_MAX
from sim.cli import call

ROOT = Path(__file__).parents[2]
ROUND = str(ROOT / "scenarios/consensus/round.yaml")
START = "from roundsim.command import main; main()"
DIGITS = "9" * 5_000
LONG = "x" * 50_000

# --- what a model raises ----------------------------------------------------------------------------

MODEL = """
from sim import Message, Process, System


class Ping(Message):
    n: int = 0


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


class Wrong(Exception):
    def __str__(self):
        return 5


def cycle():
    error = KeyError()
    error.args = (error,)
    return error


def deep():
    value = ()
    for _ in range(100_000):
        value = (value,)
    return value


class P(Process):
    states = ("a",)
    transitions = ({{"trigger": Ping, "source": "a", "dest": None, "after": "go"}},)

    def on_start(self):
        self.send("p", Ping())

    def again(self):
        self.again()

    def go(self):
        {act}


def system():
    {build}
    return System({{"p": P()}})


{load}
"""
FOUND = {
    "half a character": (r'raise ValueError("\ud800")', r"ValueError: \ud800 (m.py:"),
    "no text": ("raise Mute", "Mute: an object of Mute whose text cannot be made (m.py:"),
    "no string": ("raise Wrong", "Wrong: an object of Wrong whose text cannot be made (m.py:"),
    "itself": ("raise cycle()", "KeyError: an object of KeyError whose text cannot be made (m.py:"),
    "digits": ("raise ValueError(10**5000)", "ValueError: an object of ValueError whose text cannot be made (m.py:"),
    "the base of all": ('raise BaseException("x")', "BaseException: x (m.py:"),
    "a generator's end": ("raise GeneratorExit", "GeneratorExit:  (m.py:"),
    "a group": (
        'raise BaseExceptionGroup("g", [BaseException("a")])',
        "BaseExceptionGroup: g (1 sub-exception) (m.py:",
    ),
    "no end": ("self.again()", "RecursionError: maximum recursion depth exceeded (m.py:"),
    "an exit": ("raise SystemExit(0)", "SystemExit: 0 (m.py:"),
    "a full disk": ('raise OSError(28, "x")', "OSError: [Errno 28] x (m.py:"),
}
"""What a handler does -> what is found."""
REFUSED = {
    "a list": ('self.send("p", Ping([[]]))', "is not a value: use a tuple"),
    "a cycle": (
        'p = Ping(); object.__setattr__(p, "n", p); self.send("p", p)',
        "nested more than 64 deep is not a value",
    ),
    "a depth": ('self.send("p", Ping(deep()))', "nested more than 64 deep is not a value"),
    "digits": ('self.send("p", Ping(10**5000))', "an integer of 16,610 bits is not a value: it has at most 2,048"),
}
WAYS = {
    "check": ["check", "m"],
    "fuzz": ["fuzz", "m", "--schedules", "2"],
    "campaign": ["fuzz", "m", "--schedules", "2", "--workers", "1"],
    "run": ["run", "m.yaml", "--model", "m"],
}
THROWN = {
    "cycle()": "raise cycle()",
    "Mute": "raise Mute",
    "base": 'raise BaseException("x")',
    "half": r'raise KeyError("\ud800")',
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delenv("PYTHONDEVMODE", raising=False)


def model(act: str = "pass", build: str = "pass", load: str = "") -> None:
    Path("m.py").write_text(MODEL.format(act=act, build=build, load=load))
    Path("m.yaml").write_text("model: m\n")
    sys.modules.pop("m", None)


def lines(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return capfd.readouterr().err.splitlines()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", FOUND)
def test_whatever_a_handler_raises_is_found(what: str, way: str, capfd: pytest.CaptureFixture[str]) -> None:
    act, says = FOUND[what]
    model(act)
    assert call(WAYS[way]) == 1
    out, err = capfd.readouterr()
    assert says in out
    assert err == ""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_a_value_is_refused(what: str, way: str, capfd: pytest.CaptureFixture[str]) -> None:
    act, says = REFUSED[what]
    model(act)
    assert call(WAYS[way]) == 2
    (line,) = lines(capfd)
    assert says in line


@pytest.mark.parametrize("where", ["build", "load"])
@pytest.mark.parametrize("what", THROWN)
def test_whatever_a_model_raises_as_it_is_made_is_one_line(
    what: str, where: str, capfd: pytest.CaptureFixture[str]
) -> None:
    model(**{where: THROWN[what]})
    assert call(["check", "m"]) == 2
    (line,) = lines(capfd)
    assert "m.py:" in line


@pytest.mark.parametrize("way", WAYS)
def test_a_handler_without_memory_has_no_answer(way: str, capfd: pytest.CaptureFixture[str]) -> None:
    model("raise MemoryError")
    assert call(WAYS[way]) == 4
    out, err = capfd.readouterr()
    assert "the memory ran out" in out + err
    assert err.count("\n") <= 1


def test_an_end_of_the_recursion_is_told_the_same_from_everywhere(capfd: pytest.CaptureFixture[str]) -> None:
    model("self.again()")
    told = set()

    def deeper(depth: int) -> None:
        if depth:
            deeper(depth - 1)
        else:
            call(["run", "m.yaml", "--model", "m"])
            told.add(next(line for line in capfd.readouterr().out.splitlines() if line.startswith("digest")))

    for depth in (0, 3, 50):
        deeper(depth)
    assert len(told) == 1


# --- long words -------------------------------------------------------------------------------------

TOO_LONG = {
    "seed": ["fuzz", "models.paxos", "--seed", DIGITS],
    "duration": ["fuzz", "models.paxos", "--for", f"{DIGITS}s"],
    "setting": ["check", "models.paxos", "--set", f"clients={DIGITS}"],
    "key": ["check", "models.paxos", "--set", f"{LONG}=1"],
    "twice": ["check", "models.paxos", "--set", f"{LONG}=1", "--set", f"{LONG}=1"],
    "count": ["check", "models.paxos", "--set", f"faults=drop:{DIGITS}"],
    "hint": ["check", "models.paxos", "--set", f"faults=delay:1({DIGITS}s)"],
    "session": ["status", DIGITS],
    "number": ["resume", DIGITS],
    "workers": ["fuzz", "models.paxos", "--workers", DIGITS],
    "workers of a log": ["conform", "l", "--model", "models.paxos", "--workers", "1000000000"],
    "log": ["conform", LONG, "--model", "models.paxos"],
    "model of a log": ["conform", "l", "--model", LONG],
    "many workers": ["fuzz", "models.paxos", "--workers", "1000000000"],
    "strategy": ["fuzz", "models.paxos", "--strategy", LONG],
    "model": ["check", LONG],
    "file": ["run", f"{LONG}.yaml"],
    "folders": ["run", "/".join(["x" * 200] * 50) + ".yaml"],
    "out": ["check", "models.paxos", "--out", LONG],
    "html": ["run", ROUND, "--html", LONG],
    "format": ["run", ROUND, "--export", LONG],
    "command": [LONG],
    "option": ["run", f"--{LONG}"],
    "new": ["new", LONG],
    "only": ["draw", "models.paxos", "--only", LONG],
    "tree": ["surface", LONG, "y"],
    "engine": ["fuzz", "models.paxos", "--engine", LONG],
    "record": ["status", f"{LONG}.json"],
    "handler": ["check", "models.paxos", "--handler-timeout", LONG],
    "words": ["check", "models.paxos", "--set", "network=" + "x y " * 10_000],
    "rounds": ["check", "models.consensus", "--set", "rounds=1000000000000"],
    "clients": ["check", "models.paxos", "--set", "clients=1000000000000"],
    "managers": ["check", "models.two_phase_commit", "--set", "resource_managers=1000000000000"],
}


@pytest.mark.parametrize("what", TOO_LONG)
def test_what_is_too_long_or_too_much_is_refused_in_a_line_that_can_be_read(
    what: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call(TOO_LONG[what]) == 2
    (line,) = lines(capfd)
    assert line.startswith("sim: ")
    assert len(line) <= LINE_MAX + len("[...]")


def test_a_line_that_is_not_shortened_is_caught(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.base.printing.shortened", str)
    call(TOO_LONG["out"])
    (line,) = lines(capfd)
    assert len(line) > 500


# --- the one catch ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (MemoryError(), 4, "incomplete: the memory ran out"),
        (OSError(12, "Cannot allocate memory"), 4, "incomplete: the memory ran out"),
        (OSError(24, "Too many open files", "f"), 2, "too many open files; raise the limit, such as ulimit -n 1024"),
        (OSError(11, "Resource temporarily unavailable"), 2, "no further process can be started"),
        (RuntimeError("can't start new thread"), 2, "no further process can be started"),
        (FileNotFoundError(2, "No such file or directory"), 2, "the working directory was deleted"),
        (OSError(40, "Too many levels of symbolic links", "a\nb"), 2, r"a\nb: Too many levels of symbolic links"),
        (OSError(9, "Bad file descriptor", 7), 2, "7: Bad file descriptor"),
        (PermissionError(13, "Permission denied", b"f"), 2, "f: Permission denied"),
        (OSError(28, "No space left on device"), 2, "standard output cannot be written"),
        (OSError(28, "No space left on device", "f"), 2, "f: No space left on device"),
        (ValueError("odd"), 70, "a defect of roundsim: ValueError: odd (test_edges.py:"),
        (RecursionError("deep"), 70, "a defect of roundsim: RecursionError: deep"),
        (BaseExceptionGroup("g", [SystemExit()]), 70, "a defect of roundsim: BaseExceptionGroup: g"),
    ],
)
def test_what_nobody_foresaw_is_one_line(
    error: BaseException, status: int, says: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def load(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("sim.cli.journals.load_target", load)
    stdout = sys.stdout
    assert call(["check", "models.paxos"]) == status
    sys.stdout = stdout
    (line,) = lines(capfd)
    assert line.startswith(f"sim: {says}")


def test_every_status_has_its_sentence() -> None:
    assert {status.value: bool(status.sentence) for status in ExitStatus} == dict.fromkeys(
        (0, 1, 2, 3, 4, 70, 130), True
    )


# --- the process ------------------------------------------------------------------------------------


def sim(*words: str, start: Callable[[], None] | None = None, **options: object) -> tuple[int, str, str]:
    """Status, standard output and standard error of a process; `start` runs in it before Python does."""
    ended = subprocess.run(
        [sys.executable, "-c", START, *words],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=start,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "sim/beside")])},
        **options,  # type: ignore[call-overload]
    )
    return ended.returncode, ended.stdout, ended.stderr


def limited(which: int, most: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(which, (most, most))


@pytest.mark.parametrize(
    ("words", "stream", "status"),
    [
        (["status", "-"], 0, 2),
        (["resume"], 0, 0),
        (["run", ROUND], 0, 0),
        (["fuzz", "models.paxos", "--workers", "1", "--schedules", "2"], 0, 0),
        (["check", "models.paxos", "--max-states", "9", "--json"], 1, 4),
        (["run", ROUND, "--json"], 1, 0),
        (["check", "models.paxos", "--max-states", "9"], 2, 4),
        (["fuzz", "models.paxos", "--workers", "1", "--schedules", "2"], 2, 0),
    ],
    ids=lambda value: " ".join(value)[:12] if isinstance(value, list) else str(value),
)
def test_a_stream_that_is_closed_is_no_error(words: list[str], stream: int, status: int) -> None:
    code, _, err = sim(*words, start=lambda: os.close(stream))
    assert (code, err.count("\n")) == (status, int(status == 2))


@pytest.mark.parametrize(
    ("words", "status"),
    [(["new", "abc"], 2), (["run", ROUND, "--verify"], 2), (["check", "models.paxos"], 2), (["run", ROUND], 0)],
    ids=lambda value: value[0] if isinstance(value, list) else str(value),
)
def test_a_working_folder_that_is_gone_is_said(words: list[str], status: int, tmp_path: Path) -> None:
    def leave() -> None:
        folder = tmp_path / "gone"
        folder.mkdir()
        os.chdir(folder)
        folder.rmdir()

    code, _, err = sim(*words, start=leave)
    assert code == status
    assert err == ("sim: the working directory was deleted; change to another one\n" if status else "")


@pytest.mark.parametrize("most", [8, 10])
def test_too_few_files_are_one_line(most: int) -> None:
    code, _, err = sim("run", ROUND, "--verify", start=limited(resource.RLIMIT_NOFILE, most))
    assert (code, err) == (2, "sim: too many open files; raise the limit, such as ulimit -n 1024\n")


def test_too_little_memory_has_no_answer_and_says_what_was_covered() -> None:
    words = ("check", "models.two_phase_commit", "--set", "resource_managers=9", "--engine", "plain")
    code, out, err = sim(*words, start=limited(resource.RLIMIT_AS, 150 << 20))
    assert (code, err) == (4, "")
    assert "INCOMPLETE  the memory" in out
    assert "states" in out


@pytest.mark.parametrize("engine", ["auto", "compiled"])
def test_a_library_that_does_not_fit_into_the_memory_ends_nothing(engine: str) -> None:
    """Status 1 would say that something is violated."""
    start = limited(resource.RLIMIT_AS, 95 << 20)
    code, _, err = sim("check", "models.paxos", "--engine", engine, start=start)
    assert (code, err.count("\n")) == (0 if engine == "auto" else 2, 1)
    assert "numpy cannot be loaded (ulimit -v leaves" in err
    planted = "from sim.checker import engine; engine.lacks_room = lambda _: ''; " + START
    words = [sys.executable, "-c", planted, "check", "models.paxos", "--engine", "auto"]
    path = os.pathsep.join([str(ROOT), str(ROOT / "sim/beside")])
    ended = subprocess.run(
        words, capture_output=True, check=False, preexec_fn=start, env={**os.environ, "PYTHONPATH": path}
    )
    assert ended.returncode == 1 or b"IMPORTANT" in ended.stderr


def test_a_campaign_without_room_has_no_answer() -> None:
    words = ("fuzz", "models.paxos", "--workers", "1", "--schedules", "2")
    code, _, err = sim(*words, start=limited(resource.RLIMIT_AS, 120 << 20))
    assert (code, err) == (4, "sim: incomplete: the memory ran out; raise its limit, or set smaller bounds\n")


IN_WORKER = "import os, signal, sys, time; sys.argv[-1] in ('sim.campaign.worker', 'sim.conform.shared_out') and "
BROKEN = IN_WORKER + "setattr(__import__('{module}', fromlist=['x']).{name}, '{method}', None)"
"""Breaks roundsim in a worker, and nowhere else."""
LOGGED = '{"roundsim_log": 1}\n' + "".join(
    f'{{"process": "p", "input": {{"start": true}}, "run": "{run}"}}\n' for run in "ab"
)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (("sim.fuzzer.fuzz", "Fuzzer", "run"), ["fuzz", "m", "--workers", "1", "--schedules", "2"]),
        (("sim.conform.search", "Search", "result"), ["conform", "l.jsonl", "--model", "m", "--workers", "2"]),
    ],
    ids=["fuzz", "conform"],
)
def test_a_defect_of_ours_in_a_worker_is_one_as_well(
    broken: tuple[str, str, str], words: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    Path("l.jsonl").write_text(LOGGED)
    model(load=BROKEN.format(**dict(zip(("module", "name", "method"), broken, strict=True))))
    assert call(words) == 70
    (line,) = lines(capfd)
    assert line.startswith("sim: a defect of roundsim: TypeError: 'NoneType' object is not callable (")


def test_a_worker_that_a_log_is_shared_with_and_that_dies_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    Path("l.jsonl").write_text(LOGGED)
    model(load=IN_WORKER + "os.kill(os.getpid(), 9)")
    assert call(["conform", "l.jsonl", "--model", "m", "--workers", "2"]) == 2
    assert lines(capfd) == ["sim: a worker process was ended by signal 9"]


def test_an_interrupt_ends_a_log_that_is_shared_out(capfd: pytest.CaptureFixture[str]) -> None:
    Path("l.jsonl").write_text(LOGGED)
    model(load=IN_WORKER + "(os.kill(os.getppid(), signal.SIGINT), time.sleep(60))")
    assert call(["conform", "l.jsonl", "--model", "m", "--workers", "2"]) == 130
    assert lines(capfd) == ["sim: interrupted"]


BEGUN = "import sys; sys.argv = ['sim', 'check', 'models.paxos']; print('on', flush=True); "
BEGINNINGS = {
    "the script": BEGUN + START,
    "python -m sim": BEGUN + "import runpy; runpy.run_module('sim', run_name='__main__')",
}


def interrupted(code: str, late_s: float) -> tuple[int, str]:
    """What becomes of it if the user interrupts so long after it has begun."""
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "sim/beside")])},
    )
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(0.005 + late_s)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate()
    return child.returncode, err


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_an_interrupt_while_everything_is_being_loaded_is_one_line(beginning: str) -> None:
    """From the moment that Python runs us; what it does before, it ends in its own way."""
    seen = set()
    for late_s in (0.02, 0.05, 0.1, 0.15, 0.2):
        for _ in range(5):
            status, err = interrupted(BEGINNINGS[beginning], late_s)
            if status != -signal.SIGINT:  # Python had not come to us yet, on a machine that is busy
                break
        seen.add((status, err))
    assert (130, "sim: interrupted\n") in seen
    assert {status for status, _ in seen} <= {0, 130}
    assert {err for _, err in seen} <= {"", "sim: interrupted\n"}


IN_A_TEXT = """
from sim import cli

def main(**_):
    exec("raise KeyboardInterrupt")

cli.group.main = main
cli.exec = {ran}
cli.main([])
"""
"""An interrupt that comes up while Python runs a text, as it does where a dataclass is made."""


@pytest.mark.parametrize(("ran", "status"), [("exec", 130), ("lambda text: None", -signal.SIGINT)])
def test_an_interrupt_is_over_when_it_was_told(ran: str, status: int, tmp_path: Path) -> None:
    """The planted fault: nothing takes back that Python means to die of it."""
    (tmp_path / "interrupting.py").write_text(IN_A_TEXT.format(ran=ran))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT), str(ROOT / "sim/beside")])}
    command = [sys.executable, "-m", "interrupting"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (status, "sim: interrupted\n")


# --- git and the store ------------------------------------------------------------------------------

ANSWERS = (r"printf 'a\0b\n'", r"printf '\377\376\n'", "head -c 300000 /dev/zero", "exit 3", "printf ''", "kill -9 $$")


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize(
    ("words", "usual"),
    [(["sessions"], 0), (["resume", "--last"], 0), (["surface", f"{ROOT}@HEAD:sim", f"{ROOT}/sim/base"], 2)],
)
def test_a_git_that_answers_nonsense_is_no_git(
    answer: str, words: list[str], usual: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("git").write_text(f"#!/bin/sh\n{answer}\n")
    Path("git").chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([os.getcwd(), os.environ["PATH"]]))
    assert call(words) == usual
    assert len(lines(capfd)) == usual // 2


DAMAGES = {
    "bytes": "UPDATE session SET plan = CAST(x'FF' AS TEXT)",
    "depth": "UPDATE session SET plan = '" + "[" * 100_000 + "'",
    "digits": f"UPDATE session SET plan = '{DIGITS}'",
    "overflow": "UPDATE session SET created_ms = 9223372036854775807, active_ms = -9223372036854775808",
    "no object": "UPDATE session SET plan = '[]'",
    "a found": "UPDATE finding SET found = CAST(x'FF' AS TEXT)",
    "a deep found": "UPDATE finding SET found = '" + "[" * 100_000 + "'",
    "a shape": "UPDATE finding SET shape = '1e999'",
    "coverage": "UPDATE chunk SET coverage = x'00'",
    "a sample": "UPDATE chunk SET sample = '" + '{"a":' * 50_000 + "'",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_row_is_one_line(damage: str, capfd: pytest.CaptureFixture[str]) -> None:
    model("raise ValueError")
    assert call(["fuzz", "m", "--schedules", "2", "--workers", "1"]) == 1
    file = next(Path(".sim").glob("*.sqlite"))
    with sqlite3.connect(file) as store:
        store.execute(DAMAGES[damage])
    store.close()
    capfd.readouterr()
    for words in (["sessions"], ["status", "1"], ["status", "1", "--json"], ["resume", "1"]):
        status = call(words)
        told = lines(capfd)
        assert status in (0, 1, 2)
        assert len(told) == (status == 2)
        assert all(".sqlite: " in line or "not known to be yours" in line for line in told)


def test_a_record_of_any_depth_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    for text in ("[" * 100_000, '{"a":' * 50_000, DIGITS, "[" * 900 + "]" * 900, json.dumps({"seed": 1})):
        Path("r.json").write_text(text)
        assert call(["status", "r.json"]) == 2
        assert len(lines(capfd)) == 1
