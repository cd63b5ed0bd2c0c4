"""An agent that is a command: what it sees, what comes of it, and that nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from sim import Message, Process, System
from sim.base.errors import ConfigError
from sim.consensus import ErrorKind, Failure
from sim.host import Host, command_agent
from sim.host.adapter import AdapterError, Reply
from sim.host.command_agent import CommandAgent
from tests.host.endpoints import KEY, question


def agent(source: str, **given: Any) -> CommandAgent:
    """Runs this Python."""
    return CommandAgent(
        [sys.executable, "-c", source],
        **{
            "prompt": lambda ask: f"Review {getattr(ask, 'stage', '')}.",
            "parse": str.strip,
            "timeout_ms": 20_000,
            **given,
        },
    )


def asked(source: str, answers: tuple[Any, ...] = ("ok", "conflict"), **given: Any) -> Reply:
    return asyncio.run(agent(source, **given).ask(question(answers)))


def test_it_reads_the_prompt_from_its_input_and_writes_its_answer() -> None:
    source = "import sys; print('ok' if sys.stdin.read() == 'Review validate.' else 'conflict')"
    reply = asked(source)
    assert (reply.answer, reply.text, reply.failure) == ("ok", "ok\n", None)
    assert reply.facts["process.exit.code"] == 0
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Review."}]
    source = "import sys; print('ok' if sys.stdin.read() == 'Be brief.\\n\\nReview.' else 'conflict')"
    assert asked(source, prompt=lambda _: messages).answer == "ok"


def test_no_shell_reads_its_arguments(tmp_path: Path) -> None:
    made = CommandAgent(["echo", "ok; touch x", "$HOME"], prompt=lambda _: "", parse=lambda _: "ok", folder=tmp_path)
    assert asyncio.run(made.ask(question())).text == "ok; touch x $HOME\n"
    assert not [*tmp_path.iterdir()]


def test_of_the_environment_it_sees_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_KEY", "sk-of-somebody-else")
    monkeypatch.setenv("GEMINI_KEY", KEY)
    show = "import os; print(*sorted(os.environ), os.environ.get('GEMINI_KEY'), os.environ['ROUNDSIM_QUESTION'])"
    reply = asked(show, parse=lambda _: "ok", env=("GEMINI_KEY",))
    assert reply.text is not None
    assert "OTHER_KEY" not in reply.text
    assert "[GEMINI_KEY] j1/7" in reply.text  # it has the key, and what it says is kept without it
    assert KEY not in reply.text
    monkeypatch.delenv("GEMINI_KEY")
    with pytest.raises(AdapterError, match="gemini: the variable GEMINI_KEY is not set"):
        asked(show, parse=lambda _: "ok", env=("GEMINI_KEY",))


@pytest.mark.parametrize(
    ("source", "failure"),
    [
        ("pass", ErrorKind.EMPTY),
        ("print(' ')", ErrorKind.EMPTY),
        ("import sys; print('ok'); sys.exit(1)", ErrorKind.UNKNOWN),
        ("import os; os.kill(os.getpid(), 9)", ErrorKind.UNKNOWN),
        ("print('x' * 2_000_000)", ErrorKind.INVALID),
        ("while True: print('x' * 65536)", ErrorKind.INVALID),
    ],
)
def test_what_goes_wrong_is_a_failure_of_the_model(source: str, failure: ErrorKind) -> None:
    reply = asked(source)
    assert (reply.failure, reply.text) == (Failure(failure), None)
    if failure is ErrorKind.INVALID:
        assert asked(source, ("ok", "invalid")).answer == "invalid"


def test_why_it_failed_is_said_without_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_KEY", KEY)
    source = "import os, sys; print('a\\n' * 9999, os.environ['GEMINI_KEY'], file=sys.stderr); sys.exit(3)"
    reply = asked(source, env=("GEMINI_KEY",))
    assert reply.facts["error.message"] == "'[GEMINI_KEY]'"


def test_it_need_not_read_its_input() -> None:
    assert asked("print('ok')", prompt=lambda _: "x" * 1_000_000).answer == "ok"


def test_an_answer_that_cannot_be_read_is_paid_once() -> None:
    assert asked("print('hm')", ("ok", "invalid")).answer == "invalid"
    with pytest.raises(AdapterError, match="gemini: its answer cannot be read"):
        asked("print('hm')")


def test_a_command_that_is_not_there_is_one_line() -> None:
    made = CommandAgent(["no-such-agent-cli"], prompt=lambda _: "", parse=str)
    with pytest.raises(AdapterError, match="gemini: 'no-such-agent-cli' cannot be started: No such file"):
        asyncio.run(made.ask(question()))
    with pytest.raises(AdapterError, match="exits with 127: what it starts is not there"):
        asked("import sys; sys.exit(127)")


# --- nothing of it is left -------------------------------------------------------------------------------

FAMILY = """
import subprocess, sys, pathlib, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path("pids").write_text(str(child.pid))
"""


def is_running(pid: int) -> bool:
    """A child of nobody here is taken by init; a zombie of it runs no longer."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def gone(folder: Path) -> bool:
    pid = int((folder / "pids").read_text())
    for _ in range(100):
        if not is_running(pid):
            return True
        await asyncio.sleep(0.02)
    os.kill(pid, 9)
    return False


