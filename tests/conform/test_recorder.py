"""Three real programs are recorded: each conforms, and a bug planted in it is given away by its log."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import queue
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from sim.base.errors import ConfigError
from sim.conform import recorder as recording
from sim.conform.conformance import JudgedLog, Judging
from sim.conform.recorder import RecordedProcess, Recorder
from tests.conform.judged import judged, system

ASKS = 3
BUGS = (None, "replies to another number", "replies twice")


class RealClient:
    """What the client does, whoever carries its messages."""

    def __init__(self, log: RecordedProcess) -> None:
        self.log, self.asked = log, 0
        log.started()
        log.became("idle")

    def ask(self) -> tuple[int, str]:
        self.asked += 1
        self.log.moved("ask")
        sent = self.log.sent("server", "Ask", {"number": self.asked})
        self.log.became("waiting", {"asked": self.asked})
        return self.asked, sent

    def take(self, number: int, cause: str) -> None:
        self.log.received("server", "Reply", {"number": number}, cause=cause)
        self.log.became("done" if self.asked == ASKS else "idle")


def serve(log: RecordedProcess, number: int, cause: str, bug: str | None) -> list[tuple[int, str]]:
    """What the server does: its replies."""
    log.received("client", "Ask", {"number": number}, cause=cause)
    log.emitted("Served", {"number": number})
    given = number + 1 if bug == BUGS[1] and number == 2 else number
    return [(given, log.sent("client", "Reply", {"number": given})) for _ in range(2 if bug == BUGS[2] else 1)]


async def in_tasks(path: Path, bug: str | None) -> None:
    asks: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue()
    replies: asyncio.Queue[tuple[int, str]] = asyncio.Queue()

    async def server(log: RecordedProcess) -> None:
        while (asked := await asks.get()) is not None:
            for reply in serve(log, *asked, bug):
                await replies.put(reply)

    with Recorder(path) as recorder:
        task = asyncio.create_task(server(recorder.process("server")))
        client = RealClient(recorder.process("client"))
        for _ in range(ASKS):
            await asks.put(client.ask())
            client.take(*await replies.get())
        await asks.put(None)
        await task


def in_threads(path: Path, bug: str | None) -> None:
    asks: queue.Queue[tuple[int, str] | None] = queue.Queue()
    replies: queue.Queue[tuple[int, str]] = queue.Queue()

    def server(log: RecordedProcess) -> None:
        while (asked := asks.get()) is not None:
            for reply in serve(log, *asked, bug):
                replies.put(reply)

    with Recorder(path) as recorder:
        thread = threading.Thread(target=server, args=(recorder.process("server"),))
        thread.start()
        client = RealClient(recorder.process("client"))
        for _ in range(ASKS):
            asks.put(client.ask())
            client.take(*replies.get())
        asks.put(None)
        thread.join()


def _server_process(path: Path, pipe: Connection, bug: str | None) -> None:
    with Recorder(path) as recorder:
        log = recorder.process("server")
        while (asked := pipe.recv()) is not None:
            pipe.send(serve(log, *asked, bug)[-1])


def in_processes(path: Path, bug: str | None) -> list[str]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    other = path.with_name("server.jsonl")
    process = context.Process(target=_server_process, args=(other, theirs, bug))
    process.start()
    theirs.close()
    with Recorder(path) as recorder:
        client = RealClient(recorder.process("client"))
        for _ in range(ASKS):
            ours.send(client.ask())
            client.take(*ours.recv())
        ours.send(None)
    process.join()
    return [str(path), str(other)]


def recorded(kind: str, path: Path, bug: str | None) -> JudgedLog:
    paths = [str(path)]
    if kind == "asyncio":
        asyncio.run(in_tasks(path, bug))
    elif kind == "threads":
        in_threads(path, bug)
    else:
        paths = in_processes(path, bug)
    return judged(Judging(system(ASKS)), paths)


@pytest.mark.parametrize("kind", ["asyncio", "threads", "processes"])
def test_a_program_conforms_and_its_log_gives_a_planted_bug_away(kind: str, tmp_path: Path) -> None:
    fine = recorded(kind, tmp_path / "fine.jsonl", None)
    assert (fine.verdict, fine.explained) == ("ok", fine.lines)
    for bug in BUGS[1:]:
        bad = recorded(kind, tmp_path / "bad.jsonl", bug)
        assert (bad.verdict, bad.process) == ("violated", "server"), bug
        assert bad.differs[0]["what"].startswith("output"), bug


def test_a_recorder_without_a_path_records_nothing() -> None:
    recorder = Recorder()
    log = recorder.process("client")
    log.started()
    log.became("idle")
    assert (log.sent("server", "Ask"), recorder.paths) == ("", [])
    recorder.close()


def test_what_was_given_comes_first(tmp_path: Path) -> None:
    with Recorder(tmp_path / "a.jsonl") as recorder, pytest.raises(RuntimeError, match="client was given nothing yet"):
        recorder.process("client").sent("server", "Ask")


def test_a_recorder_imports_nothing_of_the_simulation() -> None:
    told = "import sys; import sim.conform.recorder as r; print([m for m in sys.modules if m.startswith('sim.')])"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout == "['sim.conform', 'sim.conform.recorder']\n"


def test_the_module_of_the_recorder_names_nothing_of_sim() -> None:
    source = Path(__file__).parents[2] / "sim/conform/recorder.py"
    assert "import sim" not in source.read_text(encoding="utf-8")
    assert "from sim" not in source.read_text(encoding="utf-8").replace("from sim.conform.recorder import", "")


class Mute:
    def __str__(self) -> str:
        raise RuntimeError("no")


ITSELF: list[Any] = []
ITSELF.append(ITSELF)
ODD: dict[str, tuple[Any, Any]] = {
    "digits": (10**5_000, "int that cannot be written"),
    "no text": (Mute(), "Mute that cannot be written"),
    "itself": (ITSELF, "list that cannot be written"),
    "odd keys": ({(1, 2): 10**5_000}, "int that cannot be written"),
    "an object": (object(), "<object object>"),
    "half a character": ("\ud800", "\ud800"),
    "what acts": ("\x1b[31m\n", "\x1b[31m\n"),
    "bytes": (b"\xff", "b'\\xff'"),
}


def innermost(value: Any) -> Any:
    """Around what cannot be written some of what could may be kept."""
    while isinstance(value, list | dict):
        (value,) = value.values() if isinstance(value, dict) else value
    return value


@pytest.mark.parametrize("what", ODD)
def test_a_value_that_cannot_be_written_ends_no_program_and_takes_no_other_with_it(what: str, tmp_path: Path) -> None:
    """It would have ended it at the next input, far from where it was recorded."""
    value, written = ODD[what]
    with Recorder(tmp_path / "a.jsonl") as recorder:
        log = recorder.process("p")
        log.received("q", "Ask", {"odd": value, "number": 1})
        log.sent("q", "Reply", {"odd": value, "number": 2})
        log.became("on", {"odd": value, "number": 3})
    _, line = map(json.loads, (tmp_path / "a.jsonl").read_text("ascii").splitlines())
    fields = [line["input"]["deliver"]["fields"], line["outputs"][0]["send"]["fields"], line["fields"]]
    assert [one["number"] for one in fields] == [1, 2, 3]
    assert {innermost(one["odd"]) for one in fields} <= {written, "dict that cannot be written"}


def test_a_line_that_is_written_without_care_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "line_text", json.dumps)
    with Recorder(tmp_path / "a.jsonl") as recorder:
        log = recorder.process("p")
        log.received("q", "Ask", {"odd": ITSELF})
        with pytest.raises(ValueError, match="Circular"):
            log.flush()


FORKS = """
import os, signal, sys
from sim.conform.recorder import Recorder

