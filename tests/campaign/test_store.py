"""The store: made private, migrated, never torn; told in one line when it cannot be used."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sim.base.errors import ConfigError
from sim.campaign import sessions
from sim.campaign.answer import answer_of
from sim.campaign.store import MIGRATIONS, CampaignStore
from sim.campaign.worker import ChunkRequest
from sim.cli import call
from sim.sessions.home import Home, home
from tests.campaign.toys import (
    a_campaign,
    environment,
    go_on,
    inline,
    open_store,
    sim,
    sim_json,
    start,
    stored,
    write_toy,
)

FUZZ = ("fuzz", "dice", "--keep-going", "--workers", "1", "--chunk", "20")


def test_a_store_is_for_its_owner_alone_and_hidden_from_git(tmp_path: Path) -> None:
    write_toy(tmp_path)
    old = os.umask(0)
    try:
        sim(tmp_path, *FUZZ, "--schedules", "20")
    finally:
        os.umask(old)
    folder = tmp_path / ".sim"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.name != ".gitignore"}
    assert files.pop("sessions.sqlite") == 0o600
    assert set(files.values()) == {0o600}, "and so are the files beside it"
    assert (folder / ".gitignore").read_text() == "*\n"


def test_the_files_of_a_store_in_use_are_private_too(tmp_path: Path) -> None:
    place = Home(tmp_path / ".sim", tmp_path, shared=False)
    place.prepare()
    with CampaignStore(place.file) as store, store.writing():
        files = [path for path in place.folder.iterdir() if path.name != ".gitignore"]
        assert len(files) == 3, "the write-ahead log and its index"
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_tables_are_strict_and_the_log_is_written_ahead(tmp_path: Path) -> None:
    with CampaignStore(tmp_path / "s.sqlite") as store:
        assert [row[0] for row in store.rows("PRAGMA journal_mode")] == ["wal"]
        tables = store.rows("PRAGMA table_list")
        assert {row["name"]: row["strict"] for row in tables if not row["name"].startswith("sqlite_")} == dict.fromkeys(
            ("session", "part", "chunk", "finding", "known", "hosted"), 1
        )
        with pytest.raises(sqlite3.IntegrityError), store.writing() as change:
            change.do("INSERT INTO part (session, version, code, created_ms) VALUES ('one', 'v', 'c', 1)")


def test_an_older_store_is_brought_up_to_date_and_keeps_what_it_has(tmp_path: Path) -> None:
    file = tmp_path / "s.sqlite"
    with CampaignStore(file) as store, store.writing() as change:
        change.add("session", project="", plan="{}", system="", created_ms=1, active_ms=1)
    newer = (*MIGRATIONS, "ALTER TABLE session ADD COLUMN note TEXT NOT NULL DEFAULT 'none';\nSELECT 1")
    with CampaignStore(file, newer) as store:
        assert [row["note"] for row in store.rows("SELECT note FROM session")] == ["none"]
    with CampaignStore(file, newer) as store:
        assert [row[0] for row in store.rows("PRAGMA user_version")] == [len(newer)]


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "s.sqlite"
    CampaignStore(file).close()
    with pytest.raises(ConfigError):
        CampaignStore(
            file, (*MIGRATIONS, "ALTER TABLE session ADD COLUMN note TEXT;\nALTER TABLE nothing ADD COLUMN x TEXT")
        )
    with CampaignStore(file) as store:
        assert "note" not in [row["name"] for row in store.rows("PRAGMA table_info(session)")]


def test_a_store_of_a_later_roundsim_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "s.sqlite"
    CampaignStore(file, (*MIGRATIONS, "SELECT 1")).close()
    with pytest.raises(ConfigError, match="has version 4, this roundsim knows 3; use the roundsim that wrote it"):
        CampaignStore(file)


def test_what_is_no_store_is_told_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".sim").mkdir()
    file = tmp_path / ".sim" / "sessions.sqlite"
    file.write_text("these are my own notes, and no database at all\n" * 100)
    file.chmod(0o600)
    before = file.read_bytes()
    status, out, err = sim(tmp_path, "sessions")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "is not a store of sessions; move it away" in err
    assert file.read_bytes() == before


@pytest.mark.parametrize("version", [0, 1])
def test_a_database_of_another_program_is_told_and_left_alone(version: int, tmp_path: Path) -> None:
    file = tmp_path / "s.sqlite"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE session (notes)")
        database.execute(f"PRAGMA user_version = {version}")
    before = file.read_bytes()
    with pytest.raises(ConfigError, match=r"is not a store of sessions; move it away, .* database of another program"):
        CampaignStore(file)
    assert file.read_bytes() == before


DAMAGE = {
    "a plan that is none": "UPDATE session SET plan = '{}'",
    "a plan of a later roundsim": "UPDATE session SET plan = json_set(plan, '$.later', 1)",
    "a plan that is no JSON": "UPDATE session SET plan = '{'",
    "a coverage that is none": "UPDATE chunk SET coverage = x'00'",
    "a coverage with its end torn off": "UPDATE chunk SET coverage = substr(coverage, 1, length(coverage) - 1)",
    "a sample that is none": "UPDATE chunk SET sample = '[]'",
    "a finding that is none": "UPDATE finding SET found = '{}'",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_what_cannot_be_understood_is_told_in_one_line(
    damage: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store(here) as store:
        a_campaign(store, here, schedules=20).run(inline())
        with store.writing() as change:
            change.do(damage)
    assert call(["status", "1"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "sessions.sqlite: " in err
    assert "move it away" in err


def test_what_only_the_model_does_wrong_is_no_damage(here: Path) -> None:
    with open_store(here) as store, pytest.raises(ZeroDivisionError), store.understood():
        raise ZeroDivisionError


@pytest.mark.parametrize("mode", [0o622, 0o644])
def test_a_store_that_others_may_read_or_write_is_refused(mode: int, tmp_path: Path) -> None:
    """What git checks out, or an archive holds, is readable: a store that came with a project runs nothing of it."""
    open_store(tmp_path).close()
    assert sim(tmp_path, "sessions")[0] == 0
    (tmp_path / ".sim" / "sessions.sqlite").chmod(mode)
    status, out, err = sim(tmp_path, "sessions")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "others may read or write it, and sessions decide what is imported; if it is your own: chmod 600 " in err


def test_a_store_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Home(tmp_path / ".sim", tmp_path, shared=False)
    place.prepare()
    monkeypatch.setattr(Path, "stat", lambda self, **_: os.stat_result((0o100600, 1, 1, 1, 12345, 0, 0, 0, 0, 0)))
    with pytest.raises(ConfigError, match="it belongs to another user; set SIM_HOME to a folder that you own"):
        place.check()


def test_the_store_is_the_projects_or_where_sim_home_says(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert home(inner, None).folder == tmp_path / ".sim"
    with pytest.raises(ConfigError, match="SIM_HOME=~nobody-at-all/x: home folder not found"):
        home(inner, "~nobody-at-all/x")
    (tmp_path / "a" / ".git").touch()  # a work tree has a file there
    assert home(inner, None).folder == tmp_path / "a" / ".sim"
    assert home(inner, str(tmp_path / "kept")).folder == tmp_path / "kept"


# --- no room, no right ------------------------------------------------------------------------------


def test_a_disk_that_is_full_ends_the_campaign_and_leaves_a_store_to_go_on_with(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(here) as store:
        undisturbed = a_campaign(store, here)
        expected = undisturbed.run(inline())
        campaign = a_campaign(store, here)
        (pages,) = store.rows("PRAGMA page_count")[0]
        store.rows(f"PRAGMA max_page_count = {pages + 3}")
        with pytest.raises(
            ConfigError, match="the disk is full; what was recorded is kept: free some space, then resume"
        ):
            campaign.run(inline())
        done = len(sessions.done(store, campaign.session.id))
        assert 0 < done < 10
        store.rows("PRAGMA max_page_count = 1000000")
        again = go_on(store, campaign.session.id, here)
        answer = again.run(inline())
        assert (answer.found, answer.coverage.data()) == (expected.found, expected.coverage.data())
    assert stored(here, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("back", ["nothing", "another", "itself"])
def test_a_store_that_goes_away_ends_the_campaign(back: str, here: Path) -> None:
    """SQLite would go on writing to a file that nobody finds again."""
    file = here / ".sim" / "sessions.sqlite"

    def take_away(request: ChunkRequest) -> None:
        if request.first == 40:
            file.rename(here / "away")
            if back == "another":
                CampaignStore(file).close()
            elif back == "itself":
                (here / "away").rename(file)

    with open_store(here) as store:
        campaign = a_campaign(store, here)
        if back == "itself":
            assert campaign.run(inline(take_away)).schedules == 100
        else:
            with pytest.raises(ConfigError, match=r"sessions\.sqlite: was moved or deleted while in use"):
                campaign.run(inline(take_away))


def test_a_folder_of_sessions_that_a_full_disk_left_half_made_is_hidden_all_the_same(tmp_path: Path) -> None:
    (tmp_path / ".sim").mkdir()
    (tmp_path / ".sim" / ".gitignore").touch()
    Home(tmp_path / ".sim", tmp_path, shared=False).prepare()
    assert (tmp_path / ".sim" / ".gitignore").read_text() == "*\n"


def test_a_full_disk_is_told_by_the_command_in_one_line(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: nothing can be mounted everywhere."""
    write_toy(tmp_path)
    sim(tmp_path, *FUZZ, "--schedules", "20")

    def limited() -> None:
        size = (tmp_path / ".sim" / "sessions.sqlite").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40_000, size + 40_000))

    status, _, err = sim(tmp_path, *FUZZ, "--schedules", "500", "--seed", "1", preexec_fn=limited)
    assert (status, err.count("\n")) == (2, 1)
    assert "what was recorded is kept" in err
    assert stored(tmp_path, "PRAGMA integrity_check") == [("ok",)]
    status, data = sim_json(tmp_path, "resume", "2", "--workers", "1")
    _, undisturbed = sim_json(tmp_path, "fuzz", "dice", *FUZZ[2:], "--schedules", "500", "--seed", "1")
    assert data["states"] == undisturbed["states"]
    assert [one["times"] for one in data["found"]] == [one["times"] for one in undisturbed["found"]]


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder with a store in it that nobody may write to."""
    folder = tmp_path / "fixed"
    folder.mkdir()
    write_toy(folder)
    sim(folder, *FUZZ, "--schedules", "20")
    both = (folder, folder / ".sim")
    for path in both:
        path.chmod(0o500)
    yield folder
    for path in both:
        path.chmod(0o700)


def as_anybody() -> None:
    """Modes hold for root too, once it has given up what lets it pass them by."""
    drop_from_bounding_set, dac_override, dac_read_search = 24, 1, 2
    if os.geteuid() == 0:
        for power in (dac_override, dac_read_search):
            assert ctypes.CDLL(None).prctl(drop_from_bounding_set, power, 0, 0, 0) == 0


def test_a_read_only_folder_is_told_in_one_line_and_nothing_is_changed(read_only: Path, tmp_path: Path) -> None:
    before = (read_only / ".sim" / "sessions.sqlite").read_bytes()
    out = ("--out", str(tmp_path / "out"))
    for words in ((*FUZZ, "--schedules", "40", *out), ("resume", "1", *out), ("sessions",), ("status", "1")):
        status, printed, err = sim(read_only, *words, preexec_fn=as_anybody)
        assert (status, printed, err.count("\n")) == (2, "", 1), err
        assert "cannot be" in err
        assert "set SIM_HOME" in err
    assert (read_only / ".sim" / "sessions.sqlite").read_bytes() == before


def test_a_store_that_may_not_be_looked_at_is_told_in_one_line(read_only: Path) -> None:
    (read_only / ".sim").chmod(0o000)
    status, printed, err = sim(read_only, "sessions", preexec_fn=as_anybody)
    assert (status, printed, err.count("\n")) == (2, "", 1), err
    assert "no sessions can be kept there: Permission denied" in err


def test_a_folder_in_which_no_store_can_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "fixed"
    folder.mkdir()
    write_toy(folder)
    folder.chmod(0o500)
    out = ("--out", str(tmp_path / "out"))
    status, printed, err = sim(folder, *FUZZ, "--schedules", "40", *out, preexec_fn=as_anybody)
    folder.chmod(0o700)
    assert (status, printed, err.count("\n")) == (2, "", 1)
    assert "no sessions can be kept there: Permission denied; set SIM_HOME to a folder that you own" in err
    home = {"env": environment(SIM_HOME=str(tmp_path / "elsewhere"))}
    status, data = sim_json(folder, *FUZZ, "--schedules", "40", *out, **home)
    assert (status, data["schedules"], (tmp_path / "elsewhere" / "sessions.sqlite").exists()) == (1, 40, True)


# --- several at once --------------------------------------------------------------------------------


def private(folder: Path) -> Path:
    """The file of a store that is made as a command makes it."""
    place = Home(folder / ".sim", folder, shared=False)
    place.prepare()
    return place.file


def test_two_campaigns_and_a_reader_never_meet_a_lock(tmp_path: Path) -> None:
    write_toy(tmp_path)
    both = [start(tmp_path, *FUZZ[:-1], "2", "--schedules", "300", "--seed", str(seed), "--json") for seed in (1, 2)]
    seen: dict[int, None] = {}
    with CampaignStore(private(tmp_path)) as store:
        while any(child.poll() is None for child in both):
            seen |= dict.fromkeys(one.schedules for one in sessions.sessions(store, None))
    for child in both:
        _, err = child.communicate()
        assert err == ""
    assert len(seen) > 10, "the reader saw them grow"
    assert stored(tmp_path, "SELECT id, state FROM session") == [(1, "done"), (2, "done")]
    assert stored(tmp_path, "SELECT count(*) FROM chunk") == [(300,)]


def test_a_store_that_reads_before_it_locks_would_meet_one(tmp_path: Path) -> None:
    """Why every transaction begins with the lock: one that reads first is refused at once, however long it
    would wait."""
    file = tmp_path / "s.sqlite"
    with CampaignStore(file) as one, CampaignStore(file) as two:
        one._db.execute("BEGIN")
        one._db.execute("SELECT * FROM session").fetchall()
        with two.writing() as change:
            change.add("session", project="", plan="{}", system="", created_ms=1, active_ms=1)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            one._db.execute("DELETE FROM session")
        one._db.execute("ROLLBACK")


def test_a_session_is_run_by_one_process_at_a_time(tmp_path: Path) -> None:
    write_toy(tmp_path)
    child = start(tmp_path, *FUZZ, "--schedules", "100000", "--json")
    while not (tmp_path / ".sim" / "sessions.lock").exists():
        assert child.poll() is None
    while not stored(tmp_path, "SELECT * FROM chunk"):
        assert child.poll() is None
    status, out, err = sim(tmp_path, "resume", "1")
    assert (status, out) == (2, "")
    assert err == "sim: session 1 is being run by another process; wait for it, or end it\n"
    child.kill()
    child.communicate()
    status, data = sim_json(tmp_path, "resume", "1", "--for", "100ms")
    assert (status, data["session"]["state"]) == (1, "open")


def test_stores_opened_at_once_are_made_once(tmp_path: Path) -> None:
    write_toy(tmp_path)
    words = (*FUZZ, "--set", "sound=true", "--schedules", "1")
    for child in [start(tmp_path, *words, "--seed", str(seed)) for seed in range(6)]:
        _, err = child.communicate()
        assert (child.returncode, err) == (0, "")
    assert stored(tmp_path, "SELECT id, state FROM session") == [(number, "done") for number in range(1, 7)]


def test_listing_makes_nothing(tmp_path: Path) -> None:
    status, out, err = sim(tmp_path, "sessions")
    assert (status, err) == (0, "")
    assert out == "no session: no branch (no git repository); sim fuzz TARGET --workers 2 starts one\n"
    assert sim(tmp_path, "status", "1")[0] == 2
    assert [*tmp_path.iterdir()] == []


def test_a_coverage_that_an_earlier_version_kept_is_read() -> None:
    """It said nothing of the sizes of schedules; what it did say has to be there."""
    head = {"visits": 3, "taken": [["player", 0]], "held": ["luck"]}
    rest = b"\n" + bytes(8) + b"\x01"
    read = sessions.unpack(json.dumps(head).encode() + rest)
    assert (read.taken, read.held, read.sizes, read.uneven) == ((("player", 0),), ("luck",), (), False)
    assert sessions.unpack(sessions.pack(read)) == read
    del head["taken"]
    with pytest.raises(KeyError):
        sessions.unpack(json.dumps(head).encode() + rest)


DISCOVERY = (
    '{"told": {"violated": "falling", "message": "heard 4321", "schedule": ["start choosing 4", "deliver a->b Go"], '
    '"words": ["As usual, except:", "- a ähnelt b"], "actions": 1, "deviations": 2, "complete": true}, '
    '"shape": ["deliver a->b Go"], "strategy": "pos", "seed": 7, "number": 25, "steps": 9, "times": 3}'
)
"""As stores of every version have it."""


def test_a_discovery_is_kept_as_it_always_was_and_read_back() -> None:
    found = sessions.discovery_from(DISCOVERY)
    least = found.counterexample
    assert (least.property, least.message, least.cost, least.complete) == ("falling", "heard 4321", (2, 1), True)
    assert (found.schedule, len(least.words)) == (("start choosing 4", "deliver a->b Go"), 2)
    assert (found.strategy, found.seed, found.number, found.steps, found.times) == ("pos", 7, 25, 9, 3)
    assert found.key == ("falling", ("deliver a->b Go",))
    assert sessions.discovery_text(found) == DISCOVERY


@pytest.mark.parametrize("name", [*json.loads(DISCOVERY), *json.loads(DISCOVERY)["told"]])
def test_a_discovery_that_lacks_a_part_is_not_read(name: str) -> None:
    data = json.loads(DISCOVERY)
    (data if name in data else data["told"]).pop(name)
    with pytest.raises(KeyError, match=name):
        sessions.discovery_from(json.dumps(data))


# --- folding ----------------------------------------------------------------------------------------


def test_folded_coverage_says_what_the_chunks_said(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(here) as store:
        loose = a_campaign(store, here)
        expected = loose.run(inline())
        monkeypatch.setattr("sim.campaign.dispatch.FOLD_MIN", 0)
        folding = a_campaign(store, here)
        folding.run(inline())
        kept = store.rows("SELECT coverage FROM chunk WHERE session = ?", folding.session.id)
        assert sum(row["coverage"] is None for row in kept) >= len(kept) // 2
        answer = answer_of(store, folding.session, folding.part, folding.world)
        assert answer.coverage.data() == expected.coverage.data()
        with store.writing() as change:
            change.do("UPDATE part SET coverage = NULL")
        assert answer_of(store, folding.session, folding.part, folding.world).states < expected.states
