"""What is wrong with a hosted session, or with the world that it is in: one line, the documented status, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sim.host import Host, clock
from sim.host.clock import SteadyClock
from sim.host.journal import Journal
from tests.campaign.toys import environment
from tests.host.hosting_commands import (
    HOST,
    SAYS_OK,
    Sim,
    assert_conforms,
    config,
    data_of,
    hosting,
    is_asked,
    kept,
    sim,
    until,
    waiting,
    write_config,
    write_toy,
)
from tests.host.test_host import pings, to_its_end

__all__ = ["sim"]

KEY = "sk-right-0123456789"


def one_line(found: tuple[int, str, str]) -> str:
    """What a command that was refused has said."""
    status, out, err = found
    assert (status, out) == (2, ""), found
    assert err.startswith("sim: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    return err[len("sim: ") : -1]


def nothing_is_there() -> None:
    assert not [*Path.cwd().glob("j.db*")]


# --- configurations ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"adaptors": {}}, "c.yaml:1:2: adaptors: unknown key 'adaptors' (did you mean 'adapters'?): use session, set"),
        ([1], "c.yaml:1:1: is [1] (list); expected a mapping with adapters"),
        ({"adapters": []}, "adapters is [] (list); expected a mapping: for each process what stands for it"),
        ({"adapters": {"gemini": 7}}, "adapters.gemini is 7 (int); expected a mapping, such as {kind: chat"),
        ({"session": ["x"]}, "session is ['x'] (list); expected the name of the session"),
        ({"session": "a\nb"}, "expected a name of printable characters"),
        ({"limits": {"calls": "many"}}, "limits.calls is 'many' (str); expected a whole number, 1 or more"),
        ({"limits": {"usd": -1}}, "limits.usd is -1 (int); expected an amount above 0"),
        ({"limits": {"for": "soon"}}, "limits.for: 'soon' is not a duration; write a number and a unit"),
        ({"limits": {"cals": 1}}, "limits.cals: unknown limit 'cals' (did you mean 'calls'?): use calls, usd or for"),
        ({"otel": "yes"}, "otel is 'yes' (str); expected true, or {texts: true}"),
        (config(set={"agnts": 2}), "set: agnts=2: models.consensus: unknown parameter 'agnts' (did you mean 'agents'?)"),
        (config(set={"agents": "two"}), "set: agents=two: agents is 'two'; expected a whole number"),
        (config(set={"agents": 9}), "agents is 9"),
        (config(adapters={"gemini": SAYS_OK, "cloude": SAYS_OK}), "c.yaml: adapters: unknown process 'cloude' (did you"),
        (config(adapters={"gemini": SAYS_OK, "claude": {"kind": "chta"}}), "c.yaml: adapters: claude: unknown kind 'chta'"),
        (config(adapters={"gemini": SAYS_OK}), "c.yaml: claude: Agent chooses, and nobody says what"),
        (config(until={"coordinator": "finished"}), "c.yaml: until: coordinator: unknown state 'finished': use booting"),
        (config(until={"gemini": "ready"}), "c.yaml: until: unknown process 'gemini': use coordinator"),
        (config(carries={"Stoer": "Response"}), "c.yaml: carries: unknown message 'Stoer' (did you mean 'Store'?)"),
        (config(carries={"Store": "Answer"}), "c.yaml: carries: unknown message 'Answer': use AckDecision"),
        (config(here=["coordinator", "user"]), "c.yaml: store is nowhere: name it in here, adapters or links"),
        (config(log="nowhere/log.jsonl"), "nowhere/log.jsonl: the log cannot be written: No such file or directory"),
        (config(log="."), "the log cannot be written: Is a directory"),
        (config(links={"store": "somewhere"}), "c.yaml: links.store: "),
        (config(listen="tcp:nowhere"), "c.yaml: listen"),
        (config(adapters={"gemini": SAYS_OK, "claude": {"class": "toy:Priced"}}), "adapters: claude: unknown model 'toy'"),
        (config(adapters={"gemini": SAYS_OK, "claude": {"class": "os:system"}}), "under [tool.roundsim]: models = [\"os\"]"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_told_before_anything_is_there(given: Any, told: str, sim: Sim) -> None:
    write_config(given)
    lines = sim(*HOST)[2].splitlines()
    assert told in lines[0], lines
    assert all(line.startswith("sim: ") for line in lines)
    assert sim(*HOST)[0] == 2
    nothing_is_there()
    assert data_of(sim, "sessions")["hosted"] == []
    assert not Path("log.jsonl").exists()


def test_a_class_that_is_listed_may_be_named_and_one_that_is_no_adapter_is_refused(sim: Sim) -> None:
    write_toy()
    write_config(config(adapters={"gemini": SAYS_OK, "claude": {"class": "toy:Speechless"}}))
    assert "toy:Speechless is not an adapter: it needs `async def ask(question)`" in one_line(sim(*HOST))
    write_config(config(adapters={"gemini": SAYS_OK, "claude": {"class": "toy:Nobody"}}))
    assert "toy has no class Nobody; write module:Class" in one_line(sim(*HOST))
    nothing_is_there()
    write_config(config(adapters={"gemini": SAYS_OK, "claude": {"class": "toy:Priced"}}))
    assert sim(*HOST)[0] == 0


def binary(path: str) -> None:
    Path(path).write_bytes(b"\xff\xfe\x00" * 9)


def a_journal(path: str) -> None:
    with Journal(_database(path)):
        pass


def _database(path: str) -> Any:
    from sim.host.database import MIGRATIONS
    from sim.host.sqlite_file import SqliteFile

    return SqliteFile(Path(path), MIGRATIONS)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: None, "c.yaml: cannot be read: No such file or directory; name a configuration file"),
        (lambda path: Path(path).mkdir(), "c.yaml: cannot be read: Is a directory; name a configuration file"),
        (lambda path: Path(path).write_text(""), "c.yaml: is empty; write adapters, links and so on"),
        (lambda path: Path(path).write_text("a: [1"), "c.yaml:1:"),
        (lambda path: Path(path).write_text("just words"), "c.yaml:1:1: is 'just words' (str); expected a mapping"),
        (lambda path: Path(path).write_text("a: &x 1\n"), "c.yaml:"),
        (binary, "c.yaml: cannot be read: "),
        (a_journal, "c.yaml:"),
    ],
)
def test_a_configuration_that_is_none(make: Callable[[str], object], told: str, sim: Sim) -> None:
    make("c.yaml")
    assert one_line(sim(*HOST)).startswith(told)
    nothing_is_there()


# --- journals ---------------------------------------------------------------------------------------------


def another_program(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE song (name TEXT)")
    database.close()
    path.chmod(0o600)


def overwritten(path: Path) -> None:
    """The pages after the first are rubbish."""
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"rubbish!" * ((len(data) - 4096) // 8))


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def no_header(path: Path) -> None:
    path.write_bytes(b"no journal of mine" + path.read_bytes()[18:])


def of_words(statement: str) -> Callable[[Path], None]:
    def do(path: Path) -> None:
        with sqlite3.connect(path) as database:
            database.execute(statement)
        database.close()

    return do


def linked(path: Path) -> None:
    path.rename("elsewhere.db")
    path.symlink_to("elsewhere.db")


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "another program": (lambda path: (path.unlink(), another_program(path)), "it is a database of another program"),
    "overwritten": (overwritten, "is damaged; "),
    "cut short": (cut_short, "is damaged; "),
    "no header": (no_header, "is not a journal; name another file"),
    "no JSON": (of_words("UPDATE session SET config = '{'"), "is damaged: "),
    "other JSON": (of_words("UPDATE machine SET fields = '[]'"), "is damaged: dict was expected where list is"),
    "no value": (
        of_words("UPDATE machine SET fields = '{\"journal\": 1.5}' WHERE process = 'coordinator'"),
        "session plan: coordinator: 1.5 is not a value",
    ),
    "no message": (
        of_words("UPDATE mail SET message = '{}'"),
        "a message in flight from coordinator to claude: {} is not a value",
    ),
    "an unknown message": (
        of_words('UPDATE mail SET message = \'{"@": "Nobody"}\''),
        "to claude: unknown class 'Nobody'",
    ),
    "an unknown process": (
        of_words("UPDATE mail SET target = 'nobody'"),
        "session plan: a message in flight: unknown process 'nobody': use",
    ),
    "an unknown fault": (
        of_words('UPDATE mail SET fault = \'{"kind": "flood"}\''),
        "to claude: it cannot be read: KeyError",
    ),
    "no trace": (of_words("UPDATE trace SET line = 'x'"), "is damaged: "),
    "another model": (of_words("UPDATE journal SET model = 'models.paxos'"), "is a journal of models.paxos, not of"),
    "a newer version": (of_words("PRAGMA user_version = 99"), "has version 99, this sim host knows"),
    "read by others": (lambda path: path.chmod(0o644), "others may read or write it; if it is your own: chmod 600"),
    "a link": (linked, "is a link, or no file at all; name a file"),
    "a folder": (as_folder, "is a link, or no file at all; name a file"),
}
"""What a journal has become -> what is told."""


@pytest.fixture(scope="module")
def parked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal with a session that waits for a person."""
    from sim.cli import call

    folder = tmp_path_factory.mktemp("parked")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("SIM_HOME", raising=False)
        write_config(waiting(limits={"for": "100ms"}))
        assert call([*HOST]) == 4
    return folder / "j.db"


