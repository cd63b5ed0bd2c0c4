"""Sessions that are hosted on the command line: configurations, a model and agents of a user's own, and the commands, in this
process where it makes no difference."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sim.cli import call
from sim.host.journal import Journal, open_journal
from tests.campaign.toys import environment, start

SAYS_OK = {
    "kind": "command",
    "command": ["echo", "OK"],
    "prompt": [{"role": "user", "content": "?"}],
    "parse": {"ok": "OK"},
}
WAITS = {"kind": "person"}
HOST = ("host", "models.consensus", "--config", "c.yaml", "--journal", "j.db")
MACHINES = ("coordinator", "store", "consumer", "user")
CRASHES = ",".join(f"crash:9@{name}" for name in MACHINES)
"""What may have struck where a host has stopped."""

PYPROJECT = '[tool.roundsim]\nmodels = ["toy"]\n'
TOY = '''
from sim import Emission, Message, Monitor, Process, System
from sim.host import Reply
from sim.metrics import TokenUsage


class Count(Message):
    n: int


class Counting(Emission):
    n: int


class Counter(Process):
    """Counts up to three in messages to itself; does not know what comes then."""

    states = ("up",)
    transitions = ({"trigger": Count, "source": "up", "dest": None, "conditions": "is_known", "after": "count"},)

    def on_start(self):
        self.send("counter", Count(1))

    def is_known(self, count):
        return count.n < 4

    def count(self, count):
        self.emit(Counting(count.n))
        self.send("counter", Count(count.n + 1))


class Superstition(Monitor):
    states = ("watching",)
    transitions = ({"trigger": Counting, "source": "watching", "dest": None, "after": "judge"},)

    def judge(self, counting):
        if counting.n == 3:
            self.violate("three was counted")


def system(watched: bool = False):
    return System({"counter": Counter()}, monitors={"superstition": Superstition()} if watched else {})


class Priced:
    """An agent that says what it has used."""

    async def ask(self, question):
        return Reply("ok", text="OK", usage=TokenUsage(1_000_000, 0), model="gpt-4o")

    async def close(self): ...


class Speechless: ...
'''


def config(**more: Any) -> dict[str, Any]:
    """A council of two rounds whose agents say ok at once."""
    return {
        "session": "plan",
        "set": {"agents": 2, "rounds": 2, "answers": ["ok", "conflict"]},
        "adapters": {"gemini": SAYS_OK, "claude": SAYS_OK},
        "log": "log.jsonl",
        **more,
    }


def waiting(**more: Any) -> dict[str, Any]:
    """One in which a person speaks for claude."""
    return config(adapters={"gemini": SAYS_OK, "claude": WAITS}, **more)


def write_config(given: dict[str, Any]) -> None:
    Path("c.yaml").write_text(json.dumps(given))


def write_toy() -> None:
    """A model that goes beyond its table, and agents; it is listed."""
    Path("pyproject.toml").write_text(PYPROJECT)
    Path("toy.py").write_text(TOY)
    sys.modules.pop("toy", None)


Sim = Callable[..., tuple[int, str, str]]


@pytest.fixture
def sim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sim:
    """Runs a command in this process, in a folder of the test: status, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SIM_HOME", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(*words: str) -> tuple[int, str, str]:
        status = call([*words])
        return status, *capsys.readouterr()

    return run


def data_of(sim: Sim, *words: str, status: int = 0) -> Any:
    """What a command says with --json."""
    found, out, err = sim(*words, "--json")
    assert (found, err) == (status, ""), (out, err)
    return json.loads(out)


@contextmanager
def hosting(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A host in a process of its own, once it has said that it goes on."""
    process = start(Path.cwd(), *(words or HOST), env=environment())
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("session 1 (plan) "), first or process.communicate()
        yield process
    finally:
        process.kill()
        process.communicate()


def until(true: Callable[[], Any]) -> None:
    for _ in range(6_000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to that")


def is_asked(process: str = "claude") -> bool:
    """Whether a call about a message to this process is under way, and all else has come to rest."""
    with looking() as journal:
        known = journal.mail("plan") if journal.sessions() else []
        asked = {one[0] for one in journal.calls("plan") if one[3] is None}
        return bool(known) and all(mail.target == process and mail.id in asked for mail in known)


def looking() -> Journal:
    return open_journal("j.db", fresh=False)


def kept() -> tuple[Any, ...]:
    """All that the journal says."""
    with looking() as journal:
        return (
            journal.sessions(),
            journal.machines("plan"),
            journal.mail("plan"),
            [*journal.trace("plan")],
            journal.calls("plan"),
            journal.wishes(),
        )


def assert_conforms(sim: Sim, faults: str = CRASHES) -> None:
    assert sim("conform", "log.jsonl", "--model", "models.consensus", "--faults", faults)[0] == 0
