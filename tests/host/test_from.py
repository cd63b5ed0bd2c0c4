"""A check and a fuzz that begin where a journal stands."""

from __future__ import annotations

import json
import os
import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sim import ConfigError, Graph, ModelError, Persisted
from sim.base.values import encode
from sim.campaign.campaign_plan import beginning_text
from sim.campaign.sessions import sessions
from sim.cli import call
from sim.conform.conformance import Judging
from sim.conform.logged import read_logs
from sim.host import journaled
from sim.host.cast import Cast
from sim.host.hosted_session import HostedSession
from sim.host.journal import Journal, open_journal
from sim.host.journal_records import Came, Mail
from sim.host.journaled import persisted_of, session_of
from sim.scenario import load_target
from sim.system.declaration import Declaration
from sim.system.persisted import begun_from
from tests.campaign.toys import environment, open_store, said
from tests.campaign.toys import sim_json as in_a_process
from tests.systems import walk

sys.path.append(str(Path(__file__).parent / "toys"))

import depot

MODEL = ("--model", "depot")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Clock:
    """A millisecond passes each time somebody looks."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        self.now += 1
        return self.now


def hosted(
    path: str,
    *,
    here: tuple[str, ...] = ("desk", "store"),
    name: str = "s1",
    journal: Journal | None = None,
    **config: Any,
) -> HostedSession:
    """A session that has begun, of which these processes are here."""
    system = depot.system(**config)
    there = [one for one in system.processes if one not in here]
    cast = Cast(system, here, (), there, {}, {})
    session = HostedSession(name, cast, journal or open_journal(path, "depot"), Clock())
    session.start(config)
    return session


def mail_of(session: HostedSession, target: str) -> list[Mail]:
    return [mail for mail in session.journal.mail(session.name) if mail.target == target]


def to_the_first_order(path: str = "run.db", **config: Any) -> HostedSession:
    session = hosted(path, **config)
    assert session.move("desk", "order")
    return session


def sim(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    status = call([*words])
    return status, *capsys.readouterr()


def sim_json(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    status, out, err = sim(*words, "--json", capsys=capsys)
    assert err == "", err
    return status, json.loads(out)


# --- what a journal holds -----------------------------------------------------------------------------------


ALL = "crash:1@desk,crash:1@store"
"""In a run of these tests the host stops once at most."""


def place(system: Declaration) -> bytes:
    """Where a system begins, as a value."""
    graph = Graph(system)
    (state,) = graph.initial()
    return encode(graph.value(state)[:2])


def reachable() -> set[bytes]:
    graph = Graph(depot.system().with_(faults=ALL))
    found = walk(graph, 10_000)
    assert found is not None
    return {encode(graph.value(state)[:2]) for state in found}


def step(session: HostedSession, draw: random.Random) -> HostedSession:
    """Something happens in a session: a move, a timer, a delivery, a stop; who has stopped is started again."""
    if any(local.state == "(down)" for local in session.locals.values()):
        again = HostedSession(session.name, session.cast, session.journal, session.clock)
        again.recover()
        return again
    before = session.journal.lines
    for _ in range(50):
        if session.journal.lines != before:
            break
        stopped = any("crash" in line.said["input"] for line in session.journal.trace(session.name))
        what = draw.choice(("move", "fire", "deliver", "deliver", "deliver", *([] if stopped else ["stop"])))
        if what == "move":
            session.move("desk", "order")
        elif what == "fire":
            session.fire("desk", "patience")
        elif what == "stop":
            session._keep(session.stop())
        elif mails := [mail for target in ("desk", "store") for mail in session.deliverable(target)]:
            session.deliver(draw.choice(mails))
    return session


def strayed(seed: int, steps: int = 10) -> int:
    """How many of the states that a journal held in a run are none of the model."""
    draw, known = random.Random(seed), reachable()
    session, strange = hosted(f"{seed}.db"), 0
    for _ in range(steps):
        session = step(session, draw)
        system = depot.system().with_(faults=ALL)
        strange += place(begun_from(system, persisted_of([f"{seed}.db"], system))) not in known
    return strange


@pytest.mark.parametrize("seed", range(6))
def test_what_a_journal_holds_is_a_state_of_the_model(seed: int) -> None:
    assert strayed(seed) == 0


def without(part: str) -> Any:
    """A reader of journals that overlooks a part of what they hold."""
    result = journaled._Reading.result

    def read(self: Any) -> Persisted:
        found = result(self)
        if part == "flying":
            return replace(found, flying=())
        changed = {name: replace(one, **{part: type(getattr(one, part))()}) for name, one in found.locals.items()}
        return replace(
            found, locals={name: one if name != "desk" else changed[name] for name, one in found.locals.items()}
        )

    return read


@pytest.mark.parametrize("part", ["flying", "timers"])
def test_a_reader_that_overlooks_something_is_caught(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journaled._Reading, "result", without(part))
    assert any(strayed(seed) for seed in range(6))


def test_who_is_down_is_not_up(monkeypatch: pytest.MonkeyPatch) -> None:
    session = to_the_first_order()
    session._keep(session.stop())
    found = persisted_of(["run.db"], depot.system())
    assert {name: one.up for name, one in found.locals.items()} == {"desk": False, "store": False, "effects": True}


def test_timers_are_due_when_they_were_counted_from_the_last_line() -> None:
    to_the_first_order()
    (due,) = persisted_of(["run.db"], depot.system()).locals["desk"].armed.values()
    assert 100 <= due[0] == due[1] <= 200


def test_a_journal_may_be_of_either_kind_and_its_words_have_no_secret(
    where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where += "&password=s3cret" if where.startswith("postgresql:") else ""
    to_the_first_order(where).journal.close()
    words = ("check", "depot", *MODEL, "--from", where)
    status, data = sim_json(*words, "--set", "version=2", capsys=capsys)
    assert (status, data["violation"]["property"]) == (1, "unhandled")
    assert "read from session s1 of " in json.dumps(data)
    assert "s3cret" not in json.dumps(data) + told(*words, "--session", "s9", capsys=capsys)


# --- several journals ---------------------------------------------------------------------------------------


def two_hosts() -> tuple[HostedSession, HostedSession]:
    return hosted("desk.db", here=("desk",)), hosted("store.db", here=("store",))


def came_from(session: HostedSession, mail: Mail) -> Came:
    return Came(session.journal.id, "first", mail.source, mail.target, mail.id)


BOTH = ["desk.db", "store.db"]


def flying(paths: list[str]) -> list[str]:
    return [f"{one.target} {one.message!r}" for one in persisted_of(paths, depot.system()).messages]


def test_what_was_sent_and_not_taken_is_in_flight() -> None:
    desk, store = two_hosts()
    desk.move("desk", "order")
    assert flying(BOTH) == ["store Order(key=1)"]
    (order,) = mail_of(desk, "store")
    assert store.deliver(order, came_from(desk, order))
    assert flying(BOTH) == ["desk Stored(key=1)"]
    found = persisted_of(BOTH, depot.system())
    assert "1 not acknowledged yet were taken already: when they come again nothing comes of it" in found.notes
    desk.journal.has_arrived([order])
    assert flying(BOTH) == ["desk Stored(key=1)"]


def test_what_is_in_an_inbox_and_taken_for_in_flight_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journal, "came_last", lambda self, journal, way: 0)
    desk, store = two_hosts()
    desk.move("desk", "order")
    (order,) = mail_of(desk, "store")
    assert store.deliver(order, came_from(desk, order))
    assert flying(BOTH) == ["store Order(key=1)", "desk Stored(key=1)"]


def test_a_process_in_no_journal_starts(capsys: pytest.CaptureFixture[str]) -> None:
    desk, _ = two_hosts()
    desk.move("desk", "order")
    status, data = sim_json("check", "depot", *MODEL, "--from", "desk.db", capsys=capsys)
    assert (status, data["begins"]["persisted"], data["begins"]["initial"]) == (0, {"desk": "waiting"}, ["store"])


# --- the commands -------------------------------------------------------------------------------------------


def test_an_upgrade_that_is_sound_from_the_start_is_checked_from_where_a_run_stands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The new store has forgotten the words that are in flight."""
    to_the_first_order()
    new = ("depot", *MODEL, "--set", "version=2")
    assert sim("check", *new, capsys=capsys)[0] == 0
    assert sim("check", "depot", *MODEL, "--from", "run.db", capsys=capsys)[0] == 0
    status, data = sim_json("check", *new, "--from", "run.db", capsys=capsys)
    assert status == 1
    assert data["violation"]["property"] == "unhandled"
    status, out, err = sim("check", *new, "--from", "run.db", capsys=capsys)
    assert (status, err) == (1, "")
    for line in (
        "begins    with what was persisted of desk in waiting, store in open and the monitors effects",
        "begins    1 message in flight; fault budgets are whole",
        "begins    read from session s1 of run.db",
        "VIOLATED  unhandled: unhandled Order in state open of store: Order(key=1)",
    ):
        assert f"{line}\n" in out


