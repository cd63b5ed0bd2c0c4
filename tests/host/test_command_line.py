"""Hosted sessions on the command line, from their beginning to their end, over stops and kills."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sim.cli import hosting as hosting_module
from sim.host.hosted_session import HostedSession, Step
from sim.host.journal import Journal
from sim.sessions.git import look
from tests.campaign.toys import environment
from tests.host.hosting_commands import (
    HOST,
    MACHINES,
    SAYS_OK,
    Sim,
    assert_conforms,
    config,
    data_of,
    hosting,
    is_asked,
    kept,
    looking,
    sim,
    until,
    waiting,
    write_config,
    write_toy,
)

__all__ = ["sim"]


def test_a_session_begins_is_over_and_is_not_begun_again(sim: Sim) -> None:
    write_config(config())
    status, out, err = sim(*HOST, "--follow")
    assert (status, err) == (0, "")
    assert out.startswith("session 1 (plan) begins: models.consensus, journal j.db\n")
    assert re.search(r"^\d\d:\d\d:\d\d coordinator: AckDecision\(.*\) from consumer -> done; Counted$", out, re.M)
    assert "\nsession     plan, over; 23 inputs\n" in out
    before = kept()
    for words in (HOST, ("resume", "1"), ("resume", "--last")):
        status, out, err = sim(*words)
        assert (status, err, out.splitlines()[-1]) == (0, "", "it was over already")
    again = data_of(sim, *HOST)
    assert (again["end"], again["state"], again["inputs"], again["restarts"]) == ("over", "over", 23, 0)
    assert kept() == before
    assert_conforms(sim, faults="")
    status, out, _ = sim("status", "1", "--artifacts")
    assert (status, out.count("\n    OK\n")) == (0, 4)
    assert [one["text"] for one in data_of(sim, "status", "1", "--artifacts")["artifacts"]] == ["OK\n"] * 4


def test_a_killed_session_is_listed_answered_and_resumed(sim: Sim) -> None:
    write_config(waiting())
    with hosting() as host:
        until(is_asked)
        host.kill()
        host.wait()
    (listed,) = data_of(sim, "sessions")["hosted"]
    assert [listed[key] for key in ("id", "stage", "pending", "state")] == [
        1,
        "coordinator asking",
        "1 (claude)",
        "open",
    ]
    out = sim("sessions")[1]
    assert re.fullmatch(
        r"id +active +branch +target +stage +pending +cost +state\n"
        r"1 +\d+ s ago +- +models.consensus +coordinator asking +1 \(claude\) +at least 0 USD +open\n",
        out,
    )
    (pending,) = data_of(sim, "status", "1")["pending"]
    assert [pending[key] for key in ("to", "from", "asked")] == ["claude", "coordinator", True]
    assert sim("answer", "1", "perhaps") == (
        2, "", "sim: session 1: 'perhaps' is not an answer; expected ok or conflict\n"
    )  # fmt: skip
    assert sim("answer", "1", "ok")[0] == 0
    assert sim("answer", "1", "ok", "--question", "99")[0] == 2
    with looking() as journal:
        lines = journal.lines
    write_config(waiting(limits={"for": "400ms"}))
    stopped = data_of(sim, "resume", "1", status=4)
    assert (stopped["end"], stopped["restarts"], stopped["reason"]) == (
        "stopped",
        1,
        "the limit of time is reached; go on with: sim resume 1",
    )
    assert_conforms(sim, stopped["faults"])
    write_config(config())
    ended = data_of(sim, "resume", "--last")
    assert (ended["end"], ended["restarts"]) == ("over", 2)
    assert_conforms(sim, ended["faults"])
    assert sim("conform", "log.jsonl", "--model", "models.consensus", "--faults", "")[0] == 1, "it says what struck"
    with looking() as journal:
        assert [line.n for line in journal.trace("plan")] == [*range(1, journal.lines + 1)]
        assert journal.lines > lines
        assert journal.wishes() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly_and_nothing_is_lost(number: signal.Signals, sim: Sim) -> None:
    write_config(waiting())
    with hosting() as host:
        until(is_asked)
        host.send_signal(number)
        out, err = host.communicate(timeout=60)
    assert (host.returncode, err) == (130, "")
    assert out.splitlines()[-1] == "stopped; go on with: sim resume 1"
    machines, mail = kept()[1:3]
    assert {machines[name].state for name in MACHINES} == {"(down)"}
    assert [one.target for one in mail] == ["claude"]
    assert_conforms(sim)
    assert sim("conform", "log.jsonl", "--model", "models.consensus", "--faults", "")[0] == 1, "it says how it stopped"
    write_config(config())
    ended = data_of(sim, "resume", "1")
    assert (ended["end"], ended["restarts"], ended["machines"]["coordinator"]["state"]) == ("over", 1, "done")
    assert_conforms(sim, ended["faults"])


def test_a_move_is_made_at_once_while_it_is_hosted(sim: Sim) -> None:
    write_config(waiting())
    with hosting() as host:
        until(is_asked)
        assert sim("move", "1", "sto") == (
            2, "", "sim: session 1: unknown move 'sto': use user.stop or user.cancel_run\n"
        )  # fmt: skip
        assert sim("move", "1", "stop") == (0, "session 1: user.stop is asked for\n", "")
        until(lambda: kept()[1]["coordinator"].state == "stopped")
        assert sim("answer", "1", "ok")[0] == 0, "claude owes an answer still"
        out, err = host.communicate(timeout=60)
    assert (host.returncode, err) == (0, "")
    assert "\nmachines    coordinator stopped," in out
    for words in (("move", "1", "stop"), ("answer", "1", "ok")):
        status, out, err = sim(*words)
        assert (status, out, err.count("\n")) == (2, "", 1)
    assert "session 1 is over; nothing more comes of it" in sim("move", "1", "stop")[2]
    assert_conforms(sim, faults="")


def test_a_move_that_nobody_hosts_is_made_by_the_next_host(sim: Sim) -> None:
    write_config(waiting(limits={"for": "200ms"}))
    assert sim(*HOST)[0] == 4
    assert sim("move", "1", "user.stop")[0] == 0
    write_config(waiting())
    assert sim("answer", "1", "ok")[0] == 0
    ended = data_of(sim, "resume", "1")
    assert (ended["end"], ended["machines"]["coordinator"]["state"]) == ("over", "stopped")
    assert kept()[-1] == []


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"calls": 2}, "the limit of 2 calls is reached"),
        ({"usd": "2.50"}, "the limit of 2.50 USD is reached"),
        ({"for": "200ms"}, "the limit of time is reached"),
    ],
)
def test_a_limit_ends_it_with_its_own_status_and_more_of_it_goes_on(
    limits: dict[str, Any], reason: str, sim: Sim
) -> None:
    write_toy()
    priced = {"class": "toy:Priced"}
    asked = {"gemini": priced, "claude": {"kind": "person"} if "for" in limits else priced}
    many = {"agents": 2, "rounds": 400, "answers": ["ok", "conflict"], "stop": False}
    write_config(config(adapters=asked, limits=limits, set=many))
    status, out, err = sim(*HOST)
    assert (status, err) == (4, "")
    more = "" if "for" in limits else "raise it in c.yaml, then "
    assert out.splitlines()[-1] == f"{reason}; {more}go on with: sim resume 1"
    if "calls" in limits:
        assert data_of(sim, "status", "1")["calls"] == 2, "not one more"
    assert f"\nsession     plan, stopped: {reason}; " in out
    assert data_of(sim, "sessions")["hosted"][0]["state"] == "stopped"
    lines = kept()[3][-1].n
    write_config(config(adapters={"gemini": priced, "claude": priced}, limits={"for": "100ms"}))
    assert sim("resume", "1")[0] in (0, 4)
    trace = kept()[3]
    assert trace[-1].n > lines
    assert [line.n for line in trace] == [*range(1, trace[-1].n + 1)]


def test_sessions_are_listed_by_the_branch_on_which_they_were_hosted(sim: Sim) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], check=True, capture_output=True, env=environment(HOME=str(Path.cwd())))

    git("init", "-q", "-b", "trunk")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x")
    write_config(config())
    assert sim(*HOST)[0] == 0
    assert look(Path.cwd()).branch == "trunk"
    assert [one["branch"] for one in data_of(sim, "sessions")["hosted"]] == ["trunk"]
    git("switch", "-q", "-c", "other")
    assert data_of(sim, "sessions")["hosted"] == []
    assert sim("sessions")[1].startswith("no session of branch other")
    assert re.search(
        r"^1 .* trunk +models.consensus +coordinator done +0 +at least 0 USD +over$", sim("sessions", "--all")[1], re.M
    )
    assert [one["id"] for one in data_of(sim, "sessions", "--branch", "trunk")["hosted"]] == [1]


def test_a_foreign_session_goes_on_only_with_a_configuration(
    sim: Sim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config(waiting(limits={"for": "200ms"}))
    with monkeypatch.context() as theirs:
        theirs.setenv("XDG_STATE_HOME", str(tmp_path / "theirs"))
        assert sim(*HOST)[0] == 4
    before = kept()
    for words in (("resume", "1"), ("resume", "--last"), ("status", "1"), ("move", "1", "stop"), ("answer", "1", "ok")):
        status, out, err = sim(*words)
        assert (status, out) == (2, "")
        assert re.fullmatch(r"sim: session 1 is not known to be yours .*, or sim resume 1 --config FILE\n", err)
    assert data_of(sim, "sessions")["hosted"][0]["state"] == "not known to be yours"
    assert kept() == before
    write_config(config())
    assert data_of(sim, "resume", "1", "--config", "c.yaml")["end"] == "over"
    assert sim("status", "1")[0] == 0, "who has resumed it has taken it over"


def test_of_a_foreign_session_no_model_is_imported_that_nobody_has_named(
    sim: Sim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A configuration on the command line says nothing of the model that a store from elsewhere names."""
    write_config(waiting(limits={"for": "200ms"}))
    assert sim(*HOST)[0] == 4
    Path("evil.py").write_text("from pathlib import Path\nPath('imported').touch()\n")
    with closing(sqlite3.connect(next(tmp_path.rglob("sessions.sqlite")))) as store, store:
        store.execute("UPDATE hosted SET plan = replace(plan, 'models.consensus', 'evil')")
    write_config(config())
    status, out, err = sim("resume", "1", "--config", "c.yaml")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "so its model 'evil' is not imported" in err
    assert not Path("imported").exists()
    monkeypatch.setattr(hosting_module, "is_bundled", lambda name: True)  # the check left out
    sim("resume", "1", "--config", "c.yaml")
    assert Path("imported").exists()