async def started(folder: Path) -> None:
    while not (folder / "pids").exists() or not (folder / "pids").read_text():
        await asyncio.sleep(0.02)


async def time_is_up(folder: Path) -> None:
    made = agent(FAMILY + "time.sleep(60)", folder=folder, timeout_ms=600)
    reply = await made.ask(question())
    assert reply.failure == Failure(ErrorKind.TIMEOUT)


async def host_stops(folder: Path) -> None:
    task = asyncio.create_task(agent(FAMILY + "time.sleep(60)", folder=folder).ask(question()))
    await started(folder)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def too_much(folder: Path) -> None:
    source = FAMILY + "print('x' * 200, flush=True)\ntime.sleep(60)"
    reply = await agent(source, folder=folder, bytes_max=100).ask(question())
    assert reply.failure == Failure(ErrorKind.INVALID)


async def ends_itself(folder: Path) -> None:
    """The child holds the output open: the answer does not wait for it."""
    reply = await agent(FAMILY + "print('ok')", folder=folder).ask(question())
    assert reply.answer == "ok"


def test_one_that_has_left_the_group_holds_up_nothing(tmp_path: Path) -> None:
    """It goes on, since nobody can know of it; but the answer is there, and so is the end of the time."""
    source = FAMILY.replace('"])', '"], start_new_session=True)') + "print('ok', flush=True)\n"
    for rest, answer, failure in (("", "ok", None), ("time.sleep(60)", None, Failure(ErrorKind.TIMEOUT))):
        reply = asked(source + rest, folder=tmp_path, timeout_ms=600 if rest else 20_000)
        os.kill(int((tmp_path / "pids").read_text()), 9)
        assert (reply.answer, reply.failure) == (answer, failure)


@pytest.mark.parametrize("how", [time_is_up, host_stops, too_much, ends_itself])
def test_all_that_it_has_started_ends_with_it(how: Any, tmp_path: Path) -> None:
    async def work() -> bool:
        await how(tmp_path)
        return await gone(tmp_path)

    assert asyncio.run(work())


def test_a_command_of_which_only_the_first_process_is_killed_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_agent.os, "killpg", os.kill)

    async def work() -> bool:
        task = asyncio.create_task(agent(FAMILY + "time.sleep(60)", folder=tmp_path).ask(question()))
        await started(tmp_path)
        task.cancel()
        await asyncio.wait([task], timeout=0.5)
        pid = int((tmp_path / "pids").read_text())
        left = is_running(pid)
        os.kill(pid, 9)
        await asyncio.wait([task])
        return left

    assert asyncio.run(work())


@pytest.mark.parametrize(
    ("command", "given", "why"),
    [
        ("gemini --print", {}, "command: expected a list of arguments"),
        ([], {}, "command: expected a list of arguments"),
        (["x", 7], {}, "command: expected a list of arguments"),
        (["x"], {"timeout_ms": 0}, "expected whole numbers of 1 or more"),
    ],
)
def test_what_can_never_work_is_told_when_the_agent_is_made(command: Any, given: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        CommandAgent(command, prompt=str, parse=str, **given)


def test_a_host_that_fails_waits_until_its_commands_have_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told to end by what has failed, and by whoever closes it; and ends a moment later."""
    real, ended = command_agent._kill, list[int]()

    def late(pid: int) -> None:
        def kill() -> None:
            ended.append(pid)
            real(pid)

        asyncio.get_running_loop().call_later(0.1, kill)

    monkeypatch.setattr(command_agent, "_kill", late)

    class Failing:
        async def ask(self, asked: Any) -> Reply:
            await started(tmp_path)
            raise AdapterError("no")

        async def close(self) -> None:
            pass

    slow = agent(f"import pathlib, time; pathlib.Path({str(tmp_path / 'pids')!r}).write_text('1'); time.sleep(60)")
    asked_both = {"ann": slow, "bob": Failing()}
    host = Host(two_asked, journal=tmp_path / "j.db", adapters=asked_both)

    async def life() -> None:
        async with host:
            await host.start("s")
            await host.until_over("s")

    with pytest.raises(AdapterError, match="no"):
        asyncio.run(life())
    assert len(ended) >= 1


class Say(Message):
    pass


class Boss(Process):
    states = ("up",)

    def on_start(self) -> None:
        for name in ("ann", "bob"):
            self.send(name, Say())


class Worker(Process):
    states = ("up",)
    transitions = ({"trigger": Say, "source": "up", "dest": None, "after": "say"},)

    def say(self) -> None:
        self.choose("ok", "conflict")


def two_asked() -> System:
    return System(processes={"boss": Boss(), "ann": Worker(), "bob": Worker()})