def test_its_counterexample_replays_without_the_journal(capsys: pytest.CaptureFixture[str]) -> None:
    to_the_first_order()
    _, data = sim_json("check", "depot", *MODEL, "--set", "version=2", "--from", "run.db", capsys=capsys)
    Path("run.db").unlink()
    status, run = sim_json(*data["replay"].split()[1:], capsys=capsys)
    assert (status, run["violation"], run["steps"]) == (0, data["violation"], 1)
    assert run["begins"]["persisted"] == {"desk": "waiting", "store": "open", "effects": "owing"}
    for words in (("run", "--verify"), ("check",), ("fuzz", "--schedules", "20")):
        path = data["counterexample"]["scenario"]
        assert sim_json(words[0], path, *words[1:], *MODEL, capsys=capsys)[1][
            "violation" if words[0] != "fuzz" else "verdict"
        ]
    judged = sim_json("check", path, *MODEL, "--set", "properties=all is stored", capsys=capsys)[1]
    assert judged["violation"]["property"] == "unhandled"
    Path("c.yaml").write_text(without_begins(Path(data["counterexample"]["scenario"]).read_text("utf-8")))
    assert sim("run", "c.yaml", *MODEL, capsys=capsys)[0] == 2, "the schedule fits nothing but that beginning"


def without_begins(text: str) -> str:
    kept, inside = [], False
    for line in text.splitlines():
        inside = line == "begins:" or (inside and line.startswith(" "))
        kept += [] if inside else [line]
    return "\n".join(kept) + "\n"


