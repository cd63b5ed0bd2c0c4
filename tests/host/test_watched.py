"""A hosted session looked at from another process: `sim status ID`, with --follow, --json and --page."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest

from sim.campaign import hosted_sessions
from sim.campaign.hosted_sessions import HostedPlan
from sim.cli import call
from sim.cli.campaigns import desk
from sim.host.journal import open_journal
from sim.host.tally import PendingMail, SessionTally, tally
from sim.report.hosted import hosted_lines, pending_words
from tests.host.small_council import NAME, Agents, over, under_way

MIN = 60_000


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the journal of session 1 is to be."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SIM_HOME", raising=False)
    found = tmp_path / "j.db"
    with desk(make=True) as at:
        plan = HostedPlan("models.consensus", NAME, str(found), str(tmp_path / "c.yaml"))
        assert hosted_sessions.note(at.store, at.project, plan, at.place, "open") == 1
    return found


def of_the_journal(journal: Path, later_ms: int = 0) -> SessionTally:
    with open_journal(str(journal), fresh=False) as opened:
        last = opened.mark(NAME)[1]
        return tally(opened, NAME, last + later_ms)


def test_a_session_under_way_says_what_it_waits_for_and_for_how_long(journal: Path) -> None:
    with under_way(journal, Agents(1), rounds=2):
        while of_the_journal(journal).calls < 4:  # both are asked in both rounds
            time.sleep(0.01)
        lines = [*hosted_lines(of_the_journal(journal, later_ms=3 * MIN))]
    text = "\n".join(lines)
    assert re.search(r"^session     plan, open; \d+ inputs$", text, re.M)
    assert re.search(r"^time        began 3 min ago, last input 3 min ago$", text, re.M)
    assert re.search(
        r"^pending     3 min   gemini was asked Ask\(run=run-1, round=2, .*\) from coordinator$", text, re.M
    )
    assert re.search(r"^timers      coordinator: \w+ (is due|in \d+ s)", text, re.M)
    assert "monitors    8, none violated" in lines
    assert not any(line.startswith("repeated") for line in lines), "nothing was"
    heads = [line[:12] for line in lines[: lines.index("")]]
    assert all(re.fullmatch(r"[a-z][a-z ]{10} ", head) for head in heads), "one column"


def test_times_are_in_words() -> None:
    told = [pending_words(PendingMail("a", "b", "M", ms, True)) for ms in (0, 59_999, MIN, 3_600_000, 90_000_000)]
    assert [words.partition(" a ")[0].strip() for words in told] == ["0 s", "59 s", "1 min", "1 h", "1 d"]
    assert pending_words(PendingMail("a", "b", "M", 0, False, "disconnect")) == (
        "0 s     a is to take M from b, struck by disconnect"
    )


def test_status_says_what_to_do_next_only_where_something_is(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with under_way(journal, Agents(0), rounds=1):
        assert call(["status", "1"]) == 0
        assert "watch it: sim status 1 --page" in capsys.readouterr().out
    journal.unlink()
    over(journal)
    assert call(["status", "1"]) == 0
    told = capsys.readouterr().out
    assert "sim status" not in told
    assert re.search(r"^time        0 s, over \d+ s ago$", told, re.M)


def test_who_follows_hears_all_of_it_until_it_ends(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    agents = Agents(0)
    with under_way(journal, agents, rounds=2):
        timer = threading.Timer(0.3, agents.allow, [2])
        timer.start()
        assert call(["status", "1", "--follow"]) == 0
        timer.join()
    lines = capsys.readouterr().out.splitlines()
    assert "coordinator: start -> booting" in lines[0]
    ends = next(i for i, line in enumerate(lines) if line == "session 1: plan")
    assert "AckDecision" in lines[ends - 1]
    assert lines[ends + 2].startswith("stands      over; coordinator done; ")


def test_who_follows_as_json_gets_the_log_and_then_how_it_stands(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    over(journal)
    assert call(["status", "1", "--follow", "--json"]) == 0
    text = capsys.readouterr().out
    log, _, rest = text.partition("\n{\n")
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["id"] for line in lines] == [f"{lines[0]['id'].split('/')[0]}/{n}" for n in range(1, len(lines) + 1)]
    assert [line.get("cause") for line in lines] == [None, *(line["id"] for line in lines[:-1])]
    assert json.loads("{" + rest)["state"] == "over"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("1", "--page", "--json"), "--page is given: it shows everything"),
        (("1", "--page", "--follow"), "--page is given: it shows everything"),
        (("x.yaml", "--page"), "x.yaml is not a hosted session: leave out --artifacts, --follow and --page"),
        (("1", "--page"), "there is no such journal"),
    ],
)
def test_what_does_not_go_together(
    journal: Path, arguments: tuple[str, ...], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["status", *arguments]) == 2
    assert what in capsys.readouterr().err


def test_the_command_serves_the_page_until_it_is_interrupted(journal: Path) -> None:
    over(journal)
    command = [sys.executable, "-m", "sim", "status", "1", "--page"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})
    try:
        assert running.stdout is not None
        address = running.stdout.readline().split()[-1]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", address)
        version = _json(address + "version")
        assert (version["state"], version["trouble"]) == ("over", "")
        assert version["lines"] == _json(address + "data")["goingOn"]["lines"] > 10
    finally:
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=60)
    assert (running.returncode, errors) == (0, "")


def _json(address: str) -> Any:
    with build_opener(ProxyHandler({})).open(address, timeout=30) as answer:
        return json.load(answer)