@pytest.mark.parametrize("what", SPOILED)
def test_a_journal_that_is_none_or_spoiled(what: str, parked: Path, sim: Sim) -> None:
    spoil, told = SPOILED[what]
    path = Path("j.db")
    shutil.copy2(parked, path)
    spoil(path)
    before = path.read_bytes() if path.is_file() else b""
    write_config(config())
    said = sim(*HOST)
    assert said[0] == 2, said
    (line,) = said[2].splitlines()
    assert line.startswith("sim: j.db: "), line
    assert told in line
    if path.is_file() and not spoil.__qualname__.startswith("of_words"):
        assert path.read_bytes() == before


def test_a_journal_in_a_folder_that_is_not_there(sim: Sim) -> None:
    write_config(config())
    assert one_line(sim(*HOST[:-1], "nowhere/j.db")) == "nowhere/j.db: there is no folder nowhere; make it first"


def test_two_hosts_of_one_journal(sim: Sim) -> None:
    write_config(waiting())
    with hosting() as host:
        until(is_asked)
        before = kept()
        assert one_line(sim(*HOST)) == "j.db: is hosted already; end who does, or name another journal"
        assert one_line(sim("resume", "1")).endswith("j.db: is hosted already; end who does, or name another journal")
        assert kept() == before
        host.send_signal(signal.SIGTERM)
        assert host.wait(60) == 130