recorder = Recorder(sys.argv[1])
client, server = recorder.process("client"), recorder.process("server")
client.moved("ask")
sent = client.sent("server", "Ask", {"number": 1})
child = os.fork()
if not child:
    server.received("client", "Ask", {"number": 1}, cause=sent)
    server.emitted("Served", {"number": 1})
    server.sent("client", "Reply", {"number": 1})
    server.flush()
    os.kill(os.getpid(), signal.SIGKILL)
os.waitpid(child, 0)
client.received("server", "Reply", {"number": 1})
print(*recorder.paths)
"""


def forked(path: Path) -> list[str]:
    """A program that forks; the child is killed, the parent exits without closing its recorder."""
    done = subprocess.run([sys.executable, "-c", FORKS, str(path)], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_process_that_was_forked_writes_a_file_of_its_own_and_no_line_of_its_parent(tmp_path: Path) -> None:
    (tmp_path / "run-7.jsonl").write_text("of an earlier run")
    os.utime(tmp_path / "run-7.jsonl", (1, 1))
    paths = forked(tmp_path / "run.jsonl")
    assert len(paths) == 2
    found = judged(Judging(system(1)), paths)
    assert (found.verdict, found.lines) == ("ok", 3), found.words


def test_a_fork_that_kept_the_lines_of_its_parent_would_be_caught(tmp_path: Path) -> None:
    kept = FORKS.replace("if not child:", "if not child:\n    client.became('waiting'); client.flush()")
    done = subprocess.run([sys.executable, "-c", kept, str(tmp_path / "a.jsonl")], capture_output=True, text=True)
    assert "client was given nothing yet" in done.stderr


def test_a_long_line_is_whole_as_soon_as_it_is_written(tmp_path: Path) -> None:
    with Recorder(tmp_path / "a.jsonl") as recorder:
        process = recorder.process("client")
        process.started()
        process.became(fields={"much": "x" * 200_000})
        process.flush()
        assert len((tmp_path / "a.jsonl").read_bytes().splitlines()) == 2


def test_who_is_observed_stands_in_the_header_and_did_nothing_without_a_line(tmp_path: Path) -> None:
    def recorded(*observed: str) -> JudgedLog:
        with Recorder(tmp_path / "a.jsonl", processes=observed) as recorder:
            client = recorder.process("client")
            client.moved("ask")
            client.sent("server", "Ask", {"number": 1})
            client.received("server", "Reply", {"number": 1})
        return judged(Judging(system(1)), [str(tmp_path / "a.jsonl")])

    assert recorded().verdict == "ok"
    assert recorded("client", "server").verdict == "violated"
    with pytest.raises(ConfigError, match=r"a.jsonl:1: unknown process 'servr' \(did you mean 'server'"):
        recorded("servr")