def test_a_fuzz_begins_there_too(capsys: pytest.CaptureFixture[str]) -> None:
    to_the_first_order()
    words = ("fuzz", "depot", *MODEL, "--set", "version=2", "--from", "run.db", "--schedules", "20")
    status, data = sim_json(*words, capsys=capsys)
    assert (status, [one["property"] for one in data["found"]]) == (1, ["unhandled"])
    assert data["begins"]["in_flight"] == 1
    assert "begins    with what was persisted of desk in waiting" in sim(*words, capsys=capsys)[1]
    status, run = sim_json(*data["found"][0]["replay"].split()[1:], capsys=capsys)
    assert (status, run["violation"]["property"]) == (0, "unhandled")


def campaign(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    toys = str(Path(__file__).parent / "toys")
    path = f"{environment()['PYTHONPATH']}{os.pathsep}{toys}"
    return in_a_process(folder, *words, env=environment(PYTHONPATH=path))


def test_the_workers_of_a_campaign_begin_with_the_same_and_so_does_who_resumes_it(tmp_path: Path) -> None:
    to_the_first_order()
    fuzz = ("fuzz", "depot", *MODEL, "--set", "version=2", "--from", "run.db", "--schedules", "40", "--chunk", "10")
    begun = load_target("depot", {"version": "2"}).begun_from(persisted_of(["run.db"], depot.system(version=2)))
    _, alone = campaign(tmp_path, *fuzz, "--keep-going", "--workers", "1")
    status, data = campaign(tmp_path, *fuzz, "--keep-going", "--workers", "2")
    assert status == 1
    assert [one["property"] for one in data["found"]] == ["unhandled"]
    assert said(data) == said(alone)
    assert data["begins"]["persisted"] == {"desk": "waiting", "store": "open", "effects": "owing"}
    Path("run.db").unlink()
    with open_store(tmp_path) as store:
        kept = sessions(store, None)[0].plan
    again = kept.load()
    assert (again.system.begins, kept.begins) == (begun.system.begins, beginning_text(begun.system))


def test_the_configuration_is_that_of_the_session_unless_it_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    to_the_first_order(orders=1)
    _, data = sim_json("check", "depot", *MODEL, "--from", "run.db", capsys=capsys)
    assert "config    orders=1, version=1" in data["bounds"]
    _, data = sim_json("check", "depot", *MODEL, "--from", "run.db", "--set", "orders=3", capsys=capsys)
    assert "config    orders=3, version=1" in data["bounds"]


def test_a_configuration_that_the_model_does_not_take_any_more_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    session = to_the_first_order()
    with session.journal.database.writing() as change:
        change.do("UPDATE session SET config = ?", json.dumps({"sites": [1, 2]}))
    error = told("check", "depot", *MODEL, "--from", "run.db", capsys=capsys)
    assert error.startswith(
        "the config of the session: sites=[1, 2]: depot: unknown parameter 'sites': use orders, version"
    )


def test_a_log_of_a_run_that_began_there_conforms(capsys: pytest.CaptureFixture[str]) -> None:
    to_the_first_order()
    _, data = sim_json("check", "depot", *MODEL, "--set", "version=2", "--from", "run.db", capsys=capsys)
    path = data["counterexample"]["scenario"]
    assert sim("run", path, *MODEL, "--export", "log=run.jsonl", "--html", "run.html", capsys=capsys)[0] == 0
    page = Path("run.html").read_text("utf-8")
    assert "goes on in waiting" in page
    assert "1 message in flight; fault budgets are whole" in page
    target = load_target(path, allow=["depot"])
    (run,) = read_logs(["run.jsonl"]).runs.values()
    answer = Judging(target.system).judge(run)
    assert (answer.verdict, answer.explained) == ("violated", answer.lines), "the model itself says what is wrong"
    assert "unhandled" in " ".join(answer.words)
    assert Judging(depot.system(version=2)).judge(run).explained == 0


# --- what is wrong with it ----------------------------------------------------------------------------------


def told(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    status, out, err = sim(*words, capsys=capsys)
    assert (status, out) == (2, ""), out
    assert err.count("\n") == 1, err
    return err.strip().removeprefix("sim: ")


@pytest.mark.parametrize("command", ["check", "fuzz"])
def test_what_is_wrong_with_a_journal_is_one_line(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    session = to_the_first_order()
    hosted("two.db", name="s1", journal=None)
    hosted("two.db", name="s2", journal=None)
    hosted("other.db", name="s3")
    open_journal("none.db", "depot").close()
    open_journal("strange.db", "models.paxos").close()
    Path("text.db").write_text("no journal")
    Path("text.db").chmod(0o600)
    ours = (command, "depot", *MODEL)

    def say(*words: str) -> str:
        return told(*ours, *words, capsys=capsys)

    assert say("--session", "s1") == "--session is one of a journal; add --from JOURNAL"
    assert say("--from", "gone.db") == "gone.db: there is no such journal"
    assert say("--from", "text.db").startswith("text.db: ")
    assert say("--from", "none.db") == "none.db: holds no session"
    assert say("--from", "strange.db").startswith("strange.db: is a journal of models.paxos, not of depot")
    assert say("--from", "two.db") == "two.db: holds the sessions s1 and s2; say which: --session ID"
    assert say("--from", "two.db", "--session", "s9") == "two.db: unknown session 's9': use s1 or s2"
    assert say("--from", "run.db", "--from", "run.db") == "run.db: is given twice; give each journal once"
    assert say("--from", "run.db", "--from", "other.db").startswith("these journals are of the sessions s1 and s3; ")
    assert (
        say("--from", "run.db", "--from", "two.db", "--session", "s1")
        == "two.db: desk is in another of these journals as well"
    )
    session.journal.database.rows("SELECT 1")
    assert session_of(["run.db"], None) == ("s1", {})


def test_what_an_upgrade_leaves_out_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    to_the_first_order()
    monkeypatch.setattr(depot.Desk, "table", replace(depot.Desk.table, states=("idle", "asking", "done")))
    assert told("check", "depot", *MODEL, "--from", "run.db", capsys=capsys) == (
        "begins: desk: unknown state 'waiting' (did you mean 'asking'?): use idle, asking or done; Desk.migrate may say what becomes of it"
    )


def test_a_record_that_has_changed_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    session = to_the_first_order()
    with session.journal.database.writing() as change:
        change.do("UPDATE mail SET message = ?", json.dumps({"@": "Order", "key": 1, "size": 2}))
    error = told("check", "depot", *MODEL, "--from", "run.db", capsys=capsys)
    assert error == "run.db: Order: unknown field 'size': use key"


def test_a_monitor_that_is_gone_is_no_mistake_and_a_process_is(capsys: pytest.CaptureFixture[str]) -> None:
    to_the_first_order()
    words = ("check", "depot", *MODEL, "--from", "run.db")
    status, data = sim_json(*words, "--set", "properties=all is stored", capsys=capsys)
    assert (status, list(data["begins"]["persisted"])) == (0, ["desk", "store"])
    system = depot.system()
    alone = system.with_(processes={"desk": system.processes["desk"]}, monitors={})
    with pytest.raises(ModelError, match="unknown process or monitor 'store'"):
        begun_from(alone, replace(persisted_of(["run.db"], alone), flying=()))


def test_a_file_that_says_where_it_begins_takes_no_journal(capsys: pytest.CaptureFixture[str]) -> None:
    to_the_first_order()
    Path("f.yaml").write_text("model: depot\nbegins: {persisted: {store: {state: open}}}\n")
    assert told("check", "f.yaml", *MODEL, "--from", "run.db", capsys=capsys) == (
        "f.yaml: says itself where it begins; leave out --from, or `begins:` in the file"
    )


def test_a_journal_that_is_written_to_meanwhile_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    session = to_the_first_order()
    machines = Journal.machines
    looks = []

    def busy(self: Journal, name: str) -> Any:
        looks.append(name)
        if len(looks) == 1:
            (order,) = mail_of(session, "store")
            session.deliver(order)
        return machines(self, name)

    monkeypatch.setattr(Journal, "machines", busy)
    assert flying(["run.db"]) == ["desk Stored(key=1)"]
    assert len(looks) == 2
    monkeypatch.setattr(journaled, "TRIES", 0)
    with pytest.raises(ConfigError, match="is written to all the time"):
        flying(["run.db"])