def test_a_machine_beyond_its_table_leaves_a_log_and_a_scenario_that_replays_it(sim: Sim) -> None:
    write_toy()
    write_config({"session": "plan"})
    status, out, err = sim("host", "toy", "--config", "c.yaml", "--journal", "j.db")
    assert (status, err) == (1, "")
    log, scenario = re.findall(r"[\w./-]+\.(?:jsonl|yaml)", out.splitlines()[-1])
    assert "unhandled Count in state up of counter: Count(n=4); left: " in out.splitlines()[-1]
    said = json.loads(Path(log).read_text().splitlines()[-1])
    assert said["input"]["deliver"]["fields"] == {"n": 4}
    run = data_of(sim, "run", scenario, "--model", "toy")
    assert run["violation"]["property"] == "unhandled"
    assert "unhandled Count in state up of counter: Count(n=4)" in run["violation"]["message"]
    status, out, _ = sim("conform", log, "--model", "toy")
    assert status in (0, 1)
    assert data_of(sim, "status", "1")["state"] == "failed"


def test_a_violated_monitor_ends_it(sim: Sim) -> None:
    write_toy()
    write_config({"session": "plan", "set": {"watched": True}})
    status, out, err = sim("host", "toy", "--config", "c.yaml", "--journal", "j.db")
    assert (status, err) == (1, "")
    assert "superstition: three was counted; left: " in out.splitlines()[-1]
    assert "\nsession     plan, failed: " in out
    assert not any("n=3" in str(line.said.get("outputs")) for line in kept()[3]), "nothing of that input is kept"