def test_a_host_that_waited_for_the_journal_begins_where_the_other_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "j.db"

    async def work() -> None:
        first = Host(pings, journal=path)
        async with first:
            await first.start("s", rounds=3)
            second = Host(pings, journal=path)  # it has looked at the journal, and does not hold it yet
            await asyncio.sleep(0)
        assert await to_its_end(second) == "over"

    asyncio.run(work())


def test_a_host_that_counts_from_what_it_saw_before_would_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hold(self: Journal) -> int:
        self.database.hold()
        return 0

    monkeypatch.setattr(Journal, "hold", hold)
    with pytest.raises(sqlite3.IntegrityError):
        test_a_host_that_waited_for_the_journal_begins_where_the_other_has_ended(tmp_path)


# --- the world --------------------------------------------------------------------------------------------


class Provider(ThreadingHTTPServer):
    """Answers who knows the key."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server_port}/v1/chat/completions"


class Answers(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        knows = self.headers["Authorization"] == f"Bearer {KEY}"
        message = {"message": {"role": "assistant", "content": "OK"}, "finish_reason": "stop"}
        error = {"error": {"message": f"Incorrect API key provided: {self.headers['Authorization'][7:]}"}}
        data = json.dumps({"choices": [message]} if knows else error).encode()
        self.send_response(200 if knows else 401)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def provider() -> Iterator[str]:
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.url
        finally:
            server.shutdown()
            thread.join()


def chat(url: str, **more: Any) -> dict[str, Any]:
    return {"kind": "chat", "url": url, "model": "m", "prompt": SAYS_OK["prompt"], "parse": SAYS_OK["parse"], **more}


def test_a_wrong_key_stops_the_host_and_the_question_stays(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    with provider() as url:
        write_config(config(adapters={"gemini": SAYS_OK, "claude": chat(url, key_env="CLAUDE_KEY")}))
        monkeypatch.delenv("CLAUDE_KEY", raising=False)
        assert one_line(sim(*HOST)).endswith("claude: the variable CLAUDE_KEY is not set; put the key into it")
        nothing_is_there()
        monkeypatch.setenv("CLAUDE_KEY", "sk-wrong-0123456789")
        for words in (HOST, ("resume", "1")):
            status, _, err = sim(*words)
            assert (status, err.count("\n")) == (2, 1)
            assert "claude: " in err
            assert "401" in err
            assert "sk-wrong" not in err
        assert [one["to"] for one in data_of(sim, "status", "1")["pending"]] == ["claude"]
        monkeypatch.setenv("CLAUDE_KEY", KEY)
        ended = data_of(sim, "resume", "1")
    assert (ended["end"], ended["machines"]["coordinator"]["state"]) == ("over", "done")
    assert_conforms(sim, ended["faults"])
    assert KEY not in "".join(path.read_bytes().decode("latin-1") for path in Path.cwd().rglob("*") if path.is_file())


NOBODY = "http://127.0.0.1:9/v1/chat/completions"


def test_an_endpoint_that_cannot_be_reached_is_a_fault_of_the_model(sim: Sim) -> None:
    settings = {"agents": 2, "rounds": 2, "retries": 1, "answers": ["ok", "conflict"], "stop": False}
    write_config(config(adapters={"gemini": SAYS_OK, "claude": chat(NOBODY)}, set=settings))
    ended = data_of(sim, *HOST)
    assert (ended["end"], ended["faults"]) == ("over", "disconnect:2@claude"), "asked twice, and done without it"
    assert_conforms(sim, ended["faults"])
    assert sim("conform", "log.jsonl", "--model", "models.consensus", "--faults", "")[0] == 1


def test_where_the_model_has_no_such_fault_it_is_asked_again_until_a_limit(sim: Sim) -> None:
    write_toy()
    given = {"session": "plan", "set": {"judged": True}, "limits": {"for": "200ms"}}
    write_config({**given, "adapters": {"judge": chat(NOBODY)}})
    words = ("host", "toy", "--config", "c.yaml", "--journal", "j.db")
    status, out, err = sim(*words)
    assert (status, out.splitlines()[-1]) == (4, "the limit of time is reached; go on with: sim resume 1")
    again = r"(sim: judge: no connection: the model has no fault that says so; it is asked again in 0\.\d+ s\n)+"
    assert re.fullmatch(again, err)
    write_config({**given, "adapters": {"judge": SAYS_OK}})
    assert sim("resume", "1")[0] == 0


START = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0})); from sim.cli import main; main()"


def test_a_disk_that_is_full_stops_the_host_and_what_was_kept_is_gone_on_with(sim: Sim) -> None:
    says_much = {**SAYS_OK, "command": [sys.executable, "-S", "-c", "print('x' * 200_000, 'OK')"]}
    many = {"agents": 2, "rounds": 3, "answers": ["ok", "conflict"], "stop": False}
    write_config(config(adapters={"gemini": says_much, "claude": SAYS_OK}, set=many, log=None))
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    command = [sys.executable, "-c", START.format(500_000), *HOST]
    full = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert full.returncode == 2, full
    (line,) = full.stderr.splitlines()
    assert line.startswith("sim: j.db: ")
    assert "; what was journaled is kept: " in line
    assert "Traceback" not in full.stderr
    lines = kept()[3][-1].n
    assert lines > 5
    write_config(config(set=many))
    ended = data_of(sim, "resume", "1")
    assert ended["end"] == "over"
    assert_conforms(sim, ended["faults"])
    assert [line.n for line in kept()[3]][:lines] == [*range(1, lines + 1)]


# --- clocks -----------------------------------------------------------------------------------------------


def test_a_clock_that_goes_back_stands_still_and_says_so_once() -> None:
    told: list[str] = []
    times = iter([5_000, 6_000, 5_500, 1_000, 2_000, 6_500])
    steady = SteadyClock(told.append, lambda: next(times))
    assert [steady() for _ in range(6)] == [5_000, 6_000, 6_000, 6_000, 6_000, 6_500]
    assert told == ["the clock has gone back by 5 s: times stand still until it has caught up"]
    times = iter([7_000, 9_500])
    steady.begin_at(9_000)
    assert [steady(), steady()] == [9_000, 9_500]


def going_back(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """The wall clock goes back by an hour when it has been looked at so often."""
    looked = iter(range(10**6))
    real = clock.time.time_ns

    def time_ns() -> int:
        return real() - 3_600 * 10**9 * (next(looked) >= after)

    monkeypatch.setattr(clock, "time", SimpleNamespace(time_ns=time_ns))


@pytest.mark.parametrize("after", [0, 20])
def test_a_session_goes_on_while_the_clock_goes_back(after: int, sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(waiting(limits={"for": "100ms"}))
    assert sim(*HOST)[0] == 4
    write_config(config())
    going_back(monkeypatch, after)
    status, _, err = sim("resume", "1")
    assert status == 0
    at = [line.at_ms for line in kept()[3]]
    assert at == sorted(at)
    (line,) = err.splitlines()
    assert line.startswith("sim: the clock has gone back by 3600 s: times stand still")
    assert_conforms(sim)


def test_a_clock_that_is_believed_would_be_seen(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SteadyClock, "begin_at", lambda self, last_ms: None)
    with pytest.raises(AssertionError):
        test_a_session_goes_on_while_the_clock_goes_back(0, sim, monkeypatch)