def test_the_person_of_a_gate_is_asked_on_the_command_line(sim: Sim) -> None:
    says_no = {**SAYS_OK, "parse": {"conflict": "OK"}}
    settings = {"agents": 2, "stages": ["plan"], "gates": True, "answers": ["ok", "conflict"], "stop": False}
    adapters = {"gemini": says_no, "claude": says_no, "person": {"kind": "person"}}
    write_config(config(set=settings, adapters=adapters, limits={"for": "1s"}))
    assert sim(*HOST)[0] == 4
    assert re.search(r"^pending +\d s +person was asked Question\(run=run-1, seq=1\)", sim("status", "1")[1], re.M)
    assert sim("answer", "1", "perhaps")[2] == (
        "sim: session 1: 'perhaps' is not an answer; expected go on or end\n"
    )  # fmt: skip
    assert sim("answer", "1", "end") == (0, "session 1: person answers Question: end\n", "")
    write_config(config(set=settings, adapters=adapters))
    ended = data_of(sim, "resume", "1")
    assert (ended["end"], ended["machines"]["coordinator"]["state"]) == ("over", "done")
    assert [one["text"] for one in data_of(sim, "status", "1", "--artifacts")["artifacts"]][-1] == "end"
    assert_conforms(sim, ended["faults"])


def test_a_session_that_began_with_other_settings_goes_on_with_them(sim: Sim) -> None:
    adapters = {"gemini": SAYS_OK, "claude": {"kind": "person"}, "gpt_pro": SAYS_OK}
    write_config(config(adapters=adapters, limits={"for": "100ms"}))
    assert sim(*HOST, "--set", "agents=3")[0] == 4
    write_config(config(adapters=dict.fromkeys(adapters, SAYS_OK)))
    ended = data_of(sim, "resume", "1")
    assert (ended["end"], ended["config"]["agents"]) == ("over", 3)


# --- what these tests would find ----------------------------------------------------------------------------


def test_a_host_that_begins_anew_would_be_seen(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journal, "mail", lambda *_: [])
    with pytest.raises(AssertionError):
        test_a_move_that_nobody_hosts_is_made_by_the_next_host(sim)


def test_a_stop_that_takes_nobody_down_would_be_seen(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HostedSession, "stop", lambda self: Step(self.name))
    write_config(waiting(limits={"for": "100ms"}))
    assert sim(*HOST)[0] == 4
    assert {kept()[1][name].state for name in MACHINES} != {"(down)"}


def test_a_foreign_session_that_is_believed_would_be_seen(
    sim: Sim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosting_module, "refuse_foreign", lambda entry: None)
    with pytest.raises(AssertionError):
        test_a_foreign_session_goes_on_only_with_a_configuration(sim, tmp_path, monkeypatch)
